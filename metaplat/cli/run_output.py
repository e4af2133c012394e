"""What a Dagster run of any subject left behind, printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import typer

from metaplat.cli.output import fail, print_table
from metaplat.model.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.reports.verdict_log import VerdictRecord


class Ended(Protocol):
    """A run of a domain or of a monitored table."""

    @property
    def run_id(self) -> str:
        """Dagster's id."""

    @property
    def verdicts(self) -> Sequence[VerdictRecord]:
        """What stands about its partitions, and about the table."""

    @property
    def failures(self) -> Sequence[str]:
        """Why steps could not do their work."""


def latest_verdicts(outcomes: Sequence[Ended]) -> list[VerdictRecord]:
    """Return each verdict once: that of the last run."""
    latest = {(record.rule, record.partition): record for outcome in outcomes for record in outcome.verdicts}
    return list(latest.values())


def print_outcomes(outcomes: Sequence[Ended]) -> None:
    """Print one line per rule about the table, then one per partition that does not pass."""
    ordered = sorted(
        latest_verdicts(outcomes),
        key=lambda record: (record.partition is not None, record.outcome, record.rule),
    )
    shown = [record for record in ordered if record.partition is None or record.outcome is Outcome.FAILED]
    rows = [[record.outcome, record.rule, record.partition or "(table)", record.sentence] for record in shown]
    print_table(("state", "rule", "partition", "found"), rows)


def exit_on_failures(outcomes: Sequence[Ended]) -> None:
    """Print what steps could not do, one line each, and exit where there is any."""
    failures = [f"run {outcome.run_id}: {failure}" for outcome in outcomes for failure in outcome.failures]
    for failure in failures:
        fail(failure)
    if failures:
        raise typer.Exit(3)
