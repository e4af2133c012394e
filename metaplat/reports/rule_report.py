"""One rule over the partitions of a domain: counts, since when it fails, trends and samples.

Here: what follows from the latest verdicts of one rule.
Not here: the domain as a whole (``check_report``), wording (``wording``).
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.model.verdict import Outcome, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from metaplat.model.rule import Rule
    from metaplat.reports.verdict_log import VerdictRecord

MAIN_NUMBERS = 3
"""Numbers of a rule that are followed over its partitions: the first ones of its newest verdict."""


@dataclass(frozen=True)
class PartitionMark:
    """One partition between the first and the last known one.

    Parameters
    ----------
    key : str
        Partition key.
    start : datetime or None
        Start of its time window, aware UTC; None for a bucket.
    length : timedelta or None
        Length of the window; None for a bucket.
    present : bool
        Whether it was ingested; where no receipt is known, whether it was judged.
    """

    key: str
    start: datetime | None
    length: timedelta | None
    present: bool


@dataclass(frozen=True)
class Cell:
    """What one rule says of one partition; outcome None where it says nothing."""

    mark: PartitionMark
    record: VerdictRecord | None

    @property
    def outcome(self) -> Outcome | None:
        """Return the outcome, or None where there is no verdict."""
        return self.record.outcome if self.record else None


@dataclass(frozen=True)
class RuleReport:
    """One rule of a domain.

    Parameters
    ----------
    rule, doc : str
        Name and expectation.
    severity : Severity
        Of its failures: the worst one that stands, else the declared one.
    outcome : Outcome
        Failed where any partition or the table fails; not evaluated where nothing could be judged.
    summary : VerdictRecord or None
        The verdict about the whole table.
    passed, failed, not_evaluated : int
        Partitions with that outcome.
    since : datetime or None
        Earliest start of the failures that stand.
    first_failing, last_failing : str or None
        Partition keys.
    cells : tuple of Cell
        One per partition of the domain, in partition order; empty for a rule about the table only.
    trends : mapping of str to mapping of str to float
        Main numbers by name, by partition key in partition order.
    sentence : str or None
        The newest failing partition's, else the table's, else the newest partition's.
    failing : tuple of VerdictRecord
        Failing partitions, newest first.
    samples : tuple of mapping
        Of the newest failing partition, else of the table.
    """

    rule: str
    doc: str
    severity: Severity
    outcome: Outcome
    summary: VerdictRecord | None
    passed: int
    failed: int
    not_evaluated: int
    since: datetime | None
    first_failing: str | None
    last_failing: str | None
    cells: tuple[Cell, ...]
    trends: Mapping[str, Mapping[str, int | float]]
    sentence: str | None
    failing: tuple[VerdictRecord, ...]
    samples: tuple[Mapping[str, Any], ...]


def report_rule(rule: Rule, records: Iterable[VerdictRecord], marks: Sequence[PartitionMark]) -> RuleReport:
    """Report ``rule`` from those of ``records`` that are its own, over the partitions ``marks``."""
    found = _of_rule(rule, records)
    summary = found.get(None)
    judged = [found[mark.key] for mark in marks if mark.key in found]
    failing = [record for record in reversed(judged) if record.outcome is Outcome.FAILED]
    standing = failing or [record for record in (summary,) if record and record.outcome is Outcome.FAILED]
    counts = Counter(record.outcome for record in judged)
    telling = next(iter([*failing[:1], *filter(None, [summary]), *reversed(judged)]), None)
    return RuleReport(
        rule=rule.name,
        doc=rule.doc,
        severity=worst_severity([record.severity for record in standing]) or rule.severity,
        outcome=_rolled_up(found.values()),
        summary=summary,
        passed=counts[Outcome.PASSED],
        failed=counts[Outcome.FAILED],
        not_evaluated=counts[Outcome.NOT_EVALUATED],
        since=min((record.since for record in standing), default=None),
        first_failing=failing[-1].partition if failing else None,
        last_failing=failing[0].partition if failing else None,
        cells=tuple(Cell(mark, found.get(mark.key)) for mark in marks) if rule.judge or judged else (),
        trends=_trends(judged),
        sentence=telling.sentence if telling else None,
        failing=tuple(failing),
        samples=tuple(standing[0].samples) if standing else (),
    )


def _of_rule(rule: Rule, records: Iterable[VerdictRecord]) -> dict[str | None, VerdictRecord]:
    """Return the verdicts of ``rule`` by partition; that of its summary under None."""
    return {
        record.partition: record
        for record in records
        if record.rule == rule.name or (record.partition is None and record.rule == rule.summary_name)
    }


def _trends(judged: Sequence[VerdictRecord]) -> dict[str, dict[str, int | float]]:
    newest = next((record for record in reversed(judged) if record.numbers), None)
    names = list(newest.numbers)[:MAIN_NUMBERS] if newest else []
    return {
        name: {
            str(record.partition): record.numbers[name]
            for record in judged
            if name in record.numbers and _finite(record.numbers[name])
        }
        for name in names
    }


def _finite(number: float) -> bool:
    return -sys.float_info.max <= number <= sys.float_info.max


def _rolled_up(records: Iterable[VerdictRecord]) -> Outcome:
    """Return failed where anything fails, passed where anything could be judged (as ``model.roll_up``)."""
    found = {record.outcome for record in records}
    roll = (Outcome.FAILED, Outcome.PASSED)
    return next((outcome for outcome in roll if outcome in found), Outcome.NOT_EVALUATED)


def worst_severity(severities: Sequence[Severity]) -> Severity | None:
    """Return the gravest, None where there is none."""
    return max(severities, key=list(Severity).index, default=None)
