"""The later fields of a table's row in the reports: what earlier monitors did not find out.

Here: names, order and form of those fields. Not here: the first fields (``report_row``).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from metaplat.model.verdict import MAX_SAMPLES, Outcome
from metaplat.reports.tables.report_row import at_least, expected_not_in_glue, missing_in_glue, total

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from metaplat.model.table_evidence import RepairOutcome, TableFacts
    from metaplat.model.table_metrics import FileFacts, KeySample, StrangeFolder
    from metaplat.model.verdict import Verdict
    from metaplat.reports.tables.report_document import TableResult

EXTRA_FIELDS = (
    "state",
    "problem",
    "database",
    "engine",
    "bucket_function",
    "projected",
    "missing_buckets",
    "unexpected_partitions",
    "missing_in_glue",
    "expected_not_in_glue",
    "files",
    "bytes",
    "unknown_buckets",
    "count_diff_rows",
    "pk_dupe_keys",
    "pk_dupe_surplus",
    "pk_dupes_sql",
    "misplaced_keys",
    "unreadable_files",
    "unreadable_sample",
    "schema_drift",
    "skew",
    "volume",
    "repair",
    "failing_buckets",
    "key_samples",
    "files_read",
    "notes",
    "key_column",
    "verdicts",
)
"""Names of the later fields, in this order."""


def extra_fields(result: TableResult) -> dict[str, Any]:
    """Return the later fields of one table; None where something was not examined."""
    fields: dict[str, Any] = dict.fromkeys(EXTRA_FIELDS)
    fields |= {
        "state": result.state,
        "problem": result.problem,
        "database": result.table.database,
        "key_column": result.table.key_column,
        "skew": _numbers(result.verdicts.get("bucket_skew")),
        "volume": _numbers(result.verdicts.get("volume")),
        "failing_buckets": result.failing_buckets() if result.facts else None,
        "verdicts": {rule: _verdict(result, rule, verdict) for rule, verdict in result.verdicts.items()},
    }
    return fields | (_examined(result.facts) if result.facts else {})


def _examined(facts: TableFacts) -> dict[str, Any]:
    profile, frame = facts.profile, facts.profile.frame
    present = set(profile.inventory.present)
    not_listed = expected_not_in_glue(facts)
    return {
        "engine": profile.engine.value,
        "bucket_function": profile.bucket_function.value if profile.bucket_function else None,
        "projected": facts.glue.projected if facts.glue else None,
        "missing_buckets": [bucket for bucket in range(facts.table.bucket_count) if bucket not in present],
        "unexpected_partitions": [_folder(folder) for folder in profile.inventory.strange],
        "missing_in_glue": missing_in_glue(facts),
        "expected_not_in_glue": None if not_listed is None else len(not_listed),
        "files": total(frame, "files"),
        "bytes": total(frame, "bytes"),
        "unknown_buckets": frame["rows"].null_count(),
        "count_diff_rows": _difference(facts),
        "pk_dupe_keys": at_least(frame, "duplicate_keys"),
        "pk_dupe_surplus": _surplus(frame),
        "pk_dupes_sql": _duplicates_of_sql(frame),
        "misplaced_keys": at_least(frame, "misplaced_keys"),
        "unreadable_files": total(frame, "unreadable_files"),
        "unreadable_sample": _unreadable(profile.files),
        "schema_drift": _drift(profile.files, frame),
        "repair": _repair(facts.repair),
        "key_samples": [key_sample(sample) for sample in profile.samples],
        "files_read": profile.files_read,
        "notes": list(profile.notes),
    }


def key_sample(sample: KeySample) -> dict[str, Any]:
    """Return a failing key as a row; the key is a digest unless settings allow clear text."""
    return {
        "kind": sample.kind,
        "bucket": sample.bucket,
        "belongs_in": sample.belongs_in,
        "key": sample.key,
        "rows": sample.rows,
    }


def _folder(folder: StrangeFolder) -> dict[str, Any]:
    return {
        "name": folder.name,
        "kind": folder.kind.value,
        "files": folder.files,
        "bytes": folder.bytes,
    }


def _difference(facts: TableFacts) -> int | None:
    """Return the difference in rows: a percentage alone hides one row in a billion."""
    rows = total(facts.profile.frame, "rows")
    if rows is None or facts.source is None or facts.source.rows is None:
        return None
    return abs(rows - facts.source.rows)


def _surplus(frame: pl.DataFrame) -> int | None:
    """Return the rows that removing repeats would remove."""
    rows, keys = at_least(frame, "duplicate_rows"), at_least(frame, "duplicate_keys")
    return None if rows is None or keys is None else rows - keys


def _duplicates_of_sql(frame: pl.DataFrame) -> int | None:
    """Return what ``GROUP BY key HAVING COUNT(*) > 1`` sums up to: there, all NULLs form one group."""
    nulls, duplicates = at_least(frame, "key_nulls"), at_least(frame, "duplicate_rows")
    if nulls is None or duplicates is None:
        return None
    return duplicates + (nulls if nulls > 1 else 0)


def _unreadable(files: Sequence[FileFacts]) -> list[dict[str, Any]]:
    found = [{"file": file.key, "problem": file.problem} for file in files if file.problem is not None]
    return found[:MAX_SAMPLES]


def _drift(files: Sequence[FileFacts], frame: pl.DataFrame) -> dict[str, Any]:
    """Count the schemas, and the files that are not of the most frequent one."""
    schemas = Counter(file.schema for file in files if file.schema is not None)
    most = max(schemas.values(), default=0)
    return {
        "schemas": len(schemas),
        "deviating_files": schemas.total() - most,
        "keyless_files": total(frame, "keyless_files"),
    }


def _repair(repair: RepairOutcome | None) -> dict[str, Any] | None:
    if repair is None:
        return None
    return {
        "mode": repair.plan.mode.value,
        "planned": [bucket for bucket, _ in repair.plan.add],
        "before": repair.before,
        "after": repair.after,
        "still_missing": list(repair.still_missing),
        "drop_list": list(repair.plan.drop_list),
        "problem": repair.problem,
    }


def _numbers(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None or verdict.outcome is Outcome.NOT_EVALUATED:
        return None
    return dict(verdict.numbers)


def _verdict(result: TableResult, rule: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "outcome": verdict.outcome.value,
        "severity": result.severity_of(rule).value,
        "sentence": verdict.sentence,
        "numbers": dict(verdict.numbers),
        "samples": [dict(sample) for sample in verdict.samples],
    }
