"""Every key complete and unique (IsPrimaryKey in AWS Glue DQDL), in the lake and among what landed.

Here: null and duplicate keys, and the conflicts that ingest had to resolve.
Not here: duplicates across partitions (the key decides the partition), resolving conflicts (``ingest``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Verdict
from metaplat.rules.samples import require_columns, shown_rows
from metaplat.rules.wording import counted, materialize_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from metaplat.model.landed import IngestReceipt


def primary_key() -> Rule:
    """Return the rule that keys are never null, occur once, and never landed with two contents."""

    def judge(evidence: PartitionEvidence) -> Verdict:
        domain = evidence.domain
        required = [field.name for field in domain.fields if field.key and not field.nullable]
        verdict = judge_primary_key(evidence.frame, domain.keys, evidence.receipt, required)
        samples = shown_rows(verdict.samples, domain.columns)
        sentence = verdict.sentence
        if verdict.numbers["conflicts"]:
            sentence += (
                " The content landed last was kept: remove the wrong landed objects, then run "
                f"{materialize_command(domain, evidence.partition)}."
            )
        elif samples:
            sentence += f" Run {materialize_command(domain, evidence.partition)}."
        return Verdict(verdict.outcome, sentence, verdict.numbers, samples)

    return Rule("primary_key", "Every key is complete, occurs once, and landed with one content only.", judge)


def judge_primary_key(
    frame: pl.DataFrame,
    keys: Sequence[str],
    receipt: IngestReceipt | None = None,
    required: Sequence[str] | None = None,
) -> Verdict:
    """Judge that every key is complete, occurs once, and landed with one content.

    Parameters
    ----------
    frame : polars.DataFrame, shape (rows, columns)
        One partition. An empty one passes: emptiness is for ``row_count`` to judge.
    keys : sequence of str, length >= 1
        Names of the key columns.
    receipt : IngestReceipt or None
        What ingest dropped. A conflict (same key, other content) fails; an identical delivery is counted.
    required : sequence of str or None
        The key columns that may never be null; None means all of them.

    Returns
    -------
    Verdict
        Numbers ``null_keys`` and ``duplicate_rows``, in rows: a key that occurs three times counts two;
        ``conflicts`` and ``repeated``, in landed records.

    Raises
    ------
    InvalidInputError
        A key column is missing; the caller records "not evaluated".
    """
    require_columns(frame, keys, "primary_key")
    required = keys if required is None else required
    whole = frame.drop_nulls(required).select(keys)
    numbers = {
        "null_keys": frame.height - whole.height,
        "duplicate_rows": whole.height - whole.n_unique(),
        "conflicts": receipt.conflicts if receipt else 0,
        "repeated": receipt.repeated if receipt else 0,
    }
    broken = numbers["null_keys"] + numbers["duplicate_rows"]
    sentence = f"{broken} of {counted(frame.height, 'row')} break the key ({', '.join(keys)})."
    if numbers["conflicts"]:
        sentence += f" {counted(numbers['conflicts'], 'record')} landed under a key with other content."
    samples = _broken_rows(frame, whole, keys, required) if broken else []
    samples += _problem_rows(receipt.conflict_samples, "landed with other content") if receipt else []
    return Verdict.judged(
        passed=not broken and not numbers["conflicts"], sentence=sentence, numbers=numbers, samples=samples
    )


def _broken_rows(
    frame: pl.DataFrame, whole: pl.DataFrame, keys: Sequence[str], required: Sequence[str]
) -> list[dict[str, object]]:
    """Keys that are null in part, then keys that occur more than once, in the order of the frame."""
    import polars as pl

    null = pl.any_horizontal(pl.col(key).is_null() for key in required)
    incomplete = frame.filter(null).select(keys).unique(maintain_order=True)
    twice = whole.filter(whole.is_duplicated()).unique(maintain_order=True)
    return [
        *_problem_rows(incomplete.head(MAX_SAMPLES // 2).to_dicts(), "null in the key"),
        *_problem_rows(twice.head(MAX_SAMPLES).to_dicts(), "occurs more than once"),
    ]


def _problem_rows(rows: Sequence[Mapping[str, object]], problem: str) -> list[dict[str, object]]:
    return [{**row, "problem": problem} for row in rows]
