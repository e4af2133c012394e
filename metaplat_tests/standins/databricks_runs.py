"""Runs and clusters as a Databricks workspace lists them.

Here: the members that the Jobs and Clusters APIs document.
Not here: serving them (``databricks_api``).
"""

from __future__ import annotations

from typing import Any

START = 1_767_225_600_000
"""2026-01-01T00:00:00Z in milliseconds."""


def task(key: str, cluster: str | None, context: str | None, **members: Any) -> dict[str, Any]:
    """Return a task that succeeded on a cluster made for the run."""
    instance = {"cluster_id": cluster, "spark_context_id": context} if cluster else None
    return {
        "task_key": key,
        "run_id": 9000 + len(key),
        "job_cluster_key": "main",
        "state": {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"},
        "start_time": START,
        "setup_duration": 60_000,
        "execution_duration": 120_000,
        "cleanup_duration": 5_000,
        "end_time": START + 185_000,
        **({"cluster_instance": instance} if instance else {}),
        **members,
    }


def run(number: int, *tasks: dict[str, Any], life: str = "TERMINATED", **members: Any) -> dict[str, Any]:
    """Return a run of the job "nightly" that succeeded, or is as ``life`` says."""
    over = life in ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")
    return {
        "run_id": number,
        "job_id": 77,
        "run_name": "nightly",
        "creator_user_name": "ana@example.com",
        "run_type": "JOB_RUN",
        "trigger": "PERIODIC",
        "state": {"life_cycle_state": life, **({"result_state": "SUCCESS"} if life == "TERMINATED" else {})},
        "start_time": START,
        "end_time": START + 190_000 if over else 0,
        "run_duration": 190_000,
        "job_clusters": [{"job_cluster_key": "main", "new_cluster": {"node_type_id": "i3.xlarge"}}],
        "tasks": list(tasks),
        **members,
    }


def cluster(context: str | None = None, **members: Any) -> dict[str, Any]:
    """Return a cluster made for one run, which has ended."""
    return {
        "cluster_name": "job-77-run",
        "cluster_source": "JOB",
        "spark_context_id": int(context) if context else None,
        "state": "TERMINATED",
        "terminated_time": START + 200_000,
        "spark_version": "15.4.x-scala2.12",
        "node_type_id": "i3.xlarge",
        "driver_node_type_id": "i3.2xlarge",
        "autoscale": {"min_workers": 2, "max_workers": 8},
        "custom_tags": {"team": "data"},
        "spark_conf": {
            "spark.executor.memory": "6g",
            "spark.executor.cores": "4",
            "spark.my.password": "hush",
        },
        "spark_env_vars": {"TOKEN": "hush"},
        **members,
    }
