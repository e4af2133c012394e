"""Totals, facets and summaries: from the rollups where they answer, else by counting rows.

Here: which of the two, and adding both where a window of time begins or ends inside a day.
Not here: keeping the rollups right (``sql_rollup``).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from metaplat.stores.catalog.index import FacetCount, Summary
from metaplat.stores.catalog.sql_planning import plan_for, states_of
from metaplat.stores.catalog.sql_rollup import ALL_MISSIONS, ALL_TIME, key_of, value_of
from metaplat.stores.catalog.sql_schema import ABSENT, PRESENT
from metaplat.stores.catalog.sql_values import moment_of
from metaplat.stores.catalog.sql_window import Window, window_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.filters import Filter
    from metaplat.stores.catalog.sql_dialect import Dialect, SqlSession

TOTALS = "SELECT count(*), coalesce(sum(file_size), 0) FROM observations WHERE {condition}"
VALUES = "SELECT {columns}, count(*) FROM observations WHERE {condition} GROUP BY {columns}"
MISSION_TOTALS = (
    "SELECT coalesce(sum(datasets), 0), coalesce(sum(bytes), 0) FROM rollup_missions WHERE {missions}"
)
DAY_TOTALS = """
SELECT coalesce(sum(datasets), 0), coalesce(sum(bytes), 0) FROM rollup_days
WHERE {missions} AND day >= ? AND day < ?
"""
MISSIONS = "SELECT mission AS value, datasets FROM rollup_missions WHERE {missions}"
MISSIONS_OF_DAYS = """
SELECT mission, sum(datasets) FROM rollup_days
WHERE {missions} AND mission <> '*' AND day >= ? AND day < ? GROUP BY mission
"""
VALUES_OF_DAYS = """
SELECT value, sum(datasets) FROM rollup_values
WHERE {missions} AND column_name = ? AND day >= ? AND day < ? GROUP BY value
"""
FREQUENT = "SELECT value, datasets FROM ({counts}) AS counted ORDER BY datasets DESC, value LIMIT ?"
ONE_SCOPE = "SELECT value, datasets FROM rollup_values WHERE mission = ? AND column_name = ? AND day = ?"
MANY_SCOPES = """
SELECT value, sum(datasets) AS datasets FROM rollup_values
WHERE {missions} AND column_name = ? AND day = ? GROUP BY value
"""
SUMMARIES = """
SELECT mission, datasets, bytes, quality_sum, quality_count, calibrated, first_time, last_time
FROM rollup_missions WHERE {condition} ORDER BY mission
"""

Values = dict[str, Counter[str | None]]


class Counting:
    """Questions about many rows at once, in one transaction.

    Parameters
    ----------
    session : SqlSession
        The transaction.
    dialect : Dialect
        Its database.
    """

    def __init__(self, session: SqlSession, dialect: Dialect) -> None:
        self._session, self._dialect = session, dialect

    def totals(self, where: Filter, *, absent: bool = False) -> tuple[int, int]:
        """Return the number of matching rows and the sum of their sizes; of present files, or of all."""
        states = states_of(where, absent=absent)
        counted = [self._counted_totals(where, state) for state in states if state == ABSENT]
        window = window_of(where)
        if window is None:
            counted += [self._counted_totals(where, state) for state in states if state == PRESENT]
        elif not window.is_empty:
            counted.append(self._kept_totals(window))
            counted += [self._counted_totals(rest, PRESENT) for rest in _rest(window)]
        return sum(count for count, _ in counted), sum(size for _, size in counted)

    def facets(self, where: Filter, columns: Sequence[str], limit: int) -> dict[str, list[FacetCount]]:
        """Count present files by the values of each column."""
        window = window_of(where)
        if window is None:
            return self._in_order(self._counted_values(where, columns), columns, limit)
        if window.is_empty:
            return {column: [] for column in columns}
        if not window.is_timed:
            return {column: self._frequent(window, column, limit) for column in columns}
        rare = [column for column in columns if column == "target_object"]  # not kept by day
        kept = [column for column in columns if column not in rare]
        values = self._counted_values(where, rare)
        values |= {column: self._kept_values(window, column) for column in kept}
        for rest in _rest(window):
            for column, counts in self._counted_values(rest, kept).items():
                values[column].update(counts)
        return self._in_order(values, columns, limit)

    def summaries(self, mission: str | None) -> list[Summary]:
        """Return the summary of one mission, or of all."""
        condition, parameters = ("1 = 1", []) if mission is None else ("mission = ?", [key_of(mission)])
        return [
            Summary(
                value_of(key),
                int(datasets),
                int(size),
                _mean(quality, count),
                int(calibrated),
                None if first is None else moment_of(first),
                None if last is None else moment_of(last),
            )
            for key, datasets, size, quality, count, calibrated, first, last in self._rows(
                SUMMARIES.format(condition=condition), parameters
            )
        ]

    def _counted_totals(self, where: Filter, state: str) -> tuple[int, int]:
        plan = plan_for(self._session, self._dialect, where, state)
        found = self._session.rows(TOTALS.format(condition=plan.condition), plan.parameters)
        return int(found[0][0]), int(found[0][1])

    def _kept_totals(self, window: Window) -> tuple[int, int]:
        if window.is_timed:
            missions, parameters = _missions(window, everything=(ALL_MISSIONS,))
            found = self._rows(DAY_TOTALS.format(missions=missions), [*parameters, *window.days])
        else:
            missions, parameters = _missions(window, everything=())
            found = self._rows(MISSION_TOTALS.format(missions=missions), parameters)
        return int(found[0][0]), int(found[0][1])

    def _counted_values(self, where: Filter, columns: Sequence[str]) -> Values:
        """Count by reading the rows: once for the columns of few values, once for targets."""
        values: Values = {column: Counter() for column in columns}
        few = [column for column in dict.fromkeys(columns) if column != "target_object"]
        for group in (few, ["target_object"] if "target_object" in columns else []):
            for *found, count in self._grouped(where, group):
                for column, value in zip(group, found, strict=True):
                    values[column][value] += count
        return values

    def _grouped(self, where: Filter, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        if not columns:
            return []
        plan = plan_for(self._session, self._dialect, where, PRESENT)
        statement = VALUES.format(columns=", ".join(columns), condition=plan.condition)
        return self._session.rows(statement, plan.parameters)

    def _kept_values(self, window: Window, column: str) -> Counter[str | None]:
        if column == "mission_id":
            missions, parameters = _missions(window, everything=())
            found = self._rows(MISSIONS_OF_DAYS.format(missions=missions), [*parameters, *window.days])
        else:
            missions, parameters = _missions(window, everything=(ALL_MISSIONS,))
            statement = VALUES_OF_DAYS.format(missions=missions)
            found = self._rows(statement, [*parameters, column, *window.days])
        return Counter({value_of(key): int(count) for key, count in found})

    def _frequent(self, window: Window, column: str, limit: int) -> list[FacetCount]:
        """Return the most frequent values of all time, sorted by the database: targets may be many."""
        if column == "mission_id":
            missions, scopes = _missions(window, everything=())
            found = self._rows(FREQUENT.format(counts=MISSIONS.format(missions=missions)), [*scopes, limit])
        else:
            missions, scopes = _missions(window, everything=(ALL_MISSIONS,))
            counts = ONE_SCOPE if len(scopes) == 1 else MANY_SCOPES.format(missions=missions)
            found = self._rows(FREQUENT.format(counts=counts), [*scopes, column, ALL_TIME, limit])
        return [FacetCount(value_of(key), int(count)) for key, count in found]

    def _in_order(self, values: Values, columns: Sequence[str], limit: int) -> dict[str, list[FacetCount]]:
        return {column: _most_frequent(values[column])[:limit] for column in columns}

    def _rows(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._session.rows(self._dialect.filled(statement), parameters)


def _most_frequent(counts: Counter[str | None]) -> list[FacetCount]:
    order = sorted(counts.items(), key=lambda item: (-item[1], key_of(item[0])))
    return [FacetCount(value, count) for value, count in order if count]


def _missions(window: Window, everything: tuple[str, ...]) -> tuple[str, list[str]]:
    """Return the condition on the key of a rollup's mission; ``everything`` is the key of all together."""
    if window.missions is None:
        return ("mission = ?" if everything else "1 = 1"), list(everything)
    keys = sorted(map(key_of, window.missions))
    return f"mission IN ({', '.join('?' * len(keys))})", keys


def _rest(window: Window) -> list[Filter]:
    return window.rest if window.is_timed else []


def _mean(total: float | None, count: int) -> float | None:
    if not count or total is None or total != total:
        return None
    return total / count
