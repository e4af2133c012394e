"""Databricks runs joined with the event logs that their clusters deliver."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.collectors.spark.databricks import collect
from metaplat.model.errors import UsageError
from metaplat_tests.standins.databricks_api import TOKEN, DatabricksApi
from metaplat_tests.standins.databricks_runs import cluster, run, task
from metaplat_tests.standins.platform_collection import NOW, Collection
from metaplat_tests.standins.small_event_log import START, event_lines, event_log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLUSTER_ID = "0101-000000-abcd1234"
SHARED = {"existing_cluster_id": CLUSTER_ID, "job_cluster_key": None}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DatabricksApi]:
    monkeypatch.setenv("HOME", str(tmp_path))
    with DatabricksApi() as serving:
        serving.clusters[CLUSTER_ID] = cluster("111")
        yield serving


def collection(api: DatabricksApi, **s3: Any) -> Collection:
    settings = {"databricks_host": api.url, "databricks_token": TOKEN, "retries": 0}
    return Collection(collect, settings, s3)


def deliver(copy: Path, context: str, *parts: bytes, cluster_id: str = CLUSTER_ID) -> Path:
    """Write a log as Databricks delivers it: all parts but the last are closed and packed."""
    folder = copy / cluster_id / "eventlog" / f"{cluster_id}_10_0_0_1" / context
    folder.mkdir(parents=True, exist_ok=True)
    for number, part in enumerate(parts[:-1]):
        (folder / f"eventlog-2026-01-01--0{number}-00.gz").write_bytes(gzip.compress(part))
    (folder / "eventlog").write_bytes(parts[-1])
    return folder


def halves(**options: Any) -> tuple[bytes, bytes]:
    """Split a log of a cluster, which has no end, between two lines."""
    lines = event_lines("app-20260101000000-0000", name="Databricks Shell", ended=False, **options)
    first, second = lines[:6], lines[6:]
    return "\n".join(first).encode() + b"\n", "\n".join(second).encode() + b"\n"


def test_a_run_on_its_own_cluster_has_the_figures_of_the_log(api: DatabricksApi, tmp_path: Path) -> None:
    folder = deliver(tmp_path / "copy", "111", *halves())
    api.runs = [run(1, task("load", CLUSTER_ID, "111"))]
    record = collection(api).run(path=tmp_path / "copy")["111", "1"]
    assert (record["total_tasks"], record["input_bytes"], record["run_time_ms"]) == (3, 3000, 300)
    assert (record["app_name"], record["user"], record["run_id"]) == ("nightly", "ana@example.com", "1")
    assert (record["status"], record["end_time"]) == ("COMPLETED", "2026-01-01T00:03:05.000Z")
    assert record["duration_ms"] == 185_000
    assert record["tags"]["team"] == "data"
    assert record["environment"]["spark.app.id"] == "app-20260101000000-0000"
    assert record["environment"]["databricks.node_type_id"] == "i3.xlarge"
    assert record["log_address"] == str(folder)
    assert {"no_event_log", "incomplete"}.isdisjoint(record["data_quality"])
    assert [stage["tasks"] for stage in record["stages"]] == [3]


def test_a_context_that_served_many_runs_is_counted_once(api: DatabricksApi, tmp_path: Path) -> None:
    deliver(tmp_path / "copy", "111", *halves())
    api.clusters[CLUSTER_ID] = cluster("111", cluster_source="UI", cluster_name="analysts", state="RUNNING")
    api.runs = [run(number, task("a", CLUSTER_ID, "111", **SHARED)) for number in (1, 2, 3)]
    found = collection(api).run(path=tmp_path / "copy")
    assert list(found) == [("111", "1"), ("111", "2"), ("111", "3"), ("111", None)]
    whole = found["111", None]
    assert (whole["total_tasks"], whole["status"], whole["app_name"]) == (3, "RUNNING", "Databricks Shell")
    assert whole["environment"]["databricks.run_ids"] == "1,2,3"
    assert whole["data_quality"] == ["incomplete", "shared_cluster", "submit_time_missing"]
    for number in ("1", "2", "3"):
        record = found["111", number]
        assert (record["total_tasks"], record["input_bytes"], record["stages"]) == (None, None, [])
        assert record["data_quality"] == ["shared_cluster"]
        assert record["log_address"] == whole["log_address"]


def test_a_shared_context_is_read_on_as_its_log_grows_and_ends_with_its_cluster(
    api: DatabricksApi, tmp_path: Path
) -> None:
    first, second = halves(tasks=5)
    deliver(tmp_path / "copy", "111", first)
    shared = cluster("111", cluster_source="API", state="RUNNING", terminated_time=None)
    api.clusters[CLUSTER_ID] = shared
    api.runs = [run(1, task("a", CLUSTER_ID, "111", **SHARED))]
    collecting = collection(api)
    assert collecting.run(path=tmp_path / "copy")["111", None]["total_tasks"] == 1
    assert collecting.run(path=tmp_path / "copy") == {}, "nothing changed"
    deliver(tmp_path / "copy", "111", first, second)
    (tmp_path / "copy" / CLUSTER_ID / "eventlog" / f"{CLUSTER_ID}_10_0_0_1" / "111" / "eventlog").touch()
    assert collecting.run(path=tmp_path / "copy")["111", None]["total_tasks"] == 5
    api.clusters[CLUSTER_ID] = {**shared, "state": "TERMINATED", "terminated_time": START + 3_600_000}
    ended = collecting.run(path=tmp_path / "copy")["111", None]
    assert (ended["status"], ended["total_tasks"], ended["duration_ms"]) == ("COMPLETED", 5, 3_600_000)
    asked = len(api.paths("/clusters/get"))
    assert collecting.run(path=tmp_path / "copy") == {}
    assert len(api.paths("/clusters/get")) == asked, "of a context that is over nothing more is asked"


def test_a_shared_context_whose_cluster_is_refused_waits(api: DatabricksApi, tmp_path: Path) -> None:
    deliver(tmp_path / "copy", "111", *halves())
    api.clusters[CLUSTER_ID] = 403
    api.runs = [run(1, task("a", CLUSTER_ID, "111", **SHARED))]
    collecting = collection(api)
    assert list(collecting.run(path=tmp_path / "copy")) == [("111", "1")]
    api.clusters[CLUSTER_ID] = cluster("111", cluster_source="UI", state="RUNNING")
    assert collecting.run(path=tmp_path / "copy")["111", None]["status"] == "RUNNING"


def test_an_earlier_context_of_a_restarted_cluster_is_over_though_its_end_is_not_known(
    api: DatabricksApi, tmp_path: Path
) -> None:
    deliver(tmp_path / "copy", "100", *halves())
    api.clusters[CLUSTER_ID] = cluster("111", cluster_source="UI", state="RUNNING")
    api.runs = [run(1, task("a", CLUSTER_ID, "100", **SHARED))]
    record = collection(api).run(path=tmp_path / "copy")["100", None]
    assert (record["status"], record["end_time"]) == ("COMPLETED", None)
    assert record["observed_end"] is not None
    assert "incomplete" in record["data_quality"]


def test_logs_on_s3_are_found_where_the_cluster_delivers_them(
    api: DatabricksApi, moto_endpoint: str, s3_bucket: str, s3_client: Any
) -> None:
    key = f"logs/{CLUSTER_ID}/eventlog/{CLUSTER_ID}_10_0_0_1/111/eventlog"
    s3_client.put_object(Bucket=s3_bucket, Key=key, Body=b"".join(halves()))
    delivered = {"s3": {"destination": f"s3://{s3_bucket}/logs", "region": "us-east-1"}}
    api.clusters[CLUSTER_ID] = cluster("111", cluster_log_conf=delivered)
    api.runs = [run(1, task("a", CLUSTER_ID, "111"))]
    record = collection(api, endpoint_url=moto_endpoint).run()["111", "1"]
    assert record["total_tasks"] == 3
    assert record["log_address"] == f"s3://{s3_bucket}/{key.rpartition('/')[0]}"


def test_a_destination_that_cannot_be_listed_is_told_once_and_runs_are_inventory(
    api: DatabricksApi, moto_endpoint: str
) -> None:
    delivered = {"s3": {"destination": "s3://no-such-bucket-anywhere/logs"}}
    api.clusters = {f"c-{number}": cluster(f"10{number}", cluster_log_conf=delivered) for number in (1, 2)}
    api.runs = [run(number, task("a", f"c-{number}", f"10{number}")) for number in (1, 2)]
    collecting = collection(api, endpoint_url=moto_endpoint)
    found = collecting.run()
    assert [record["data_quality"] for record in found.values()] == [["no_event_log"]] * 2
    assert list(collecting.rejected) == ["event logs of cluster c-1"]


def test_a_destination_that_is_not_readable_from_here_is_warned_of_once(api: DatabricksApi) -> None:
    delivered = {"dbfs": {"destination": "dbfs:/cluster-logs"}}
    for number in (1, 2):
        api.clusters[f"c-{number}"] = cluster(f"10{number}", cluster_log_conf=delivered)
    api.runs = [run(number, task("a", f"c-{number}", f"10{number}")) for number in (1, 2)]
    collecting = collection(api)
    assert len(collecting.run()) == 2
    assert len(collecting.warnings) == 1
    assert "dbfs:/cluster-logs cannot be read from here" in collecting.warnings[0]
    assert collecting.rejected == {}


def test_a_log_that_is_none_is_rejected_and_the_run_described_without(
    api: DatabricksApi, tmp_path: Path
) -> None:
    folder = deliver(tmp_path / "copy", "111", b"what is this?\n")
    api.runs = [run(1, task("a", CLUSTER_ID, "111")), run(2, task("a", CLUSTER_ID, "222"))]
    deliver(tmp_path / "copy", "222", *halves())
    collecting = collection(api)
    found = collecting.run(path=tmp_path / "copy")
    assert found["111", "1"]["data_quality"] == ["no_event_log"]
    assert found["222", "2"]["total_tasks"] == 3
    assert list(collecting.rejected) == [str(folder)]


def test_a_run_is_looked_at_again_until_its_log_was_delivered(api: DatabricksApi, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    api.runs = [run(1, task("a", CLUSTER_ID, "111"))]
    collecting = collection(api)
    just_after = NOW - timedelta(hours=23, minutes=50)
    assert collecting.run(just_after, path=copy)["111", "1"]["total_tasks"] is None
    deliver(copy, "111", *halves())
    assert collecting.run(just_after, path=copy)["111", "1"]["total_tasks"] == 3
    assert collecting.run(path=copy)["111", "1"]["total_tasks"] == 3
    assert collecting.run(path=copy) == {}


def test_a_copy_that_is_named_later_joins_runs_that_are_known(api: DatabricksApi, tmp_path: Path) -> None:
    deliver(tmp_path / "copy", "111", *halves())
    api.runs = [run(1, task("a", CLUSTER_ID, "111"))]
    collecting = collection(api)
    assert collecting.run()["111", "1"]["total_tasks"] is None
    assert collecting.run() == {}
    assert collecting.run(path=tmp_path / "copy")["111", "1"]["total_tasks"] == 3


def test_a_cut_part_of_a_log_is_flagged(api: DatabricksApi, tmp_path: Path) -> None:
    folder = deliver(tmp_path / "copy", "111", *halves())
    packed = folder / "eventlog-2026-01-01--00-00.gz"
    packed.write_bytes(packed.read_bytes()[:-40])
    api.runs = [run(1, task("a", CLUSTER_ID, "111"))]
    record = collection(api).run(path=tmp_path / "copy")["111", "1"]
    assert "truncated" in record["data_quality"]
    assert "no_event_log" not in record["data_quality"]


def test_a_log_with_an_end_keeps_it(api: DatabricksApi, tmp_path: Path) -> None:
    deliver(tmp_path / "copy", "111", event_log("app-1-0000"))
    failed = {"life_cycle_state": "TERMINATED", "result_state": "FAILED"}
    api.runs = [run(1, task("a", CLUSTER_ID, "111", state=failed))]
    record = collection(api).run(path=tmp_path / "copy")["111", "1"]
    assert (record["status"], record["duration_ms"]) == ("FAILED", 1000)


@pytest.mark.parametrize("odd", ["../../etc", "a/b", ".."])
def test_a_cluster_id_that_is_a_path_leads_nowhere(api: DatabricksApi, tmp_path: Path, odd: str) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    api.runs = [run(1, task("a", odd, "111"))]
    assert collection(api).run(path=copy)["111", "1"]["log_address"] is None


def test_a_copy_that_does_not_exist_is_told(api: DatabricksApi, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        collection(api).run(path=tmp_path / "nowhere")
