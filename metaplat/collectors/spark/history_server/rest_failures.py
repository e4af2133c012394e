"""How many tasks failed for good, which the server's own counts do not say once an executor was lost.

Here: the two ends of a resubmitted task told apart, by asking for the failed tasks themselves.
Not here: any other count (``rest_totals``).

When an executor is lost, tasks that had succeeded on it end a second time, as ``Resubmitted``, and the server
counts that end as a failure of the stage and of the executor. The list of tasks has each task once, by its
first end: those listed as failed are the ones that failed. The rest were resubmitted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.spark.history_server.values import objects, whole
from metaplat.model.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.collectors.spark.attempt import Executor, StageAttempt
    from metaplat.collectors.spark.history_server.listing import ListedAttempt
    from metaplat.collectors.spark.history_server.server import HistoryServer

FAILED = "FAILED"
MOST_ASKED = 10_000
"""Each comes with its whole error; of a stage with more failures it stays unknown how many are real."""


def was_any_lost(executors: Sequence[Executor]) -> bool:
    """Whether an executor was removed; without that nothing is resubmitted."""
    return any(each.remove_time is not None or each.removed_reason is not None for each in executors)


def resubmitted_tasks(
    server: HistoryServer, listed: ListedAttempt, stages: Sequence[StageAttempt]
) -> int | None:
    """Correct the counts of stages whose failures include resubmissions, in place.

    Returns
    -------
    int or None
        Resubmitted tasks; None where the server cannot tell (before Spark 3.1), and the counts of the stages
        that are then too high are None as well.
    """
    total: int | None = 0
    for stage in stages:
        if not stage.failed_tasks:
            continue
        asked = stage.failed_tasks <= MOST_ASKED
        failed = _failed(server, listed, stage, stage.failed_tasks) if asked else None
        if failed is None or failed > stage.failed_tasks:
            stage.tasks = stage.failed_tasks = total = None
            continue
        resubmitted = stage.failed_tasks - failed
        stage.failed_tasks = failed
        stage.tasks = None if stage.tasks is None else stage.tasks - resubmitted
        total = None if total is None else total + resubmitted
    return total


def _failed(server: HistoryServer, listed: ListedAttempt, stage: StageAttempt, most: int) -> int | None:
    """Return how many tasks of a stage failed; None where the server does not choose tasks by their state."""
    path = f"{listed.path}/stages/{stage.stage_id}/{stage.stage_attempt_id}/taskList"
    query = {"status": FAILED.lower(), "length": str(most)}
    try:
        answer = server.json(
            path, f"list the failed tasks of stage {stage.stage_id} of {listed.shown}", query, replayed=True
        )
    except SourceError:
        server.check()
        return None
    tasks = objects(answer)
    if any(task.get("status") != FAILED for task in tasks):
        return None
    return len({whole(task.get("taskId")) for task in tasks})
