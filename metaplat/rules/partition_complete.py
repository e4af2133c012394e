"""Partitions complete: every landed object ingested, every row in its place, no partition missing.

Here: a partition against its landing folder, and the table against its calendar (or its buckets).
Not here: too few rows (``row_count``, ``volume``), rejected records (``quarantine``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.rule import PartitionEvidence, Rule, TableEvidence, roll_up
from metaplat.model.verdict import MAX_SAMPLES, Outcome, Verdict
from metaplat.rules.samples import require_columns
from metaplat.rules.wording import counted, landing_folder, materialize_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from metaplat.model.domain import MetadataDomain


def partition_complete(*, every: bool = True) -> Rule:
    """Return the rule that partitions hold what landed for them, and nothing else.

    Parameters
    ----------
    every : bool
        Whether no partition may be missing either; false where days without anything are usual.
    """
    if not every:
        return Rule(
            "partition", "Every landed object is ingested, every row is in its partition.", judge_partition
        )
    doc = "Every landed object is ingested, every row is in its partition, and no partition is missing."
    return Rule("partition", doc, judge_partition, judge_table)


def judge_partition(evidence: PartitionEvidence) -> Verdict:
    """Judge one partition against its landing folder as it is now.

    Returns
    -------
    Verdict
        Numbers ``landed_objects``, ``not_ingested``, ``vanished`` (ingested, and no longer landed: lawful,
        since landing objects expire), ``quarantined`` (left to the rule of that name) and ``foreign_rows``.

    Raises
    ------
    InvalidInputError
        The partitioning column is missing; the caller records "not evaluated".
    """
    receipt, landed = evidence.receipt, evidence.landed
    if receipt is None and not landed and evidence.frame.is_empty():
        return Verdict.not_evaluated("Nothing landed, and nothing was ever ingested.")
    ingested = receipt.identities if receipt else frozenset()
    waiting = [item for item in landed if item.identity not in ingested]
    foreign = foreign_rows(evidence.frame, evidence.domain, evidence.partition)
    numbers = {
        "landed_objects": len(landed),
        "not_ingested": len(waiting),
        "vanished": len(ingested - {item.identity for item in landed}),
        "quarantined": receipt.quarantined if receipt else 0,
        "foreign_rows": foreign,
    }
    samples = [
        {"object": item.key, "bytes": item.size, "modified": item.modified} for item in waiting[:MAX_SAMPLES]
    ]
    return Verdict.judged(
        passed=not waiting and not foreign,
        sentence=_partition_sentence(evidence, numbers),
        numbers=numbers,
        samples=samples,
    )


def foreign_rows(frame: pl.DataFrame, domain: MetadataDomain, partition: str) -> int:
    """Count the rows whose partitioning column belongs to another partition, or to none."""
    import polars as pl

    by = domain.partitions.by
    require_columns(frame, [by], "partition")
    kind, window = frame.schema[by], domain.partitions.window(partition)
    if window and isinstance(kind, pl.Datetime) and kind.time_zone == "UTC":  # the same as key_of, in one go
        inside = pl.col(by).is_between(*window, closed="left").fill_null(value=False)
        return frame.height - frame.filter(inside).height
    counts = frame.select(value=by).group_by("value").len()
    return sum(count for value, count in counts.iter_rows() if not _belongs(domain, value, partition))


def _belongs(domain: MetadataDomain, value: object, partition: str) -> bool:
    try:
        return domain.partitions.key_of(value) == partition
    except TypeError:  # no partition could hold it: null, a wrong type, a bucket out of range
        return False


def _partition_sentence(evidence: PartitionEvidence, numbers: Mapping[str, int]) -> str:
    where = landing_folder(evidence.domain, evidence.partition)
    ingested = numbers["landed_objects"] - numbers["not_ingested"]
    said = [f"{ingested} of {counted(numbers['landed_objects'], 'object')} under {where} ingested"]
    if numbers["foreign_rows"]:
        said.append(f"{counted(numbers['foreign_rows'], 'row')} of another partition")
    if numbers["quarantined"]:
        said.append(f"{counted(numbers['quarantined'], 'record')} in quarantine")
    if numbers["vanished"]:
        said.append(f"{counted(numbers['vanished'], 'ingested object')} no longer landed")
    sentence = "; ".join(said) + "."
    if numbers["not_ingested"] or numbers["foreign_rows"]:
        sentence += f" Run {materialize_command(evidence.domain, evidence.partition)}."
    return sentence


def judge_table(evidence: TableEvidence) -> Verdict:
    """Judge that no partition is missing and none fails.

    A partition is missing where it has no rows though partitions before and after it have some; of a table
    in buckets, which have no first and last, every bucket is expected.

    Returns
    -------
    Verdict
        The numbers of ``roll_up``, and ``missing_partitions``; samples newest first.
    """
    rolled = roll_up(evidence)
    expected = _expected_keys(evidence)
    missing = [key for key in expected if not _has_rows(evidence, key)]
    numbers = {"missing_partitions": len(missing), **rolled.numbers}
    if not missing and rolled.outcome is Outcome.NOT_EVALUATED:
        return Verdict.not_evaluated(rolled.sentence, numbers)
    failed = {key for key, outcome in evidence.outcomes.items() if outcome is Outcome.FAILED}
    return Verdict.judged(
        passed=not missing and not failed,
        sentence=f"{_gap_sentence(evidence, expected, missing)} {rolled.sentence}",
        numbers=numbers,
        samples=_gap_samples([*evidence.keys, *evidence.outcomes], set(missing), failed),
    )


def _has_rows(evidence: TableEvidence, key: str) -> bool:
    receipt = evidence.receipts.get(key)
    return receipt is not None and receipt.rows > 0


def _expected_keys(evidence: TableEvidence) -> list[str]:
    """Keys that must have rows: from the first to the last that has some, or all buckets."""
    present = [place for place, key in enumerate(evidence.keys) if _has_rows(evidence, key)]
    if not present:
        return []
    if evidence.domain.partitions.window(evidence.keys[present[0]]) is None:
        return list(evidence.keys)
    return list(evidence.keys[present[0] : present[-1] + 1])


def _gap_sentence(evidence: TableEvidence, expected: Sequence[str], missing: Sequence[str]) -> str:
    if not expected:
        return "No partition has rows yet."
    span = f"of {counted(len(expected), 'partition')} from {expected[0]} to {expected[-1]}"
    if not missing:
        return f"None {span} is missing."
    return (
        f"{len(missing)} {span} missing (first {missing[0]}, last {missing[-1]}): land their objects, "
        f"then run `metaplat materialize {evidence.domain.name} --missing`."
    )


def _gap_samples(order: Sequence[str], missing: set[str], failed: set[str]) -> list[dict[str, object]]:
    """Partitions that are missing or fail, newest first."""
    listed = [key for key in reversed(list(dict.fromkeys(order))) if key in missing or key in failed]
    return [
        {"partition": key, "problem": "no rows" if key in missing else "fails"}
        for key in listed[:MAX_SAMPLES]
    ]
