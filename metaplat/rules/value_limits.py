"""What a single value of a declared column may be: not null, finite, within limits, one of the choices.

Here: each limit in words and as a Polars expression; a value breaks at most one of them.
Not here: types (``frame_schema``), limits across columns (``MetadataDomain.problems``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

    from metaplat.model.field import Field

BEYOND_INT64 = 2.0**64


@dataclass(frozen=True, eq=False)  # an expression has no truth value: compared by identity
class ValueLimit:
    """One limit of one column.

    Parameters
    ----------
    column : str
        Its name.
    words : str
        What a value must be, as in ``at least 0 GiB``.
    broken : polars.Expr
        True where a value breaks it, else False, never null.
    """

    column: str
    words: str
    broken: pl.Expr


def value_limits(fields: Sequence[Field]) -> list[ValueLimit]:
    """Return every limit of ``fields``, in the declared order."""
    return [
        ValueLimit(field.name, words, broken.fill_null(value=False))
        for field in fields
        for words, broken in _limits(field)
    ]


def _limits(field: Field) -> Iterator[tuple[str, pl.Expr]]:
    import polars as pl

    value = pl.col(field.name)
    if not field.nullable:
        yield "not null", value.is_null()
    if field.dtype is float:
        yield "a finite number", ~value.is_finite()
        value = pl.when(value.is_finite()).then(value)  # NaN and Infinity are said once, not as limits too
    if field.dtype in (int, float) and field.minimum is not None:
        yield _in_words("at least", field.minimum, field), value < _lowest(field, field.minimum)
    if field.dtype in (int, float) and field.maximum is not None:
        yield _in_words("at most", field.maximum, field), value > _highest(field, field.maximum)
    if field.dtype is str and field.choices:
        yield f"one of {', '.join(field.choices)}", ~value.is_in(field.choices)


def _lowest(field: Field, limit: float) -> float:
    """Return the limit in the type of the column: as a float, whole numbers beyond 2**53 would be rounded."""
    return math.ceil(_near_int64(limit)) if field.dtype is int else float(limit)


def _highest(field: Field, limit: float) -> float:
    return math.floor(_near_int64(limit)) if field.dtype is int else float(limit)


def _near_int64(limit: float) -> float:
    """Bring a limit that no Int64 reaches to one that Polars can compare with."""
    return max(-BEYOND_INT64, min(BEYOND_INT64, limit))


def _in_words(relation: str, limit: float, field: Field) -> str:
    return f"{relation} {limit:,} {field.unit}" if field.unit else f"{relation} {limit:,}"
