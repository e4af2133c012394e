"""Rows that verdicts show: short values, and none of them personal.

Here: what a rule takes out of a frame for a person to look at, and the test that it can.
Not here: which rows fail (each rule), how samples are laid out (``reports``, ``orchestration``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    from metaplat.model.field import Field

HIDDEN = "(personal, not shown)"
MAX_TEXT = 200
"""Characters of a text value that a sample shows."""


def require_columns(frame: pl.DataFrame, names: Iterable[str], rule: str) -> None:
    """Raise InvalidInputError where ``frame`` lacks a column that ``rule`` needs."""
    if missing := sorted(set(names) - set(frame.columns)):
        raise InvalidInputError(
            f"rule {rule}: no column {', '.join(missing)} among {', '.join(frame.columns) or 'none'}. "
            "Running again cannot help. Materialize the partition again with the current declaration."
        )


def shown_rows(rows: Iterable[Mapping[str, object]], fields: Sequence[Field]) -> list[dict[str, object]]:
    """Return ``rows`` as a person may see them: values of personal fields hidden, long texts cut."""
    personal = {field.name for field in fields if field.personal}
    return [
        {name: shown_value(value, personal=name in personal) for name, value in row.items()} for row in rows
    ]


def shown_value(value: object, *, personal: bool = False) -> object:
    """Return one value for a sample; null stays null, NaN and Infinity become text, which JSON can hold."""
    if personal and value is not None:
        return HIDDEN
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return value[:MAX_TEXT] + "…"
    if isinstance(value, list | dict):
        return shown_value(str(value))
    return value
