"""Jobs and clusters as Dataproc lists them.

Here: the members that its REST reference documents.
Not here: serving them (``dataproc_api``).
"""

from __future__ import annotations

from typing import Any

UUID = "11111111-2222-3333-4444-555555555555"


def application(number: int, **members: Any) -> dict[str, Any]:
    """Return a YARN application that finished."""
    return {
        "name": "nightly",
        "state": "FINISHED",
        "progress": 1.0,
        "trackingUrl": f"http://etl-m:8088/proxy/{application_id(number)}/",
        "vcoreSeconds": "1200",
        "memoryMbSeconds": "98304",
        **members,
    }


def application_id(number: int) -> str:
    """Return the id of a YARN application."""
    return f"application_1767225600000_{number:04}"


def job(
    name: str, *applications: dict[str, Any], state: str | int = "DONE", **members: Any
) -> dict[str, Any]:
    """Return a PySpark job that ran for three minutes."""
    history = [
        {"state": "PENDING", "stateStartTime": "2026-01-01T00:00:00Z"},
        {"state": "SETUP_DONE", "stateStartTime": "2026-01-01T00:00:01Z"},
        {"state": "RUNNING", "stateStartTime": "2026-01-01T00:00:02.500Z"},
    ]
    return {
        "reference": {"projectId": "acme", "jobId": name},
        "placement": {"clusterName": "etl", "clusterUuid": UUID},
        "pysparkJob": {"mainPythonFileUri": "gs://code/x.py", "properties": {"spark.executor.memory": "8g"}},
        "status": {"state": state, "stateStartTime": "2026-01-01T00:03:02.500Z"},
        "statusHistory": history,
        "yarnApplications": list(applications),
        "labels": {"team": "data"},
        "done": state in ("DONE", "ERROR", "CANCELLED"),
        **members,
    }


def cluster(**members: Any) -> dict[str, Any]:
    """Return the cluster that the jobs ran on."""
    zone = "https://www.googleapis.com/compute/v1/projects/acme/zones/us-central1-a"
    return {
        "projectId": "acme",
        "clusterName": "etl",
        "clusterUuid": UUID,
        "labels": {"team": "platform", "cost": "42"},
        "config": {
            "gceClusterConfig": {"zoneUri": zone},
            "masterConfig": {"numInstances": 1, "machineTypeUri": f"{zone}/machineTypes/n2-standard-4"},
            "workerConfig": {"numInstances": 3, "machineTypeUri": f"{zone}/machineTypes/n2-highmem-8"},
            "softwareConfig": {
                "imageVersion": "2.2.9-debian12",
                "properties": {
                    "spark:spark.executor.cores": "4",
                    "spark:spark.executor.memory": "4g",
                    "spark:spark.eventLog.dir": "gs://acme-logs/spark",
                    "spark:spark.hadoop.fs.s3a.secret.key": "hush",
                    "hdfs:dfs.replication": "2",
                },
            },
        },
        **members,
    }
