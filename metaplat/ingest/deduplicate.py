"""One row per key: which of several landed rows stays, and what is said of the others.

Here: progress (running, then terminal, never the reverse), repetition, conflict, provisional keys.
Not here: the same decision against the hot store (``stores.hot``), which follows the same table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from metaplat.model.verdict import MAX_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from metaplat.model.domain import MetadataDomain, Progress, Row


@dataclass
class Deduplicated:
    """The rows that stay, one per key, and what was dropped.

    Parameters
    ----------
    rows : list of Row
        In no particular order.
    repeated, superseded, stale, conflicts : int
        Dropped rows, as in ``IngestReceipt``.
    conflict_samples : list of mapping
        Key values with the object that was dropped and the one that stays, at most 20.
    """

    rows: list[Row] = field(default_factory=list)
    repeated: int = 0
    superseded: int = 0
    stale: int = 0
    conflicts: int = 0
    conflict_samples: list[dict[str, Any]] = field(default_factory=list)


def deduplicate(domain: MetadataDomain, rows: Iterable[Row], settled: Collection[str] = ()) -> Deduplicated:
    """Keep one row per key.

    Parameters
    ----------
    domain : MetadataDomain
        Says what the key is and how a row may change lawfully.
    rows : iterable of Row
        Typed rows in the order they were landed.
    settled : collection of str
        Runs whose real row is known to lie in another partition.
    """
    result = Deduplicated()
    kept: dict[tuple[Any, ...], Row] = {}
    keys = domain.keys
    for row in rows:
        key = tuple([row[name] for name in keys])
        stored = kept.setdefault(key, row)
        if stored is not row:
            kept[key] = _choose(domain, stored, row, result)
    result.rows = _without_provisional(domain, list(kept.values()), settled, result)
    return result


def _choose(domain: MetadataDomain, stored: Row, row: Row, result: Deduplicated) -> Row:
    if _content(stored) == _content(row):
        result.repeated += 1  # the smaller object name stays, so that landing order does not matter
        return min(stored, row, key=lambda each: str(each["source_object"]))
    was_running, is_running = _running(domain, stored), _running(domain, row)
    if domain.progress and _same_run(domain.progress, stored, row):
        if was_running:
            result.superseded += 1
            return row
        if is_running:
            result.stale += 1
            return stored
    kept, dropped = (stored, row) if is_running and not was_running else (row, stored)
    result.conflicts += 1
    if len(result.conflict_samples) < MAX_SAMPLES:
        keys = {name: row[name] for name in domain.keys}
        objects = {"kept_object": kept["source_object"], "dropped_object": dropped["source_object"]}
        result.conflict_samples.append(keys | objects)
    return kept


def _content(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "source_object"}


def _running(domain: MetadataDomain, row: Row) -> bool:
    return domain.progress is not None and row[domain.progress.column] == domain.progress.running


def _same_run(progress: Progress, stored: Row, row: Row) -> bool:
    """Whether both rows are of one run; a stored row without identity matches any later one."""
    return stored[progress.identity] is None or stored[progress.identity] == row[progress.identity]


def _without_provisional(
    domain: MetadataDomain, rows: list[Row], elsewhere: Collection[str], result: Deduplicated
) -> list[Row]:
    rule = domain.provisional
    if rule is None or not any(row[rule.column] == rule.value for row in rows):
        return rows
    settled = {*elsewhere, *(row[rule.identity] for row in rows if row[rule.column] != rule.value)} - {None}
    kept = [row for row in rows if row[rule.column] != rule.value or row[rule.identity] not in settled]
    result.superseded += len(rows) - len(kept)
    return kept
