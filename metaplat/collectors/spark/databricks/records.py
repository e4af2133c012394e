"""Records of what ran on Databricks.

Here: a run in one Spark context, with its event log where the context was its own; and a context that served
many runs, with its log.
Not here: asking the workspace (``collecting``), reading members (``runs``, ``clusters``).

Identity: ``app_id`` is the Spark context id, unique in the workspace and known to API and log alike (Spark's
own id, ``app-<second>-0000``, is not unique across clusters; it stays in ``environment``, ``spark.app.id``).
``attempt_id`` is the run id. The record of a context that served many runs has none; the figures of its log
are counted there once, and are null in the records of its runs, which are flagged ``shared_cluster``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import COMPLETED, RUNNING, ApplicationAttempt
from metaplat.collectors.spark.databricks.runs import status_of
from metaplat.collectors.spark.unlogged import NO_EVENT_LOG, end_at, fill_unlogged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.collectors.spark.databricks.clusters import Cluster
    from metaplat.collectors.spark.databricks.runs import Part, Run

SOURCE = "databricks"
SHARED = "shared_cluster"
GONE, UNKNOWN = "cluster_gone", "cluster_unknown"
NAMED_RUNS = 100
"""So many runs of a shared context are named; all are counted."""


def run_record(
    run: Run, parts: Sequence[Part], cluster: Cluster | None, log_address: str | None
) -> ApplicationAttempt:
    """Describe a run in one context, or without any, by what the API says.

    Parameters
    ----------
    run : Run
        The run.
    parts : sequence of Part
        Its tasks in that context; the run itself where there is none.
    cluster : Cluster or None
        None where there is none, or it is gone.
    log_address : str or None
        Of the log of a shared context, which holds the figures.
    """
    first = parts[0]
    attempt = ApplicationAttempt(
        source=SOURCE, app_id=first.context_id or run.run_id, attempt_id=run.run_id, log_address=log_address
    )
    if cluster is not None:
        attempt.environment = dict(cluster.spark_conf)
    add_run(attempt, run, parts, cluster)
    attempt.status = RUNNING if run.is_running else status_of(list(parts))
    attempt.start_time = min((part.start for part in parts if part.start), default=run.whole.start)
    if attempt.status != RUNNING:
        attempt.end_time = max((part.end for part in parts if part.end), default=run.whole.end)
    fill_unlogged(attempt, NO_EVENT_LOG if log_address is None else SHARED)
    return attempt


def add_run(attempt: ApplicationAttempt, run: Run, parts: Sequence[Part], cluster: Cluster | None) -> None:
    """Add to an attempt, from its log or not, what the API says of its run and cluster."""
    first = parts[0]
    attempt.app_name = run.name or attempt.app_name
    attempt.user = run.user or attempt.user
    attempt.run_id = run.run_id
    attempt.platform_state = first.platform_state if len(parts) == 1 else run.whole.platform_state
    durations: dict[str, int] = {}
    for part in parts:
        for name, amount in part.durations.items():
            durations[name] = durations.get(name, 0) + amount
    keys = ",".join(part.task_key for part in parts if part.task_key)
    facts = {
        **run.facts,
        "job_id": run.job_id or "",
        "task_keys": keys,
        "tasks_without_context": str(sum(not part.context_id for part in run.parts) or ""),
        **{name.replace("_duration", "_ms"): str(amount) for name, amount in durations.items()},
    }
    attempt.environment |= {f"databricks.{name}": value for name, value in facts.items() if value}
    add_cluster(attempt, first.cluster_id, cluster)


def add_cluster(attempt: ApplicationAttempt, cluster_id: str | None, cluster: Cluster | None) -> None:
    """Add what the API says of the cluster."""
    attempt.cluster_id = cluster_id
    if cluster is None:
        return
    attempt.cluster_name = cluster.name
    attempt.tags |= cluster.tags
    attempt.environment |= {f"databricks.{name}": value for name, value in cluster.facts.items()}


def own_record(attempt: ApplicationAttempt, run: Run, parts: Sequence[Part], cluster: Cluster | None) -> None:
    """Make the attempt of a log that of the one run whose cluster it was."""
    logged_id, attempt.app_id = attempt.app_id, str(parts[0].context_id)
    attempt.attempt_id = run.run_id
    attempt.environment.setdefault("spark.app.id", logged_id)
    add_run(attempt, run, parts, cluster)
    if run.is_running:
        return
    end_at(
        attempt, status_of(list(parts)), max((part.end for part in parts if part.end), default=run.whole.end)
    )


def context_record(
    attempt: ApplicationAttempt,
    cluster_id: str,
    context_id: str,
    cluster: Cluster | None,
    runs: Sequence[str],
) -> None:
    """Make the attempt of a log that of a context which served many runs."""
    logged_id, attempt.app_id, attempt.attempt_id = attempt.app_id, context_id, None
    attempt.environment.setdefault("spark.app.id", logged_id)
    attempt.environment["databricks.runs_seen"] = str(len(runs))
    attempt.environment["databricks.run_ids"] = ",".join(runs[:NAMED_RUNS])
    add_cluster(attempt, cluster_id, cluster)
    attempt.flag(SHARED)
    if not is_up(cluster, context_id) and attempt.status == RUNNING:
        last = cluster is not None and cluster.context_id == context_id
        end_at(attempt, COMPLETED, cluster.terminated if cluster is not None and last else None)


def is_up(cluster: Cluster | None, context_id: str) -> bool:
    """Whether a context may still run: it is the present one of a cluster that is up."""
    return cluster is not None and cluster.is_up and cluster.context_id == context_id
