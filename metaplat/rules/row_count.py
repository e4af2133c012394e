"""Enough rows in the partition (RowCount in AWS Glue DQDL).

Here: the smallest lawful count. Not here: unusual counts (``volume``), missing partitions (``partition``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import Verdict
from metaplat.rules.wording import counted, landing_folder, materialize_command

if TYPE_CHECKING:
    from metaplat.model.landed import IngestReceipt


def row_count(minimum: int = 1) -> Rule:
    """Return the rule that a partition holds at least ``minimum`` rows."""

    def judge(evidence: PartitionEvidence) -> Verdict:
        rows, receipt = evidence.frame.height, evidence.receipt
        if not rows and receipt and receipt.settled:
            return Verdict.not_evaluated("Its rows moved to the partitions of their real start.", {"rows": 0})
        sentence = f"{counted(rows, 'row')}; at least {minimum} expected."
        if rows < minimum:
            sentence += " " + _advice(evidence)
        return Verdict.judged(
            passed=rows >= minimum, sentence=sentence, numbers={"rows": rows, "minimum": minimum}
        )

    return Rule("row_count", f"A partition holds at least {counted(minimum, 'row')}.", judge)


def _advice(evidence: PartitionEvidence) -> str:
    """Say where the rows may have stayed."""
    domain, partition, receipt = evidence.domain, evidence.partition, evidence.receipt
    command = materialize_command(domain, partition)
    if not evidence.landed:
        where = landing_folder(domain, partition)
        return f"No object lies under {where}: look at what lands them, then run {command}."
    if receipt is None:
        return f"{counted(len(evidence.landed), 'landed object')} not ingested yet: run {command}."
    return f"{_left_out(receipt)}; look at the landed objects, then run {command}."


def _left_out(receipt: IngestReceipt) -> str:
    return f"Ingest read {counted(receipt.records, 'record')} and put {receipt.quarantined} in quarantine"
