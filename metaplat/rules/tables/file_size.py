"""Data files are neither tiny nor huge (FileSize in AWS Glue DQDL).

Here: sizes against absolute bounds, in the five lowest buckets or in all. 1 MB is 1,048,576 bytes.
Not here: rows in a bucket (``bucket_skew``), objects of 0 bytes (``parquet_file``).
Off unless asked for: bounds that fit one table do not fit another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.samples import shown_value
from metaplat.rules.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.model.landed import ObjectInfo
    from metaplat.model.table_evidence import TableFacts, TableLimits

SAMPLED_BUCKETS = 5
MEGABYTE = 1024 * 1024
OFF = "The file-size check is switched off (file_size_check)."


def _judge_facts(facts: TableFacts) -> Verdict:
    if not facts.limits.file_size_check:
        return Verdict.not_evaluated(OFF)
    buckets = _judged_buckets(facts)
    if not buckets:
        return Verdict.not_evaluated("The table has no data files: see s3_partition.")
    scope = "all buckets" if facts.limits.file_size_all else _lowest(len(buckets))
    files = [(bucket, info) for bucket in buckets for info in facts.profile.inventory.buckets[bucket]]
    return _verdict(files, facts.limits, scope)


def _judge(facts: TableFacts, row: Mapping[str, Any]) -> Verdict:
    bucket = row["id_bucket"]
    if not facts.limits.file_size_check:
        return Verdict.not_evaluated(OFF)
    if not row["files"]:
        return Verdict.not_evaluated("The bucket holds no data files: see s3_partition.")
    if bucket not in _judged_buckets(facts):
        return Verdict.not_evaluated(f"Only the {SAMPLED_BUCKETS} lowest buckets are judged (file_size_all).")
    return _verdict([(bucket, info) for info in facts.profile.inventory.buckets[bucket]], facts.limits, "it")


def _lowest(count: int) -> str:
    return "the lowest bucket" if count == 1 else f"the {count} lowest buckets"


def _judged_buckets(facts: TableFacts) -> list[int]:
    present = sorted(facts.profile.inventory.present)
    return present if facts.limits.file_size_all else present[:SAMPLED_BUCKETS]


def _verdict(files: Sequence[tuple[int, ObjectInfo]], limits: TableLimits, scope: str) -> Verdict:
    low, high = limits.file_size_min_mb, limits.file_size_max_mb
    small = [entry for entry in files if entry[1].size < low * MEGABYTE]
    large = [entry for entry in files if entry[1].size > high * MEGABYTE]
    issues = sorted([*small, *large], key=lambda entry: (entry[0], entry[1].key))
    sentence = f"{counted(len(files), 'data file')} in {scope}; {low:,g} to {high:,g} MB each expected."
    if issues:
        sentence += (
            f" Smaller: {len(small):,}; larger: {len(large):,}. "
            "Compact or split such files, or change the bounds."
        )
    sizes = [info.size for _, info in files]
    return Verdict.judged(
        passed=not issues,
        sentence=sentence,
        numbers={
            "files": len(files),
            "small_files": len(small),
            "large_files": len(large),
            "smallest_bytes": min(sizes),
            "largest_bytes": max(sizes),
        },
        samples=[
            {
                "id_bucket": bucket,
                "file": shown_value(info.shown_key),
                "size_mb": round(info.size / MEGABYTE, 3),
                "problem": f"below {low:g} MB" if info.size < low * MEGABYTE else f"above {high:g} MB",
            }
            for bucket, info in issues
        ],
    )


FILE_SIZE = TableRule(
    "file_size",
    "Data files have file_size_min_mb to file_size_max_mb; judged where file_size_check is on.",
    _judge_facts,
    _judge,
    Severity.INFO,
)
