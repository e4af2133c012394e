"""Results of the table monitor for the tests of its reports: real facts, judged by the real rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from metaplat.model.polars_schema import polars_schema
from metaplat.model.table import MonitoredTable, RepairMode
from metaplat.model.table_evidence import RepairOutcome, RepairPlan, TableFacts
from metaplat.model.table_metrics import METRICS, KeySample
from metaplat.model.verdict import Outcome
from metaplat.reports.alerts.alert import level_of
from metaplat.reports.tables.alert_texts import alert_texts
from metaplat.reports.tables.report_document import MonitorResult, TableResult
from metaplat.rules.tables.all_rules import ALL_RULES
from metaplat.settings import MonitorSettings
from metaplat_tests.rules.tables.facts_builder import NOW, healthy, with_cells, with_profile, without_bucket

if TYPE_CHECKING:
    from collections.abc import Sequence

SEVERITIES = {rule.name: rule.severity for rule in ALL_RULES}


def judged(facts: TableFacts) -> TableResult:
    """Judge facts by every rule, as a run of the monitor does."""
    verdicts = {rule.name: rule.judge_facts(facts) for rule in ALL_RULES}
    rows = facts.profile.frame.to_dicts()
    buckets = {
        row["id_bucket"]: {rule.name: rule.judge(facts, row) for rule in ALL_RULES if rule.judge}
        for row in rows
    }
    texts = [
        (text, level_of(SEVERITIES[rule]))
        for rule, verdict in verdicts.items()
        if verdict.outcome is Outcome.FAILED
        for text in alert_texts(facts.table, rule, verdict)
    ]
    return TableResult(
        facts.table,
        facts,
        None,
        verdicts,
        SEVERITIES,
        buckets,
        [text for text, _ in texts],
        [level for _, level in texts],
        NOW,
    )


def not_examined(name: str = "part_gone", problem: str = "S3: list: no such prefix") -> TableResult:
    """Return a table about which nothing could be found out."""
    table = MonitoredTable(name, "s3://lake/db/part_gone", "customer_user_id", bucket_count=8, database="db")
    return TableResult(table, None, problem, {}, SEVERITIES, {}, (), (), NOW)


def with_alerts(result: TableResult, alerts: Sequence[str]) -> TableResult:
    return replace(result, alerts=alerts, alert_levels=["high"] * len(alerts))


def report(*tables: TableResult, **settings: Any) -> MonitorResult:
    """Put tables together; settings of a healthy table's own choices."""
    chosen = {"database": "db", "bucket_count": 8, "data_bucket": "raw", **settings}
    return MonitorResult(MonitorSettings.model_validate(chosen), tables, NOW)


def named(facts: TableFacts, name: str) -> TableFacts:
    """Give a table another name everywhere."""
    table = replace(facts.table, name=name)
    frame = facts.profile.frame.with_columns(pl.lit(name).alias("table"))
    return replace(facts, table=table, profile=replace(facts.profile, table=table, frame=frame))


def faulty(rows: int = 100_000, buckets: int = 8) -> TableFacts:
    """Facts with NULLs, duplicates, a misplaced key, a lost bucket, too few rows, and a repair."""
    facts = without_bucket(healthy(rows, buckets), 5)
    facts = with_cells(facts, [2], key_nulls=5, distinct_keys=rows - 5)
    facts = with_cells(
        facts, [1, 3], duplicate_rows=4, duplicate_keys=2, surplus_rows=2, distinct_keys=rows - 2
    )
    facts = with_cells(facts, [7], misplaced_keys=1)
    samples = [
        KeySample(1, "duplicate", "5f6fba6c6d1e0a3c", 2),
        KeySample(1, "duplicate", "d1b9a5ef00aa1122", 2),
        KeySample(3, "duplicate", "77aa0b1c9d2e3f40", 4),
        KeySample(7, "misplaced", "0a1b2c3d4e5f6071", 1, belongs_in=0),
    ]
    plan = RepairPlan(RepairMode.GLUE, [(4, "s3://lake/db/part_x/id_bucket=4/")], ["id_bucket=5"])
    facts = with_profile(facts, samples=samples, files_read=3, notes=["One bucket was read again."])
    assert facts.source is not None
    return replace(
        facts,
        source=replace(facts.source, rows=(buckets - 1) * rows + 30),
        repair=RepairOutcome(plan, before=buckets - 2, after=buckets - 1),
    )


def empty_history() -> pl.DataFrame:
    return pl.DataFrame(schema=polars_schema(METRICS))
