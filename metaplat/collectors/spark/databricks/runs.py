"""Plain runs of the Jobs API into typed values.

Here: what is kept of a run and of its tasks, strictly read, and what its state is called here.
Not here: asking for runs (``collecting``), records (``records``).
Source of the member names: https://docs.databricks.com/api/workspace/jobs/listruns
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from metaplat.collectors.kubernetes.members import entries, member, text
from metaplat.collectors.spark.attempt import COMPLETED, FAILED, KILLED, RUNNING
from metaplat.model.errors import InvalidInputError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ENDED = frozenset({"TERMINATED", "SKIPPED", "INTERNAL_ERROR"})
SUCCEEDED = frozenset({"SUCCESS", "SUCCESS_WITH_FAILURES"})
STOPPED = frozenset(
    {
        "CANCELED",
        "DISABLED",
        "EXCLUDED",
        "MAXIMUM_CONCURRENT_RUNS_REACHED",
        "MAX_CONCURRENT_RUNS_EXCEEDED",
        "SKIPPED",
        "UPSTREAM_CANCELED",
        "USER_CANCELED",
    }
)
"""Results that are nobody's failure: the run was stopped, or never started."""
DURATIONS = ("queue_duration", "setup_duration", "execution_duration", "cleanup_duration", "run_duration")


@dataclass(frozen=True)
class Part:
    """What one task of a run did, or the whole run where it has one task only.

    Parameters
    ----------
    cluster_id, context_id : str or None
        Cluster and Spark context it ran in; None without classic compute, or not yet.
    own_cluster : bool or None
        Whether that cluster was made for this run; None where the run does not say.
    task_key : str or None
        Name of the task.
    status, platform_state : str
        As metaplat and as Databricks call it.
    start, end : datetime or None
        Aware UTC.
    durations : dict of str to int
        Milliseconds by ``DURATIONS``, those that are told.
    new_cluster : dict
        Specification of the cluster, for when it is gone; empty where there is none.
    """

    cluster_id: str | None
    context_id: str | None
    own_cluster: bool | None
    task_key: str | None
    status: str
    platform_state: str
    start: datetime | None
    end: datetime | None
    durations: dict[str, int]
    new_cluster: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One run of a job, with its parts.

    Parameters
    ----------
    run_id : str
        Unique in the workspace.
    whole : Part
        The run itself.
    parts : tuple of Part
        Its tasks; the run itself where it has none.
    facts : dict of str to str
        What else is told: job, trigger, kind.
    """

    run_id: str
    job_id: str | None
    name: str | None
    user: str | None
    whole: Part
    parts: tuple[Part, ...]
    facts: dict[str, str]

    @property
    def is_running(self) -> bool:
        """Whether it may still change."""
        return self.whole.status == RUNNING

    @property
    def contexts(self) -> dict[tuple[str, str], list[Part]]:
        """Its parts by the cluster and Spark context they ran in; others are left out."""
        found: defaultdict[tuple[str, str], list[Part]] = defaultdict(list)
        for part in self.parts:
            if part.cluster_id and part.context_id:
                found[part.cluster_id, part.context_id].append(part)
        return dict(found)


def read_run(item: object) -> Run:
    """Read a run with its tasks; raises InvalidInputError where a member has the wrong type."""
    if not isinstance(item, dict):
        raise InvalidInputError(f"it is {type(item).__name__}, not an object")
    run_id = identity(item, "run_id")
    if run_id is None:
        raise InvalidInputError("run_id is missing")
    clusters = {
        text(one, "job_cluster_key"): member(one, "new_cluster") for one in entries(item, "job_clusters")
    }
    whole = _part(item, clusters)
    tasks = tuple(_part(task, clusters) for task in entries(item, "tasks"))
    facts = {"run_type": text(item, "run_type"), "trigger": text(item, "trigger")}
    job_id = identity(item, "job_id")
    return Run(
        run_id=run_id,
        job_id=job_id,
        name=text(item, "run_name"),
        user=text(item, "creator_user_name"),
        whole=whole,
        parts=tasks or (whole,),
        facts={name: value for name, value in facts.items() if value},
    )


def status_of(parts: list[Part]) -> str:
    """Return the status of tasks together: the worst."""
    found = {part.status for part in parts}
    return next(status for status in (RUNNING, FAILED, KILLED, COMPLETED) if status in found)


def identity(owner: object, *path: str) -> str | None:
    """Return an id, which the API writes as a number or as a text; 0 is none."""
    found = member(owner, *path)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found) if found else None
    return text(owner, *path)


def moment(owner: object, *path: str) -> datetime | None:
    """Return a time given in milliseconds since 1970; 0 means not yet."""
    found = milliseconds(owner, *path)
    if not found:
        return None
    try:
        return EPOCH + timedelta(milliseconds=found)
    except OverflowError:
        raise InvalidInputError(f"{'.'.join(path)} is {found}, not a time") from None


def milliseconds(owner: object, *path: str) -> int | None:
    """Return a whole number that is not negative."""
    found = member(owner, *path)
    if found is None:
        return None
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise InvalidInputError(f"{'.'.join(path)} is no whole number of milliseconds")
    return found


def _part(item: dict[str, Any], clusters: dict[str | None, Any]) -> Part:
    """Read a task, or a run as its own only task: both have the same members."""
    end = moment(item, "end_time")
    key = text(item, "job_cluster_key")
    spec = member(item, "new_cluster") or member(item, "cluster_spec", "new_cluster") or clusters.get(key)
    existing = text(item, "existing_cluster_id") or text(item, "cluster_spec", "existing_cluster_id")
    status, platform_state = _state(item, is_over=end is not None)
    durations = {name: milliseconds(item, name) for name in DURATIONS}
    return Part(
        cluster_id=identity(item, "cluster_instance", "cluster_id"),
        context_id=identity(item, "cluster_instance", "spark_context_id"),
        own_cluster=False if existing else True if spec or key else None,
        task_key=text(item, "task_key"),
        status=status,
        platform_state=platform_state,
        start=moment(item, "start_time"),
        end=end if status != RUNNING else None,
        durations={name: value for name, value in durations.items() if value is not None},
        new_cluster=spec if isinstance(spec, dict) else {},
    )


def _state(item: dict[str, Any], *, is_over: bool) -> tuple[str, str]:
    """Return both names of a state; older answers have ``state``, newer ones ``status`` too."""
    life = text(item, "state", "life_cycle_state") or text(item, "status", "state")
    result = text(item, "state", "result_state") or text(item, "status", "termination_details", "code")
    shown = "/".join(word for word in (life, result) if word) or "UNKNOWN"
    if life not in ENDED and not (life is None and is_over):
        return RUNNING, shown
    if result in SUCCEEDED or (text(item, "status", "termination_details", "type") == "SUCCESS"):
        return COMPLETED, shown
    if result in STOPPED or life == "SKIPPED":
        return KILLED, shown
    return FAILED, shown
