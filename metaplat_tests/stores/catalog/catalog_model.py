"""A catalog in plain dictionaries that follows the protocol's words: what random changes are compared with.

Here: changes, and every count taken by looking at every row.
Not here: filters (``catalog_truth``); ``change_seq``, whose numbers each store may choose.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from metaplat.model.filters import EVERYTHING, Filter
from metaplat.stores.catalog.index import FacetCount, Summary
from metaplat_tests.stores.catalog.catalog_rows import CALLERS
from metaplat_tests.stores.catalog.catalog_truth import matching

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from metaplat.model.observation import Row
    from metaplat.stores.catalog.index import Change

QUIET = ("attempts", "next_attempt", "extractor_version")
"""Columns that are stored without making a new version."""


class ModelCatalog:
    """Observations and their versions; ``days`` are those that changes touched since it was emptied."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.versions: dict[str, list[Row]] = defaultdict(list)
        self.days: set[date | None] = set()

    def apply(self, change: Change, now: datetime) -> tuple[dict[str, str], int]:
        """Write; returns what was done with each dataset, and how many patches did anything."""
        last = {row["dataset_id"]: row for row in change.observations}
        done = {key: self._store(row, now) for key, row in last.items()}
        patched = [self._patch(key, columns, now) for key, columns in change.patches.items()]
        return done, sum(patched)

    def _patch(self, key: str, columns: Mapping[str, Any], now: datetime) -> bool:
        before = {name: self.rows[key][name] for name in CALLERS}
        self._store(before | {**columns}, now)
        return before != before | {**columns}

    def _store(self, incoming: Row, now: datetime) -> str:
        key, before = incoming["dataset_id"], self.rows.get(incoming["dataset_id"])
        row = {name: incoming[name] for name in CALLERS}
        if before and _content(before) == _content(row):
            before |= {name: row[name] for name in QUIET}
            return "unchanged"
        row |= {"updated_at": now, "first_seen": before["first_seen"] if before else now}
        row["revision"] = before["revision"] + 1 if before else 1
        self.days |= {_day(row), *([_day(before)] if before else [])}
        if before:
            self.versions[key].append(before)
        self.rows[key] = row
        return "updated" if before else "inserted"

    def present(self, where: Filter = EVERYTHING) -> list[Row]:
        """Return the matching rows whose file is there."""
        return matching(self.rows.values(), where)

    def facets(self, where: Filter, columns: Iterable[str], limit: int) -> dict[str, list[FacetCount]]:
        """Count the values of columns."""
        return {column: _counts(self.present(where), column)[:limit] for column in columns}

    def summaries(self) -> list[Summary]:
        """Summarise every mission that has a present file."""
        by_mission = defaultdict(list)
        for row in self.present():
            by_mission[row["mission_id"]].append(row)
        order = sorted(by_mission, key=lambda mission: (mission is None, mission))
        return [_summary(mission, by_mission[mission]) for mission in order]

    def totals(self, where: Filter) -> tuple[int, int]:
        """Return number and bytes."""
        found = self.present(where)
        return len(found), sum(row["file_size"] for row in found)


def _content(row: Row) -> Row:
    return {name: row[name] for name in CALLERS if name not in QUIET}


def _day(row: Row) -> date | None:
    begin = row["observation_timestamp"]
    return begin.date() if begin else None


def _counts(rows: Iterable[Row], column: str) -> list[FacetCount]:
    counted = Counter(row[column] for row in rows)
    order = sorted(counted, key=lambda value: (-counted[value], value is None, value))
    return [FacetCount(value, counted[value]) for value in order]


def _summary(mission: str | None, rows: list[Row]) -> Summary:
    scores = [row["data_quality_score"] for row in rows if row["data_quality_score"] is not None]
    times = [row["observation_timestamp"] for row in rows if row["observation_timestamp"] is not None]
    return Summary(
        mission,
        len(rows),
        sum(row["file_size"] for row in rows),
        sum(scores) / len(scores) if scores else None,
        sum(row["calibration_status"] == "COMPLETE" for row in rows),
        min(times, default=None),
        max(times, default=None),
    )
