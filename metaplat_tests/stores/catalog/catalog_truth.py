"""What a filter means, row by row: the measure that every store is held against.

Here: three-valued truth in plain Python, and the order of rows.
Not here: any way to be fast.
"""

from __future__ import annotations

import math
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from metaplat.model import filters as f
from metaplat_tests.stores.catalog.catalog_rows import total_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from metaplat.model.observation import Row
    from metaplat.stores.catalog.index import Sort

Truth = bool | None
UPPER, LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
FOLD = str.maketrans(UPPER, LOWER)
BORDER_DEG = 1e-6
"""So near to the border of a cone, rounding may decide either way."""


def truth(where: f.Filter, row: Row) -> Truth:
    """Return whether a row matches: None where that is unknown."""
    match where:
        case f.And(args):
            return _all([truth(arg, row) for arg in args])
        case f.Or(args):
            return _not(_all([_not(truth(arg, row)) for arg in args]))
        case f.Not(arg):
            return _not(truth(arg, row))
        case f.IsNull(column):
            return row[column] is None
        case f.Text(words):
            texts = [(row[column] or "").translate(FOLD) for column in f.TEXT_COLUMNS]
            return all(any(word.translate(FOLD) in text for text in texts) for word in words)
        case f.Overlaps(start, end):
            return _overlaps(row, start, end)
        case f.Cone():
            return _in_cone(row, where)
        case f.In(_, values) if not values:
            return False
        case _:
            return None if row[where.column] is None else _known(where, row[where.column])


def _known(where: f.Filter, value: Any) -> bool:
    match where:
        case f.Compare(_, operator, wanted):
            told = {
                "=": value == wanted,
                "<>": value != wanted,
                "<": value < wanted,
                "<=": value <= wanted,
                ">": value > wanted,
                ">=": value >= wanted,
            }
            return bool(told[operator])
        case f.In(_, values):
            return value in values
        case f.Between(_, low, high):
            return bool(low <= value <= high)
        case f.Prefix(_, text):
            return bool(value.startswith(text))
        case f.Contains(_, text):
            return text in value
    raise AssertionError(where)


def _overlaps(row: Row, start: Any, end: Any) -> Truth:
    begin, last = row["observation_timestamp"], row["observation_end"]
    if begin is None:
        return None
    if last is None or last < begin:
        last = begin
    return (start is None or last >= start) and (end is None or begin < end)


def _in_cone(row: Row, cone: f.Cone) -> Truth:
    if row["ra_deg"] is None or row["dec_deg"] is None:
        return None
    return separation(row["ra_deg"], row["dec_deg"], cone.ra_deg, cone.dec_deg) <= cone.radius_deg


def separation(ra1: float, dec1: float, ra2: float, dec2: float) -> float:
    """Return the angle between two directions, by haversine; degrees."""
    a1, d1, a2, d2 = map(math.radians, (ra1, dec1, ra2, dec2))
    haversine = math.sin((d2 - d1) / 2) ** 2 + math.cos(d1) * math.cos(d2) * math.sin((a2 - a1) / 2) ** 2
    return math.degrees(2 * math.asin(min(1.0, math.sqrt(haversine))))


def is_on_border(where: f.Filter, rows: Iterable[Row]) -> bool:
    """Return whether rounding may decide if one of the rows lies in a cone of the filter."""
    match where:
        case f.And(args) | f.Or(args):
            return any(is_on_border(arg, rows) for arg in args)
        case f.Not(arg):
            return is_on_border(arg, rows)
        case f.Cone(ra, dec, radius):
            places = [(row["ra_deg"], row["dec_deg"]) for row in rows]
            offsets = [
                separation(*place, ra, dec) - radius for place in places if None not in place and radius < 180
            ]
            return any(abs(offset) < BORDER_DEG for offset in offsets)
    return False


def matching(rows: Iterable[Row], where: f.Filter, *, absent: bool = False) -> list[Row]:
    """Return the rows that a search finds, in their order here."""
    return [row for row in rows if (absent or row["file_state"] == "present") and truth(where, row) is True]


def in_order(rows: Iterable[Row], sorts: Sequence[Sort]) -> list[Row]:
    """Return rows as a search sorts them: nulls last whatever the direction, dataset_id at the end."""
    order = total_order(sorts)

    def compared(one: Row, other: Row) -> int:
        return next((sign for sort in order if (sign := _sign(sort, one, other))), 0)

    return sorted(rows, key=cmp_to_key(compared))


def _sign(sort: Sort, one: Row, other: Row) -> int:
    left, right = one[sort.column], other[sort.column]
    if left == right:
        return 0
    if left is None or right is None:
        return 1 if left is None else -1
    return (1 if left > right else -1) * (-1 if sort.descending else 1)


def _all(truths: Sequence[Truth]) -> Truth:
    if False in truths:
        return False
    return None if None in truths else True


def _not(known: Truth) -> Truth:
    return None if known is None else not known
