"""The source ``emr`` where event logs can be read: joined with cluster and step, told once."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat_tests.collectors.emr_collection import Account
from metaplat_tests.standins.emr_clusters import DENIED, MANAGER, READY, emr_front, milliseconds, yarn_id
from metaplat_tests.standins.event_log_lines import application_start, head, whole_log
from metaplat_tests.standins.sick_s3 import sick_s3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metaplat_tests.standins.emr_clusters import EmrFront

START = READY + timedelta(minutes=1)
END = START + timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
FIRST = yarn_id(1)


class Logged(Account):
    """An account whose clusters write event logs to a bucket."""

    bucket: str
    s3: Any

    def start(self, name: str = "etl", folder: str = "spark-logs/", **more: Any) -> str:
        """Start a cluster that writes to ``folder`` of the bucket."""
        defaults = {"spark.eventLog.dir": f"s3a://{self.bucket}/{folder}"}
        classification = {"Classification": "spark-defaults", "Properties": defaults}
        return self.emr.start(name, Configurations=[classification], **more)

    def put(self, app_id: str, log: bytes, folder: str = "spark-logs/") -> None:
        """Write an event log."""
        self.s3.put_object(Bucket=self.bucket, Key=f"{folder}{app_id}", Body=log)

    def step(self, cluster: str, state: str = "COMPLETED", end: datetime | None = END, **more: Any) -> str:
        """Add a step that starts at ``START``."""
        return self.emr.step(cluster, state, START, end, **more)


@pytest.fixture
def account(
    moto_endpoint: str, s3_client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Logged]:
    with emr_front(moto_endpoint) as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL_EMR", front.address)
        made = Logged(front, tmp_path)
        made.bucket, made.s3 = f"bucket-{uuid.uuid4().hex}", s3_client
        s3_client.create_bucket(Bucket=made.bucket)
        yield made


@pytest.fixture
def emr(account: Logged) -> EmrFront:
    return account.emr


def log(app_id: str = FIRST, at: datetime = START + MINUTE, **more: Any) -> bytes:
    """Return the log of an application that takes a minute."""
    return whole_log(app_id, at=milliseconds(at), **more)


def open_log(app_id: str = FIRST, **more: Any) -> bytes:
    return head(app_id, at=milliseconds(START + MINUTE), **more)


def test_an_application_with_a_log_gives_one_full_record(account: Logged) -> None:
    cluster = account.start(tags={"team": "risk"})
    step = account.step(cluster, name="nightly", args=["spark-submit", "--name", "etl", "s3://code/job.py"])
    account.put(FIRST, log(spark__metaplat__tag__unit="a"))

    records = account.collect()

    assert list(records) == [FIRST]
    record = records[FIRST]
    assert (record["source"], record["run_id"], record["platform_state"]) == ("emr", step, "COMPLETED")
    assert (record["cluster_id"], record["cluster_name"]) == (cluster, "etl")
    assert record["tags"] == {"team": "risk", "unit": "a"}
    assert (record["app_name"], record["user"], record["status"]) == ("etl", "alice", "COMPLETED")
    assert (record["total_tasks"], record["input_bytes"], record["num_executors"]) == (3, 300, 1)
    assert record["log_address"] == f"s3://{account.bucket}/spark-logs/{FIRST}"
    assert record["environment"]["emr.instance.core.type"] == "r5.2xlarge"
    assert "no_event_log" not in record["data_quality"]
    assert "total_tasks" not in record["source_coverage"]


def test_the_application_that_emr_names_is_of_its_step(account: Logged, emr: EmrFront) -> None:
    cluster = account.start()
    step = account.step(cluster, name="x")
    more = {"ResourceManagerApplicationIds": [FIRST]}
    listed = {"Id": step, "Name": "x", "Config": {"Args": ["spark-submit", "job.py"]}, "AdditionalInfo": more}
    emr.instead["ListSteps"] = lambda _: (200, {"Steps": [{**listed, "Status": {"State": "COMPLETED"}}]})
    account.put(FIRST, log())
    records = account.collect()
    assert {app_id: record["run_id"] for app_id, record in records.items()} == {FIRST: step}


def test_an_application_named_by_its_program_is_not_told_twice(account: Logged) -> None:
    cluster = account.start()
    account.step(cluster, name="Spark step")
    account.put(FIRST, log(name="named in code"))
    records = account.collect()
    assert {app_id: record["run_id"] for app_id, record in records.items()} == {FIRST: None}


def test_an_application_that_no_step_submitted_is_told_beside_the_steps(account: Logged) -> None:
    cluster = account.start()
    step = account.step(cluster)
    account.put(FIRST, log(at=END + 20 * MINUTE, name="notebook"))
    records = account.collect()
    assert set(records) == {FIRST, step}
    assert records[step]["data_quality"] == ["no_event_log"]


def test_both_attempts_of_an_application_are_of_one_step(account: Logged) -> None:
    cluster = account.start()
    step = account.step(cluster, "FAILED", name="etl")
    for attempt in ("1", "2"):
        begun = application_start(FIRST, at=milliseconds(START + MINUTE))
        again = application_start(FIRST, at=milliseconds(START + MINUTE), App_Attempt_ID=attempt)
        account.put(f"{FIRST}_{attempt}", open_log().replace(begun, again))
    from metaplat.collectors.spark.emr import collect

    records = list(collect(account.request()))
    assert [(each["attempt_id"], each["run_id"], each["status"]) for each in records] == [
        ("1", step, "FAILED"),
        ("2", step, "FAILED"),
    ]


@pytest.mark.parametrize(
    ("state", "status"), [("FAILED", "FAILED"), ("CANCELLED", "KILLED"), ("RUNNING", "RUNNING")]
)
def test_a_log_without_an_end_ends_as_its_step_did(account: Logged, state: str, status: str) -> None:
    cluster = account.start()
    account.step(cluster, state, None if state == "RUNNING" else END, name="etl")
    account.put(f"{FIRST}.inprogress", open_log())
    record = account.collect()[FIRST]
    assert record["status"] == status
    assert (record["end_time"] is None) == (status == "RUNNING")


def test_an_application_without_an_end_on_a_cluster_that_is_gone_does_not_run_for_ever(
    account: Logged, emr: EmrFront
) -> None:
    cluster = account.start()
    account.put(f"{FIRST}.inprogress", open_log())
    assert account.collect()[FIRST]["status"] == "RUNNING"
    assert account.collect() == {}
    emr.end(cluster, END)
    assert account.collect()[FIRST]["status"] == "KILLED"
    assert account.collect() == {}


def test_a_log_without_news_is_not_opened_again(account: Logged, emr: EmrFront) -> None:
    cluster = account.start()
    step = account.step(cluster, "RUNNING", None, name="etl")
    account.put(FIRST, log())
    assert account.collect()[FIRST]["platform_state"] == "RUNNING"
    assert account.collect() == {}
    emr.move(cluster, step, "COMPLETED", START, END)
    assert account.collect()[FIRST]["platform_state"] == "COMPLETED"
    assert account.collect() == {}
    account.put(FIRST, log(tasks=4))
    assert account.collect()[FIRST]["total_tasks"] == 4


def test_a_step_told_before_its_log_came_is_closed_once(account: Logged, emr: EmrFront) -> None:
    """S3 shows a plain log only when it is closed: until then the step is all there is."""
    cluster = account.start()
    step = account.step(cluster, "RUNNING", None, name="etl")
    assert account.collect()[step]["status"] == "RUNNING"
    emr.move(cluster, step, "COMPLETED", START, END)
    emr.end(cluster, END + MINUTE)
    account.put(FIRST, log())
    records = account.collect()
    assert set(records) == {FIRST, step}
    assert records[FIRST]["run_id"] == step
    assert (records[step]["status"], records[step]["data_quality"]) == ("COMPLETED", ["superseded"])
    assert account.collect() == {}


def test_copies_of_logs_are_found_by_the_start_of_the_resource_manager(
    account: Logged, tmp_path: Path
) -> None:
    older, newer = account.emr.start("older", created=READY - timedelta(days=40)), account.emr.start("newer")
    step = account.step(newer, name="other")
    copies = tmp_path / "copies"
    copies.mkdir()
    (copies / FIRST).write_bytes(log(at=END + 9 * MINUTE))
    early = yarn_id(7, MANAGER - timedelta(days=40))
    (copies / early).write_bytes(log(early))
    strange = yarn_id(7, MANAGER - timedelta(days=400))
    (copies / strange).write_bytes(log(strange))
    records = account.collect(path=copies)
    assert {app_id: record["cluster_id"] for app_id, record in records.items()} == {
        FIRST: newer,
        early: older,
        step: newer,
    }
    (warning,) = account.warnings
    assert "1 event logs in" in warning
    assert "--source event-logs" in warning


def test_two_clusters_that_started_together_are_told_apart_by_their_hosts(
    account: Logged, emr: EmrFront
) -> None:
    one, other = account.start("one"), account.start("other")
    emr.instead["ListInstances"] = lambda body: (
        200,
        {"Instances": [{"PrivateDnsName": "ip-10-0-0-1" if body["ClusterId"] == other else "ip-10-0-0-2"}]},
    )
    account.put(FIRST, log().replace(b"10.0.0.1", b"ip-10-0-0-1"))
    second = yarn_id(2)
    account.put(second, log(second).replace(b"10.0.0.1", b"ip-10-9-9-9"))
    records = account.collect()
    assert (records[FIRST]["cluster_id"], records[second]["cluster_id"]) == (other, None)
    assert "cluster_unknown" in records[second]["data_quality"]
    assert emr.asked["ListInstances"] == 2
    assert one in emr.clusters
    assert account.collect() == {}


def test_no_permission_for_the_bucket_leaves_the_steps(
    account: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = account.step(account.start())
    refused = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    with sick_s3(403, refused) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
        records = account.collect()
    assert {app_id: record["data_quality"] for app_id, record in records.items()} == {step: ["no_event_log"]}
    assert account.rejected == {}
    assert any(account.bucket in warning and "left out" in warning for warning in account.warnings)


def test_a_bucket_that_does_not_exist_leaves_the_steps(account: Logged) -> None:
    account.bucket = f"none-{uuid.uuid4().hex}"
    step = account.step(account.start())
    assert list(account.collect()) == [step]
    assert any(account.bucket in warning for warning in account.warnings)


def test_one_bad_log_stops_neither_the_others_nor_its_step(account: Logged) -> None:
    cluster = account.start()
    step = account.step(cluster, name="broken")
    account.put(FIRST, b"this is no event log\n" * 9)
    second = yarn_id(2)
    account.put(second, log(second, at=END + 9 * MINUTE))
    for _ in range(2):  # it is told again, and not read again
        records = account.collect()
        assert [name.rpartition("/")[2] for name in account.rejected] == [FIRST]
        assert set(records) <= {second, step}
    assert records == {}


def test_logs_of_a_cluster_that_cannot_be_described_wait_for_it(account: Logged, emr: EmrFront) -> None:
    cluster = account.start(tags={"team": "risk"})
    account.put(FIRST, log())
    account.start("other")
    emr.instead["DescribeCluster"] = lambda body: DENIED if body["ClusterId"] == cluster else None
    emr.clusters[cluster].creation_datetime -= timedelta(hours=1)
    other = next(each for each in emr.clusters if each != cluster)
    emr.clusters[other].creation_datetime += timedelta(hours=1)
    assert account.collect() == {}
    assert list(account.rejected) == [f"cluster {cluster}"]
    emr.instead.clear()
    assert account.collect()[FIRST]["tags"] == {"team": "risk"}


def test_filters_are_those_of_application_and_cluster(account: Logged) -> None:
    account.start(tags={"team": "risk"})
    account.put(FIRST, log())
    second = yarn_id(2)
    account.put(second, log(second, user="bob", name="load"))
    assert list(account.collect(user="bob")) == [second]
    assert list(account.collect(name="e*", tags={"team": "risk"})) == [FIRST]
    assert account.collect(tags={"team": "other"}) == {}
    assert account.collect(tags={"team": "other"}) == {}
    assert account.collect() == {}  # each was told once


def test_since_leaves_out_applications_that_ended_before(account: Logged) -> None:
    account.start()
    account.put(FIRST, log())
    second = yarn_id(2)
    account.put(second, log(second, at=END + 60 * MINUTE))
    later = END + 30 * MINUTE
    assert list(account.collect(since=later)) == [second]
    assert account.collect(since=later) == {}
    assert list(account.collect()) == [FIRST]


def test_a_folder_below_another_is_read_once(account: Logged) -> None:
    one = account.start("one", "spark-logs/")
    two = account.start("two", "spark-logs/two/", created=READY + timedelta(hours=2))
    below = yarn_id(1, MANAGER + timedelta(hours=2))
    account.put(FIRST, log())
    account.put(below, log(below), "spark-logs/two/")
    records = account.collect()
    assert {app_id: record["cluster_id"] for app_id, record in records.items()} == {FIRST: one, below: two}
