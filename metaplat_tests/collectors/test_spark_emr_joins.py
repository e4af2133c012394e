"""What a step's command line says, which cluster a log is of, and which step an application is of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.spark.attempt import ApplicationAttempt, Executor
from metaplat.collectors.spark.emr.cluster import Seen, Step
from metaplat.collectors.spark.emr.describing import log_folder
from metaplat.collectors.spark.emr.owners import Owners, by_hosts
from metaplat.collectors.spark.emr.step_joins import likely_steps, sure_step
from metaplat.collectors.spark.emr.submission import Submission, submission_of
from metaplat.collectors.spark.log_files.log import EventLog
from metaplat_tests.standins.emr_clusters import CREATED, MANAGER, READY, yarn_id

START = READY + timedelta(minutes=1)
END = START + timedelta(minutes=30)
MINUTE = timedelta(minutes=1)


def submitted(*arguments: str) -> Submission:
    found = submission_of(None, arguments)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["spark-submit", "--deploy-mode", "cluster", "s3://code/jobs/load.py", "--name", "mine"], "load.py"),
        (["spark-submit", "--class", "com.example.Load", "s3://code/app.jar"], "com.example.Load"),
        (["/usr/lib/spark/bin/spark-submit", "--name", "load", "--class", "x.Y", "app.jar"], "load"),
        (["spark-submit", "--name=load", "--verbose", "app.jar"], "load"),
        (["spark-submit", "--conf", "spark.app.name=load it", "app.jar"], "load it"),
        (["bash", "-c", "cd /x;spark-submit --supervise --name 'load it' app.jar"], "load it"),
        (["bash", "-c", "spark-submit --name 'never closed"], "'never"),
        (["spark-submit"], None),
        (["spark-submit", "--name"], None),
    ],
)
def test_the_name_is_the_one_spark_would_give(arguments: list[str], name: str | None) -> None:
    assert submitted(*arguments).name == name


def test_options_go_before_properties_and_other_properties_are_left() -> None:
    found = submitted(
        *(
            "spark-submit",
            "--conf",
            "spark.executor.cores=2",
            "--executor-cores",
            "4",
            "--num-executors",
            "7",
        ),
        *("-c", "spark.x=a=b", "--conf", "hive.y=1", "--conf", "broken", "--files", "f", "app.jar", "secret"),
    )
    assert found.conf == {"spark.executor.cores": "4", "spark.executor.instances": "7", "spark.x": "a=b"}


def test_a_step_that_runs_the_submitting_class_itself_is_a_spark_step() -> None:
    found = submission_of("org.apache.spark.deploy.SparkSubmit", ["--name", "load", "app.jar"])
    assert found == Submission("load", {"spark.app.name": "load"})


@pytest.mark.parametrize("arguments", [[], ["hadoop-streaming"], ["bash", "-c", "echo spark-submitted"]])
def test_any_other_step_submits_nothing(arguments: list[str]) -> None:
    assert submission_of(None, arguments) is None


@given(
    st.lists(
        st.text(max_size=12) | st.sampled_from(["spark-submit", "--conf", "a=b", "spark-sql 'x", "--name"])
    )
)
def test_any_arguments_are_read_and_the_same_ones_alike(arguments: list[str]) -> None:
    for main in ("org.apache.spark.deploy.SparkSubmit", None):
        assert submission_of(main, arguments) == submission_of(main, list(arguments))


@pytest.mark.parametrize(
    ("said", "folder"),
    [
        ("s3://logs/spark/", "s3://logs/spark"),
        ("s3a://logs", "s3://logs"),
        ("hdfs:///var/log/spark/apps", None),
        ("/var/log", None),
        ("", None),
        ("s3:///", None),
    ],
)
def test_only_folders_on_s3_can_be_read(said: str, folder: str | None) -> None:
    assert log_folder({"spark.eventLog.dir": said}) == folder


def cluster(cluster_id: str, created: int = 0, ended: int | None = None) -> Seen:
    """Return a cluster, ready in six minutes; times are in minutes after ``CREATED``."""
    at = [None if each is None else CREATED + each * MINUTE for each in (created, created + 6, ended)]
    return Seen(cluster_id, "", "TERMINATED" if ended else "WAITING", at[0], at[1], at[2], None)


def log(app_id: str | None, address: str = "s3://logs/x") -> EventLog:
    return EventLog(address, "x", "single", (), app_id=app_id)


def owners(*seen: Seen) -> Owners:
    return Owners({each.cluster_id: each for each in seen}, (), CREATED + timedelta(days=30))


def test_of_clusters_alive_the_one_that_was_starting_is_taken() -> None:
    old, new = cluster("j-OLD0000000000", -10_000), cluster("j-NEW0000000000")
    assert owners(old, new).candidates(log(yarn_id(1)), None) == ["j-NEW0000000000"]


def test_a_resource_manager_that_was_started_again_is_found_by_the_life_of_its_cluster() -> None:
    found = owners(cluster("j-A000000000000", ended=600), cluster("j-B000000000000", 700))
    again = yarn_id(1, CREATED + 400 * MINUTE)
    assert found.candidates(log(again), None) == ["j-A000000000000"]
    assert found.candidates(log(yarn_id(1, CREATED + 650 * MINUTE)), None) == []


def test_two_that_started_together_are_told_apart_by_where_they_write() -> None:
    found = owners(cluster("j-A000000000000"), cluster("j-B000000000000", 1))
    assert found.candidates(log(yarn_id(1)), None) == ["j-A000000000000", "j-B000000000000"]
    assert found.candidates(log(yarn_id(1)), {"j-B000000000000"}) == ["j-B000000000000"]


def test_a_cluster_named_in_the_address_goes_before_all_times() -> None:
    found = owners(cluster("j-A000000000000"), cluster("j-B000000000000"))
    inside = log("local-1", "s3://logs/j-B000000000000/local-1")
    assert found.candidates(inside, None) == ["j-B000000000000"]
    assert found.candidates(log(yarn_id(1), "s3://logs/j-Z000000000000/x"), None) == []


@pytest.mark.parametrize(
    "app_id", [None, "local-1772431200000", "app-20260302060000-0001", "application_1_1"]
)
def test_a_name_that_yarn_did_not_give_is_of_no_cluster(app_id: str | None) -> None:
    assert owners(cluster("j-A000000000000")).candidates(log(app_id), None) == []


def attempt(app_id: str = "application_1", name: str | None = "load", **more: object) -> ApplicationAttempt:
    found = ApplicationAttempt("emr", app_id, app_name=name, start_time=START + MINUTE)
    for key, value in more.items():
        setattr(found, key, value)
    return found


def test_hosts_decide_only_where_exactly_one_cluster_fits() -> None:
    ran = attempt(executors=[Executor("1", "ip-10-0-0-1")], environment={"spark.driver.host": "ip-10-0-0-2"})
    assert by_hosts(ran, {"a": {"ip-10-0-0-2"}, "b": {"ip-10-0-0-3"}}) == "a"
    assert by_hosts(ran, {"a": {"ip-10-0-0-2"}, "b": {"ip-10-0-0-1"}}) is None
    assert by_hosts(attempt(), {"a": set(), "b": set()}) is None


def step(step_id: str, start: int | None = 0, end: int | None = 30, **more: object) -> Step:
    """Return a step with times in minutes after ``START``."""
    at = [None if each is None else START + each * MINUTE for each in (start, end)]
    found = Step(step_id, "load", "COMPLETED", None, at[0], at[1], names=["load"])
    return replace(found, **more)  # type: ignore[arg-type]


def test_the_application_that_emr_names_is_of_that_step_whatever_its_name_and_time() -> None:
    named = step("s-1", 500, 600, application_ids=["application_1"], names=["x"])
    assert sure_step(attempt(), [step("s-2"), named]) is named
    assert sure_step(attempt("application_2"), [named]) is None


def test_a_name_is_sure_only_where_one_step_of_that_time_has_it() -> None:
    first, later = step("s-1"), step("s-2", 31, 60)
    assert sure_step(attempt(), [first, later]) is first
    assert sure_step(attempt(), [first, step("s-3", 0, None)]) is None
    assert sure_step(attempt(name="other"), [first]) is None
    assert sure_step(attempt(name=None), [first]) is None
    assert sure_step(attempt(start_time=None), [first]) is None


def test_each_application_stands_for_one_step_at_most() -> None:
    both = [step("s-1", 0, 30), step("s-2", 0, 60)]
    assert likely_steps([START + MINUTE], both) == {"s-1"}
    assert likely_steps([START + MINUTE, START + 2 * MINUTE], both) == {"s-1", "s-2"}
    assert likely_steps([START + 40 * MINUTE], both) == {"s-2"}
    assert likely_steps([START - 5 * MINUTE], both) == set()
    assert likely_steps([START + MINUTE], [step("s-3", None, None)]) == set()


@given(
    st.lists(st.integers(0, 50), max_size=6),
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20) | st.none()), max_size=6),
)
def test_never_more_steps_are_told_than_applications_began(
    begun: list[int], times: list[tuple[int, int | None]]
) -> None:
    steps = [
        step(f"s-{at}", start, None if length is None else start + length)
        for at, (start, length) in enumerate(times)
    ]
    moments = [START + each * MINUTE for each in begun]
    found = likely_steps(moments, steps)
    assert len(found) <= len(moments)
    assert all(any(each.covers(moment) for moment in moments) for each in steps if each.step_id in found)


def test_manager_started_between_creation_and_readiness() -> None:
    assert CREATED < MANAGER < READY  # what the tests above rest on
