"""The table has as many rows as its source (RowCountMatch in AWS Glue DQDL).

Here: the comparison, its tolerance, a source that does not exist. Not here: unusual counts (``volume``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.tables.bucket_figures import bucket_figures, counted_buckets
from metaplat.rules.tables.folders import uncounted_buckets
from metaplat.rules.wording import counted

if TYPE_CHECKING:
    from metaplat.model.table import SourceTable
    from metaplat.model.table_evidence import TableFacts


def count_diff_pct(rows: int, source_rows: int) -> float:
    """Return the difference of two counts in percent of the source's.

    Returns
    -------
    float
        0 when both are 0, 100 when exactly one is.
    """
    if rows == source_rows:
        return 0.0
    if not rows or not source_rows:
        return 100.0
    return abs(rows - source_rows) * 100 / source_rows


def _judge_facts(facts: TableFacts) -> Verdict:
    source, found = facts.table.source, facts.source
    if not facts.limits.count_check_enabled:
        return Verdict.not_evaluated("The count check is switched off (count_check_enabled).")
    if source is None or found is None:
        return Verdict.not_evaluated("The table has no source to compare with.")
    name = source_name(source)
    if not found.found:
        sentence = f"Source table {name} should exist and was not found. Create it, or correct the settings."
        return Verdict.judged(passed=False, sentence=sentence, numbers={"source_found": 0})
    if misnamed := uncounted_buckets(facts):
        return Verdict.not_evaluated(
            f"Rows in misnamed folders are not counted: {counted_buckets(misnamed)}."
        )
    rows = bucket_figures(facts, "rows")
    if rows.unknown:
        return Verdict.not_evaluated(
            f"Rows cannot be compared.{rows.unknown_note} Measure them, or see parquet_file."
        )
    if found.rows is None:
        return Verdict.not_evaluated(f"Rows of source {name} are unknown: {found.problem or 'not counted'}")
    return _compare(rows.total, found.rows, name, facts.limits.count_tolerance_pct)


def _compare(rows: int, source_rows: int, name: str, tolerance_pct: float) -> Verdict:
    percent, difference = count_diff_pct(rows, source_rows), abs(rows - source_rows)
    # at tolerance 0 the integers decide: a tiny share of a huge table is a difference all the same
    passed = difference == 0 if tolerance_pct == 0 else percent <= tolerance_pct
    expected = f"at most {tolerance_pct:g} % apart expected" if tolerance_pct else "as many expected"
    sentence = f"{counted(rows, 'row')}; source {name} has {source_rows:,}, {expected}."
    if not passed:
        sentence += f" They are {counted(difference, 'row')} apart. Load what is missing, then check again."
    return Verdict.judged(
        passed=passed,
        sentence=sentence,
        numbers={
            "source_found": 1,
            "rows": rows,
            "source_rows": source_rows,
            "row_difference": difference,
            "difference_pct": percent,
            "tolerance_pct": tolerance_pct,
        },
    )


def source_name(source: SourceTable) -> str:
    """Return ``database.table``, or the table alone where it has no database."""
    return f"{source.database}.{source.name}" if source.database else source.name


ROW_COUNT_MATCH = TableRule(
    "row_count_match",
    "The table has as many rows as its source, within count_tolerance_pct; the source exists.",
    _judge_facts,
    severity=Severity.ERROR,
)
