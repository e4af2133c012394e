"""Values a question compares with, each in the type of its column.

Here: texts that every store takes, finite numbers of 64 bits, aware times and whole days, cones and windows.
Not here: trees of conditions (``queryables``).
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from metaplat.catalog.query_columns import listing
from metaplat.catalog.words import Day, read_moment, shown
from metaplat.model.errors import UsageError
from metaplat.model.filters import Cone, Overlaps

if TYPE_CHECKING:
    from metaplat.model.field import Field
    from metaplat.model.filters import Value

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
INT64 = range(-(2**63), 2**63)


def checked_text(text: object, what: str) -> str:
    """Return a text that every store takes; raises UsageError where it is none, with ``what`` it is for."""
    if not isinstance(text, str):
        raise UsageError(f"{what} takes text, not {_kind(text)}; {listing()}")
    if found := UNSTORABLE.search(text):
        raise UsageError(f"{what}: no stored text holds the character {found.group()!r}; leave it out")
    return text


def checked_value(field: Field, value: object, *, is_listed: bool) -> Value | Day:
    """Return a value in the type of its column; raises UsageError where it has none.

    Parameters
    ----------
    field : Field
        The column.
    value : object
        Anything.
    is_listed : bool
        Whether it must be among the choices, where the column has some.
    """
    if field.dtype is str:
        text = checked_text(value, field.name)
        if is_listed and field.choices and text not in field.choices:
            raise UsageError(f"{field.name} is one of {', '.join(field.choices)}, never {shown(text)}")
        return str(text)  # of a choice that is an enumeration member, its plain text
    if field.dtype is datetime:
        return _moment(field.name, value)
    return _number(field, value)


def _moment(column: str, value: object) -> datetime | Day:
    if isinstance(value, str):
        return _utc_or_day(value, column)
    if isinstance(value, datetime):
        return _utc(value, column)
    if isinstance(value, date):
        return Day(value)
    if isinstance(value, Day):
        return value
    raise UsageError(f"{column} takes times such as 2026-03-01T12:00:00Z, not {_kind(value)}; {listing()}")


def _utc_or_day(text: str, column: str) -> datetime | Day:
    try:
        return read_moment(text)
    except ValueError as error:
        raise UsageError(f"{column} takes times: {shown(text)} {error}; {listing()}") from error


def _utc(moment: datetime, column: str) -> datetime:
    if moment.tzinfo is None:
        raise UsageError(f"{column}: {moment.isoformat()} has no time zone; add one, for example Z for UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise UsageError(f"{column}: {moment.isoformat()} does not exist in UTC") from error


def _number(field: Field, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{field.name} takes {_plural(field)}, not {_kind(value)}; {listing()}")
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{field.name} takes finite {_plural(field)}, not {value}")
    if field.dtype is int:
        fitting = int(value) if isinstance(value, float) and value.is_integer() else value
        if isinstance(fitting, int) and fitting not in INT64:
            raise UsageError(f"{field.name} takes integers of 64 bits; {_kind(value)} is too large")
        return fitting
    try:
        return float(value)
    except OverflowError as error:
        raise UsageError(f"{field.name}: the number is too large") from error


def _plural(field: Field) -> str:
    return "integers" if field.dtype is int else "numbers"


def _kind(value: object) -> str:
    """Return what a value is, in words."""
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value not in INT64:
        return "an integer of more than 64 bits"  # Python refuses to print very long ones
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, date):
        return f"the time {value.isoformat()}"
    return "null (use IS NULL)" if value is None else f"a {type(value).__name__}"


def checked_window(start: object, end: object) -> Overlaps:
    """Return a time window ``[start, end)`` of aware times, None for open; raises UsageError."""
    bounds: list[datetime | None] = []
    for bound in (start, end):
        moment = None if bound is None else _moment("the time window", bound)
        if isinstance(moment, Day):
            raise UsageError("a time window is bounded by moments; write 2026-03-01T00:00:00Z")
        bounds.append(moment)
    first, last = bounds
    if first is not None and last is not None and first >= last:
        raise UsageError(
            f"the time window [{first.isoformat()}, {last.isoformat()}) is empty: its end must be later"
        )
    return Overlaps(first, last)


def checked_cone(*numbers: object) -> Cone:
    """Return a cone of right ascension, declination and radius, degrees; raises UsageError."""
    given = []
    for name, number, low, high in zip(
        ("right ascension", "declination", "radius"), numbers, (0, -90, 0), (360, 90, 180), strict=True
    ):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise UsageError(f"the {name} of a cone is a number of degrees, not {_kind(number)}")
        if not low <= number <= high:  # also where it is not a number at all
            raise UsageError(f"the {name} of a cone is {low} to {high} degrees, not {_kind(number)}")
        given.append(float(number))
    ra_deg, dec_deg, radius_deg = given
    return Cone(ra_deg, dec_deg, radius_deg)
