"""The small words of a question: moments, days, cones and free text, as people and pipelines write them.

Here: reading them, and what a whole day means in a comparison.
Not here: whether a column takes them (``queryables``), the grammars around them (``cql2``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from metaplat.model.errors import UsageError
from metaplat.model.filters import And, Compare, Cone, Or

if TYPE_CHECKING:
    from metaplat.model.filters import Filter, Operator

MOMENT = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<time>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(?P<zone>Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)
"""RFC 3339, with seconds and zone optional; nothing else of ISO 8601, of which Python reads much more."""
NUMBER = re.compile(
    r"\s*[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:e[+-]?\d{1,4})?\s*", re.ASCII | re.IGNORECASE
)
MAX_WORDS = 50
SHOWN = 60
"""Characters of a wrong value that a message repeats."""


@dataclass(frozen=True)
class Day:
    """A whole day, UTC: what a time without a clock time means."""

    date: date

    @property
    def begin(self) -> datetime:
        """The first moment of it."""
        return datetime(self.date.year, self.date.month, self.date.day, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it; of the last day there is, its last moment."""
        if self.date == date.max:
            return datetime.max.replace(tzinfo=UTC)
        return self.begin + timedelta(days=1)


def shown(value: str) -> str:
    """Return a text as a message may show it: quoted, escaped and short."""
    return repr(value) if len(value) <= SHOWN else f"{value[:SHOWN]!r}..."


def read_moment(text: str) -> datetime | Day:
    """Read ``2026-03-01`` as a day, ``2026-03-01T12:00Z`` as a moment in UTC (also where it has no zone).

    Raises
    ------
    ValueError
        It is neither; the text says so without repeating it.
    """
    found = MOMENT.fullmatch(text)
    if found is None:
        raise ValueError("is no time such as 2026-03-01 or 2026-03-01T12:00:00Z")
    try:
        if found["time"] is None:
            return Day(date.fromisoformat(found["day"]))
        moment = datetime.fromisoformat(f"{found['day']}T{found['time']}{(found['zone'] or 'Z').upper()}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # month 13, a leap second, the year 1 in another zone
        raise ValueError("is a time that does not exist") from error


def parse_time(text: str) -> datetime:
    """Read a moment of the command line; a day means its begin.

    Raises
    ------
    UsageError
        It is none; the text gives an example.
    """
    try:
        moment = read_moment(text.strip())
    except ValueError as error:
        raise UsageError(f"{shown(text)} {error}; example: 2026-03-01 or 2026-03-01T12:00Z (UTC)") from error
    return moment.begin if isinstance(moment, Day) else moment


def parse_cone(text: str) -> Cone:
    """Read ``10.5,-20,0.5``: right ascension, declination and radius, degrees.

    Raises
    ------
    UsageError
        These are not three numbers; limits are for ``queryables.checked``.
    """
    parts = text.split(",", 3)
    if len(parts) != 3 or not all(NUMBER.fullmatch(part) for part in parts):
        raise UsageError(
            f"{shown(text)} is no cone; example: 10.68,41.27,0.5 "
            "(right ascension, declination and radius in degrees)"
        )
    ra_deg, dec_deg, radius_deg = map(float, parts)
    return Cone(ra_deg, dec_deg, radius_deg)


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a free text; raises UsageError where there are more than ``MAX_WORDS``."""
    words = tuple(text.split(maxsplit=MAX_WORDS))
    if len(words) > MAX_WORDS:
        raise UsageError(f"the text has more than {MAX_WORDS} words; use fewer")
    return words


def compare_day(column: str, operator: Operator, day: Day) -> Filter:
    """Return a comparison of a time column with a whole day: equal means within it (CQL2 clause 6.2)."""
    match operator:
        case "=":
            return And((Compare(column, ">=", day.begin), Compare(column, "<", day.end)))
        case "<>":
            return Or((Compare(column, "<", day.begin), Compare(column, ">=", day.end)))
        case "<" | ">=":
            return Compare(column, operator, day.begin)
        case "<=":
            return Compare(column, "<", day.end)
        case ">":
            return Compare(column, ">=", day.end)
