"""Filters as Polars expressions: what a store that cannot decide itself decides on frames.

Here: ``polars_expression``, with the meaning of ``model.filters`` (unknown is null, text is code points).
Not here: which part of a filter a store takes itself (``vast_filter``, ``sql_filter``).
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError
from metaplat.model.filters import (
    TEXT_COLUMNS,
    And,
    Between,
    Compare,
    Cone,
    Contains,
    Filter,
    In,
    IsNull,
    Not,
    Or,
    Overlaps,
    Prefix,
    Text,
)
from metaplat.model.observation import OBSERVATION_FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from metaplat.model.filters import Operator, Value

MAX_DEPTH = 200
"""Deeper trees are refused: nobody writes them, and both Python and Polars walk them by recursion."""
INT64 = range(-(2**63), 2**63)
TYPES = {field.name: field.dtype for field in OBSERVATION_FIELDS}


def polars_expression(where: Filter) -> pl.Expr:
    """Return the condition as an expression over a frame with the columns of an observation.

    Parameters
    ----------
    where : Filter
        Checked already: its columns exist, and its values are of their types.

    Returns
    -------
    polars.Expr
        True, false, or null where unknown; ``frame.filter`` keeps the true ones. Types of the columns are
        those of ``model.polars_schema``.

    Raises
    ------
    InvalidInputError
        The tree is deeper than ``MAX_DEPTH``, a text is no Unicode, or a time has no zone.
    """
    return _compiled(where, 0)


def _compiled(where: Filter, depth: int) -> pl.Expr:
    import polars as pl

    if depth > MAX_DEPTH:
        raise InvalidInputError(f"the filter is nested more than {MAX_DEPTH} deep; say it with fewer levels")
    match where:
        case And(args) if not args:
            return pl.lit(value=True)
        case And(args):
            return pl.all_horizontal([_compiled(arg, depth + 1) for arg in args])
        case Or(args) if not args:
            return pl.lit(value=False)
        case Or(args):
            return pl.any_horizontal([_compiled(arg, depth + 1) for arg in args])
        case Not(Not(arg)):
            return _compiled(arg, depth)
        case Not(arg):
            return ~_compiled(arg, depth + 1)
    return _leaf(where)


def _leaf(where: Filter) -> pl.Expr:
    import polars as pl

    match where:
        case Compare(column, operator, value):
            return _compare(column, operator, value)
        case Between(column, low, high):
            return _compare(column, ">=", low) & _compare(column, "<=", high)
        case In(column, values):
            return _among(column, values)
        case IsNull(column):
            return pl.col(column).is_null()
        case Prefix(column, text):
            return pl.col(column).str.starts_with(_unicode(text))
        case Contains(column, text):
            return pl.col(column).str.contains(_unicode(text), literal=True)
        case Overlaps(start, end):
            return _overlaps(start, end)
        case Text(words):
            return pl.all_horizontal([pl.lit(value=True), *(_worded(word) for word in words)])
        case Cone(ra_deg, dec_deg, radius_deg):
            return _within(ra_deg, dec_deg, radius_deg)
    raise TypeError(f"no condition: {where!r}")  # pragma: no cover - the match is complete


def _compare(column: str, operator: Operator, value: Value) -> pl.Expr:
    import polars as pl

    known = pl.col(column)
    fitted = fitting(column, operator, value)
    if fitted is None:  # not a number: unknown, as null is
        return pl.lit(None, dtype=pl.Boolean)
    if isinstance(fitted, bool):
        return pl.when(known.is_not_null()).then(statement=fitted)
    operator, value = fitted
    literal = _literal(value)
    match operator:
        case "=":
            return known == literal
        case "<>":
            return known != literal
        case "<":
            return known < literal
        case "<=":
            return known <= literal
        case ">":
            return known > literal
        case ">=":
            return known >= literal


def fitting(column: str, operator: Operator, value: Value) -> tuple[Operator, Value] | bool | None:
    """Return the same comparison with a value of the column's own type, so that no store rounds it.

    Returns
    -------
    tuple of operator and value, bool, or None
        A bool where every value of the column compares so (5.5 is no integer); None where the comparison is
        unknown whatever the column holds (NaN).

    Raises
    ------
    InvalidInputError
        A text is no Unicode, or a time has no zone.
    """
    if isinstance(value, float) and math.isnan(value):
        return None
    if TYPES.get(column) is int and isinstance(value, int | float):
        return _fitting_integer(operator, value)
    if TYPES.get(column) is float and isinstance(value, int | float):
        return _fitting_float(operator, value)
    if isinstance(value, datetime):
        return operator, _utc(value)
    return operator, _unicode(value) if isinstance(value, str) else value


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise InvalidInputError(f"the time {moment} has no zone; say which moment it is")
    return moment.astimezone(UTC)


def _unicode(text: str) -> str:
    """Return the text, which can be in a row: half a character cannot."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"text that is no Unicode cannot be looked for: {text[:80]!a}") from error
    return text


def _fitting_integer(operator: Operator, value: float) -> tuple[Operator, Value] | bool:
    if not INT64.start <= value < INT64.stop:
        return operator == "<>" or operator[0] == ("<" if value > 0 else ">")
    if value == int(value):
        return operator, int(value)
    if operator in ("=", "<>"):
        return operator == "<>"
    return ("<=", math.floor(value)) if operator[0] == "<" else (">=", math.ceil(value))


def _fitting_float(operator: Operator, value: float) -> tuple[Operator, Value] | bool:
    try:
        nearest = float(value)
    except OverflowError:
        nearest = math.inf if value > 0 else -math.inf
    if nearest == value:
        return operator, nearest
    if operator in ("=", "<>"):
        return operator == "<>"
    if operator[0] == "<":
        return ("<=" if nearest < value else "<", nearest)
    return (">" if nearest < value else ">=", nearest)


def _literal(value: Value) -> pl.Expr:
    import polars as pl

    if isinstance(value, datetime):
        return pl.lit(value, dtype=pl.Datetime("us", "UTC"))
    return pl.lit(value)


def _among(column: str, values: Sequence[Value]) -> pl.Expr:
    """Compile ``In``: empty is false; a value that no row can have is left out."""
    import polars as pl

    from metaplat.model.polars_schema import polars_type

    if not values:
        return pl.lit(value=False)
    fitted = [fitting(column, "=", value) for value in values]
    possible = [pair[1] for pair in fitted if isinstance(pair, tuple)]
    found = pl.col(column).is_in(pl.Series(possible, dtype=polars_type(TYPES[column])).implode())
    if None in fitted:  # NaN among them: unknown unless another value is equal
        return pl.when(found).then(statement=True)
    return found


def _overlaps(start: datetime | None, end: datetime | None) -> pl.Expr:
    import polars as pl

    begin, stated = pl.col("observation_timestamp"), pl.col("observation_end")
    if start is not None and end is not None and start >= end:
        return _compare("observation_timestamp", "<", datetime.min.replace(tzinfo=UTC))
    last = pl.when(stated > begin).then(stated).otherwise(begin)
    known = begin == begin  # true, or null where the begin is
    after_start = known if start is None else last >= _literal(_utc(start))
    before_end = known if end is None else begin < _literal(_utc(end))
    return after_start & before_end


def _worded(word: str) -> pl.Expr:
    import polars as pl

    found = [
        pl.col(column).str.contains_any([_unicode(word)], ascii_case_insensitive=True)
        for column in TEXT_COLUMNS
    ]
    return pl.any_horizontal([one.fill_null(value=False) for one in found])


def _within(ra_deg: float, dec_deg: float, radius_deg: float) -> pl.Expr:
    """Compile ``Cone`` by the square of the chord, which keeps tiny angles that a cosine rounds away."""
    import polars as pl

    known = pl.col("ra_deg").is_not_null() & pl.col("dec_deg").is_not_null()
    if radius_deg < 0 or radius_deg >= 180:  # half a circle around is every direction
        inside = pl.lit(radius_deg >= 0)
    else:
        here = _direction(pl.col("ra_deg"), pl.col("dec_deg"))
        there = _direction(pl.lit(float(ra_deg)), pl.lit(float(dec_deg)))
        chord = sum(((one - other) ** 2 for one, other in zip(here, there, strict=True)), pl.lit(0.0))
        inside = chord <= chord_limit(radius_deg)
    return pl.when(known).then(inside)


def _direction(ra_deg: pl.Expr, dec_deg: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    ra, dec = (ra_deg % 360).radians(), dec_deg.radians()
    return dec.cos() * ra.cos(), dec.cos() * ra.sin(), dec.sin()


def chord_limit(radius_deg: float) -> float:
    """Return the square of the chord that spans the angle on a sphere of radius one."""
    return 4 * math.sin(math.radians(radius_deg) / 2) ** 2
