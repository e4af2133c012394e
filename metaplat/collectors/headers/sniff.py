"""What kind of file it is, by its first bytes: names and suffixes are not looked at.

Here: the magic of every format that is read, and the reasons for what is no observation at all.
Not here: reading any of them (one module a format; ``reading`` chooses it).
To add a format, write its module and name its magic here.
"""

from __future__ import annotations

import codecs
import re

from metaplat.collectors.headers.header import HeaderError

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
FITS_MAGIC = b"SIMPLE  ="
CARD = 80
USER_BLOCKS = tuple(512 << n for n in range(8))
"""Where HDF5 may begin behind a user block, within the first 64 KiB."""

PACKED = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
)
UTF16 = (b"\xff\xfe", b"\xfe\xff")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_MARKUP = re.compile(rb"\s*<(?:[!?/a-zA-Z])")
_JSON = re.compile(rb"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\]])")
_OTHER_CARD = re.compile(rb"[A-Z0-9_-]{1,8} *(?:= [ -~]*)?\Z")
_NOT_TEXT = bytes(set(range(0x20)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"
_HIGH = bytes(range(0x80, 0x100))


def sniff(first: bytes, size: int) -> str:
    """Return the name of the module that reads a file.

    Parameters
    ----------
    first : bytes
        The first 64 KiB of the file, or all of a shorter one.
    size : int
        Bytes of the file.

    Returns
    -------
    str
        ``fits``, ``gzip``, ``hdf5`` (also HDF-EOS5 and NetCDF-4), ``netcdf3`` or ``csv`` (any other text).

    Raises
    ------
    HeaderError
        It is no observation; the code and the text say what it is instead.
    """
    if first.startswith(FITS_MAGIC):
        return "fits"
    if first.startswith(b"\x1f\x8b"):
        return "gzip"
    if first.startswith(HDF5_MAGIC):
        return "hdf5"
    if first[:4] in (b"CDF\x01", b"CDF\x02", b"CDF\x05"):
        return "netcdf3"
    return _uncommon(first, size)


def _uncommon(first: bytes, size: int) -> str:
    _refuse_nothing(first, size)
    _refuse_packed(first)
    if any(first.startswith(HDF5_MAGIC, at) for at in USER_BLOCKS):
        return "hdf5"
    _refuse_broken_fits(first)
    _refuse_other_text(first)
    return "csv"


def _refuse_nothing(first: bytes, size: int) -> None:
    if not first and size:
        raise HeaderError("changed", f"it had {size} bytes when it was listed, and has none now")
    if not first:
        raise HeaderError("empty", "it has no bytes")
    if not first.strip(b"\0"):
        raise HeaderError("zero_filled", f"its first {len(first)} of {size} bytes are zero")


def _refuse_packed(first: bytes) -> None:
    if first.startswith(b"\x1f\x9d"):
        raise HeaderError("compressed", "it is packed by compress (.Z): unpack it, or pack it with gzip")
    kind = next((name for magic, name in PACKED if first.startswith(magic)), None)
    if kind is None and first[257:262] == b"ustar":
        kind = "tar"
    if kind is not None:
        raise HeaderError("archive", f"it is packed by {kind}: unpack it, or pack each file with gzip")


def _refuse_broken_fits(first: bytes) -> None:
    """Refuse what was meant as FITS: a card comes first, but not ``SIMPLE  =``."""
    if len(first) >= len("SIMPLE") and FITS_MAGIC.startswith(first):
        raise HeaderError("cut_header", f"it has {len(first)} bytes, and a FITS header at least 2880")
    card = first[:CARD]
    if card.startswith(b"SIMPLE"):
        raise HeaderError(
            "broken", "FITS: its first card is no 'SIMPLE  = T': '=' must be the ninth character"
        )
    if len(card) == CARD and card[8:10] == b"= " and _OTHER_CARD.match(card):
        name = card[:8].decode("ascii").rstrip()
        raise HeaderError("broken", f"FITS: its first card is {name}, not SIMPLE")


def _refuse_other_text(first: bytes) -> None:
    """Refuse what is no text, and text that is no table."""
    if first.startswith(UTF16):
        raise HeaderError("unknown_format", "it is text in UTF-16: write it in UTF-8")
    if _is_binary(first):
        raise HeaderError("unknown_format", f"no format begins with the bytes {first[:8].hex(' ')}")
    text = first.removeprefix(BYTE_ORDER_MARK)
    if _MARKUP.match(text):
        raise HeaderError("html", "it is HTML or XML, often an error page saved in place of the file")
    if _JSON.match(text):
        raise HeaderError("unknown_format", "it is JSON, often an error message saved in place of the file")
    if not text.strip():
        raise HeaderError("unknown_format", "it holds nothing but blanks")


def _is_binary(first: bytes) -> bool:
    """Tell whether bytes are no text: control characters, or mostly high bytes that are not UTF-8."""
    if len(first.translate(None, _NOT_TEXT)) != len(first):
        return True
    if len(first) - len(first.translate(None, _HIGH)) <= len(first) // 3:
        return False  # latin-1 has few of them
    try:
        codecs.getincrementaldecoder("utf-8")().decode(first)  # the block may end within a character
    except UnicodeDecodeError:
        return True
    return False
