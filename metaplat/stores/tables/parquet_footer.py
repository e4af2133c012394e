"""Parquet footers, read without a library: rows, nulls, schema, and where a column's bytes lie.

Source: https://parquet.apache.org/docs/file-format/ and parquet.thrift; Thrift compact protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class ColumnChunk:
    """Where one row group's part of a column lies: ``start`` and ``end`` in bytes, ``nulls`` None unknown."""

    rows: int
    start: int
    end: int
    nulls: int | None


@dataclass(frozen=True)
class Footer:
    """What a footer says.

    Parameters
    ----------
    rows : int
        Rows of the file.
    columns : mapping of str to str
        Type by top-level column name, in file order, as Arrow would name it (``string``, ``int64``, ...).
    schema : str
        Fingerprint of ``columns``.
    """

    rows: int
    columns: Mapping[str, str]
    schema: str

    def chunks(self, column: str) -> Sequence[ColumnChunk]:
        """Return the chunks of a top-level column, one a row group; raises KeyError where there is none."""
        raise NotImplementedError
