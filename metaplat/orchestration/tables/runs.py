"""Profiling and checking buckets of a monitored table in one Dagster run in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.monitor.history import History
from metaplat.orchestration.build import build_definitions
from metaplat.orchestration.interrupts import end_if_interrupted, remembering_interrupts
from metaplat.orchestration.run_job import execute_job
from metaplat.orchestration.runs import standing_verdicts
from metaplat.orchestration.tables.judging import RULE_NAMES
from metaplat.orchestration.tables.naming import check_job_name, profile_job_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.table import MonitoredTable
    from metaplat.reports.verdict_log import VerdictRecord
    from metaplat.stores.home import Stores


@dataclass(frozen=True)
class TableRunOutcome:
    """What a run left behind.

    Parameters
    ----------
    run_id : str
        Dagster's id of the run.
    buckets : sequence of dict
        The metrics of each bucket of the run, as they were measured last.
    verdicts : sequence of VerdictRecord
        What stands about those buckets, and about the table (partition None).
    failures : sequence of str
        Why steps could not do their work, where some could not.
    """

    run_id: str
    buckets: Sequence[dict[str, Any]]
    verdicts: Sequence[VerdictRecord]
    failures: Sequence[str]


@remembering_interrupts()
def materialize_table(table: MonitoredTable, stores: Stores, buckets: Sequence[str]) -> TableRunOutcome:
    """Profile and check contiguous buckets in one run; raises KeyboardInterrupt where it was interrupted."""
    return _run(table, stores, profile_job_name(table), buckets)


@remembering_interrupts()
def check_table(table: MonitoredTable, stores: Stores, buckets: Sequence[str]) -> TableRunOutcome:
    """Check contiguous buckets as they were measured last, in one run."""
    return _run(table, stores, check_job_name(table), buckets)


def _run(table: MonitoredTable, stores: Stores, job_name: str, buckets: Sequence[str]) -> TableRunOutcome:
    run_id, failures = execute_job(stores, build_definitions(domains=[], tables=[table]), job_name, buckets)
    verdicts = standing_verdicts(stores, table.subject, RULE_NAMES, buckets)
    wanted = {int(bucket) for bucket in buckets}
    frame = History(stores.lake.objects).load(table.identity, runs=1)
    measured = [row for row in frame.iter_rows(named=True) if row["id_bucket"] in wanted]
    end_if_interrupted()
    return TableRunOutcome(run_id, measured, verdicts, failures)
