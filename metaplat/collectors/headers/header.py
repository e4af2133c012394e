"""What a format module gives: the header of one file, before it is mapped to columns.

Here: the form of a header, where its bytes come from, and why a file is rejected.
Not here: any format, and the columns of the catalog (``observation``).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import orjson

from metaplat.model.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

Scalar = str | int | float | bool | None
Value = Scalar | list[Scalar]

FIRST_BLOCK = 64 * 1024
"""Bytes of a file that are read at once; most headers are shorter."""

EXTRACTOR_VERSION = "1"
"""Raise it when extractors read something better: failed and changed files are read anew."""


class ByteSource(Protocol):
    """The bytes of one file, wherever it is; on S3 two requests at most, the first block included."""

    @property
    def size(self) -> int:
        """Bytes of the file when it was opened."""

    @property
    def first(self) -> bytes:
        """The first block: 11,520 to ``FIRST_BLOCK`` bytes, all of a shorter file; read once."""

    @property
    def path(self) -> Path | None:
        """The file on this machine, for libraries that open files themselves; None on S3."""

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; fewer at the end of the file.

        Raises
        ------
        HeaderError
            With code ``out_of_reach``: on S3 it would take a third request.
        """


class HeaderError(InvalidInputError):
    """A file that cannot be cataloged; ``code`` says in one word why, the text in one line for a person.

    Codes: ``empty``, ``unknown_format``, ``html``, ``archive``, ``compressed`` (``.Z``, or damaged),
    ``zero_filled``, ``no_end``, ``cut_header``, ``too_long``, ``broken``, ``truncated``, ``reader_missing``,
    ``out_of_reach``, ``changed`` (while read), ``not_allowed``, ``gone``, ``not_a_file``, ``unreadable``.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code, self.text = code, text

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


@dataclass
class Header:
    """The header of one file.

    Parameters
    ----------
    file_format : str
        One of ``model.observation.FORMATS``.
    values : mapping of str to Value
        By keyword, as the file writes it (FITS: upper case; attributes of HDF5 and NetCDF: as they are,
        those of a
        group as ``group/name``); the first occurrence wins, blank and undefined values are None. FITS: of all
        HDUs that were read, the primary first.
    flags : list of str
        What was odd, as codes: ``truncated``, ``padding_missing``, ``non_ascii``, ``latin1``, ``not_text``
        (a keyword that should be text is not), ...
    truncated : str or None
        Both sizes in one sentence, where the file is shorter than its header says.
    time_range : tuple or None
        (first, last, units, calendar) of a time variable, where the format found one: numbers, ``seconds
        since
        ...``, and the calendar or None.
    """

    file_format: str
    values: Mapping[str, Value]
    flags: list[str] = field(default_factory=list)
    truncated: str | None = None
    time_range: tuple[float, float, str, str | None] | None = None

    def rest(self, mapped: Collection[str]) -> str | None:
        """Return everything that is not mapped to a column, as a JSON object; None where there is nothing.

        Parameters
        ----------
        mapped : collection of str
            Keywords that columns were filled from.
        """
        left = dict(self.values)
        for key in mapped:
            left.pop(key, None)
        try:
            text = orjson.dumps(left, option=orjson.OPT_STRICT_INTEGER)
        except orjson.JSONEncodeError:  # a whole number that readers of JSON would round
            text = b":null"
        if b":null" in text:  # most headers have nothing that needs a look at each value
            left = {key: value for key, value in left.items() if value is not None}
            text = orjson.dumps(finite(left))
        return text.decode() if left else None


def finite(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return values as JSON can hold them: NaN and infinities as None, long whole numbers as text."""
    return {key: _finite(value) for key, value in values.items()}


def _finite(value: Value) -> Value:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**53) < value < 2**53:
        return str(value)
    if isinstance(value, list):
        return [_scalar(each) for each in value]
    return value


def _scalar(value: Scalar) -> Scalar:
    found = _finite(value)
    return None if isinstance(found, list) else found


@contextmanager
def library(purpose: str, name: str) -> Iterator[None]:
    """Turn a missing optional library into a HeaderError that says how to get it.

    Parameters
    ----------
    purpose : str
        What it is needed for: ``reading HDF5``.
    name : str
        Its import name.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != name:
            raise
        raise HeaderError(
            "reader_missing", f"{purpose} needs {name}: pip install 'metaplat[catalog]'"
        ) from error
