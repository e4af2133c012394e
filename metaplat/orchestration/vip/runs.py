"""The histories of a span of hours in one Dagster run, in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.domains import domain_named
from metaplat.orchestration.build import build_definitions
from metaplat.orchestration.interrupts import end_if_interrupted, remembering_interrupts
from metaplat.orchestration.run_job import execute_job
from metaplat.orchestration.runs import standing_verdicts
from metaplat.orchestration.vip.assets import HISTORY_JOB, HOURS_TAG
from metaplat.orchestration.vip.histories import NAMES, days_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.orchestration.vip.histories import Span
    from metaplat.reports.verdict_log import VerdictRecord
    from metaplat.stores.home import Stores


@dataclass(frozen=True)
class HistoryRun:
    """What a run left behind.

    Parameters
    ----------
    run_id : str
        Dagster's id of it.
    verdicts_by_domain : mapping of str to sequence of VerdictRecord
        What stands about the days of the run, and about each table.
    failures : sequence of str
        Why steps could not do their work, where some could not.
    """

    run_id: str
    verdicts_by_domain: Mapping[str, Sequence[VerdictRecord]]
    failures: Sequence[str]

    @property
    def verdicts(self) -> list[VerdictRecord]:
        """All verdicts."""
        return [record for records in self.verdicts_by_domain.values() for record in records]


@remembering_interrupts()
def run_history(stores: Stores, span: Span) -> HistoryRun:
    """Write, check and draw the histories of a span of hours.

    Raises
    ------
    UsageError
        The span begins before the first partition.
    KeyboardInterrupt
        It was interrupted; the run has ended.
    """
    domains, days = [domain_named(name) for name in NAMES], days_of(span)
    run_id, failures = execute_job(
        stores, build_definitions(domains=domains, tables=[]), HISTORY_JOB, days, {HOURS_TAG: str(span)}
    )
    verdicts = {
        domain.name: standing_verdicts(stores, domain.name, {rule.name for rule in domain.rules}, days)
        for domain in domains
    }
    end_if_interrupted()
    return HistoryRun(run_id, verdicts, failures)
