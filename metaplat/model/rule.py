"""A rule, and the evidence it judges.

Here: the form of a judgement. Evidence is gathered by ``orchestration``; rules only look at it.
Not here: the rules themselves (``metaplat.rules``), reading, the clock (``now`` is part of the evidence).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from metaplat.model.verdict import Outcome, Severity, Verdict

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.landed import IngestReceipt, ObjectInfo


@dataclass(frozen=True)
class PartitionEvidence:
    """All that a rule may know when it judges one partition.

    Parameters
    ----------
    domain : MetadataDomain
        The declaration.
    partition : str
        Its key.
    frame : polars.DataFrame, shape (rows, columns)
        The partition as stored, columns of the domain's ``columns``.
    receipt : IngestReceipt or None
        What the last ingest did; None where the partition was never ingested.
    landed : sequence of ObjectInfo
        The landing folder of the partition as it is now.
    row_history : mapping of str to int
        Rows of every ingested partition of the domain by key, this one included, in partition order.
    now : datetime
        Aware UTC.
    history : polars.DataFrame or None
        Rows of the time before the partition, oldest first, for rules that ask for them by ``Rule.history``:
        at least as many days and columns as this one asks for, the column of the partitioning among them.
        None where no rule asked, or partitions have no order in time.
    """

    domain: MetadataDomain
    partition: str
    frame: pl.DataFrame
    receipt: IngestReceipt | None
    landed: Sequence[ObjectInfo]
    row_history: Mapping[str, int]
    now: datetime
    history: pl.DataFrame | None = None


@dataclass(frozen=True)
class TableEvidence:
    """All that a rule may know when it judges a whole table.

    Parameters
    ----------
    domain : MetadataDomain
        The declaration.
    outcomes : mapping of str to Outcome
        This rule's latest outcome per partition key, in partition order.
    receipts : mapping of str to IngestReceipt
        Latest receipt per partition key, in partition order.
    keys : sequence of str
        Every partition that exists at ``now``, in order.
    now : datetime
        Aware UTC.
    """

    domain: MetadataDomain
    outcomes: Mapping[str, Outcome]
    receipts: Mapping[str, IngestReceipt]
    keys: Sequence[str]
    now: datetime


class RuleHead(Protocol):
    """What checks and reports need to know of any rule, whatever evidence it judges."""

    @property
    def name(self) -> str:
        """Name of the check."""

    @property
    def doc(self) -> str:
        """The expectation in one sentence."""

    @property
    def judge(self) -> object | None:
        """Not None where it judges single partitions."""

    @property
    def severity(self) -> Severity:
        """Of a failure."""

    @property
    def blocking(self) -> bool:
        """Whether assets downstream must wait while it fails."""

    @property
    def summary_name(self) -> str:
        """Name of the check that judges the whole table."""


JudgePartition = Callable[[PartitionEvidence], Verdict]
JudgeTable = Callable[[TableEvidence], Verdict]


@dataclass(frozen=True)
class History:
    """What a rule must know of the rows before a partition.

    Parameters
    ----------
    days : int
        How far back, from the start of the partition.
    columns : sequence of str
        Names of the columns.
    """

    days: int
    columns: Sequence[str]


@dataclass(frozen=True)
class Rule:
    """One expectation about a domain.

    Parameters
    ----------
    name : str
        Name of the check, after AWS Glue DQDL where it has a word.
    doc : str
        The expectation in one sentence, with its thresholds.
    judge : callable or None
        Judges one partition; None for a rule about the table only.
    judge_table : callable or None
        Judges the table; None means the roll-up of the partitions' outcomes.
    severity : Severity
        Of a failure.
    blocking : bool
        Whether assets downstream must wait while it fails.
    history : History or None
        Earlier rows that ``judge`` looks at; None where it looks at none, so that none are read.
    """

    name: str
    doc: str
    judge: JudgePartition | None = None
    judge_table: JudgeTable | None = None
    severity: Severity = Severity.ERROR
    blocking: bool = False
    history: History | None = None

    def __post_init__(self) -> None:
        if self.judge is None and self.judge_table is None:
            raise ValueError(f"rule {self.name}: it judges neither a partition nor the table")

    @property
    def summary_name(self) -> str:
        """Name of the check that judges the whole table."""
        return self.name if self.judge is None else f"{self.name}__summary"

    def summarize(self, evidence: TableEvidence) -> Verdict:
        """Judge the table: by ``judge_table``, else by rolling up the partitions."""
        return (self.judge_table or roll_up)(evidence)


def roll_up(evidence: TableEvidence) -> Verdict:
    """Judge that no partition fails now; exact counts, the newest failing partitions as samples."""
    outcomes = evidence.outcomes
    failed = [key for key, outcome in outcomes.items() if outcome is Outcome.FAILED]
    judged = sum(outcome is not Outcome.NOT_EVALUATED for outcome in outcomes.values())
    numbers = {"failed_partitions": len(failed), "judged_partitions": judged, "partitions": len(outcomes)}
    if not judged:
        return Verdict.not_evaluated("No partition has been judged yet.", numbers)
    sentence = f"{len(failed)} of {judged} judged partitions fail."
    if failed:
        sentence += f" First {failed[0]}, last {failed[-1]}; repair and materialize those, then check again."
    samples = [{"partition": key} for key in reversed(failed)]
    return Verdict.judged(passed=not failed, sentence=sentence, numbers=numbers, samples=samples)
