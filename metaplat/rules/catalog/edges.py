"""Relationships whose ends are there.

Here: ``dangling_edges``, ``unreadable_ends`` and ``self_edges``.
Not here: recording edges, circles of derivations (``catalog.graph`` refuses them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.observation import FileState
from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Severity, Verdict
from metaplat.rules.samples import require_columns, shown_rows
from metaplat.rules.wording import agreeing, counted, materialize_command

if TYPE_CHECKING:
    import polars as pl

KEYS = ("parent_dataset_id", "child_dataset_id", "relationship_type")
ENDS = ("parent", "child")
NOT_CATALOGED = "missing"
"""State of an end that is no observation."""


def dangling_edges() -> Rule:
    """Return the rule that both ends of a relationship are cataloged, and their files there."""
    doc = "No relationship points to a dataset that is not cataloged, or whose file has vanished."
    return Rule("dangling_edges", doc, _judge_dangling)


def unreadable_ends() -> Rule:
    """Return the rule that files at the ends of relationships can be read; a warning: they are there."""
    doc = "No relationship points to a file that cannot be read."
    return Rule("unreadable_ends", doc, _judge_unreadable, severity=Severity.WARN)


def self_edges() -> Rule:
    """Return the rule that nothing is related to itself."""
    return Rule("self_edges", "No dataset is related to itself.", _judge_self)


def _judge_dangling(evidence: PartitionEvidence) -> Verdict:
    edges = _edges(evidence, "dangling_edges")
    kinds = {"missing": NOT_CATALOGED, "vanished": FileState.VANISHED.value}
    dangling = edges.filter(_any_end_in(*kinds.values()))
    numbers = {"edges": edges.height, "dangling": dangling.height}
    numbers |= {
        f"{name}_{end}": int((edges[f"{end}_state"] == state).sum())
        for name, state in kinds.items()
        for end in ENDS
    }
    return _verdict(
        evidence,
        dangling,
        numbers,
        f"{agreeing(dangling.height, 'points', 'point')} to a dataset that is not there",
        "Bring the files back or catalog them (`metaplat catalog ingest PLACE`), then run `metaplat catalog "
        "reconcile PLACE`; `metaplat catalog graph DATASET` shows what was made from one.",
    )


def _judge_unreadable(evidence: PartitionEvidence) -> Verdict:
    edges = _edges(evidence, "unreadable_ends")
    unreadable = edges.filter(_any_end_in(FileState.REJECTED.value))
    return _verdict(
        evidence,
        unreadable,
        {"edges": edges.height, "unreadable": unreadable.height},
        f"{agreeing(unreadable.height, 'points', 'point')} to a file that cannot be read",
        "`metaplat catalog show DATASET` says why; deliver it again, then run "
        "`metaplat catalog reconcile PLACE`.",
    )


def _judge_self(evidence: PartitionEvidence) -> Verdict:
    import polars as pl

    edges = _edges(evidence, "self_edges")
    selfish = edges.filter(pl.col("parent_dataset_id") == pl.col("child_dataset_id"))
    return _verdict(
        evidence,
        selfish,
        {"edges": edges.height, "self_edges": selfish.height},
        f"{agreeing(selfish.height, 'relates', 'relate')} a dataset to itself",
        "The catalog refuses such: correct what wrote to its index, then run "
        f"{materialize_command(evidence.domain, evidence.partition)}.",
    )


def _edges(evidence: PartitionEvidence, rule: str) -> pl.DataFrame:
    require_columns(evidence.frame, [*KEYS, *(f"{end}_state" for end in ENDS)], rule)
    return evidence.frame


def _any_end_in(*states: str) -> pl.Expr:
    import polars as pl

    return pl.any_horizontal(pl.col(f"{end}_state").is_in(states) for end in ENDS)


def _verdict(
    evidence: PartitionEvidence, wrong: pl.DataFrame, numbers: dict[str, int], words: str, advice: str
) -> Verdict:
    if not numbers["edges"]:
        return Verdict.not_evaluated("No relationships.", numbers)
    sentence = f"{wrong.height:,} of {counted(numbers['edges'], 'relationship')} {words}; none expected."
    columns = [*KEYS, *(f"{end}_state" for end in ENDS)]
    return Verdict.judged(
        passed=wrong.is_empty(),
        sentence=f"{sentence} {advice}" if wrong.height else sentence,
        numbers=numbers,
        samples=shown_rows(wrong.head(MAX_SAMPLES).select(columns).to_dicts(), evidence.domain.columns),
    )
