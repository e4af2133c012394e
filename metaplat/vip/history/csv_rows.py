"""The rows of one CSV file of the history, each value read as what it should be.

Here: reading the file, and typed values with an error that names file, row and column.
Not here: what the columns mean (``csv_import``).
"""

from __future__ import annotations

import ast
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import InvalidInputError
from metaplat.model.field import ListOf
from metaplat.stores.local_errors import reading_error
from metaplat.vip.history.csv_form import DATE_FORMAT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from metaplat.model.field import Field

LARGEST = 2**62
SHOWN_CHARACTERS = 60


def read_rows(folder: Path, name: str) -> dict[datetime, CsvRow] | None:
    """Read a file.

    Returns
    -------
    dict of datetime to CsvRow, or None
        By hour; a date that is there twice counts as it stands last. None where there is no such file.

    Raises
    ------
    InvalidInputError
        It is no CSV in UTF-8 with a column ``date``, or a date is none.
    StoreError
        It cannot be read.
    """
    path = folder / name
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise reading_error(folder, f"read {name!r}", error) from error
    rows = [CsvRow(path, number, values) for number, values in enumerate(_texts(path, content), 2)]
    return {row.hour: row for row in rows}


def _texts(path: Path, content: bytes) -> list[dict[str, str | None]]:
    import polars as pl

    if not content.strip():
        return []
    try:
        frame = pl.read_csv(content, infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        first = str(error).partition("\n")[0]
        raise InvalidInputError(f"{path}: this is no CSV in UTF-8: {first}") from None
    if "date" not in frame.columns:
        raise InvalidInputError(f"{path}: there is no column 'date' among {frame.columns[:10]}")
    return frame.to_dicts()


class CsvRow:
    """One row. An empty value is None, and so is one of a column that the file does not have."""

    def __init__(self, path: Path, number: int, values: Mapping[str, str | None]) -> None:
        self._path, self._number, self._values = path, number, values
        try:
            self.hour = datetime.strptime(self.text("date") or "", DATE_FORMAT).replace(tzinfo=UTC)
        except ValueError:
            raise self.error("date", "a date YYYYMMDD-HH") from None

    def has(self, column: str) -> bool:
        """Whether the file has such a column."""
        return column in self._values

    def text(self, column: str) -> str | None:
        """Return a text."""
        return self._values.get(column) or None

    def whole(self, column: str) -> int | None:
        """Return a count; one written as ``3.0`` is one, too."""
        number = self.number(column)
        if number is not None and not 0 <= number < LARGEST:
            raise self.error(column, "a count")
        return None if number is None else int(self.text(column) or 0) if number > 2**53 else int(number)

    def number(self, column: str) -> float | None:
        """Return a number."""
        text = self.text(column)
        try:
            number = float(text) if text else None
        except ValueError:
            number = math.nan
        if number is not None and not math.isfinite(number):
            raise self.error(column, "a number")
        return number

    def names(self, column: str) -> list[str]:
        """Return a list of names, which stands there as the text of a Python list; sorted."""
        try:
            names = ast.literal_eval(self.text(column) or "[]")
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            names = None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self.error(column, "a list such as ['A', 'B']")
        return sorted(set(names))

    def time(self, column: str) -> datetime | None:
        """Return an aware time; one without a zone is UTC."""
        text = self.text(column)
        try:
            moment = datetime.fromisoformat(text) if text else None
        except ValueError:
            raise self.error(column, "a time such as 2022-02-08T08:00:00Z") from None
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC) if moment else None

    def value(self, field: Field) -> Any:
        """Return the value of a declared column."""
        if isinstance(field.dtype, ListOf):
            return self.names(field.name)
        if field.choices and self.text(field.name) not in {None, *field.choices}:
            raise self.error(field.name, f"one of {', '.join(field.choices)}")
        read = {int: self.whole, float: self.number, datetime: self.time}.get(field.dtype, self.text)  # type: ignore[arg-type]
        return read(field.name)

    def error(self, column: str, wanted: str) -> InvalidInputError:
        """Return the error that a value is not what it should be."""
        shown = str(self._values.get(column))[:SHOWN_CHARACTERS]
        return InvalidInputError(f"{self._path}: row {self._number}: {column} is {shown!r}, not {wanted}")
