"""FITS files: which of their headers are read, and whether the data that they announce are there.

All cards of the primary header are read. Further headers are read, up to eight, where the primary has no
data (compressed images and tables: the first of them says what they are), and while the time, the telescope
or the instrument is missing; the primary wins where it says something. The size of the file is compared with
every header that is read. Where it is no multiple of 2880 bytes, as that of every whole file is, also with
all further headers that cost no request; a file cut by chance at such a multiple behind them is not found.
Here: the headers of one file.
Not here: a single header (``fits_hdu``), files packed by gzip (``gzip_fits``), columns (``observation``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.headers.fits_cards import BLOCK
from metaplat.collectors.headers.fits_hdu import read_hdu
from metaplat.collectors.headers.fits_sizes import padded
from metaplat.collectors.headers.header import Header, HeaderError

if TYPE_CHECKING:
    from metaplat.collectors.headers.fits_hdu import Hdu
    from metaplat.collectors.headers.header import ByteSource, Scalar

TIME_KEYWORDS = ("DATE-OBS", "DATE-BEG", "DATE_OBS", "MJD-OBS", "MJD-BEG")
OF_ONE_HEADER = frozenset({"CHECKSUM", "DATASUM", "EXTEND"})
"""What says nothing of the file as a whole."""
MERGED_HEADERS = 8
"""So many headers are read for their keywords."""
MEASURED_HEADERS = 1000
"""So many are followed to find where a file is cut."""

TRUNCATED = "truncated"
PADDING_MISSING = "padding_missing"
SIZE_UNEVEN = "size_uneven"
SIZE_UNKNOWN = "size_unknown"
TRAILING_BYTES = "trailing_bytes"
BROKEN_EXTENSION = "broken_extension"


def read_fits(source: ByteSource, max_header_bytes: int) -> Header:
    """Read the headers of a FITS file.

    Parameters
    ----------
    source : ByteSource
        The file; it begins with ``SIMPLE  =``.
    max_header_bytes : int
        Longer headers are refused.

    Returns
    -------
    Header
        Flags, beside those of ``Header``: ``padding_missing`` and ``size_uneven`` (the size is no multiple of
        2880: all data are there, or that is not known), ``size_unknown`` (the header does not say how many
        data follow), ``trailing_bytes`` (something else follows), ``broken_extension`` (a further header
        cannot be read), ``odd_card``, ``control_characters``, ``non_ascii``.

    Raises
    ------
    HeaderError
        The primary header cannot be read: ``no_end``, ``cut_header``, ``too_long``, ``broken``,
        ``reader_missing`` or ``out_of_reach``.
    """
    return read_headers(source, max_header_bytes, source.size)


def read_headers(source: ByteSource, max_header_bytes: int, size: int | None) -> Header:
    """Read the headers of a FITS file whose size may be unknown, as ``read_fits`` does."""
    primary = read_hdu(source, 0, max_header_bytes)
    header = Header("fits", primary.values)
    if not _is_last(primary, size, header):
        _Walk(source, max_header_bytes, size, header).run(primary)
    if primary.flags or header.flags:
        header.flags = sorted(primary.flags.union(header.flags))
    return header


def _end_of(hdu: Hdu) -> int:
    """Return where its data end with their padding: the next header begins there."""
    return hdu.data_at + padded(hdu.data_bytes or 0)


def _is_last(hdu: Hdu, size: int | None, header: Header) -> bool:
    """Tell whether nothing can follow; note in the header what is missing of the file."""
    if hdu.data_bytes is None:
        header.flags.append(SIZE_UNKNOWN)
        return True
    if size is None:
        return False
    end = hdu.data_at + hdu.data_bytes if hdu.data_bytes else hdu.header_stop
    if end > size:
        header.flags.append(TRUNCATED)
        header.truncated = f"it has {size} bytes, and its header says {end}"
    elif padded(end) > size:
        header.flags.append(PADDING_MISSING)
    return padded(end) >= size


class _Walk:
    """The way through the headers behind the primary one; what is found goes into the header of the file."""

    def __init__(self, source: ByteSource, most: int, size: int | None, header: Header) -> None:
        self.source, self.most, self.size, self.header = source, most, size, header
        self.values: dict[str, Scalar] = {}

    def run(self, primary: Hdu) -> None:
        """Follow the headers as far as the module says."""
        hdu, count, has_data = primary, 1, primary.data_bytes != 0
        self.values = primary.values
        while True:
            is_wanted = count < MERGED_HEADERS and (not has_data or _lacks_keywords(self.values))
            if not is_wanted and not self._is_measured(hdu, count):
                return self._note_uneven()
            following = self._following(_end_of(hdu))
            if following is None:
                return None
            if is_wanted:
                self._merge(following)
                has_data = True  # one header behind an empty primary is enough
            hdu, count = following, count + 1
            if _is_last(hdu, self.size, self.header):
                return None

    def _merge(self, hdu: Hdu) -> None:
        self.header.flags.extend(hdu.flags)
        for keyword, value in hdu.values.items():
            if self.values.get(keyword) is None and keyword not in OF_ONE_HEADER:
                self.values[keyword] = value

    def _is_measured(self, hdu: Hdu, count: int) -> bool:
        """Tell whether the next header is read for its size only: something is missing, and it is near."""
        if self.size is None or self.size % BLOCK == 0 or count >= MEASURED_HEADERS:
            return False
        return self.source.path is not None or _end_of(hdu) < len(self.source.first)

    def _note_uneven(self) -> None:
        if self.size is not None and self.size % BLOCK:
            self.header.flags.append(SIZE_UNEVEN)

    def _following(self, at: int) -> Hdu | None:
        """Return the header at an offset; None where there is none, with a flag that says why."""
        try:
            return read_hdu(self.source, at, self.most)
        except HeaderError as error:
            if error.code == "cut_header":
                self.header.flags.append(TRUNCATED)
                self.header.truncated = f"it ends within a further header, which begins at byte {at}"
            elif error.code == "out_of_reach":
                self._note_uneven()
            elif error.code != "empty":
                is_other = error.code == "unknown_format"
                self.header.flags.append(TRAILING_BYTES if is_other else BROKEN_EXTENSION)
            return None


def _lacks_keywords(values: dict[str, Scalar]) -> bool:
    """Tell whether the time, the telescope or the instrument is missing."""
    if values.get("TELESCOP") is None or values.get("INSTRUME") is None:
        return True
    return all(values.get(keyword) is None for keyword in TIME_KEYWORDS)
