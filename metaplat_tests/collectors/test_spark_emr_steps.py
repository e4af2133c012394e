"""The source ``emr`` where no event log can be read: clusters and steps as EMR lists them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat_tests.collectors.emr_collection import NOW, Account
from metaplat_tests.standins.emr_clusters import CREATED, READY, REGION, EmrFront, emr_front

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = READY + timedelta(minutes=1)
END = START + timedelta(minutes=30)


@pytest.fixture
def account(moto_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with emr_front(moto_endpoint) as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL_EMR", front.address)
        yield Account(front, tmp_path)


@pytest.fixture
def emr(account: Account) -> EmrFront:
    return account.emr


def test_a_spark_step_without_a_log_gives_what_the_inventory_knows(account: Account, emr: EmrFront) -> None:
    defaults = {
        "spark.executor.memory": "6G",
        "spark.executor.cores": "3",
        "spark.hadoop.x.password": "canary",
    }
    cluster = emr.start(
        "etl-nightly",
        tags={"team": "risk"},
        Configurations=[{"Classification": "spark-defaults", "Properties": defaults}],
    )
    submit = [
        "spark-submit",
        "--executor-cores",
        "5",
        "--conf",
        "spark.api.token=canary",
        "s3://c/job.py",
        "canary",
    ]
    step = emr.step(cluster, "COMPLETED", START, END, name="load", args=submit)
    emr.end(cluster, END + timedelta(minutes=2))

    record = account.collect()[step]

    assert {name: record[name] for name in ("source", "app_name", "status", "platform_state", "run_id")} == {
        "source": "emr",
        "app_name": "load",
        "status": "COMPLETED",
        "platform_state": "COMPLETED",
        "run_id": step,
    }
    assert (record["cluster_id"], record["cluster_name"], record["tags"]) == (
        cluster,
        "etl-nightly",
        {"team": "risk"},
    )
    assert (record["submit_time"], record["start_time"], record["end_time"], record["duration_ms"]) == (
        "2026-03-02T06:06:55.000Z",
        "2026-03-02T06:07:00.000Z",
        "2026-03-02T06:37:00.000Z",
        1_800_000,
    )
    assert (record["executor_cores"], record["executor_memory_mb"], record["driver_memory_mb"]) == (
        5,
        6144,
        None,
    )
    assert record["spark_version"] == "3.5.0"
    assert record["data_quality"] == ["no_event_log"]
    unknown = {"total_tasks", "num_executors", "input_bytes", "cpu_time_ms", "user", "driver_memory_mb"}
    assert unknown <= set(record["source_coverage"])
    assert [name for name in record["source_coverage"] if record[name] is not None] == []
    assert (record["driver_only_ms"], record["estimated_cost"]) == (None, None)
    assert "canary" not in str(record)
    assert "canary" not in str(account.notebook.kept)


def test_release_instances_hours_and_times_are_in_the_environment(account: Account, emr: EmrFront) -> None:
    cluster = emr.start()
    emr.clusters[cluster].normalized_instance_hours = 96
    step = emr.step(cluster, "RUNNING", START)
    found = account.collect()[step]["environment"]
    tasks = [
        {part: found.pop(f"emr.instance.{group}.{part}") for part in ("type", "count", "market")}
        for group in ("task", "task.2")
    ]
    assert found == {
        "emr.release_label": "emr-7.1.0",
        "emr.applications": "Hadoop 3.3.6, Spark 3.5.0",
        "emr.cluster_state": "RUNNING",
        "emr.cluster_created": "2026-03-02T06:00:00+00:00",
        "emr.cluster_ready": "2026-03-02T06:06:00+00:00",
        "emr.log_uri": "s3://emr-logs/",
        "emr.normalized_instance_hours": "96",
        "emr.instance.master.type": "m5.xlarge",
        "emr.instance.master.count": "1",
        "emr.instance.master.market": "ON_DEMAND",
        "emr.instance.core.type": "r5.2xlarge",
        "emr.instance.core.count": "4",
        "emr.instance.core.market": "ON_DEMAND",
    }
    assert sorted(tasks, key=str) == [  # which comes first is chance
        {"type": "c5.2xlarge", "count": "3", "market": "ON_DEMAND"},
        {"type": "c5.xlarge", "count": "2", "market": "ON_DEMAND"},
    ]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("PENDING", "RUNNING"),
        ("RUNNING", "RUNNING"),
        ("CANCEL_PENDING", "RUNNING"),
        ("COMPLETED", "COMPLETED"),
        ("FAILED", "FAILED"),
        ("CANCELLED", "KILLED"),
        ("INTERRUPTED", "KILLED"),
    ],
)
def test_the_state_of_a_step_is_the_status_of_its_application(
    account: Account, emr: EmrFront, state: str, status: str
) -> None:
    started = state not in ("PENDING", "CANCELLED")
    step = emr.step(emr.start(), state, START if started else None, END if started else None)
    record = account.collect()[step]
    assert (record["status"], record["platform_state"]) == (status, state)
    assert (record["end_time"] is None) == (status == "RUNNING" or not started)
    assert record["observed_start"] is not None  # a day to file it under
    assert ("incomplete" in record["data_quality"]) == (status == "RUNNING")


def test_a_step_left_open_by_a_cluster_that_is_gone_does_not_run_for_ever(
    account: Account, emr: EmrFront
) -> None:
    cluster = emr.start()
    step = emr.step(cluster, "RUNNING", START)
    emr.end(cluster, END, "TERMINATED_WITH_ERRORS")
    record = account.collect()[step]
    assert (record["status"], record["end_time"]) == ("KILLED", "2026-03-02T06:37:00.000Z")


def test_steps_that_are_not_spark_are_no_applications(account: Account, emr: EmrFront) -> None:
    cluster = emr.start()
    emr.step(cluster, "COMPLETED", START, END, args=["hive-script", "--run-hive-script"])
    emr.step(cluster, "COMPLETED", START, END, args=["bash", "-c", "aws s3 cp s3://a/spark-submit.txt ."])
    shell = emr.step(
        cluster, "COMPLETED", START, END, args=["bash", "-c", "cd /x; spark-submit --name n job.py"]
    )
    assert list(account.collect()) == [shell]


def test_a_fleet_is_described_by_its_types_and_capacities(account: Account, emr: EmrFront) -> None:
    cluster = emr.start()
    step = emr.step(cluster, "RUNNING", START)
    fleets: list[dict[str, Any]] = [
        {"Id": "if-1", "InstanceFleetType": "MASTER", "TargetOnDemandCapacity": 1, "TargetSpotCapacity": 0},
        {
            "Id": "if-2",
            "InstanceFleetType": "CORE",
            "TargetOnDemandCapacity": 2,
            "TargetSpotCapacity": 6,
            "InstanceTypeSpecifications": [{"InstanceType": "m5.xlarge"}, {"InstanceType": "m5.2xlarge"}],
        },
    ]
    pages: dict[str | None, tuple[int, dict[str, Any]]] = {
        None: (200, {"InstanceFleets": fleets[:1], "Marker": "m"}),
        "m": (200, {"InstanceFleets": fleets[1:]}),
    }
    emr.instead["ListInstanceFleets"] = lambda body: pages[body.get("Marker")]
    emr.instead["DescribeCluster"] = lambda body: (  # noqa: ARG005
        200,
        {"Cluster": {"Id": cluster, "Name": "fleet", "InstanceCollectionType": "INSTANCE_FLEET"}},
    )
    environment = account.collect()[step]["environment"]
    assert {name: value for name, value in environment.items() if name.startswith("emr.instance.")} == {
        "emr.instance.master.on_demand_capacity": "1",
        "emr.instance.master.spot_capacity": "0",
        "emr.instance.core.types": "m5.xlarge,m5.2xlarge",
        "emr.instance.core.on_demand_capacity": "2",
        "emr.instance.core.spot_capacity": "6",
    }


def test_all_pages_of_clusters_and_steps_are_read(account: Account, emr: EmrFront) -> None:
    clusters = [emr.start(f"etl-{number}") for number in range(52)]
    many = {emr.step(clusters[7], "COMPLETED", START, END, name=f"part {number}") for number in range(53)}
    others = {emr.step(each, "COMPLETED", START, END) for each in clusters[:7] + clusters[8:]}
    assert set(account.collect()) == many | others
    assert emr.asked["ListClusters"] >= 3  # two of those alive, one of those that ended
    assert emr.asked["ListSteps"] == 53


def test_an_ended_cluster_is_described_once_and_a_step_told_once_a_state(
    account: Account, emr: EmrFront
) -> None:
    over, alive = emr.start("over"), emr.start("alive")
    done = emr.step(over, "COMPLETED", START, END)
    running = emr.step(alive, "RUNNING", START)
    emr.end(over, END)
    assert set(account.collect()) == {done, running}
    assert emr.asked["DescribeCluster"] == 2

    assert account.collect() == {}
    assert emr.asked["DescribeCluster"] == 1  # the one that is alive

    emr.move(alive, running, "FAILED", START, END)
    assert {app_id: record["status"] for app_id, record in account.collect().items()} == {running: "FAILED"}


def test_long_after_its_end_a_cluster_costs_nothing_more(account: Account, emr: EmrFront) -> None:
    cluster = emr.start()
    step = emr.step(cluster, "COMPLETED", START, END)
    emr.end(cluster, END)
    assert list(account.collect(now=NOW + timedelta(days=3))) == [step]
    account.notebook.note = None  # type: ignore[method-assign, assignment]  # nothing is opened any more
    assert account.collect(now=NOW + timedelta(days=3)) == {}
    assert set(emr.asked) == {"ListClusters"}


def test_a_note_of_another_version_is_as_good_as_none(account: Account, emr: EmrFront) -> None:
    cluster = emr.start()
    emr.step(cluster, "COMPLETED", START, END)
    emr.end(cluster, END)
    account.collect()
    kept = account.notebook.kept
    kept |= {name: (fingerprint, b'{"seen": 1}') for name, (fingerprint, _) in kept.items()}
    assert account.collect() == {}
    assert emr.asked["DescribeCluster"] == 1


def test_a_step_without_times_does_no_harm(account: Account, emr: EmrFront) -> None:
    cluster = emr.start()
    emr.step(cluster, "COMPLETED", START, END)
    bare = {"Config": {"Args": ["spark-submit"]}}
    emr.instead["ListSteps"] = lambda _: (200, {"Steps": [{"Id": "s-1", **bare}, {"Id": "s-2", **bare}]})
    records = account.collect()
    assert {app_id: record["app_name"] for app_id, record in records.items()} == {"s-1": "s-1", "s-2": "s-2"}


def test_what_a_filter_left_out_comes_when_it_is_asked_for(account: Account, emr: EmrFront) -> None:
    red, blue = emr.start(tags={"team": "red"}), emr.start(tags={"team": "blue"})
    steps = {
        name: emr.step(each, "COMPLETED", START, END, name=name) for name, each in (("r", red), ("b", blue))
    }
    for each in (red, blue):
        emr.end(each, END)
    much_later = NOW + timedelta(days=9)
    assert list(account.collect(now=much_later, tags={"team": "red"})) == [steps["r"]]
    assert account.collect(now=much_later, user="alice") == {}  # EMR does not say who submitted a step
    assert list(account.collect(now=much_later, name="b*")) == [steps["b"]]
    assert account.collect(now=much_later) == {}


def test_since_leaves_out_what_ended_before_and_keeps_clusters_that_live_long(
    account: Account, emr: EmrFront
) -> None:
    gone, old = emr.start("gone"), emr.start("old", created=CREATED - timedelta(days=200))
    emr.step(gone, "COMPLETED", START, END)
    emr.end(gone, END)
    emr.step(old, "COMPLETED", START, END, name="early")
    late = emr.step(old, "COMPLETED", START, END + timedelta(hours=2), name="late")
    emr.end(old, END + timedelta(hours=3))
    assert list(account.collect(since=END + timedelta(hours=1))) == [late]
    assert emr.asked["DescribeCluster"] == 1


def test_where_no_log_can_be_read_the_user_is_told_what_to_configure(account: Account, emr: EmrFront) -> None:
    for name in ("a", "b"):
        emr.step(emr.start(name), "COMPLETED", START, END)
    account.collect()
    (warning,) = account.warnings
    assert "and 1 more with Spark steps" in warning
    assert "spark.eventLog.dir" in warning


def test_the_region_of_the_settings_goes_before_that_of_the_environment(
    account: Account, emr: EmrFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    emr.instead["ListClusters"] = lambda _: (200, {"Clusters": []})
    account.settings = account.settings.model_copy(update={"emr_region": REGION})
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert account.collect() == {}
    assert emr.asked["ListClusters"] == 2
