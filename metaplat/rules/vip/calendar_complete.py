"""The history has a row for every hour of its calendar, also for the hours that are missing.

Here: hours without a row, per configuration. Not here: rows that say that an hour is missing
(``missing_hours``), whether the history goes on (``freshness``).

An hour that is only absent would raise every average, and nobody would miss it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.extract import hours_between
from metaplat.model.rule import History, PartitionEvidence, Rule
from metaplat.model.verdict import Verdict
from metaplat.rules.samples import require_columns, shown_rows
from metaplat.rules.vip.closed_hours import CONFIG, HOUR, ONE_HOUR, shown_hours
from metaplat.rules.vip.recent import recent
from metaplat.rules.wording import agreeing, counted, materialize_command

if TYPE_CHECKING:
    from datetime import datetime

NAME = "calendar_complete"


def calendar_complete() -> Rule:
    """Return the rule that no hour between the first and the last known one lacks a row.

    A day begins at midnight where the configuration has rows the day before, else with its first row. It ends
    at midnight where a later day has rows, else with its last row. A configuration whose rows end while those
    of another one go on may have been replaced by it: its day ends with its last row, too.
    """
    doc = "Every hour of a configuration between its first and its last known one has a row."
    return Rule(NAME, doc, _judge, recent(NAME), history=History(1, (CONFIG, HOUR)))


@dataclass(frozen=True)
class _Day:
    """The hours of a partition, from the first (inclusive) to the last (inclusive), and what goes on."""

    first: datetime
    last: datetime
    continues: bool
    begun_before: frozenset[str]


def _judge(evidence: PartitionEvidence) -> Verdict:
    require_columns(evidence.frame, [CONFIG, HOUR], NAME)
    day = _day(evidence)
    if day is None or evidence.frame.is_empty():
        return Verdict.not_evaluated("No hour is known.", {"expected": 0})
    known: dict[str, set[datetime]] = {}
    for config, hour in evidence.frame.select(CONFIG, HOUR).iter_rows():
        known.setdefault(config, set()).add(hour)
    newest = max(max(hours) for hours in known.values())
    expected = {config: _expected(config, hours, day, newest) for config, hours in sorted(known.items())}
    absent = [(config, hour) for config in expected for hour in expected[config] if hour not in known[config]]
    count = sum(map(len, expected.values()))
    samples = [{CONFIG: config, HOUR: hour} for config, hour in absent]
    return Verdict.judged(
        passed=not absent,
        sentence=_sentence(count, [hour for _, hour in absent], evidence),
        numbers={
            "configurations": len(known),
            "expected": count,
            "rows": count - len(absent),
            "absent": len(absent),
        },
        samples=shown_rows(samples, evidence.domain.columns),
    )


def _day(evidence: PartitionEvidence) -> _Day | None:
    window = evidence.domain.partitions.window(evidence.partition)
    if window is None or evidence.history is None:
        return None
    later = any(rows for key, rows in evidence.row_history.items() if key > evidence.partition)
    return _Day(window[0], window[1] - ONE_HOUR, later, frozenset(evidence.history[CONFIG].unique()))


def _expected(config: str, known: set[datetime], day: _Day, newest: datetime) -> list[datetime]:
    first = day.first if config in day.begun_before else min(known)
    goes_on = day.continues and max(known) == newest
    return hours_between(first, day.last if goes_on else max(known))


def _sentence(expected: int, absent: list[datetime], evidence: PartitionEvidence) -> str:
    if not absent:
        return f"{counted(expected, 'hour')} of the calendar, each with a row."
    return (
        f"{len(absent):,} of {counted(expected, 'hour')} of the calendar "
        f"{agreeing(len(absent), 'lacks', 'lack')} a row: {shown_hours(absent)}; none expected. Run "
        f"{materialize_command(evidence.domain, evidence.partition)}."
    )
