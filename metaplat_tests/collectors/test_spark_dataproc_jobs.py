"""Inventory of Dataproc: what becomes of jobs and YARN applications without event logs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.collectors.spark.dataproc import collect
from metaplat_tests.standins.dataproc_api import DataprocApi
from metaplat_tests.standins.dataproc_jobs import application, application_id, cluster, job
from metaplat_tests.standins.platform_collection import Collection

if TYPE_CHECKING:
    from collections.abc import Iterator

APP = application_id(1)


@pytest.fixture
def api() -> Iterator[DataprocApi]:
    with DataprocApi() as serving:
        serving.clusters["etl"] = cluster()
        yield serving


def collection(api: DataprocApi, **settings: Any) -> Collection:
    return Collection(
        collect, {"dataproc_endpoint": api.url, "dataproc_project": "acme", "retries": 1, **settings}
    )


def test_an_application_gives_what_the_api_knows_and_names_what_it_cannot(api: DataprocApi) -> None:
    api.jobs = [job("nightly-1", application(1))]
    record = collection(api).run()[APP, None]
    assert (record["source"], record["app_name"], record["run_id"]) == ("dataproc", "nightly", "nightly-1")
    assert (record["status"], record["platform_state"]) == ("COMPLETED", "DONE")
    times = [record[name] for name in ("submit_time", "start_time", "end_time")]
    assert times == ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:02.500Z", "2026-01-01T00:03:02.500Z"]
    assert record["duration_ms"] == 180_000
    assert (record["executor_cores"], record["executor_memory_mb"]) == (4, 8192)
    assert (record["cluster_name"], record["cluster_id"][:8]) == ("etl", "11111111")
    assert record["tags"] == {"team": "data", "cost": "42"}
    assert record["data_quality"] == ["no_event_log"]
    unknown = ("user", "total_tasks", "num_executors", "cpu_time_ms", "spark_version", "driver_memory_mb")
    assert [record[name] for name in unknown] == [None] * 6
    assert set(unknown) <= set(record["source_coverage"])


def test_the_cost_basis_is_in_the_environment_and_secrets_are_not(api: DataprocApi) -> None:
    api.jobs = [job("nightly-1", application(1))]
    environment = collection(api).run()[APP, None]["environment"]
    assert environment["dataproc.worker.machine_type"] == "n2-highmem-8"
    assert environment["dataproc.worker.instances"] == "3"
    assert environment["dataproc.zone"] == "us-central1-a"
    assert environment["dataproc.yarn.vcore_seconds"] == "1200"
    assert environment["dataproc.job_kind"] == "pyspark_job"
    assert environment["spark.executor.memory"] == "8g", "the job's own wins over the cluster's"
    assert "hush" not in str(environment)
    assert not any("hdfs" in name for name in environment)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("DONE", "COMPLETED"),
        ("ERROR", "FAILED"),
        ("CANCELLED", "KILLED"),
        ("RUNNING", "RUNNING"),
        (7, "RUNNING"),
    ],
)
def test_states_are_translated_as_names_or_numbers(api: DataprocApi, state: Any, status: str) -> None:
    api.jobs = [job("a", application(1), state=state)]
    record = collection(api).run()[APP, None]
    assert record["status"] == status
    assert record["platform_state"] == ("CANCEL_STARTED" if state == 7 else state)
    assert (record["end_time"] is None) == (status == "RUNNING")


def test_a_job_that_runs_for_days_is_not_called_silent_without_its_log(api: DataprocApi) -> None:
    api.jobs = [job("a", application(1), state="RUNNING")]
    record = collection(api).run(datetime(2026, 2, 1, tzinfo=UTC))[APP, None]
    assert record["data_quality"] == ["incomplete", "no_event_log"]


def test_a_state_that_is_newer_than_the_sdk_keeps_its_number(api: DataprocApi) -> None:
    api.jobs = [job("a", application(1, state=77), state=99)]
    record = collection(api).run()[APP, None]
    assert (record["status"], record["platform_state"]) == ("RUNNING", "99")


def test_all_pages_are_read_and_only_spark_jobs_kept(api: DataprocApi) -> None:
    others = [{**job("hive", application(8)), "hiveJob": {}}, {**job("pig"), "pigJob": {}}]
    for other in others:
        del other["pysparkJob"]
    kinds = ("sparkJob", "sparkSqlJob", "sparkRJob")
    spark = []
    for number, kind in enumerate(kinds, 2):
        one = job(kind, application(number))
        one[kind] = one.pop("pysparkJob")
        one[kind].pop("mainPythonFileUri")
        spark.append(one)
    api.jobs = [job("py", application(1)), *others, *spark]
    assert [record["run_id"] for record in collection(api).run().values()] == ["py", *kinds]
    assert len(api.paths("/jobs")) == 1 + 3


def test_an_application_whose_address_is_not_told_is_known_by_its_name_or_its_job(api: DataprocApi) -> None:
    by_name = application(1, name=application_id(5), trackingUrl="")
    api.jobs = [
        job("named", by_name),
        job("silent", application(1, trackingUrl=""), application(2, trackingUrl="")),
        job("local"),
    ]
    found = collection(api).run()
    assert list(found) == [(application_id(5), None), ("silent", None), ("silent-1", None), ("local", None)]
    assert found[application_id(5), None]["app_name"] == "named"
    assert found["local", None]["data_quality"] == ["no_event_log"]


def test_a_running_job_without_an_application_yet_comes_later(api: DataprocApi) -> None:
    api.jobs = [job("a", state="RUNNING")]
    collecting = collection(api)
    assert collecting.run() == {}
    api.jobs = [job("a", application(1))]
    assert list(collecting.run()) == [(APP, None)]


def test_applications_of_one_job_have_their_own_states_and_are_flagged_for_its_times(
    api: DataprocApi,
) -> None:
    api.jobs = [job("a", application(1, state="FAILED"), application(2), application(3, state="RUNNING"))]
    found = collection(api).run()
    assert [record["status"] for record in found.values()] == ["FAILED", "COMPLETED", "COMPLETED"]
    assert all("job_times" in record["data_quality"] for record in found.values())


def test_a_cluster_that_is_gone_or_was_replaced_leaves_what_the_job_says(api: DataprocApi) -> None:
    api.jobs = [
        job("a", application(1), placement={"clusterName": "deleted", "clusterUuid": "x"}),
        job("b", application(2), placement={"clusterName": "etl", "clusterUuid": "an earlier one"}),
    ]
    collecting = collection(api)
    found = collecting.run()
    assert [record["data_quality"] for record in found.values()] == [["cluster_gone", "no_event_log"]] * 2
    assert [record["tags"] for record in found.values()] == [{"team": "data"}] * 2
    assert collecting.rejected == {}


@pytest.mark.parametrize("refusal", [403, 500])
def test_a_cluster_that_is_refused_is_told_once_and_its_jobs_are_described(
    api: DataprocApi, refusal: int
) -> None:
    api.clusters["etl"] = refusal
    api.jobs = [job("a", application(1)), job("b", application(2))]
    collecting = collection(api, retries=0)
    found = collecting.run()
    assert [record["data_quality"] for record in found.values()] == [["cluster_unknown", "no_event_log"]] * 2
    assert list(collecting.rejected) == ["cluster etl"]
    assert collecting.memory.things == {}, "what is incomplete is asked again"


def test_jobs_that_cannot_be_decrypted_are_rejected_by_name(api: DataprocApi) -> None:
    api.jobs = [job("a", application(1))]
    api.unreachable = ["sealed"]
    collecting = collection(api)
    assert len(collecting.run()) == 1
    assert list(collecting.rejected) == ["job sealed"]


def test_since_asks_by_submission_with_a_look_back_and_leaves_out_by_end(api: DataprocApi) -> None:
    early = {"state": "DONE", "stateStartTime": "2026-01-01T00:01:00Z"}
    api.jobs = [job("a", application(1)), job("b", application(2), status=early)]
    since = datetime(2026, 1, 1, 0, 2, tzinfo=UTC)
    assert list(collection(api).run(since=since)) == [(APP, None)]
    filters = [query["filter"] for _, query in api.asked if "filter" in query]
    assert filters == [
        "status.state = ACTIVE",
        'status.state = NON_ACTIVE AND insertTime >= "2025-12-25T00:02:00Z"',
    ]


def test_filters_leave_out_and_what_they_left_out_is_not_taken_for_known(api: DataprocApi) -> None:
    api.jobs = [
        job("a", application(1)),
        job("b", application(2, name="other")),
        job("c", application(3), labels={"team": "ml"}),
    ]
    collecting = collection(api)
    assert list(collecting.run(name="night*", tags={"team": "data"})) == [(APP, None)]
    assert collecting.run(user="ana") == {}, "Dataproc does not say whose job it is"
    assert len(collecting.run()) == 2


def test_an_ended_job_is_described_once_and_a_running_one_until_it_ends(api: DataprocApi) -> None:
    api.jobs = [job("a", application(1)), job("b", application(2), state="RUNNING")]
    collecting = collection(api)
    assert len(collecting.run()) == 2
    assert [record["status"] for record in collecting.run().values()] == ["RUNNING"]
    api.jobs[1] = job("b", application(2))
    assert [record["status"] for record in collecting.run().values()] == ["COMPLETED"]
    asked = len(api.paths("/etl"))
    assert collecting.run() == {}
    assert len(api.paths("/etl")) == asked
