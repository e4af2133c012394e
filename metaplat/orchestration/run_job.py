"""One job of a code location, run in this process on the instance the UI shows.

Here: starting it, ending it when somebody interrupts, and why its steps failed.
Not here: which job, and what it left behind (``runs``, ``tables.runs``).
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from dagster._utils.interrupts import capture_interrupts  # public nowhere

from metaplat.orchestration.instance import open_instance
from metaplat.orchestration.interrupts import end_if_interrupted, ending_hook
from metaplat.orchestration.jobs import partition_tags
from metaplat.orchestration.leftovers import end_leftovers, held
from metaplat.orchestration.open_databases import databases_open

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dagster as dg
    from dagster._core.execution.plan.objects import StepFailureData
    from dagster_shared.error import SerializableErrorInfo

    from metaplat.stores.home import Stores

BLOCKED = "DagsterAssetCheckFailedError"
QUIET: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def execute_job(
    stores: Stores,
    definitions: dg.Definitions,
    job_name: str,
    partitions: Sequence[str],
    tags: Mapping[str, str] | None = None,
) -> tuple[str, list[str]]:
    """Run a job over contiguous partitions, with further tags where there are any.

    Returns
    -------
    str
        Dagster's id of the run.
    list of str
        Why steps could not do their work, where some could not.

    Raises
    ------
    KeyboardInterrupt
        It was interrupted; the run has ended.
    """
    run_id = str(uuid.uuid4())
    with open_instance(stores.settings) as instance:
        end_leftovers(instance)
        job = definitions.resolve_job_def(job_name).with_hooks({ending_hook()})
        end_if_interrupted()
        with (
            held(instance, run_id),
            databases_open(instance, run_id),
            capture_interrupts(),  # or a run could be left between two of its states
        ):
            result = job.execute_in_process(
                instance=instance,
                run_id=run_id,
                tags={**partition_tags(partitions[0], partitions[-1]), **(tags or {})},
                raise_on_error=False,
                run_config=QUIET,
                resources={"stores": stores},
            )
        end_if_interrupted()
    return result.run_id, _failures(result)


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
