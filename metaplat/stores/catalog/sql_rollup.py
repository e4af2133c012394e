"""Counts kept beside the observations, in the same transaction: what makes summaries and facets instant.

Here: how much a change adds to each count (``RollupChange``), and writing it.
Not here: answers from the counts (``sql_rollup_reading``).

``rollup_missions`` holds totals of a mission; ``rollup_days`` rows and bytes of a mission's day;
``rollup_values`` rows by value of a column, in a day and in all time; the last two also for all missions
together. Targets are counted in all time only: by day they would be as many as observations. Only files that
are present count. Keys are never null: ``key_of`` makes text of a value.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from metaplat.stores.catalog.sql_values import AT, DAY_MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from metaplat.stores.catalog.sql_dialect import Dialect, SqlSession, Stored

ALL_MISSIONS = "*"
ALL_TIME = 10**8
"""Stands for a day in ``rollup_values``; later than any."""
DAILY_COLUMNS = (
    "satellite_name",
    "instrument_type",
    "processing_status",
    "calibration_status",
    "extraction_status",
    "file_format",
)
"""Facet columns with few values, counted by day; ``mission_id`` has tables of its own."""
CALIBRATED = "COMPLETE"

_STATE, _TIME, _BYTES = AT["file_state"], AT["observation_timestamp"], AT["file_size"]
_MISSION, _TARGET, _QUALITY = AT["mission_id"], AT["target_object"], AT["data_quality_score"]
_CALIBRATION = DAILY_COLUMNS.index("calibration_status")
_group_of: Callable[[Sequence[Any]], tuple[Any, ...]] = itemgetter(
    _MISSION, *(AT[name] for name in DAILY_COLUMNS)
)

ADD_VALUES = """
INSERT INTO rollup_values (mission, column_name, day, value, datasets) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (mission, column_name, day, value) DO UPDATE SET
    datasets = rollup_values.datasets + excluded.datasets
"""
DROP_VALUES = """
DELETE FROM rollup_values WHERE mission = ? AND column_name = ? AND day = ? AND value = ? AND datasets = 0
"""
ADD_DAYS = """
INSERT INTO rollup_days (mission, day, datasets, bytes) VALUES (?, ?, ?, ?)
ON CONFLICT (mission, day) DO UPDATE SET
    datasets = rollup_days.datasets + excluded.datasets, bytes = rollup_days.bytes + excluded.bytes
"""
DROP_DAYS = "DELETE FROM rollup_days WHERE mission = ? AND day = ? AND datasets = 0"
ADD_MISSIONS = """
INSERT INTO rollup_missions (mission, datasets, bytes, calibrated, quality_count, quality_sum)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (mission) DO UPDATE SET
    datasets = rollup_missions.datasets + excluded.datasets, bytes = rollup_missions.bytes + excluded.bytes,
    calibrated = rollup_missions.calibrated + excluded.calibrated,
    quality_count = rollup_missions.quality_count + excluded.quality_count,
    quality_sum = rollup_missions.quality_sum + excluded.quality_sum
"""
DROP_MISSIONS = "DELETE FROM rollup_missions WHERE mission = ? AND datasets = 0"
EXTREMES = """
UPDATE rollup_missions SET
    first_time = (SELECT observation_timestamp FROM observations
        WHERE file_state = 'present' AND mission_id {equals} AND observation_timestamp IS NOT NULL
        ORDER BY observation_timestamp LIMIT 1),
    last_time = (SELECT observation_timestamp FROM observations
        WHERE file_state = 'present' AND mission_id {equals} AND observation_timestamp IS NOT NULL
        ORDER BY observation_timestamp DESC LIMIT 1)
WHERE mission = ?
"""
RECOUNT = """
UPDATE rollup_missions SET quality_sum = (SELECT sum(data_quality_score) FROM observations
    WHERE file_state = 'present' AND mission_id {equals})
WHERE mission = ?
"""


def key_of(value: str | None) -> str:
    """Return the key of a value in the rollups; that of null sorts behind all others."""
    return "~" if value is None else f"={value}"


def value_of(key: str) -> str | None:
    """Return the value of a key."""
    return None if key == "~" else key[1:]


class RollupChange:
    """What one transaction adds to the counts and takes from them."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Any, ...], list[int]] = {}
        self._targets: Counter[tuple[str | None, str | None]] = Counter()
        self._quality: dict[str | None, list[float]] = {}
        self._recount: set[str | None] = set()

    def add(self, content: Sequence[Stored], sign: int) -> None:
        """Count a stored tuple in (1) or out (-1)."""
        if content[_STATE] != "present":
            return
        time: Any = content[_TIME]
        size: Any = content[_BYTES]
        group = (None if time is None else time // DAY_MICROSECONDS, *_group_of(content))
        sums = self._groups.get(group)
        if sums is None:
            self._groups[group] = sums = [0, 0]
        sums[0] += sign
        sums[1] += sign * size
        mission: Any = content[_MISSION]
        target: Any = content[_TARGET]
        self._targets[mission, target] += sign
        quality: Any = content[_QUALITY]
        if quality is not None:
            self._add_quality(mission, quality, sign)

    def _add_quality(self, mission: str | None, quality: float, sign: int) -> None:
        sums = self._quality.setdefault(mission, [0, 0.0])
        sums[0] += sign
        sums[1] += sign * quality
        if sign < 0 and not 0 <= quality <= 1:  # 1e300 in a sum swallows the rest of it
            self._recount.add(mission)

    def write(self, session: SqlSession, dialect: Dialect) -> None:
        """Add everything to the tables; the observations are written already."""
        days, values, missions = self._sums()
        session.run_many(
            dialect.filled(ADD_VALUES), sorted((*key, count) for key, count in values.items() if count)
        )
        session.run_many(dialect.filled(DROP_VALUES), sorted(_less(values)))
        session.run_many(dialect.filled(ADD_DAYS), sorted((*key, *sums) for key, sums in days.items()))
        session.run_many(dialect.filled(DROP_DAYS), sorted(key for key, sums in days.items() if sums[0] < 0))
        session.run_many(dialect.filled(ADD_MISSIONS), self._mission_rows(missions))
        session.run_many(dialect.filled(DROP_MISSIONS), [(key_of(mission),) for mission in missions])
        self._look_up(session, dialect, missions)

    def _sums(
        self,
    ) -> tuple[
        Mapping[tuple[str, int], list[int]],
        Mapping[tuple[str, str, int, str], int],
        Mapping[str | None, list[int]],
    ]:
        """Return rows and bytes by day, rows by value, and rows, bytes and calibrated rows by mission."""
        days: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
        missions: dict[str | None, list[int]] = defaultdict(lambda: [0, 0, 0])
        counts: dict[tuple[str, str, str | None, int | None], int] = defaultdict(int)
        for (day, mission, *group), (count, size) in self._groups.items():
            scope = key_of(mission)
            totals = missions[mission]
            totals[0] += count
            totals[1] += size
            totals[2] += count if group[_CALIBRATION] == CALIBRATED else 0
            for key in ((ALL_MISSIONS, day), (scope, day)) if day is not None else ():
                sums = days[key]
                sums[0] += count
                sums[1] += size
            for column, value in zip(DAILY_COLUMNS, group, strict=True):
                counts[scope, column, value, day] += count
        for (mission, target), count in self._targets.items():
            counts[key_of(mission), "target_object", target, None] += count
        return days, _in_all_scopes(counts), missions

    def _mission_rows(self, missions: Mapping[str | None, list[int]]) -> list[tuple[Any, ...]]:
        none = (0, 0.0)
        return [
            (key_of(mission), *sums, *self._quality.get(mission, none)) for mission, sums in missions.items()
        ]

    def _look_up(self, session: SqlSession, dialect: Dialect, missions: Iterable[str | None]) -> None:
        """Read first and last times from the index: right also when the extreme has left."""
        for mission in missions:
            equals, value = ("IS NULL", []) if mission is None else ("= ?", [mission])
            session.run(dialect.filled(EXTREMES.format(equals=equals)), [*value, *value, key_of(mission)])
            if mission in self._recount:
                session.run(dialect.filled(RECOUNT.format(equals=equals)), [*value, key_of(mission)])


def _in_all_scopes(
    counts: Mapping[tuple[str, str, str | None, int | None], int],
) -> dict[tuple[str, str, int, str], int]:
    """Return counts by mission, column, value and day (None: no day) also for all missions and all time."""
    values: dict[tuple[str, str, int, str], int] = defaultdict(int)
    for (scope, column, value, day), count in counts.items():
        key = key_of(value)
        values[scope, column, ALL_TIME, key] += count
        values[ALL_MISSIONS, column, ALL_TIME, key] += count
        if day is not None:
            values[scope, column, day, key] += count
            values[ALL_MISSIONS, column, day, key] += count
    return values


def _less(values: Mapping[tuple[str, str, int, str], int]) -> list[tuple[str, str, int, str]]:
    return [key for key, count in values.items() if count < 0]
