"""Small domains, verdicts and receipts for the tests of reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from metaplat.model.domain import MetadataDomain
from metaplat.model.field import Field
from metaplat.model.landed import IngestReceipt
from metaplat.model.partitioning import Daily, IdBuckets, Partitioning
from metaplat.model.retention import Retention
from metaplat.model.rule import PartitionEvidence, Rule, TableEvidence
from metaplat.model.verdict import Outcome, Severity, Verdict
from metaplat.reports.verdict_log import VerdictRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOW = datetime(2025, 12, 3, 14, 5, tzinfo=UTC)
LAST_MONTH = datetime(2025, 11, 12, 6, 30, tzinfo=UTC)
DAYS = Daily("2023-01-01")


def _never(evidence: PartitionEvidence | TableEvidence) -> Verdict:
    raise AssertionError(f"a report judges nothing: {evidence.domain.name}")


PRIMARY_KEY = Rule("primary_key", "Every key occurs once.", judge=_never)
VOLUME = Rule("volume", "As many rows as usual.", judge=_never, severity=Severity.WARN)
FRESHNESS = Rule("freshness", "At most a day old.", judge_table=_never)
RULES = (PRIMARY_KEY, VOLUME, FRESHNESS)


def domain(
    name: str = "jobs", partitions: Partitioning = DAYS, rules: Sequence[Rule] = RULES
) -> MetadataDomain:
    """Declare a domain with one key and the partitioning column."""
    kind = int if isinstance(partitions, IdBuckets) else datetime
    return MetadataDomain(
        name=name,
        doc="One row per run.",
        fields=(Field("job", str, key=True, doc="Job."), Field(partitions.by, kind, doc="When.")),
        partitions=partitions,
        landing="jobs/",
        rules=rules,
        retention=Retention(timedelta(days=1)),
        cadence="0 * * * *",
        fresh_within=timedelta(days=1),
    )


def record(
    partition: str | None,
    outcome: Outcome = Outcome.PASSED,
    rule: str = "primary_key",
    *,
    since: datetime = LAST_MONTH,
    severity: Severity = Severity.ERROR,
    numbers: Mapping[str, int | float] | None = None,
    samples: Sequence[Mapping[str, Any]] = (),
    sentence: str = "What was found.",
) -> VerdictRecord:
    """Make a verdict of domain ``jobs``."""
    return VerdictRecord(
        "jobs", rule, partition, outcome, severity, sentence, dict(numbers or {}), samples, NOW, since, "run"
    )


def receipt(partition: str, rows: int = 10, **reasons: int) -> IngestReceipt:
    """Make the receipt of a partition; what is quarantined by reason."""
    return IngestReceipt(partition, rows=rows, quarantined=sum(reasons.values()), reasons=reasons)


def days(count: int) -> list[str]:
    """Return the keys of the last ``count`` days."""
    return DAYS.keys(NOW)[-count:]
