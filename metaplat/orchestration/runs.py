"""Runs in this process, on the instance the UI shows.

Here: materializing and checking contiguous partitions in one Dagster run, and what came of it.
Not here: choosing partitions (``partition_choice``), printing (``cli``).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagster._utils.interrupts import capture_interrupts  # public nowhere

from metaplat.ingest.partition import PartitionIngest, landing_prefix
from metaplat.ingest.receipts import Receipts
from metaplat.orchestration.build import build_definitions
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.instance import open_instance
from metaplat.orchestration.interrupts import end_if_interrupted, ending_hook, remembering_interrupts
from metaplat.orchestration.jobs import check_job_name, ingest_job_name, partition_tags
from metaplat.orchestration.leftovers import end_leftovers, held
from metaplat.reports.verdict_log import VerdictLog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dagster as dg
    from dagster._core.execution.plan.objects import StepFailureData
    from dagster_shared.error import SerializableErrorInfo

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.landed import IngestReceipt
    from metaplat.reports.verdict_log import VerdictRecord
    from metaplat.stores.home import Stores

BLOCKED = "DagsterAssetCheckFailedError"
QUIET: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


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
    stores.landing.list_objects(landing_prefix(domain, partitions[0]))  # and so is an outage
    return _run(domain, stores, ingest_job_name(domain), partitions)


def check(domain: MetadataDomain, stores: Stores, partitions: Sequence[str]) -> RunOutcome:
    """Check contiguous partitions as they are stored, in one run; raises StoreError as ``materialize``."""
    stores.landing.list_objects(landing_prefix(domain, partitions[0]))
    return _run(domain, stores, check_job_name(domain), partitions)


def _run(domain: MetadataDomain, stores: Stores, job_name: str, partitions: Sequence[str]) -> RunOutcome:
    with remembering_interrupts():
        result = _execute(domain, stores, job_name, partitions)
        receipts, wanted = Receipts(stores.state, domain), set(partitions)
        found = {key: receipt for key in partitions if (receipt := receipts.load(key)) is not None}
        rules = {rule.name for rule in domain.rules}
        judged = [
            record
            for record in VerdictLog(stores.state).load(domain.name)
            if record.rule in rules and (record.partition is None or record.partition in wanted)
        ]
        end_if_interrupted()
    return RunOutcome(result.run_id, found, judged, _failures(result))


def _execute(
    domain: MetadataDomain, stores: Stores, job_name: str, partitions: Sequence[str]
) -> dg.ExecuteInProcessResult:
    run_id = str(uuid.uuid4())
    with open_instance(stores.settings) as instance:
        end_leftovers(instance)
        job = build_definitions(domains=[domain]).resolve_job_def(job_name).with_hooks({ending_hook()})
        end_if_interrupted()
        with held(instance, run_id), capture_interrupts():  # or a run could be left between two of its states
            result = job.execute_in_process(
                instance=instance,
                run_id=run_id,
                tags=partition_tags(partitions[0], partitions[-1]),
                raise_on_error=False,
                run_config=QUIET,
                resources={"stores": stores},
            )
        end_if_interrupted()
    return result


def _failures(result: dg.ExecuteInProcessResult) -> list[str]:
    failed = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    told = [_reason(data) for data in failed if _cause(data) != BLOCKED]
    if not failed and not result.success:
        told.append("the run failed before its first step; its event log in Dagster says why")
    return told


def _reason(data: StepFailureData) -> str:
    """Return what a step said when it gave up, else the first cause of its failure."""
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    error = _first_error(data)
    return error.message.strip() if error else "the step failed"


def _cause(data: StepFailureData) -> str | None:
    error = _first_error(data)
    return error.cls_name if error else None


def _first_error(data: StepFailureData) -> SerializableErrorInfo | None:
    error = data.error
    while error and error.cause:
        error = error.cause
    return error
