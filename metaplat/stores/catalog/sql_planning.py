"""Which index answers a filter: what SQLite, which keeps no statistics here, is told.

Here: ``plan_for``: the condition of a filter in which only some columns may choose an index, by the sizes
that the rollups know; and the states of files to ask, each of which has indexes of its own.
Not here: saying a filter so that an index can answer it (``sql_rewriting``).

Without statistics SQLite takes ten rows for every equality and a quarter for every range. It would read and
sort all of a mission for a common word, or walk ten million rows in time for a rare target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from metaplat.model.filters import Compare, Cone, Filter, In, IsNull, Prefix
from metaplat.model.observation import FileState
from metaplat.stores.catalog.sql_filter import compile_filter, conjuncts
from metaplat.stores.catalog.sql_rewriting import (
    FEW_ROWS,
    FEW_VALUES,
    MISSION,
    TARGET,
    TIME,
    is_required,
    rewritten,
)
from metaplat.stores.catalog.sql_rollup import ALL_MISSIONS, ALL_TIME, key_of
from metaplat.stores.catalog.sql_schema import ABSENT, PRESENT
from metaplat.stores.catalog.sql_values import after_prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.stores.catalog.sql_dialect import Dialect, SqlSession, Stored

NARROW_CONE_DEG = 5.0
UNIQUE_COLUMNS = ("dataset_id", "file_path", "change_seq")
ORDERED_COLUMNS = frozenset({*UNIQUE_COLUMNS, TIME, TARGET, MISSION})
"""Columns by which an index orders the rows."""
TARGETS = """
SELECT coalesce(sum(datasets), 0) FROM rollup_values
WHERE mission = ? AND column_name = 'target_object' AND day = ? AND {values}
"""
OF_MISSIONS = "SELECT coalesce(sum(datasets), 0) FROM rollup_missions WHERE mission IN ({marks})"


class Plan(NamedTuple):
    """How one statement finds the rows of a filter.

    Parameters
    ----------
    condition : str
        On the state of the file and all else.
    parameters : list
        Its values.
    where : Filter
        What the condition says.
    drivers : frozenset of str
        Columns that choose the index.
    reads_everything : bool
        Whether no index narrows it: rows are read as they lie.
    """

    condition: str
    parameters: list[Stored]
    where: Filter
    drivers: frozenset[str]
    reads_everything: bool


def plan_for(
    session: SqlSession, dialect: Dialect, where: Filter, state: str, order: str | None = None
) -> Plan:
    """Return how to find the rows of a filter and a state of files, ordered by a column or not at all."""
    absent = state == ABSENT
    wanted = rewritten(session, dialect, where, absent=absent)
    drivers = _driving_columns(session, dialect, wanted, absent=absent)
    condition, parameters = compile_filter(wanted, dialect, drivers)
    reads_everything = _reads_everything(wanted, drivers, state, order)
    if reads_everything:  # an index of every row would only scatter the reads
        state = state.replace("file_state", dialect.no_index.format(column="file_state"))
    return Plan(f"{state} AND {condition}", parameters, wanted, drivers, reads_everything)


def states_of(where: Filter, *, absent: bool) -> list[str]:
    """Return the conditions on the state of files under which rows can match; each has indexes of its own."""
    states = [PRESENT, ABSENT] if absent else [PRESENT]
    for condition in conjuncts(where):
        match condition:
            case Compare("file_state", "=", value):
                wanted = {value}
            case In("file_state", values):
                wanted = set(values)
            case _:
                continue
        possible = {PRESENT if value == FileState.PRESENT else ABSENT for value in wanted}
        states = [state for state in states if state in possible]
    return states


def _reads_everything(where: Filter, drivers: frozenset[str], state: str, order: str | None) -> bool:
    is_timed = is_required(where, TIME) or IsNull(TIME) in conjuncts(where)
    return state == PRESENT and drivers == {TIME} and order not in ORDERED_COLUMNS and not is_timed


def _driving_columns(
    session: SqlSession, dialect: Dialect, where: Filter, *, absent: bool = False
) -> frozenset[str]:
    """Return the columns whose conditions should choose the index, for ``compile_filter``."""
    conditions = conjuncts(where)
    for column in UNIQUE_COLUMNS:
        if any(_narrows(condition, column) for condition in conditions):
            return frozenset({column})
    if absent:  # few rows, in order of time only
        return frozenset({TIME})
    if any(_is_equal(condition, TARGET) for condition in conditions):
        return frozenset({TARGET, TIME})
    if any(_is_rare_target(session, dialect, condition) for condition in conditions):
        return frozenset({TARGET})
    if any(isinstance(found, Cone) and found.radius_deg <= NARROW_CONE_DEG for found in conditions):
        return frozenset({"dec_deg"})
    if any(_is_equal(found, MISSION) or found == IsNull(MISSION) for found in conditions):
        return frozenset({MISSION, TIME})
    if any(_is_small_mission(session, dialect, condition) for condition in conditions):
        return frozenset({MISSION})
    return frozenset({TIME})


def _is_rare_target(session: SqlSession, dialect: Dialect, condition: Filter) -> bool:
    """Whether few rows have the targets of a condition: they are read and sorted."""
    match condition:
        case In(column, values) if column == TARGET and 0 < len(values) <= FEW_VALUES:
            keys = [key_of(str(value)) for value in values]
            return _rows_of(session, dialect, f"value IN ({', '.join('?' * len(keys))})", keys) <= FEW_ROWS
        case Prefix(column, text) if column == TARGET and (after := after_prefix(text)) is not None:
            keys = [key_of(text), key_of(after)]
            return _rows_of(session, dialect, "value >= ? AND value < ?", keys) <= FEW_ROWS
    return False


def _rows_of(session: SqlSession, dialect: Dialect, values: str, keys: Sequence[str]) -> int:
    statement = dialect.filled(TARGETS.format(values=values))
    return int(session.rows(statement, [ALL_MISSIONS, ALL_TIME, *keys])[0][0])


def _narrows(condition: Filter, column: str) -> bool:
    match condition:
        case Compare():
            return _is_equal(condition, column) or (condition.column == column == "change_seq")
        case In(name, values):
            return name == column and bool(values)
        case Prefix(name, text):
            return name == column and bool(text)
    return False


def _is_small_mission(session: SqlSession, dialect: Dialect, condition: Filter) -> bool:
    """Whether few rows are of the missions of a condition."""
    match condition:
        case In(column, values) if column == MISSION and 0 < len(values) <= FEW_VALUES:
            keys = [key_of(str(value)) for value in values]
            statement = dialect.filled(OF_MISSIONS.format(marks=", ".join("?" * len(keys))))
            return int(session.rows(statement, keys)[0][0]) <= FEW_ROWS
    return False


def _is_equal(condition: Filter, column: str) -> bool:
    return isinstance(condition, Compare) and condition.column == column and condition.operator == "="
