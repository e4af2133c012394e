"""A rule about monitored tables: judged for the table, and for each bucket where that means something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.model.verdict import Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.model.table_evidence import TableFacts

JudgeTableFacts = Callable[["TableFacts"], Verdict]
JudgeBucket = Callable[["TableFacts", "Mapping[str, Any]"], Verdict]
"""Judges one bucket: the facts, and the bucket's row of the metrics frame."""


@dataclass(frozen=True)
class TableRule:
    """One expectation about a monitored table.

    Parameters
    ----------
    name : str
        Name of the check, after AWS Glue DQDL where it has a word.
    doc : str
        The expectation in one sentence.
    judge_facts : callable
        Judges the table; its exact figures are what alerts and reports say.
    judge : callable or None
        Judges one bucket; None for a rule about the table only.
    severity : Severity
        Of a failure: ERROR is told as high, WARN as medium, INFO as low.
    """

    name: str
    doc: str
    judge_facts: JudgeTableFacts
    judge: JudgeBucket | None = None
    severity: Severity = Severity.WARN
    blocking: bool = False

    @property
    def summary_name(self) -> str:
        """Name of the check that judges the whole table."""
        return self.name if self.judge is None else f"{self.name}__summary"
