"""Dataproc jobs joined with the event logs of their YARN applications."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.collectors.spark.dataproc import collect
from metaplat.model.errors import UsageError
from metaplat_tests.standins.dataproc_api import DataprocApi
from metaplat_tests.standins.dataproc_jobs import application, application_id, cluster, job
from metaplat_tests.standins.platform_collection import NOW, Collection
from metaplat_tests.standins.small_event_log import event_log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APP = application_id(1)


@pytest.fixture
def api() -> Iterator[DataprocApi]:
    with DataprocApi([job("nightly-1", application(1))]) as serving:
        serving.clusters["etl"] = cluster()
        yield serving


def collection(api: DataprocApi, **s3: Any) -> Collection:
    settings = {"dataproc_endpoint": api.url, "dataproc_project": "acme", "retries": 0}
    return Collection(collect, settings, s3)


def test_an_application_has_the_figures_of_its_log(api: DataprocApi, tmp_path: Path) -> None:
    (tmp_path / APP).write_bytes(event_log(APP))
    record = collection(api).run(path=tmp_path)[APP, None]
    assert (record["total_tasks"], record["input_bytes"], record["spark_version"]) == (3, 3000, "3.5.1")
    assert (record["user"], record["status"], record["duration_ms"]) == ("ana", "COMPLETED", 1000)
    assert (record["run_id"], record["cluster_name"], record["platform_state"]) == (
        "nightly-1",
        "etl",
        "DONE",
    )
    assert record["tags"] == {"team": "data", "cost": "42"}
    assert record["environment"]["dataproc.image_version"] == "2.2.9-debian12"
    assert record["environment"]["spark.executor.memory"] == "4g", "what was in force, as the log has it"
    assert record["log_address"] == str(tmp_path / APP)
    assert record["data_quality"] == ["submit_time_missing"]


def test_the_job_says_how_an_application_ended_whose_log_says_only_that_it_did(
    api: DataprocApi, tmp_path: Path
) -> None:
    api.jobs = [job("a", application(1), state="ERROR"), job("b", application(2), state="CANCELLED")]
    (tmp_path / APP).write_bytes(event_log(APP))
    (tmp_path / f"{application_id(2)}.inprogress").write_bytes(event_log(application_id(2), ended=False))
    found = collection(api).run(path=tmp_path)
    assert (found[APP, None]["status"], found[APP, None]["duration_ms"]) == ("FAILED", 1000)
    killed = found[application_id(2), None]
    assert (killed["status"], killed["end_time"]) == ("KILLED", "2026-01-01T00:03:02.500Z")
    assert "incomplete" not in killed["data_quality"]


def test_earlier_attempts_have_failed_and_the_last_is_that_of_the_job(
    api: DataprocApi, tmp_path: Path
) -> None:
    (tmp_path / f"{APP}_2").write_bytes(event_log(APP, attempt="2", tasks=4))
    (tmp_path / f"{APP}_1").write_bytes(event_log(APP, attempt="1", tasks=1, ended=False))
    found = collection(api).run(path=tmp_path)
    assert {key: (record["status"], record["total_tasks"]) for key, record in found.items()} == {
        (APP, "1"): ("FAILED", 1),
        (APP, None): ("COMPLETED", 4),
    }
    assert found[APP, None]["environment"]["spark.app.attempt.id"] == "2"
    assert "incomplete" in found[APP, "1"]["data_quality"]


def test_logs_on_s3_are_found_where_the_job_writes_them(
    api: DataprocApi, moto_endpoint: str, s3_bucket: str, s3_client: Any
) -> None:
    s3_client.put_object(Bucket=s3_bucket, Key=f"spark/{APP}", Body=event_log(APP))
    properties = {"spark.eventLog.dir": f"s3a://{s3_bucket}/spark"}
    api.jobs = [job("a", application(1), pysparkJob={"properties": properties})]
    assert collection(api, endpoint_url=moto_endpoint).run()[APP, None]["total_tasks"] == 3


def test_a_bucket_that_cannot_be_listed_is_rejected_once_and_jobs_are_inventory(
    api: DataprocApi, moto_endpoint: str
) -> None:
    written = {"properties": {"spark.eventLog.dir": "s3://no-such-bucket-anywhere/spark"}}
    api.jobs = [job(f"j{number}", application(number), pysparkJob=written) for number in (1, 2)]
    collecting = collection(api, endpoint_url=moto_endpoint)
    found = collecting.run()
    assert [record["data_quality"] for record in found.values()] == [["no_event_log"]] * 2
    assert list(collecting.rejected) == ["event logs in s3://no-such-bucket-anywhere/spark"]


def test_a_folder_that_is_not_readable_from_here_is_warned_of_once(api: DataprocApi) -> None:
    api.jobs.append(job("b", application(2)))
    collecting = collection(api)
    assert len(collecting.run()) == 2
    assert collecting.warnings == [
        "event logs in gs://acme-logs/spark cannot be read from here: name a copy of them by --path"
    ]


def test_a_log_that_is_none_is_rejected_and_the_job_described_without(
    api: DataprocApi, tmp_path: Path
) -> None:
    api.jobs.append(job("b", application(2)))
    (tmp_path / APP).write_bytes(b"what is this?\n")
    (tmp_path / application_id(2)).write_bytes(event_log(application_id(2)))
    collecting = collection(api)
    found = collecting.run(path=tmp_path)
    assert found[APP, None]["data_quality"] == ["no_event_log"]
    assert found[application_id(2), None]["total_tasks"] == 3
    assert list(collecting.rejected) == [str(tmp_path / APP)]
    assert list(collecting.run(path=tmp_path)) == [(APP, None)], "the one that was read is known"


def test_a_job_is_looked_at_again_until_its_log_has_come(api: DataprocApi, tmp_path: Path) -> None:
    collecting = collection(api)
    just_after = NOW - timedelta(hours=23, minutes=50)
    assert collecting.run(just_after, path=tmp_path)[APP, None]["total_tasks"] is None
    (tmp_path / APP).write_bytes(event_log(APP))
    assert collecting.run(just_after, path=tmp_path)[APP, None]["total_tasks"] == 3
    assert collecting.run(just_after, path=tmp_path) == {}


def test_a_copy_that_is_named_later_joins_jobs_that_are_known(api: DataprocApi, tmp_path: Path) -> None:
    (tmp_path / APP).write_bytes(event_log(APP))
    collecting = collection(api)
    assert collecting.run()[APP, None]["total_tasks"] is None
    assert collecting.run() == {}
    assert collecting.run(path=tmp_path)[APP, None]["total_tasks"] == 3


def test_the_user_of_a_log_is_asked_for(api: DataprocApi, tmp_path: Path) -> None:
    api.jobs.append(job("b", application(2)))
    (tmp_path / APP).write_bytes(event_log(APP, user="ana"))
    (tmp_path / application_id(2)).write_bytes(event_log(application_id(2), user="bo"))
    assert list(collection(api).run(path=tmp_path, user="bo")) == [(application_id(2), None)]


def test_a_copy_that_does_not_exist_is_told(api: DataprocApi, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        collection(api).run(path=tmp_path / "nowhere")
