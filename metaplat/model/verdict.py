"""What a rule says of a partition or a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_SAMPLES = 20
"""Rows a verdict carries at the most; the numbers are always exact."""


class Outcome(StrEnum):
    """Passed, failed, or could not be judged, which is never the same as failed."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_EVALUATED = "not evaluated"


class Severity(StrEnum):
    """How much a failure matters, least first."""

    INFO = "info"
    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True)
class Verdict:
    """One judgement.

    Parameters
    ----------
    outcome : Outcome
        Passed, failed or not evaluated.
    sentence : str
        For a person: what was expected, what was found, what to do.
    numbers : mapping of str to int or float
        Exact figures under stable names, so that they can be plotted over time.
    samples : sequence of mapping, length <= 20
        Rows that show what failed.
    """

    outcome: Outcome
    sentence: str
    numbers: Mapping[str, int | float] = field(default_factory=dict)
    samples: Sequence[Mapping[str, object]] = ()

    @classmethod
    def judged(
        cls,
        *,
        passed: bool,
        sentence: str,
        numbers: Mapping[str, int | float],
        samples: Sequence[Mapping[str, object]] = (),
    ) -> Verdict:
        """Make a verdict that could be reached; samples are capped at ``MAX_SAMPLES``."""
        outcome = Outcome.PASSED if passed else Outcome.FAILED
        return cls(outcome, sentence, dict(numbers), tuple(samples[:MAX_SAMPLES]))

    @classmethod
    def not_evaluated(cls, sentence: str, numbers: Mapping[str, int | float] | None = None) -> Verdict:
        """Make the verdict of a rule that had nothing to judge, or too little."""
        return cls(Outcome.NOT_EVALUATED, sentence, dict(numbers or {}))
