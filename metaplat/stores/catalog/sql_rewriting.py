"""Filters said so that an index can answer them.

Here: ``rewritten``: rare words as the values that occur, overlaps with the earliest possible begin; and what
a filter requires of a column.
Not here: which index to choose (``sql_planning``), writing conditions (``sql_filter``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metaplat.model.filters import (
    TEXT_COLUMNS,
    And,
    Between,
    Compare,
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
from metaplat.stores.catalog.sql_filter import UPPER, conjuncts
from metaplat.stores.catalog.sql_rollup import ALL_MISSIONS, ALL_TIME, value_of
from metaplat.stores.catalog.sql_schema import IS_LONG, LONG
from metaplat.stores.catalog.sql_values import MAX_INTEGER, microseconds, moment_of

if TYPE_CHECKING:
    from metaplat.stores.catalog.sql_dialect import Dialect, SqlSession

FEW_ROWS = 50_000
"""So many rows are read and sorted sooner than a walk in time would find a page of them."""
FEW_VALUES = 1000
TIME, TARGET, MISSION = "observation_timestamp", "target_object", "mission_id"
EARLIEST_LONG = """
SELECT min(observation_timestamp) FROM observations WHERE {is_long} AND observation_end >= ?
"""
WORDS = """
SELECT value, datasets FROM rollup_values
WHERE mission = ? AND column_name = ? AND day = ? AND value <> '~' AND {contains} LIMIT ?
"""


def rewritten(session: SqlSession, dialect: Dialect, where: Filter, *, absent: bool = False) -> Filter:
    """Return a filter that finds the same rows, and says what an index needs to find them.

    Rare words become the values that occur, in present files; an overlap also says how early the observations
    may have begun.
    """
    found: list[Filter] = []
    for condition in conjuncts(where):
        match condition:
            case Text(words) if not absent:
                found += [_resolved(session, dialect, word) for word in words]
            case Overlaps(start, _) if start is not None:
                found += [condition, *_begin_of_overlap(session, dialect, start)]
            case _:
                found.append(condition)
    return found[0] if len(found) == 1 else And(found)


def is_required(where: Filter, column: str) -> bool:
    """Whether only rows with a value in a column can match."""
    for condition in conjuncts(where):
        match condition:
            case Compare() | In() | Between() | Prefix() | Contains() if condition.column == column:
                return True
            case Not(IsNull(name)) if name == column:
                return True
            case Overlaps() if column == TIME:
                return True
    return False


def _begin_of_overlap(session: SqlSession, dialect: Dialect, start: datetime) -> list[Filter]:
    """Return how early an observation began that lasts until a time; few last for more than a day."""
    found = session.rows(dialect.filled(EARLIEST_LONG.format(is_long=IS_LONG)), [microseconds(start)])
    earliest = min(
        microseconds(start) - LONG, *(begin for (begin,) in found if begin is not None), MAX_INTEGER
    )
    if earliest < microseconds(datetime.min.replace(tzinfo=UTC)):
        return []
    return [Compare(TIME, ">=", moment_of(earliest))]


def _resolved(session: SqlSession, dialect: Dialect, word: str) -> Filter:
    found = {column: _values_with(session, dialect, column, word) for column in TEXT_COLUMNS}
    if any(values is None for values in found.values()):
        return Text([word])
    parts = [In(column, values) for column, values in found.items() if values]
    return parts[0] if len(parts) == 1 else Or(parts)


def _values_with(session: SqlSession, dialect: Dialect, column: str, word: str) -> list[str] | None:
    """Return the values that hold a word; None where they, or their rows, are many."""
    if column == MISSION:
        rows = session.rows("SELECT mission, datasets FROM rollup_missions")
        wanted = word.translate(UPPER)
        found = [row for row in rows if wanted in (value_of(row[0]) or "").translate(UPPER)]
    else:
        contains = dialect.contains.format(text="lower(substr(value, 2))", part="?")
        statement = dialect.filled(WORDS.format(contains=contains))
        parameters = [ALL_MISSIONS, column, ALL_TIME, word.translate(UPPER), FEW_VALUES + 1]
        found = session.rows(statement, parameters)
    if len(found) > FEW_VALUES or sum(count for _, count in found) > FEW_ROWS:
        return None
    return [key[1:] for key, _ in found]
