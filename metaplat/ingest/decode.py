"""Bytes of a landing object become raw records, whatever form they were landed in.

Here: JSON object, JSON array, NDJSON, each plain, gzipped or zstd-compressed, told apart by content.
Not here: what a record must hold (``validate``).
One bad record costs that record; an object that cannot be read at all is one InvalidInputError.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import TYPE_CHECKING, Any

import orjson

from metaplat.model.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
UTF8_BOM = b"\xef\xbb\xbf"
PACKED_STEP = 4096
"""Packed bytes unpacked at once: at most 128 MiB, as zstd packs 128 KiB of one byte into 4 bytes."""
INT_DIGITS = 20
"""Digits of the largest whole number of 64 bits, or digits and sign of the smallest."""
BETWEEN = re.compile(r"\s*")
MAX_DEPTH = 200
"""Levels of nesting in a record: what orjson writes (254), and Python can walk."""

Decoded = tuple[int, Any]
"""Position (index in an array, else line, from 0) and the record, or an InvalidInputError in its place."""


def decode(content: bytes, max_bytes: int) -> Iterator[Decoded]:
    """Yield every record of a landing object.

    Parameters
    ----------
    content : bytes
        The object as landed.
    max_bytes : int
        Largest size allowed once unpacked.

    Yields
    ------
    Decoded
        Position and dict, or position and the InvalidInputError that tells what stands there instead.

    Raises
    ------
    InvalidInputError
        The object is empty, too large, cut, or not JSON at all.
    """
    if content[:1] == b"{":  # by far the most frequent: one plain JSON object
        _refuse_large(len(content), max_bytes)
        try:
            record = orjson.loads(content)
        except orjson.JSONDecodeError:
            yield from _decode_text(content)
            return
        shallow = content.count(b"{") + content.count(b"[") <= MAX_DEPTH  # counting beats walking
        yield 0, record if shallow else _record(record)
        return
    yield from _decode_text(_unpack(content, max_bytes))


def _unpack(content: bytes, max_bytes: int) -> bytes:
    if content.startswith(GZIP_MAGIC):
        content = _gunzip(content, max_bytes)
    elif content.startswith(ZSTD_MAGIC):
        content = _unzstd(content, max_bytes)
    _refuse_large(len(content), max_bytes)
    content = content.removeprefix(UTF8_BOM)
    if not content.strip():
        raise InvalidInputError("the object is empty")
    return content


def _gunzip(content: bytes, max_bytes: int) -> bytes:
    """Unpack every member; zeros after the last one are padding (gzip manual, "Tapes")."""
    try:
        return _unpack_members(content, lambda: zlib.decompressobj(wbits=31), b"\0", "gzip", max_bytes)
    except zlib.error as error:
        raise InvalidInputError(f"the gzip stream is broken: {error}") from error


def _unzstd(content: bytes, max_bytes: int) -> bytes:
    import zstandard

    decompressor = zstandard.ZstdDecompressor()
    try:
        return _unpack_members(content, decompressor.decompressobj, b"", "zstd", max_bytes)
    except zstandard.ZstdError as error:
        raise InvalidInputError(f"the zstd frame is broken: {error}") from error


def _unpack_members(
    content: bytes, open_member: Callable[[], Any], padding: bytes, form: str, max_bytes: int
) -> bytes:
    """Unpack member after member in small steps: a few bytes can unpack to any size."""
    unpacked, position = bytearray(), 0
    while position < len(content):
        if content[position : position + 1] == padding and not content[position:].strip(padding):
            break
        member = open_member()
        while not member.eof:
            chunk = content[position : position + PACKED_STEP]
            if not chunk:
                raise InvalidInputError(f"the {form} stream is cut")
            unpacked += member.decompress(chunk)
            position += len(chunk)
            _refuse_large(len(unpacked), max_bytes)
        position -= len(member.unused_data)
    return bytes(unpacked)


def _refuse_large(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise InvalidInputError(
            f"the object is larger than {max_bytes / 2**20:.0f} MiB unpacked; split it, "
            "or raise ingest.max_object_mb"
        )


def _decode_text(content: bytes) -> Iterator[Decoded]:
    try:
        whole = _parse(content)
    except InvalidInputError as error:
        yield from _decode_lines(content, error)
        return
    items = whole if isinstance(whole, list) else [whole]  # an empty array is an export without records
    for position, item in enumerate(items):
        yield position, _record(item)


def _decode_lines(content: bytes, whole_error: InvalidInputError) -> Iterator[Decoded]:
    """Read NDJSON; content that is rather one broken text over many lines is reported as a whole."""
    found: list[Decoded] = []
    for position, line in enumerate(content.split(b"\n")):
        if not line.strip():
            continue
        try:
            found.append((position, _record(_parse(line))))
        except InvalidInputError as error:
            if not found and _goes_on(line):
                break
            found.append((position, error))
    good = [item for _, item in found if isinstance(item, dict)]
    if len(good) < len(found) or not found:
        found = _decode_sequence(content) or (found if good else [])
    if not found:
        raise whole_error
    yield from found


def _decode_sequence(content: bytes) -> list[Decoded]:
    """Read objects one after the other without line breaks, as Amazon Data Firehose writes; else nothing."""
    decoder, text = json.JSONDecoder(parse_int=_whole), content.decode("utf-8", "surrogateescape")
    found: list[Decoded] = []
    position = 0
    try:
        while position < len(text):
            item, position = decoder.raw_decode(text, position)
            found.append((len(found), _record(item)))
            position = BETWEEN.match(text, position).end()  # type: ignore[union-attr]  # it always matches
    except (ValueError, RecursionError):
        return []
    return found if all(isinstance(item, dict) for _, item in found) else []


def _goes_on(line: bytes) -> bool:
    """Whether a first line that is no JSON by itself belongs to a text that goes on in the next."""
    line = line.strip()
    return line.startswith(b"[") or line.endswith((b"{", b"[", b","))


def _parse(text: bytes) -> Any:  # any JSON value
    """Parse one JSON text.

    What only one record of an array can be blamed for is let through, so that it costs that record only: NaN,
    Infinity and numbers beyond a float become such floats, bytes that are not UTF-8 lone surrogates.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        position, problem = error.pos, error.msg
    try:
        return json.loads(text.decode("utf-8", "surrogateescape"), parse_int=_whole)
    except (ValueError, RecursionError):
        raise InvalidInputError(f"not JSON at byte {position}: {problem}") from None


def _whole(digits: str) -> int | float:
    """Read a whole number as orjson does: one beyond 64 bits is a float."""
    value = int(digits) if len(digits) <= INT_DIGITS else None
    return value if value is not None and -(2**63) <= value < 2**64 else float(digits)


def _record(item: object) -> dict[str, Any] | InvalidInputError:
    """Return a record, or the error that stands for what is none."""
    if not isinstance(item, dict):
        return InvalidInputError(f"a record must be a JSON object, this is {json_type(item)}")
    if _is_deep(item):
        return InvalidInputError(f"the record is nested more than {MAX_DEPTH} levels deep")
    return item


def _is_deep(record: dict[str, Any]) -> bool:
    level: list[Any] = [record]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for parent in level
            for item in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def json_type(value: object) -> str:
    """Name of the JSON type of ``value``, for messages."""
    if value is None:
        return "null"
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "text",
        list: "an array",
        dict: "an object",
    }
    return names.get(type(value), type(value).__name__)
