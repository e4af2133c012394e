"""The asset-check report as plain data: what is wrong, where, and since when.

Here: what follows from the declarations, the latest verdicts and the receipts, computed once so that every
form of the report says the same.
Not here: wording (``wording``), forms (``export``, ``html_page``), reading (``verdict_log``, ``ingest``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metaplat.model.verdict import Outcome, Severity
from metaplat.reports.rule_report import PartitionMark, RuleReport, report_rule, worst_severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.landed import IngestReceipt
    from metaplat.model.partitioning import Partitioning
    from metaplat.reports.verdict_log import VerdictRecord

PRECEDENCE = (Outcome.FAILED, Outcome.PASSED, Outcome.NOT_EVALUATED)
"""A domain fails if any rule does; a rule that has nothing to judge yet does not take "passed" away."""


@dataclass(frozen=True)
class Quarantine:
    """Records kept in quarantine: in all, by partition and by reason (most first)."""

    records: int
    partitions: Mapping[str, int]
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class DomainReport:
    """One domain.

    Parameters
    ----------
    domain, doc : str
        Name and what one row is.
    outcome : Outcome
        The worst of its rules; not evaluated where there is no verdict.
    severity : Severity or None
        The worst of its failures; None where nothing fails.
    since : datetime or None
        Earliest start of the failures that stand.
    partitions : tuple of PartitionMark
        From the first known partition to the last, in order; all buckets of a bucketed domain.
    rules : tuple of RuleReport
        In the order declared.
    verdicts : tuple of VerdictRecord
        Latest verdicts of the declared rules, by rule; the table first, then in partition order.
    rows : mapping of str to int
        Rows by partition key, in partition order.
    quarantine : Quarantine
        From the latest receipts.
    """

    domain: str
    doc: str
    outcome: Outcome
    severity: Severity | None
    since: datetime | None
    partitions: tuple[PartitionMark, ...]
    rules: tuple[RuleReport, ...]
    verdicts: tuple[VerdictRecord, ...]
    rows: Mapping[str, int]
    quarantine: Quarantine

    @property
    def missing(self) -> tuple[str, ...]:
        """Keys between the first and the last partition that are not there."""
        return tuple(mark.key for mark in self.partitions if not mark.present)


@dataclass(frozen=True)
class CheckReport:
    """The asset-check report: ``generated_at`` is aware UTC, the domains are in the order given."""

    generated_at: datetime
    domains: tuple[DomainReport, ...]


def build_report(
    domains: Sequence[MetadataDomain],
    records_by_domain: Mapping[str, Sequence[VerdictRecord]],
    receipts_by_domain: Mapping[str, Mapping[str, IngestReceipt]],
    now: datetime,
) -> CheckReport:
    """Put together what stands about ``domains`` at ``now``.

    Parameters
    ----------
    domains : sequence of MetadataDomain
        Those to report on; verdicts of rules they no longer declare are left out.
    records_by_domain : mapping of str to sequence of VerdictRecord
        ``VerdictLog.load`` by domain name.
    receipts_by_domain : mapping of str to mapping of str to IngestReceipt
        Latest receipts by domain name, by partition key.
    now : datetime
        Aware.
    """
    now = now.astimezone(UTC)
    reports = (
        _domain_report(
            domain, records_by_domain.get(domain.name, ()), receipts_by_domain.get(domain.name, {}), now
        )
        for domain in domains
    )
    return CheckReport(now, tuple(reports))


def _domain_report(
    domain: MetadataDomain,
    records: Sequence[VerdictRecord],
    receipts: Mapping[str, IngestReceipt],
    now: datetime,
) -> DomainReport:
    known = {record.partition for record in records if record.partition is not None} | set(receipts)
    marks = _marks(domain.partitions, known, set(receipts) or known, now)
    rules = tuple(report_rule(rule, records, marks) for rule in domain.rules)
    failing = [rule for rule in rules if rule.outcome is Outcome.FAILED]
    order = [mark.key for mark in marks if mark.key in receipts]
    return DomainReport(
        domain=domain.name,
        doc=domain.doc,
        outcome=_combined(rule.outcome for rule in rules),
        severity=worst_severity([rule.severity for rule in failing]),
        since=min((rule.since for rule in failing if rule.since), default=None),
        partitions=marks,
        rules=rules,
        verdicts=tuple(verdict for rule in rules for verdict in _verdicts(rule)),
        rows={key: receipts[key].rows for key in order},
        quarantine=_quarantine({key: receipts[key] for key in order}),
    )


def _verdicts(rule: RuleReport) -> list[VerdictRecord]:
    """Return the verdicts of a rule: about the table, then in partition order."""
    return [*filter(None, [rule.summary]), *(cell.record for cell in rule.cells if cell.record)]


def _marks(
    partitioning: Partitioning, known: set[str], present: set[str], now: datetime
) -> tuple[PartitionMark, ...]:
    """Return the partitions from the first known one to the last; all of them where they are buckets."""
    existing = partitioning.keys(now)
    timed = bool(existing) and partitioning.window(existing[0]) is not None
    # Keys of time partitions sort as text; a key that no longer exists keeps its place in time.
    order = sorted({*existing, *known}) if timed else [*existing, *sorted(known - set(existing))]
    places = [place for place, key in enumerate(order) if key in known]
    if not places:
        return ()
    between = order[places[0] : places[-1] + 1] if timed else order
    return tuple(_mark(partitioning, key, present=key in present) for key in between)


def _mark(partitioning: Partitioning, key: str, *, present: bool) -> PartitionMark:
    try:
        window = partitioning.window(key)
    except ValueError:  # a key from before the partitioning was changed
        window = None
    if window is None:
        return PartitionMark(key, None, None, present)
    return PartitionMark(key, window[0], window[1] - window[0], present)


def _quarantine(receipts: Mapping[str, IngestReceipt]) -> Quarantine:
    partitions = {key: receipt.quarantined for key, receipt in receipts.items() if receipt.quarantined}
    reasons: Counter[str] = Counter()
    for receipt in receipts.values():
        reasons.update(receipt.reasons)
    return Quarantine(sum(partitions.values()), partitions, dict(reasons.most_common()))


def _combined(outcomes: Iterable[Outcome]) -> Outcome:
    found = set(outcomes)
    return next((outcome for outcome in PRECEDENCE if outcome in found), Outcome.NOT_EVALUATED)
