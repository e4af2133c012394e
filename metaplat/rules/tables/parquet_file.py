"""Every data file can be read.

Here: files whose footer or key column is unreadable, and objects of 0 bytes named ``.parquet``.
Not here: what the files hold (``file_schema``); a bucket with nothing but empty objects (``s3_partition``).
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
    from metaplat.model.table_evidence import TableFacts
    from metaplat.model.table_metrics import FileFacts

ADVICE = "Write such files again, make them readable, or remove them; then check again."
EMPTY = "empty: 0 bytes"


def _judge_facts(facts: TableFacts) -> Verdict:
    rows = facts.profile.frame.select("files", "unreadable_files", "measured_by").rows()
    files = sum(row[0] for row in rows if row[2] is not None)
    unreadable = sum(row[1] for row in rows)
    absent = tuple(
        f"{facts.table.folder(bucket)}/"
        for bucket, held in facts.profile.inventory.buckets.items()
        if not held
    )
    empty = [info for info in facts.profile.inventory.empty_files if not info.key.startswith(absent)]
    if not files and not empty:
        return Verdict.not_evaluated("No data file was read: see s3_partition.")
    problems = [file for file in facts.profile.files if file.problem is not None]
    return _verdict(files, unreadable, empty, problems)


def _judge(facts: TableFacts, row: Mapping[str, Any]) -> Verdict:
    bucket, unreadable = row["id_bucket"], row["unreadable_files"]
    if not row["files"]:
        return Verdict.not_evaluated("The bucket holds no data files: see s3_partition.")
    if row["measured_by"] is None:
        return Verdict.not_evaluated("The bucket was not measured yet.")
    prefix = f"{facts.table.folder(bucket)}/"
    empty = [info for info in facts.profile.inventory.empty_files if info.key.startswith(prefix)]
    files = facts.profile.files if unreadable else ()
    problems = [file for file in files if file.bucket == bucket and file.problem is not None]
    return _verdict(row["files"], unreadable, empty, problems)


def _verdict(
    files: int, unreadable: int, empty: Sequence[ObjectInfo], problems: Sequence[FileFacts]
) -> Verdict:
    sentence = f"All data files can be read ({files:,})."
    if unreadable or empty:
        said = [f"{unreadable:,} of {counted(files, 'data file')} cannot be read"] if unreadable else []
        said += [f"{counted(len(empty), 'object')} named .parquet of 0 bytes"] if empty else []
        sentence = f"Every data file should be readable; {' and '.join(said)}. {ADVICE}"
    samples = [(file.key, file.problem or "") for file in problems] + [
        (info.shown_key, EMPTY) for info in empty
    ]
    return Verdict.judged(
        passed=not (unreadable or empty),
        sentence=sentence,
        numbers={"files": files, "unreadable_files": unreadable, "empty_files": len(empty)},
        samples=[{"file": shown_value(key), "problem": shown_value(problem)} for key, problem in samples],
    )


PARQUET_FILE = TableRule(
    "parquet_file",
    "Every data file can be read, and no object named .parquet is empty.",
    _judge_facts,
    _judge,
    Severity.ERROR,
)
