"""Tables as text: the ``# key: value`` lines before the table, and the names of its columns.

Here: the first block of the file, and the decision whether it is a table at all.
Not here: what the cells mean (``csv_table`` only tells numbers from words), and values further down.

Anything that is text can be called CSV, so this is where programs, prose and logs must be told from tables:
a table has the same number of cells in its rows, and names or numbers in the first one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metaplat.collectors.headers.csv_table import find_table
from metaplat.collectors.headers.header import Header, HeaderError

if TYPE_CHECKING:
    from metaplat.collectors.headers.header import ByteSource, Value

_BOM = b"\xef\xbb\xbf"
_KEYWORD = re.compile(r"#+\s*([A-Za-z][^:=#{}<>\"']{0,79}?)\s*(?::(?!//)|=)\s*(.*)")
_NOT_TEXT = bytes({*range(9), *range(14, 32), 127})
_PROGRAM = re.compile(
    r"import \S|from \S+ import |(def|class|function) \w+ *[(:{]|(insert into|create table|select .* from) ",
    re.IGNORECASE,
)
_OTHERS = {"{": "JSON", "[": "JSON or a settings file", "<": "XML or HTML", "|": "a table of Markdown"}


def read_csv(source: ByteSource) -> Header:
    """Read the header lines and the column names of a table.

    Parameters
    ----------
    source : ByteSource
        The file; only its first block is looked at.

    Returns
    -------
    Header
        The keys of the ``#`` lines, their values as text, and two of our own: ``columns``, a list of the
        names (None where the table has none), and ``delimiter``.

    Raises
    ------
    HeaderError
        With code ``unknown_format``: it is text, but no table; the text says why.
    """
    text, flags = _text(source)
    comments, table = _split(text)
    values: dict[str, Value] = {}
    for line in comments:
        if found := _KEYWORD.match(line):
            values.setdefault(found[1].strip(), found[2].strip(" \t,;") or None)
    if other := "a program" if _PROGRAM.match(table) else _OTHERS.get(table[:1]):
        raise HeaderError("unknown_format", f"not a table: it looks like {other}")
    found_table = find_table(table, described=bool(values), is_cut=len(source.first) < source.size)
    columns = found_table.columns or _names_in_comment(comments, found_table.delimiter, found_table.width)
    if columns is None:
        flags.append("no_column_names")
    if found_table.is_ragged:
        flags.append("ragged")
    values["columns"] = None if columns is None else [*columns]
    values["delimiter"] = found_table.delimiter
    return Header("csv", values, flags)


def _text(source: ByteSource) -> tuple[str, list[str]]:
    """Return the whole lines of the first block, and flags for what is odd in their bytes."""
    block, flags = source.first, []
    if len(block) < source.size:
        block = block[: block.rfind(b"\n") + 1] or block[: block.rfind(b"\r") + 1]
        if not block:
            raise HeaderError(
                "unknown_format", f"not a table: no line ends in the first {len(source.first)} bytes"
            )
    if len(block.translate(None, _NOT_TEXT)) < len(block):
        odd = next(byte for byte in block if byte in _NOT_TEXT)
        raise HeaderError("unknown_format", f"not text: it has the byte {odd} in it")
    if block.startswith(_BOM):
        block = block[len(_BOM) :]
        flags.append("bom")
    try:
        text = block.decode()
    except UnicodeDecodeError:
        text = block.decode("latin-1")
        flags.append("latin1")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text, flags


def _split(text: str) -> tuple[list[str], str]:
    """Return the ``#`` lines at the top, and everything after them."""
    comments, position = [], 0
    if text.startswith("#!"):
        raise HeaderError("unknown_format", "not a table: it is a script")
    while position < len(text):
        end = text.find("\n", position) + 1 or len(text)
        line = text[position:end].strip()
        if line and not line.startswith("#"):
            break
        if line:
            comments.append(line)
        position = end
    return comments, text[position:].lstrip(" \n")


def _names_in_comment(comments: list[str], delimiter: str, width: int) -> list[str] | None:
    """Return the names that the last ``#`` line gives to a table of numbers."""
    if not comments:
        return None
    names = [name.strip() for name in comments[-1].lstrip("# ").split(delimiter)]
    return names if len(names) == width and all(names) else None
