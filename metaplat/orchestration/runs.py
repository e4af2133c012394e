"""Runs in this process, on the instance the UI shows.

Here: materializing and checking contiguous partitions in one Dagster run, and what came of it.
Not here: choosing partitions (``partition_choice``), printing (``cli``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.ingest.partition import PartitionIngest
from metaplat.ingest.receipts import Receipts
from metaplat.orchestration.build import build_definitions
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.interrupts import end_if_interrupted, remembering_interrupts
from metaplat.orchestration.jobs import check_job_name, ingest_job_name
from metaplat.orchestration.origins import check_origin
from metaplat.orchestration.run_job import execute_job
from metaplat.reports.verdict_log import VerdictLog

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.landed import IngestReceipt
    from metaplat.reports.verdict_log import VerdictRecord
    from metaplat.stores.home import Stores


@dataclass(frozen=True)
class RunOutcome:
    """What a run left behind.

    Parameters
    ----------
    run_id : str
        Dagster's id of the run.
    receipts : mapping of str to IngestReceipt
        By partition key, in order.
    verdicts : sequence of VerdictRecord
        What stands about the partitions of the run, and about the table (partition None).
    failures : sequence of str
        Why steps could not do their work, where some could not. A failing check that blocks what lies
        downstream is no such failure.
    """

    run_id: str
    receipts: Mapping[str, IngestReceipt]
    verdicts: Sequence[VerdictRecord]
    failures: Sequence[str]


@remembering_interrupts()
def materialize(domain: MetadataDomain, stores: Stores, partitions: Sequence[str]) -> RunOutcome:
    """Ingest and check contiguous partitions in one run.

    Raises
    ------
    SettingsError
        The privacy settings do not fit the domain.
    StoreError
        A store cannot be reached, so that no run was started.
    KeyboardInterrupt
        It was interrupted, at whatever moment; a run that had begun has ended.
    """
    PartitionIngest(domain, stores, utc_now())  # what is wrong with the settings is told before a run starts
    check_origin(domain, stores, partitions[0])  # and so is an outage
    return _run(domain, stores, ingest_job_name(domain), partitions)


@remembering_interrupts()
def check(domain: MetadataDomain, stores: Stores, partitions: Sequence[str]) -> RunOutcome:
    """Check contiguous partitions as they are stored, in one run; raises StoreError as ``materialize``."""
    check_origin(domain, stores, partitions[0])
    return _run(domain, stores, check_job_name(domain), partitions)


def _run(domain: MetadataDomain, stores: Stores, job_name: str, partitions: Sequence[str]) -> RunOutcome:
    run_id, failures = execute_job(
        stores, build_definitions(domains=[domain], tables=[]), job_name, partitions
    )
    receipts, rules = Receipts(stores.state, domain), {rule.name for rule in domain.rules}
    found = {key: receipt for key in partitions if (receipt := receipts.load(key)) is not None}
    judged = standing_verdicts(stores, domain.name, rules, partitions)
    end_if_interrupted()
    return RunOutcome(run_id, found, judged, failures)


def standing_verdicts(
    stores: Stores, subject: str, rules: Collection[str], partitions: Sequence[str]
) -> list[VerdictRecord]:
    """Return what stands about partitions of a subject, and about its table, by the rules there are now."""
    wanted = {None, *partitions}
    return [
        record
        for record in VerdictLog(stores.state).load(subject)
        if record.rule in rules and record.partition in wanted
    ]
