"""Values on their way into SQL and back: times as microseconds, NaN as null, directions as vectors.

Here: the columns of observations as tables hold them, rows in both directions, ends of text ranges.
Not here: statements.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import InvalidInputError
from metaplat.model.observation import (
    EVENT_FIELDS,
    OBSERVATION_FIELDS,
    RELATIONSHIP_FIELDS,
    SET_BY_INDEX,
    Row,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from metaplat.stores.catalog.sql_dialect import Stored

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_MICROSECONDS = 86_400_000_000
MAX_INTEGER = 2**63 - 1
FIELDS = {field.name: field for field in OBSERVATION_FIELDS}
COLUMNS = tuple(FIELDS)
CONTENT = tuple(name for name in COLUMNS if name not in SET_BY_INDEX)
"""What an upsert brings, in the order of stored tuples."""
QUIET = ("attempts", "next_attempt", "extractor_version")
"""Columns that are stored without making a new version."""
UNIT = ("unit_x", "unit_y", "unit_z")
"""Direction of ``ra_deg`` and ``dec_deg`` as a vector of length one; null where either is."""
TABLE_FIELDS = {
    "observations": OBSERVATION_FIELDS,
    "dataset_relationships": RELATIONSHIP_FIELDS,
    "processing_events": EVENT_FIELDS,
}
TIME_COLUMNS = frozenset(
    field.name for fields in TABLE_FIELDS.values() for field in fields if field.dtype is datetime
)
SURROGATES = range(0xD800, 0xE000)
LAST_CODE = 0x10FFFF

AT = {name: place for place, name in enumerate(CONTENT)}
"""Place of each column in a stored tuple."""
_TIMES = [AT[name] for name in CONTENT if FIELDS[name].dtype is datetime]
_REALS = [AT[name] for name in CONTENT if FIELDS[name].dtype is float]
_RA, _DEC = AT["ra_deg"], AT["dec_deg"]
_content_of: Callable[[Row], tuple[Any, ...]] = itemgetter(*CONTENT)
versioned: Callable[[Sequence[Any]], tuple[Any, ...]] = itemgetter(
    *(AT[name] for name in CONTENT if name not in QUIET)
)
"""Return the values of a stored tuple that make a new version when they differ."""


def microseconds(moment: datetime) -> int:
    """Return microseconds since 1970, UTC; raises InvalidInputError for a time without a zone."""
    try:
        since = moment - EPOCH
    except TypeError as error:
        raise InvalidInputError(f"the time {moment!s} has no time zone; give it one (UTC)") from error
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment_of(stored: int) -> datetime:
    """Return the time of microseconds since 1970."""
    return EPOCH + timedelta(0, 0, stored)


def day_of(stored: int | None) -> int | None:
    """Return the number of a time's day since 1970."""
    return None if stored is None else stored // DAY_MICROSECONDS


def date_of(day: int) -> date:
    """Return the date of a day since 1970."""
    return EPOCH.date() + timedelta(days=day)


def stored_value(value: Any) -> Stored:
    """Return a value as a column holds it."""
    if isinstance(value, datetime):
        return microseconds(value)
    if isinstance(value, float) and math.isnan(value):
        return None
    return value  # type: ignore[no-any-return]  # rows are untyped; the table's types are strict


def stored_content(row: Row) -> tuple[Stored, ...]:
    """Return the values of an observation's ``CONTENT`` columns, as they are stored.

    Raises
    ------
    InvalidInputError
        A column is missing, or a time has no zone.
    """
    try:
        values = list(_content_of(row))
    except KeyError as error:
        raise InvalidInputError(f"an observation without the column {error.args[0]}") from error
    for place in _TIMES:
        if values[place] is not None:
            values[place] = microseconds(values[place])
    for place in _REALS:
        if values[place] is not None:
            values[place] = None if math.isnan(values[place]) else float(values[place])
    return tuple(values)


def patched_content(content: Sequence[Stored], columns: Mapping[str, Any]) -> tuple[Stored, ...]:
    """Return a stored tuple with some columns set; raises InvalidInputError for one that cannot be."""
    values = list(content)
    for name, value in columns.items():
        if name not in AT or name == "dataset_id":
            raise InvalidInputError(f"the column {name} of an observation cannot be set")
        values[AT[name]] = stored_value(value)
    return tuple(values)


def unit_vector(content: Sequence[Stored]) -> tuple[float | None, float | None, float | None]:
    """Return the direction of a stored tuple, for its ``UNIT`` columns."""
    ra, dec = content[_RA], content[_DEC]
    if ra is None or dec is None:
        return None, None, None
    return direction(float(ra), float(dec))


LEAST_PART = 1e-30
"""Of a unit vector; no angle that anybody can measure is so small."""


def direction(ra_deg: float, dec_deg: float) -> tuple[float, float, float]:
    """Return the unit vector of a place in the sky, degrees."""
    if not (math.isfinite(ra_deg) and math.isfinite(dec_deg)):
        raise InvalidInputError(f"ra_deg {ra_deg}, dec_deg {dec_deg} is no place in the sky")
    ra, dec = math.radians(ra_deg % 360.0), math.radians(dec_deg)
    x, y, z = math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec)
    return _without_dust(x), _without_dust(y), _without_dust(z)


def _without_dust(part: float) -> float:
    """Return 0 for next to nothing: PostgreSQL refuses to square what comes to less than its least number."""
    return 0.0 if abs(part) < LEAST_PART else part


def decoder(columns: Sequence[str]) -> Callable[[Iterable[Sequence[Any]]], list[tuple[Any, ...]]]:
    """Return what turns stored tuples of these columns into tuples of declared types."""
    places = [place for place, name in enumerate(columns) if name in TIME_COLUMNS]
    if not places:
        return lambda rows: [tuple(row) for row in rows]

    def decode(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
        decoded = []
        for row in rows:
            values = list(row)
            for place in places:
                if values[place] is not None:
                    values[place] = EPOCH + timedelta(0, 0, values[place])
            decoded.append(tuple(values))
        return decoded

    return decode


def decoded_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[Row]:
    """Return stored tuples as rows by column name."""
    return [dict(zip(columns, row, strict=True)) for row in decoder(columns)(rows)]


def after_prefix(prefix: str) -> str | None:
    """Return the smallest text above all that begin with ``prefix``; None where nothing is above."""
    for end in range(len(prefix), 0, -1):
        code = ord(prefix[end - 1])
        if code < LAST_CODE:
            following = code + 1
            return prefix[: end - 1] + chr(SURROGATES.stop if following in SURROGATES else following)
    return None
