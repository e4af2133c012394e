"""The rows are as many as in the last runs.

Here: rows now against the median of earlier runs of the table, and of each bucket.
Not here: the source's count (``row_count_match``), buckets that are missing (``s3_partition``).
Unusual takes all three: enough earlier runs, a relative change, and an absolute one.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.tables.bucket_figures import bucket_figures, bucket_unknown, counted_buckets
from metaplat.rules.tables.folders import uncounted_buckets
from metaplat.rules.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.model.table_evidence import TableFacts, TableLimits

UNKNOWN = "The rows could not be counted."
ADVICE = "Look for loads that are missing or came twice; where the number is right, it will become usual."


def _judge_facts(facts: TableFacts) -> Verdict:
    rows = bucket_figures(facts, "rows")
    if rows.unknown:
        return Verdict.not_evaluated(f"{UNKNOWN}{rows.unknown_note} Measure them, or see parquet_file.")
    if misnamed := uncounted_buckets(facts):
        return Verdict.not_evaluated(
            f"Rows in misnamed folders are not counted: {counted_buckets(misnamed)}."
        )
    totals = _totals(facts)
    if len(totals) < facts.limits.volume_runs:
        return _warming_up(rows.total, len(totals), facts.limits)
    usual = median(totals)
    medians = _bucket_medians(facts)
    unusual = [
        (bucket, count, medians[bucket])
        for bucket, count in rows.known.items()
        if bucket in medians and _is_unusual(count, medians[bucket], facts.limits)
    ]
    whole = _is_unusual(rows.total, usual, facts.limits)
    sentence = _sentence(rows.total, usual, len(totals), facts.limits)
    if unusual:
        sentence += f" {counted_buckets([entry[0] for entry in unusual])} changed more."
    return Verdict.judged(
        passed=not (whole or unusual),
        sentence=f"{sentence} {ADVICE}" if whole or unusual else sentence,
        numbers=_numbers(rows.total, usual, len(totals))
        | {"unusual_table": int(whole), "unusual_buckets": len(unusual)},
        samples=[{"id_bucket": b, "rows": count, "median_rows": known} for b, count, known in unusual],
    )


def _judge(facts: TableFacts, row: Mapping[str, Any]) -> Verdict:
    if unknown := bucket_unknown(row, "rows", UNKNOWN):
        return unknown
    rows, earlier = row["rows"], _bucket_rows(facts, row["id_bucket"])
    if len(earlier) < facts.limits.volume_runs:
        return _warming_up(rows, len(earlier), facts.limits)
    usual = median(earlier)
    unusual = _is_unusual(rows, usual, facts.limits)
    sentence = _sentence(rows, usual, len(earlier), facts.limits)
    return Verdict.judged(
        passed=not unusual,
        sentence=f"{sentence} {ADVICE}" if unusual else sentence,
        numbers=_numbers(rows, usual, len(earlier)),
    )


def _totals(facts: TableFacts) -> list[int]:
    """Rows of the table in the last runs that know them all, oldest first."""
    import polars as pl

    runs = facts.history.group_by("run_id", maintain_order=True).agg(
        pl.col("rows").sum(), unknown=pl.col("rows").null_count()
    )
    return runs.filter(pl.col("unknown") == 0)["rows"].tail(facts.limits.volume_runs).to_list()


def _bucket_medians(facts: TableFacts) -> dict[int, float]:
    """Median rows of the last runs, for each bucket with enough runs."""
    import polars as pl

    last = pl.col("rows").drop_nulls().tail(facts.limits.volume_runs)
    known = facts.history.group_by("id_bucket").agg(last.len().alias("runs"), last.median().alias("median"))
    return dict(known.filter(pl.col("runs") >= facts.limits.volume_runs).select("id_bucket", "median").rows())


def _bucket_rows(facts: TableFacts, bucket: int) -> list[int]:
    """Rows of a bucket in the last runs that know them; by Series, since this is asked once a bucket."""
    rows = facts.history["rows"].filter(facts.history["id_bucket"] == bucket).drop_nulls()
    return rows.tail(facts.limits.volume_runs).to_list()


def _is_unusual(rows: int, usual: float, limits: TableLimits) -> bool:
    change = abs(rows - usual)
    return 0 < change >= limits.volume_floor_rows and change * 100 > limits.volume_change_pct * usual


def _numbers(rows: int, usual: float, runs: int) -> dict[str, int | float]:
    return {"rows": rows, "median_rows": usual, "earlier_runs": runs}


def _sentence(rows: int, usual: float, runs: int, limits: TableLimits) -> str:
    floor = counted(limits.volume_floor_rows, "row")
    return (
        f"{counted(rows, 'row')}; the median of {counted(runs, 'earlier run')} is {usual:,.0f}; a change of "
        f"at most {limits.volume_change_pct:g} % expected, from {floor} on."
    )


def _warming_up(rows: int, runs: int, limits: TableLimits) -> Verdict:
    return Verdict.not_evaluated(
        f"Warming up: {runs} of {counted(limits.volume_runs, 'earlier run')}.",
        {"rows": rows, "earlier_runs": runs, "needed_runs": limits.volume_runs},
    )


VOLUME = TableRule(
    "volume",
    "Rows change by at most volume_change_pct against the median of the last volume_runs runs, "
    "from volume_floor_rows rows on.",
    _judge_facts,
    _judge,
    Severity.WARN,
)
