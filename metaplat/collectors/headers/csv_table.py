"""Where the table in a text is, by its shape: delimiter, column names, rows of one width.

Here: telling a table from any other text.
Not here: the bytes of the file and the lines before the table (``csv_header``).
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from itertools import islice

from metaplat.collectors.headers.header import HeaderError

DELIMITERS = ",;\t|"
ROWS = 50
LOOKED_AT = 16 << 10
"""Rows and characters that are looked at: shape shows soon."""
ALIKE = 0.9
"""Share of the rows that must be as wide as the first: real tables have a broken line here and there."""
LONGEST_NAME = 80
MOST_WORDS = 5

_NAME = re.compile(r"[^\W\d][\w .,:%°²µ/()\[\]*+^#$&@'-]*")
_NUMBER = re.compile(
    r"0x[\da-f]+|[-+]?(\d+([.,]\d*)?|[.,]\d+)([eEdD][-+]?\d+)?|[-+]?(nan|inf(inity)?)|", re.IGNORECASE
)
_TIME = re.compile(r"\d{2,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2})?(\.\d+)?Z?")


@dataclass(frozen=True)
class Table:
    """A table: ``columns`` is None where its first row is data."""

    delimiter: str
    width: int
    columns: list[str] | None
    is_ragged: bool


def find_table(text: str, *, described: bool, is_cut: bool) -> Table:
    """Find the table that a text is.

    Parameters
    ----------
    text : str
        From the first row on.
    described : bool
        Whether header lines stand before it: then it is a table, even one of a single column.
    is_cut : bool
        Whether the text goes on in the file: its last row may be incomplete.

    Raises
    ------
    HeaderError
        With code ``unknown_format``: it is none.
    """
    if not text.strip():
        raise HeaderError("unknown_format", "not a table: there is no row in it")
    first_line = text.partition("\n")[0]
    present = sorted((each for each in DELIMITERS if each in first_line), key=first_line.count, reverse=True)
    reasons = []
    for delimiter in present:
        found = _as_table(_rows(text, delimiter, is_cut=is_cut), delimiter, described=described)
        if isinstance(found, Table):
            return found
        reasons.append(found)
    if described and (single := _as_single(_rows(text, ",", is_cut=is_cut))):
        return single
    raise HeaderError(
        "unknown_format", f"not a table: {reasons[0] if reasons else 'its first row has no delimiter'}"
    )


def _rows(text: str, delimiter: str, *, is_cut: bool) -> list[list[str]]:
    """Return the first rows: quoted newlines are part of a cell, comments and blank lines are none."""
    try:
        rows = list(islice(csv.reader(io.StringIO(text[:LOOKED_AT]), delimiter=delimiter), ROWS + 1))
    except csv.Error as error:
        raise HeaderError("unknown_format", f"not a table: {error}") from error
    if len(rows) > ROWS or is_cut or len(text) > LOOKED_AT:
        rows = rows[:-1] or rows
    return [row for row in rows if any(cell.strip() for cell in row) and not row[0].lstrip().startswith("#")]


def _as_table(rows: list[list[str]], delimiter: str, *, described: bool) -> Table | str:
    """Return the table, or why the rows are none."""
    if not rows:
        return "there is no row in it"
    width, body = len(rows[0]), rows[1:]
    alike = [row for row in body if len(row) == width]
    if len(alike) < ALIKE * len(body) and len(body) - len(alike) > 1:
        return f"its rows have different numbers of cells ({width} in the first, by {delimiter!r})"
    has_numbers = _numeric_columns(alike) > 0
    is_ragged = len(alike) < len(body)
    if _are_names(rows[0]):
        if not (described or has_numbers) and _is_prose(rows, delimiter):
            return "it reads like prose: words with a comma between, and no number in a column"
        return Table(delimiter, width, [name.strip() for name in rows[0]], is_ragged)
    if _is_data(rows[0]) or (has_numbers and len(alike) > 1 and _numeric_columns([rows[0]])):
        return Table(delimiter, width, None, is_ragged)
    return f"its first row holds neither names nor numbers (by {delimiter!r})"


def _as_single(rows: list[list[str]]) -> Table | None:
    """Return a table of one column: a name of one word, and numbers or times under it."""
    if any(len(row) != 1 for row in rows) or not rows:
        return None
    name = rows[0][0].strip()
    if len(name.split()) == 1 and _are_names([name, name]) and all(_is_data(row) for row in rows[1:]):
        return Table(",", 1, [name], is_ragged=False)
    return Table(",", 1, None, is_ragged=False) if all(_is_data(row) for row in rows) else None


def _are_names(row: list[str]) -> bool:
    """Tell whether cells can be names; one at either end may be blank: an index, or a trailing delimiter."""
    names = [cell.strip() for cell in row]
    blank = names.count("")
    if blank > 1 or (blank and names[0] and names[-1]) or len(names) - blank < 2:
        return False
    return all(_is_name(name) for name in names if name)


def _is_name(name: str) -> bool:
    whole = name.count("(") == name.count(")") and name.count("[") == name.count("]")
    short = len(name) <= LONGEST_NAME and len(name.split()) <= MOST_WORDS
    return whole and short and not name.endswith(".") and _NAME.fullmatch(name) is not None


def _is_data(row: list[str]) -> bool:
    """Tell whether every cell is a number, a time or nothing."""
    return all(_is_number(cell) or _TIME.fullmatch(cell.strip()) for cell in row)


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell.strip()) is not None


def _numeric_columns(rows: list[list[str]]) -> int:
    """Return how many columns hold nothing but numbers, and at least one."""
    columns = zip(*rows, strict=False)
    return sum(any(map(str.strip, column)) and all(map(_is_number, column)) for column in columns)


def _is_prose(rows: list[list[str]], delimiter: str) -> bool:
    """Tell whether words follow one another as in a sentence: a blank after each delimiter, or one line."""
    spaced = all(cell.startswith(" ") for row in rows for cell in row[1:])
    return delimiter == "," and spaced
