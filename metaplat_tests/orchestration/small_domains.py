"""Small domains whose rules a test can make fail at will, and records for them.

Here: ``COUNTS`` by day, ``HOURS`` and ``SHARDS`` (buckets), and landing their records.
Not here: stores that fail (``watched_objects``).
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from metaplat.ingest.partition import landing_prefix
from metaplat.model.domain import MetadataDomain
from metaplat.model.field import Field
from metaplat.model.partitioning import Daily, Hourly, IdBuckets
from metaplat.model.retention import Retention
from metaplat.model.rule import Rule
from metaplat.model.verdict import Severity, Verdict

if TYPE_CHECKING:
    from metaplat.model.rule import PartitionEvidence, TableEvidence
    from metaplat.stores.home import Stores


def _limit_rule(
    name: str, limit: int, *, severity: Severity = Severity.ERROR, blocking: bool = False
) -> Rule:
    def judge(evidence: PartitionEvidence) -> Verdict:
        rows = evidence.frame.filter(evidence.frame["amount"] >= limit).select("name", "amount").to_dicts()
        numbers = {"rows": evidence.frame.height, "above": len(rows)}
        sentence = f"{len(rows)} amounts reach {limit}."
        return Verdict.judged(passed=not rows, sentence=sentence, numbers=numbers, samples=rows)

    return Rule(name, f"Every amount is below {limit}.", judge, severity=severity, blocking=blocking)


def _judge_pairs(evidence: PartitionEvidence) -> Verdict:
    """Judge only what has two rows or more: the rule of which a test sees "not evaluated"."""
    if evidence.frame.height < 2:
        return Verdict.not_evaluated("Fewer than two rows.")
    return Verdict.judged(passed=True, sentence="Two rows or more.", numbers={"rows": evidence.frame.height})


def _judge_table(evidence: TableEvidence) -> Verdict:
    rows = sum(receipt.rows for receipt in evidence.receipts.values())
    return Verdict.judged(passed=rows < 1000, sentence=f"{rows} rows in all.", numbers={"rows": rows})


RULES = (
    _limit_rule("amount", 100),
    _limit_rule("unusual", 50, severity=Severity.WARN),
    _limit_rule("ruinous", 10_000, blocking=True),
    Rule("pairs", "Two rows or more.", _judge_pairs),
    Rule("table_size", "Fewer than 1000 rows in all.", judge_table=_judge_table),
)


def _domain(name: str, partitions: Daily | Hourly | IdBuckets) -> MetadataDomain:
    return MetadataDomain(
        name=name,
        doc=f"One row per {name}.",
        fields=(
            Field("name", str, key=True, doc="What is counted."),
            Field("amount", int, doc="How many."),
            Field("counted_at", datetime, doc="When."),
            Field("shard", int, doc="Bucket."),
        ),
        partitions=partitions,
        landing=f"{name}/",
        rules=RULES,
        retention=Retention(archive=timedelta(days=730)),
        cadence="*/5 * * * *",
        fresh_within=timedelta(days=1),
        object_name=lambda row: f"{row['name']}.json",
    )


COUNTS = _domain("counts", Daily("2025-01-01", by="counted_at"))
HOURS = _domain("hours", Hourly("2025-11-01-00:00", by="counted_at"))
SHARDS = _domain("shards", IdBuckets(8, by="shard"))


def land(stores: Stores, domain: MetadataDomain, partition: str, name: str, **amounts: int) -> str:
    """Land one object with a record per keyword (its name and its amount); returns its key."""
    window = domain.partitions.window(partition)
    when, shard = (window[0].isoformat(), 0) if window else ("2025-11-01T00:00:00Z", int(partition))
    place: dict[str, Any] = {"counted_at": when, "shard": shard}
    records = [{"name": each, "amount": amount, **place} for each, amount in amounts.items()]
    key = f"{landing_prefix(domain, partition)}{name}"
    stores.landing.put(key, json.dumps(records).encode())
    return key


def set_time(stores: Stores, key: str, moment: datetime) -> None:
    """Give a landed file another time of modification."""
    os.utime(f"{stores.landing.address}/{key}", (moment.timestamp(), moment.timestamp()))


def days(first: str, count: int) -> list[str]:
    """Return ``count`` day keys from ``first`` on."""
    start = datetime.fromisoformat(first).replace(tzinfo=UTC)
    return [(start + timedelta(days=number)).strftime("%Y-%m-%d") for number in range(count)]
