"""Job executions from landed JSON to rows: what the state of a run asks of its record."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from metaplat.domains import all_domains, domain_named
from metaplat.domains.job_executions import DOMAIN
from metaplat.ingest.landing import Landing
from metaplat.ingest.partition import PartitionIngest, ingest_partitions
from metaplat.ingest.quarantine import read_quarantine
from metaplat.model.errors import UnknownNameError
from metaplat_tests.ingest.small_domain import DAY, NOW, home, land

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.stores.home import Stores

FULL_RECORD = {
    "job_id": "0c2b8d1e",
    "job_name": "load-customers",
    "execution_date": f"{DAY}T02:00:00Z",
    "status": "FAILED",
    "duration_minutes": 125.5,
    "failure_reason": "OOMKilled",
    "error_details": {"type": "OOMKilled", "message": "killed for canary@example.com", "exit_code": 137},
    "resources_used": {
        "peak_memory_gb": 280.5,
        "avg_cpu_cores": 12,
        "peak_cpu_cores": 15.5,
        "storage_used_gb": 450,
    },
    "input_data": {
        "row_count": 1000000,
        "size_gb": 45.2,
        "duplicate_rate": 0.02,
        "source_tables": ["a", "b"],
    },
    "output_data": {"row_count": 980000, "size_gb": 40},
}


def record(status: Any = "SUCCESS", **changes: Any) -> dict[str, Any]:
    terminal = {"duration_minutes": 1.5, "resources_used": {}} if status != "RUNNING" else {}
    base = {"job_name": "load", "job_id": "1", "execution_date": f"{DAY}T02:00:00Z", "status": status}
    found = base | terminal | changes
    return {name: value for name, value in found.items() if value != "absent"}


def ingested(folder: Path, *records: object) -> tuple[list[dict[str, Any]], list[str]]:
    stores = home(folder)
    for number, content in enumerate(records):
        land(stores, f"{number}.json", content, of=DOMAIN)
    PartitionIngest(DOMAIN, stores, NOW).run(DAY)
    return rows(stores), [bad["reason"] for bad in read_quarantine(stores.quarantine, DOMAIN, DAY)]


def rows(stores: Stores) -> list[dict[str, Any]]:
    return stores.lake.read(DOMAIN, [DAY]).to_dicts()


def test_a_record_with_every_field_becomes_one_flat_row(tmp_path: Path) -> None:
    [row], reasons = ingested(tmp_path, FULL_RECORD)
    assert reasons == []
    known = {name: value for name, value in row.items() if value is not None}
    assert known == {
        "job_name": "load-customers",
        "execution_timestamp": 1764381600,
        "execution_date": datetime(2025, 11, 29, 2, tzinfo=UTC),
        "job_id": "0c2b8d1e",
        "status": "FAILED",
        "duration_minutes": 125.5,
        "failure_reason": "OOMKilled",
        "error_type": "OOMKilled",
        "error_message": "killed for [redacted]",
        "exit_code": 137,
        "peak_memory_gb": 280.5,
        "avg_cpu_cores": 12.0,
        "peak_cpu_cores": 15.5,
        "storage_used_gb": 450.0,
        "input_row_count": 1000000,
        "input_size_gb": 45.2,
        "input_duplicate_rate": 0.02,
        "input_source_tables": ["a", "b"],
        "output_row_count": 980000,
        "output_size_gb": 40.0,
        "source_object": "job-executions/2025/11/29/0.json",
    }


@pytest.mark.parametrize(
    ("landed", "reason"),
    [
        (record("RUNNING", duration_minutes=5), "duration_minutes: a RUNNING execution has none yet"),
        (record(duration_minutes="absent"), "duration_minutes: is required once a run has ended"),
        (record("FAILED", duration_minutes=None), "duration_minutes: is required once a run has ended"),
        (record(duration_minutes=-1), "duration_minutes: expected greater than or equal to 0"),
        (record(resources_used="absent"), "resources_used: is required as an object once a run has ended"),
        (
            record("FAILED", resources_used=None),
            "resources_used: is required as an object once a run has ended",
        ),
        (record(resources_used=[]), "resources_used: is required as an object once a run has ended"),
        (record("RUNNING", resources_used=5), "resources_used: expected an object or null, got a number"),
        (
            record(resources_used={"peak_memory_gb": -1}),
            "peak_memory_gb: expected greater than or equal to 0",
        ),
        (record(status="DONE"), "status: expected 'SUCCESS', 'FAILED' or 'RUNNING', got 'DONE'"),
        (record(status="absent"), "status: is required"),
        (record(status=["SUCCESS"]), "status: expected 'SUCCESS', 'FAILED' or 'RUNNING', got an array"),
        (record(job_name=None), "job_name: is required"),
        (record(execution_date="2025-11-29T02:00:00"), "execution_date: the time has no zone"),
        (record(end_date="2025-11-29T01:59:59Z"), "end_date: lies before execution_date"),
        (
            record(input_data={"duplicate_rate": 1.5}),
            "input_duplicate_rate: expected less than or equal to 1",
        ),
        (b'{"job_name":"a","status":NaN}', "execution_date: is required; status: expected"),
        (
            orjson.dumps(record(resources_used={"peak_memory_gb": 7})).replace(b":7", b":NaN"),
            "peak_memory_gb: expected a finite number",
        ),
    ],
)
def test_a_record_that_contradicts_its_state_is_quarantined(
    tmp_path: Path, landed: object, reason: str
) -> None:
    found, reasons = ingested(tmp_path, landed, record("SUCCESS", job_name="good"))
    assert [row["job_name"] for row in found] == ["good"]
    assert len(reasons) == 1
    assert reasons[0].startswith(reason)


@pytest.mark.parametrize(
    "landed",
    [
        record("RUNNING"),
        record("RUNNING", duration_minutes=None, resources_used=None),
        record("RUNNING", job_id="absent", is_suspended=True),
        record(resources_used={"peak_memory_gb": None}),
        record(duration_minutes=0, end_date=f"{DAY}T02:00:00Z"),
        record(pod_failure_reasons=[{"reason": "OOMKilled", "count": 2.0, "node": "n1"}], attempts=3),
    ],
)
def test_what_is_unknown_is_null_and_no_fault(tmp_path: Path, landed: dict[str, Any]) -> None:
    found, reasons = ingested(tmp_path, landed)
    assert (len(found), reasons) == (1, [])
    assert found[0]["peak_memory_gb"] is None


def test_a_run_is_replaced_by_its_end_and_never_the_reverse(tmp_path: Path) -> None:
    found, _ = ingested(tmp_path, record("RUNNING"), record("FAILED"), record("RUNNING", attempts=2))
    assert [(row["status"], row["attempts"]) for row in found] == [("FAILED", None)]


def test_a_run_known_by_its_creation_gives_way_to_its_start(tmp_path: Path) -> None:
    created = record("RUNNING", execution_date_source="creationTimestamp")
    started = record("RUNNING", execution_date_source="startTime", execution_date=f"{DAY}T02:00:07Z")
    found, _ = ingested(tmp_path, started, created)
    assert [row["execution_timestamp"] for row in found] == [1764381607]


def test_batch_events_are_read_redacted_and_their_environment_is_stored_nowhere(tmp_path: Path) -> None:
    stores = home(tmp_path)
    detail = {
        "jobName": "batch",
        "jobId": "b1",
        "status": "FAILED",
        "startedAt": 1764381600000,
        "stoppedAt": 1764381660000,
        "container": {"reason": "password=canary", "environment": [{"name": "X", "value": "canary"}]},
    }
    unknown, other_day = detail | {"status": "PAUSED"}, detail | {"startedAt": 1764200000000}
    events = [{"source": "aws.batch", "detail": each} for each in (detail, unknown, other_day)]
    land(stores, "events.json", events, of=DOMAIN)
    results = ingest_partitions(DOMAIN, stores, [DAY], NOW)
    assert [row["error_message"] for row in rows(stores)] == ["[redacted]"]
    assert (results[DAY].quarantined, results[DAY].rerouted) == (1, 1)  # type: ignore[union-attr]
    gc.collect()  # SQLite removes its side files when the last connection goes
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "events.json"]
    assert any("routed" in path.name for path in written)
    assert all(b"canary" not in path.read_bytes() for path in written)


def test_a_refused_record_lands_on_its_own_day(tmp_path: Path) -> None:
    stores = home(tmp_path / "home")
    path = tmp_path / "x.json"
    path.write_bytes(orjson.dumps(record(resources_used="absent")))
    [landed] = Landing(DOMAIN, stores, NOW).land_files([path])
    assert landed.partition == DAY
    assert "resources_used: is required" in str(landed.problem)


@pytest.mark.parametrize("name", ["a" * 253, "team/job", "jöb", "a b"])
def test_a_collected_execution_lands_whatever_its_job_is_called(tmp_path: Path, name: str) -> None:
    stores = home(tmp_path)
    landing = Landing(DOMAIN, stores, NOW)
    keys = [
        landing.land_record(record(status, kubernetes_job_name=name)).key for status in ("RUNNING", "FAILED")
    ]
    assert len(set(keys)) == 2
    assert landing.land_record(record("FAILED", kubernetes_job_name=name)).status == "unchanged"


def test_the_registry_finds_domains_by_name_and_suggests_the_nearest() -> None:
    assert domain_named("job_executions") is DOMAIN
    assert DOMAIN in all_domains()
    assert [domain.name for domain in all_domains()] == sorted(domain.name for domain in all_domains())
    with pytest.raises(UnknownNameError, match="did you mean job_executions"):
        domain_named("job_exections")


def test_every_column_says_what_it_is() -> None:
    assert all(field.doc.endswith(".") for field in DOMAIN.columns)


def test_free_text_of_a_failure_is_scrubbed_wherever_it_may_stand(tmp_path: Path) -> None:
    told = "login of canary@example.com with ghp_0123456789abcdefghijABCDEFGHIJ456789 failed"
    failed = record("FAILED", failure_reason=told, job_condition_reason=told)
    failed |= {"error_details": {"type": told, "message": told}}
    failed |= {"pod_failure_reasons": [{"reason": told, "count": 1}]}
    [row], reasons = ingested(tmp_path, failed)
    assert reasons == []
    assert row["failure_reason"] == "login of [redacted] with [redacted] failed"
    for path in (tmp_path).rglob("*"):
        if path.is_file() and "landing" not in path.parts:
            assert b"canary" not in path.read_bytes()
            assert b"ghp_" not in path.read_bytes()
