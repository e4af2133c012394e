"""The first fields of a table's row in the reports, by their old names.

Here: which fact is shown under which of those names, and how it is written.
Not here: the fields that came later (``report_extras``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.model.verdict import Outcome
from metaplat.reports.plain_values import utc_text
from metaplat.rules.tables.row_count_match import count_diff_pct

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from metaplat.model.table_evidence import SnapshotFacts, TableFacts
    from metaplat.model.verdict import Verdict
    from metaplat.reports.tables.report_document import TableResult

CLASSIC_FIELDS = (
    "table",
    "location",
    "s3_partitions",
    "glue_partitions",
    "missing_glue_count",
    "table_type_ok",
    "contract_ok",
    "raw_input_snapshot_dt",
    "count_src",
    "count_part",
    "count_diff_pct",
    "pk_nulls",
    "pk_dupes",
    "file_issues_sample",
    "checked_at",
    "input_source",
)
"""Columns of the CSV, and names of a JSON row, in this order."""


def classic_fields(result: TableResult) -> dict[str, Any]:
    """Return the row of one table under the old names; None where something was not examined."""
    fields: dict[str, Any] = dict.fromkeys(CLASSIC_FIELDS)
    fields["table"] = result.table.name
    fields["location"] = result.table.location
    fields["checked_at"] = utc_text(result.checked_at)
    if result.facts is not None:
        fields |= _examined(result.facts, result.verdicts)
    return fields


def _examined(facts: TableFacts, verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    frame = facts.profile.frame
    rows, source_rows = total(frame, "rows"), facts.source.rows if facts.source else None
    return {
        "s3_partitions": len(facts.profile.inventory.present),
        "glue_partitions": total(frame, "in_glue"),
        "missing_glue_count": None if (missing := missing_in_glue(facts)) is None else len(missing),
        "table_type_ok": _passed(verdicts.get("table_format")),
        "contract_ok": _passed(verdicts.get("table_contract")),
        "raw_input_snapshot_dt": _snapshot(facts.snapshot),
        "count_src": source_rows,
        "count_part": rows,
        "count_diff_pct": difference_text(rows, source_rows),
        "pk_nulls": at_least(frame, "key_nulls"),
        "pk_dupes": at_least(frame, "duplicate_rows"),
        "file_issues_sample": _file_issues(verdicts.get("file_size")),
        "input_source": f"{facts.raw_input.address.rstrip('/')}/" if facts.raw_input else "",
    }


def total(frame: pl.DataFrame, column: str) -> int | None:
    """Return the sum over all buckets; None where it is unknown for any of them."""
    values = frame[column]
    return None if values.null_count() else int(values.sum())


def at_least(frame: pl.DataFrame, column: str) -> int | None:
    """Return how many faults are known; None, not 0, where none is known and some bucket is unknown.

    What is found in the readable part of a table is a finding, and an alert tells it: so does the report.
    """
    values = frame[column]
    return int(values.sum()) or (None if values.null_count() else 0)


def missing_in_glue(facts: TableFacts) -> list[int] | None:
    """Return buckets with data that Glue does not list: what a repair can register; None where not asked."""
    return _unregistered(facts.profile.frame, with_data_only=True)


def expected_not_in_glue(facts: TableFacts) -> list[int] | None:
    """Return expected buckets that Glue does not list, with data or without; None where not asked."""
    return _unregistered(facts.profile.frame, with_data_only=False)


def _unregistered(frame: pl.DataFrame, *, with_data_only: bool) -> list[int] | None:
    if frame["in_glue"].null_count():
        return None
    rows = frame.select("id_bucket", "in_glue", "files").iter_rows()
    return [bucket for bucket, listed, files in rows if not listed and (files or not with_data_only)]


def difference_text(rows: int | None, source_rows: int | None) -> str | None:
    """Write the difference with six decimals; None where a count is unknown."""
    if rows is None or source_rows is None:
        return None
    return f"{count_diff_pct(rows, source_rows):.6f}"


def _passed(verdict: Verdict | None) -> bool | None:
    if verdict is None or verdict.outcome is Outcome.NOT_EVALUATED:
        return None
    return verdict.outcome is Outcome.PASSED


def _snapshot(snapshot: SnapshotFacts | None) -> str | None:
    if snapshot is None:
        return None
    return snapshot.day.isoformat() if snapshot.day else snapshot.text


def _file_issues(verdict: Verdict | None) -> str | None:
    """Write the file-size issues as one text, empty where there is none; None where sizes were not judged."""
    if verdict is None or verdict.outcome is Outcome.NOT_EVALUATED:
        return None
    return ", ".join(f"{s['file']}: {s['size_mb']:.6g} MB {s['problem']}" for s in verdict.samples)
