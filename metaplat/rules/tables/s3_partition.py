"""Every bucket has data on S3.

Here: buckets that are missing. Not here: folders that should not be there (``unexpected_partition``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import MAX_SAMPLES, Severity, Verdict
from metaplat.rules.tables.bucket_figures import named
from metaplat.rules.tables.folders import padded_folders, present_buckets
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.model.table_evidence import TableFacts

ADVICE = "Look at the job that writes the table, or at what removed the objects; then check again."


def _judge_facts(facts: TableFacts) -> Verdict:
    present, expected = present_buckets(facts), facts.table.bucket_count
    missing = [bucket for bucket in range(expected) if bucket not in present]
    held = expected - len(missing)
    sentence = f"{held:,} of {counted(expected, 'bucket')} {agreeing(held, 'holds', 'hold')} data files."
    if missing:
        sentence += f" Missing: {named(missing)}. {ADVICE}"
    return Verdict.judged(
        passed=not missing,
        sentence=sentence,
        numbers={
            "present": held,
            "expected": expected,
            "missing": len(missing),
        },
        samples=[
            {"id_bucket": bucket, "folder": facts.table.folder(bucket), "found": _found(facts, bucket)}
            for bucket in missing[:MAX_SAMPLES]
        ],
    )


def _judge(facts: TableFacts, row: Mapping[str, Any]) -> Verdict:
    bucket, numbers = row["id_bucket"], {"files": row["files"], "bytes": row["bytes"]}
    if row["files"]:
        return Verdict.judged(passed=True, sentence="The bucket holds data files.", numbers=numbers)
    if padded := padded_folders(facts).get(bucket):
        sentence = f"The bucket's data lie in {padded}: see unexpected_partition."
        return Verdict.judged(passed=True, sentence=sentence, numbers=numbers)
    found = _found(facts, bucket)
    sentence = f"{facts.table.folder(bucket)} should hold data files; found: {found}. {ADVICE}"
    sample = {"id_bucket": bucket, "folder": facts.table.folder(bucket), "found": found}
    return Verdict.judged(passed=False, sentence=sentence, numbers=numbers, samples=[sample])


def _found(facts: TableFacts, bucket: int) -> str:
    """Say what lies there instead: objects of 0 bytes look like data, and are none."""
    prefix = facts.table.folder(bucket) + "/"
    empty = sum(info.key.startswith(prefix) for info in facts.profile.inventory.empty_files)
    return f"{counted(empty, 'object')} of 0 bytes" if empty else "no data"


S3_PARTITION = TableRule(
    "s3_partition",
    "Every bucket from 0 to bucket_count - 1 holds data files on S3.",
    _judge_facts,
    _judge,
    Severity.WARN,
)
