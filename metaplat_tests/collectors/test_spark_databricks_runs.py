"""Inventory of Databricks: what becomes of runs, tasks and clusters without event logs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.collectors.spark.databricks import collect
from metaplat_tests.standins.databricks_api import TOKEN, DatabricksApi
from metaplat_tests.standins.databricks_runs import START, cluster, run, task
from metaplat_tests.standins.platform_collection import Collection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIST, GET, CLUSTER = "/runs/list", "/runs/get", "/clusters/get"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DatabricksApi]:
    monkeypatch.setenv("HOME", str(tmp_path))
    with DatabricksApi() as serving:
        yield serving


def collection(api: DatabricksApi, **settings: Any) -> Collection:
    return Collection(
        collect, {"databricks_host": api.url, "databricks_token": TOKEN, "retries": 1, **settings}
    )


def test_a_run_gives_what_the_api_knows_and_names_what_it_cannot(api: DatabricksApi) -> None:
    api.runs = [run(1, task("load", "c-1", "111"), task("sum", "c-1", "111"))]
    api.clusters["c-1"] = cluster("111")
    record = collection(api).run()["111", "1"]
    assert record["source"] == "databricks"
    assert (record["app_name"], record["user"], record["run_id"]) == ("nightly", "ana@example.com", "1")
    assert (record["status"], record["platform_state"]) == ("COMPLETED", "TERMINATED/SUCCESS")
    assert (record["start_time"], record["end_time"]) == (
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:03:05.000Z",
    )
    assert record["duration_ms"] == 185_000
    assert (record["cluster_id"], record["cluster_name"]) == ("c-1", "job-77-run")
    assert (record["executor_cores"], record["executor_memory_mb"]) == (4, 6144)
    assert record["tags"] == {"team": "data"}
    assert record["data_quality"] == ["no_event_log"]
    unknown = ("total_tasks", "num_executors", "cpu_time_ms", "input_bytes", "spark_version", "submit_time")
    assert [record[name] for name in unknown] == [None] * 6
    assert set(unknown) <= set(record["source_coverage"])
    assert "executor_cores" not in record["source_coverage"]


def test_the_cost_basis_and_durations_are_in_the_environment_and_secrets_are_not(api: DatabricksApi) -> None:
    api.runs = [run(1, task("load", "c-1", "111"), task("sum", "c-1", "111"))]
    api.clusters["c-1"] = cluster("111")
    environment = collection(api).run()["111", "1"]["environment"]
    assert environment["databricks.setup_ms"] == "120000"
    assert environment["databricks.cleanup_ms"] == "10000"
    assert environment["databricks.task_keys"] == "load,sum"
    assert environment["databricks.spark_version"] == "15.4.x-scala2.12"
    assert environment["databricks.autoscale.max_workers"] == "8"
    assert environment["databricks.driver_node_type_id"] == "i3.2xlarge"
    assert "hush" not in str(environment)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}, "COMPLETED"),
        ({"life_cycle_state": "TERMINATED", "result_state": "SUCCESS_WITH_FAILURES"}, "COMPLETED"),
        ({"life_cycle_state": "TERMINATED", "result_state": "FAILED"}, "FAILED"),
        ({"life_cycle_state": "TERMINATED", "result_state": "TIMEDOUT"}, "FAILED"),
        ({"life_cycle_state": "TERMINATED", "result_state": "CANCELED"}, "KILLED"),
        ({"life_cycle_state": "INTERNAL_ERROR", "result_state": "A_NEW_RESULT"}, "FAILED"),
        ({"life_cycle_state": "SKIPPED"}, "KILLED"),
        ({"life_cycle_state": "RUNNING"}, "RUNNING"),
        ({"life_cycle_state": "TERMINATING"}, "RUNNING"),
    ],
)
def test_states_are_translated_and_kept(api: DatabricksApi, state: dict[str, str], status: str) -> None:
    one = {**run(1, life=state["life_cycle_state"]), "state": state}
    api.runs = [{**one, "cluster_instance": {"cluster_id": "c-1", "spark_context_id": "111"}}]
    record = collection(api).run()["111", "1"]
    assert record["status"] == status
    assert record["platform_state"] == "/".join(state.values())
    assert (record["end_time"] is None) == (status == "RUNNING")


def test_an_answer_of_the_newer_form_has_its_state_in_status(api: DatabricksApi) -> None:
    details = {"code": "USER_CANCELED", "type": "CLIENT_ERROR"}
    one = run(1)
    del one["state"]
    api.runs = [{**one, "status": {"state": "TERMINATED", "termination_details": details}}]
    assert collection(api).run()["1", "1"]["status"] == "KILLED"


def test_all_pages_are_read_active_runs_first(api: DatabricksApi) -> None:
    api.runs = [run(number, task("a", f"c-{number}", f"10{number}")) for number in range(1, 6)]
    api.runs.append(run(9, task("a", "c-9", "109"), life="RUNNING"))
    found = collection(api).run()
    assert [attempt for _, attempt in found] == ["9", "1", "2", "3", "4", "5"]
    assert len(api.paths(LIST)) == 4


def test_a_run_in_two_clusters_gives_two_records_each_with_its_own_tasks(api: DatabricksApi) -> None:
    failed = {"life_cycle_state": "TERMINATED", "result_state": "FAILED"}
    api.runs = [
        run(1, task("a", "c-1", "111"), task("b", "c-2", "222", state=failed), task("sql", None, None))
    ]
    found = collection(api).run()
    assert {key: record["status"] for key, record in found.items()} == {
        ("111", "1"): "COMPLETED",
        ("222", "1"): "FAILED",
    }
    assert found["222", "1"]["environment"]["databricks.task_keys"] == "b"
    assert found["222", "1"]["environment"]["databricks.tasks_without_context"] == "1"


def test_a_run_that_has_no_context_yet_waits_and_one_that_never_got_one_is_known_by_its_id(
    api: DatabricksApi,
) -> None:
    api.runs = [run(1, task("a", None, None), life="PENDING"), run(2, life="SKIPPED")]
    found = collection(api).run()
    assert list(found) == [("2", "2")]
    assert found["2", "2"]["status"] == "KILLED"


def test_a_run_of_more_than_a_hundred_tasks_is_read_whole(api: DatabricksApi) -> None:
    api.runs = [run(1, *(task(f"t{number}", f"c-{number}", f"5{number}") for number in range(250)))]
    assert len(collection(api).run()) == 250
    assert len(api.paths(GET)) == 3


def test_a_run_without_a_name_has_that_of_its_job(api: DatabricksApi) -> None:
    api.runs = [run(1, run_name=None), run(2, run_name=None), run(3, run_name=None, job_id=78)]
    api.jobs["77"] = {"settings": {"name": "weekly"}}
    api.jobs["78"] = 403
    found = collection(api).run()
    assert [record["app_name"] for record in found.values()] == ["weekly", "weekly", None]
    assert "app_name" in found["3", "3"]["source_coverage"]
    assert api.paths("/jobs/get") == ["/api/2.2/jobs/get"] * 2


def test_a_cluster_that_is_gone_leaves_what_the_run_says_of_it(api: DatabricksApi) -> None:
    specified = {"node_type_id": "i3.large", "custom_tags": {"team": "old"}}
    one = run(1, task("a", "c-1", "111"))
    one["job_clusters"] = [{"job_cluster_key": "main", "new_cluster": specified}]
    api.runs = [one]
    found = collection(api)
    record = found.run()["111", "1"]
    assert record["data_quality"] == ["cluster_gone", "no_event_log"]
    assert record["tags"] == {"team": "old"}
    assert record["environment"]["databricks.node_type_id"] == "i3.large"
    assert found.rejected == {}


@pytest.mark.parametrize("refusal", [403, 500])
def test_a_cluster_that_is_refused_is_told_once_and_its_runs_are_described(
    api: DatabricksApi, refusal: int
) -> None:
    api.runs = [
        run(1, task("a", "c-1", "111")),
        run(2, task("a", "c-1", "222")),
        run(3, task("a", "c-3", "333")),
    ]
    api.clusters = {"c-1": refusal, "c-3": cluster("333")}
    collecting = collection(api)
    found = collecting.run()
    assert found["111", "1"]["data_quality"] == ["cluster_unknown", "no_event_log"]
    assert found["333", "3"]["cluster_name"] == "job-77-run"
    assert list(collecting.rejected) == ["cluster c-1"]
    assert len(api.paths(CLUSTER)) == 2
    assert len(collecting.memory.things) == 1, "what is incomplete is asked again"


@pytest.mark.parametrize(
    "odd",
    [
        "nothing",
        {"run_name": "no id", "state": {"life_cycle_state": "TERMINATED"}},
        {**run(5), "end_time": -1},
        {**run(5), "start_time": 10**19},
        {**run(5), "tasks": "none"},
        {**run(5), "state": "TERMINATED"},
        {**run(5), "run_name": 5},
    ],
)
def test_an_odd_run_is_rejected_and_costs_no_other(api: DatabricksApi, odd: Any) -> None:
    api.runs = [odd, run(1)]
    collecting = collection(api)
    assert list(collecting.run()) == [("1", "1")]
    assert len(collecting.rejected) == 1


def test_since_asks_by_start_with_a_look_back_and_leaves_out_by_end(api: DatabricksApi) -> None:
    since = datetime(2026, 1, 1, 0, 3, tzinfo=UTC)
    api.runs = [
        run(1),
        {**run(2), "end_time": START + 1000},
        {**run(3), "start_time": START - 9 * 86_400_000},
    ]
    assert list(collection(api).run(since=since)) == [("1", "1")]
    asked = [query["start_time_from"] for _, query in api.asked if "start_time_from" in query]
    assert asked == [str(START + 180_000 - 7 * 86_400_000)]


def test_filters_leave_out_runs_before_their_clusters_are_asked_for(api: DatabricksApi) -> None:
    api.runs = [
        run(1, task("a", "c-1", "111")),
        run(2, task("a", "c-2", "222"), creator_user_name="bo@example.com"),
        run(3, task("a", "c-3", "333"), run_name="other"),
        run(4, task("a", "c-4", "444")),
    ]
    api.clusters = {"c-1": cluster("111"), "c-4": cluster("444", custom_tags={"team": "ml"})}
    collecting = collection(api)
    assert list(collecting.run(user="ana@example.com", name="night*", tags={"team": "data"})) == [
        ("111", "1")
    ]
    assert len(api.paths(CLUSTER)) == 2
    assert len(collecting.run()) == 3, "what filters left out is not taken for known"


def test_an_ended_run_is_described_once_and_a_running_one_until_it_ends(api: DatabricksApi) -> None:
    api.runs = [run(1, task("a", "c-1", "111")), run(2, task("a", "c-2", "222"), life="RUNNING")]
    api.clusters = {"c-1": cluster("111"), "c-2": cluster("222")}
    collecting = collection(api)
    assert len(collecting.run()) == 2
    assert {key: record["status"] for key, record in collecting.run().items()} == {("222", "2"): "RUNNING"}
    api.runs[1] = run(2, task("a", "c-2", "222"))
    assert {key: record["status"] for key, record in collecting.run().items()} == {("222", "2"): "COMPLETED"}
    asked = len(api.paths(CLUSTER))
    assert collecting.run() == {}
    assert len(api.paths(CLUSTER)) == asked


def test_a_run_that_was_repaired_is_described_again(api: DatabricksApi) -> None:
    failed = {"life_cycle_state": "TERMINATED", "result_state": "FAILED"}
    api.runs = [run(1, state=failed)]
    collecting = collection(api)
    assert collecting.run()["1", "1"]["status"] == "FAILED"
    api.runs = [{**run(1), "end_time": START + 400_000}]
    assert collecting.run()["1", "1"]["status"] == "COMPLETED"
