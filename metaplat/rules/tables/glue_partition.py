"""Glue registers exactly the buckets that S3 has, where S3 has them.

Here: missing, dangling and misplaced registrations. Not here: the repair (``repair``), tables whose
partitions Athena computes (``partition_projection``).
A bucket is missing in Glue where S3 has it: that is what a repair can fix. How many of all expected buckets
are not registered is told beside it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import MAX_SAMPLES, Severity, Verdict
from metaplat.rules.samples import shown_value
from metaplat.rules.tables.bucket_figures import named
from metaplat.rules.tables.folders import (
    PARTITION_KEY,
    bucket_number,
    is_within,
    padded_folders,
    same_location,
)
from metaplat.rules.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from metaplat.model.glue_table import GluePartition
    from metaplat.model.table_evidence import TableFacts

MISSING, DANGLING, WRONG_LOCATION = "missing", "dangling", "wrong location"
Issue = dict[str, object]
"""A sample: the bucket or the partition's value, and its location."""

ADVICE = {
    MISSING: "register with auto_repair",
    DANGLING: "no data there; restore the data, or drop the registration",
    WRONG_LOCATION: "drop and register anew",
}
SAID = {MISSING: "missing", DANGLING: "dangling", WRONG_LOCATION: "at a wrong location"}


def _judge_facts(facts: TableFacts) -> Verdict:
    if left_out := _not_judged(facts):
        return left_out
    registered, others = _registered(facts)
    on_s3 = set(facts.profile.inventory.present)
    issues: dict[str, list[Issue]] = {MISSING: [], DANGLING: [], WRONG_LOCATION: []}
    for bucket in range(facts.table.bucket_count):
        location = _location(facts, bucket, registered.get(bucket, ()))
        problem = _problem(facts, bucket, location, on_s3=bucket in on_s3, in_glue=bucket in registered)
        if problem is not None:
            issues[problem].append({"id_bucket": bucket, "location": shown_value(location)})
    for problem, issue in _unknown_values(facts, others):
        issues[problem].append(issue)
    return Verdict.judged(
        passed=not any(issues.values()),
        sentence=_sentence(issues, len(on_s3)),
        numbers={
            "expected": facts.table.bucket_count,
            "registered": len(registered),
            "on_s3": len(on_s3),
            "missing_in_glue": len(issues[MISSING]),
            "expected_not_in_glue": facts.table.bucket_count - len(registered),
            "dangling": len(issues[DANGLING]),
            "wrong_location": len(issues[WRONG_LOCATION]),
        },
        samples=_samples(issues),
    )


def _judge(facts: TableFacts, row: Mapping[str, Any]) -> Verdict:
    if left_out := _not_judged(facts):
        return left_out
    bucket, location, in_glue = row["id_bucket"], row["glue_location"], row["in_glue"]
    if in_glue is None:
        return Verdict.not_evaluated("Glue was not asked about this bucket.")
    if not in_glue and not row["files"]:
        return Verdict.not_evaluated("The bucket is neither on S3 nor in Glue: see s3_partition.")
    problem = _problem(facts, bucket, location, on_s3=row["files"] > 0, in_glue=in_glue)
    numbers = {"registered": int(in_glue)}
    if problem is None:
        return Verdict.judged(passed=True, sentence="Glue and S3 agree about the bucket.", numbers=numbers)
    sentence = f"The bucket's registration in Glue should fit S3; it is {SAID[problem]}: {ADVICE[problem]}."
    sample = {"id_bucket": bucket, "location": shown_value(location), "problem": problem}
    return Verdict.judged(passed=False, sentence=sentence, numbers=numbers, samples=[sample])


def _problem(
    facts: TableFacts, bucket: int, location: str | None, *, on_s3: bool, in_glue: bool
) -> str | None:
    """Say what is wrong with a bucket's registration; a registration without location is taken as right."""
    if not in_glue:
        return MISSING if on_s3 else None
    if not on_s3 and bucket in padded_folders(facts):
        return None  # its folder has a wrong name, which unexpected_partition tells
    if location is not None and not same_location(location, _expected(facts, bucket)):
        return WRONG_LOCATION
    return None if on_s3 else DANGLING


def _not_judged(facts: TableFacts) -> Verdict | None:
    if facts.glue is None or facts.partitions is None:
        return Verdict.not_evaluated("The table is not in Glue.")
    if facts.glue.projected:
        return Verdict.not_evaluated(
            "Partitions are virtual: Athena computes them and none is registered; see partition_projection. "
            "Engines that ignore projection find no partition in Glue."
        )
    if len(facts.glue.partition_keys) != 1:
        return Verdict.not_evaluated("The table is not partitioned by one key: see table_contract.")
    return None


def _registered(
    facts: TableFacts,
) -> tuple[dict[int, list[GluePartition]], list[tuple[str, GluePartition]]]:
    """Return the registrations of each expected bucket, and all others with their value."""
    registered: dict[int, list[GluePartition]] = defaultdict(list)
    others = []
    for partition in facts.partitions or ():
        value = "/".join(partition.values)
        bucket = bucket_number(value)
        if bucket is not None and bucket < facts.table.bucket_count:
            registered[bucket].append(partition)
        else:
            others.append((value, partition))
    return dict(registered), others


def _location(facts: TableFacts, bucket: int, partitions: Sequence[GluePartition]) -> str | None:
    """Return the right location where any registration of the bucket has it, else what Glue says."""
    locations = [partition.location for partition in partitions if partition.location is not None]
    right = [location for location in locations if same_location(location, _expected(facts, bucket))]
    return next(iter([*right, *locations]), None)


def _unknown_values(
    facts: TableFacts, others: Sequence[tuple[str, GluePartition]]
) -> Iterator[tuple[str, Issue]]:
    """Yield registrations of no bucket; where S3 has such a folder, ``unexpected_partition`` tells of it."""
    strange = {folder.name.partition("/")[0] for folder in facts.profile.inventory.strange}
    for value, partition in others:
        if f"{PARTITION_KEY}={value}" in strange:
            continue
        location = partition.location
        inside = location is None or is_within(location, facts.table.location)
        issue: Issue = {"id_bucket": _shown_number(value), "location": shown_value(location)}
        yield DANGLING if inside else WRONG_LOCATION, issue


def _expected(facts: TableFacts, bucket: int) -> str:
    return f"{facts.table.location}/{facts.table.folder(bucket)}"


def _sentence(issues: Mapping[str, Sequence[Issue]], present: int) -> str:
    if not any(issues.values()):
        registered = counted(present, "bucket")
        return f"Glue registers {registered}: all that S3 has, each at its own folder, and no other."
    said = [
        f"{len(found):,} {SAID[kind]} ({_named(found)}): {ADVICE[kind]}"
        for kind, found in issues.items()
        if found
    ]
    return f"Glue should register exactly the {counted(present, 'bucket')} that S3 has; {'; '.join(said)}."


def _named(found: Sequence[Issue]) -> str:
    """Name partitions: numbers in order, then what is no number."""
    values = [issue["id_bucket"] for issue in found]
    numbers = sorted(value for value in values if isinstance(value, int))
    return named([*numbers, *(value for value in values if not isinstance(value, int))])


def _samples(issues: Mapping[str, Sequence[Issue]]) -> list[Issue]:
    """Return samples of every kind of issue: many of one must not push out the others."""
    share = MAX_SAMPLES // max(1, sum(bool(found) for found in issues.values()))
    return [{**issue, "problem": kind} for kind, found in issues.items() for issue in found[:share]]


def _shown_number(value: str) -> object:
    number = bucket_number(value)
    return shown_value(value) if number is None else number


GLUE_PARTITION = TableRule(
    "glue_partition",
    "Glue registers every bucket that S3 has, at its own folder, and none without data.",
    _judge_facts,
    _judge,
    Severity.WARN,
)
