"""``--via logs``: each attempt by its event log, downloaded as a zip; and what is read again later."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.collectors.spark.history_server import archive
from metaplat.model.errors import UsageError
from metaplat_tests.standins.small_event_log import event_lines, event_log
from metaplat_tests.standins.spark_rest import SparkRest
from metaplat_tests.standins.spark_rest_parts import (
    START,
    Collected,
    application,
    attempt,
    collected,
    parts,
    zipped,
)

if TYPE_CHECKING:
    from pathlib import Path


def read(content: bytes, app_id: str = "app-1", **asked: Any) -> Collected:
    """Collect one application whose zip is ``content``."""
    with SparkRest([application(app_id)], {f"{app_id}/logs": content}) as rest:
        return collected(rest.url, **asked)


def test_a_single_log_is_read_from_its_zip() -> None:
    with SparkRest([application()], {"app-1/logs": zipped({"app-1": event_log("app-1", tasks=5)})}) as rest:
        found = collected(rest.url)
        assert rest.asked("/stages") == 0
        host = rest.url.removeprefix("http://")
    record = found.only
    assert (record["source"], record["app_id"], record["total_tasks"]) == ("history-server", "app-1", 5)
    assert (record["cpu_time_ms"], record["input_bytes"]) == (450, 5000)
    assert record["log_address"] == f"{host}/api/v1/applications/app-1/logs"
    assert record["source_coverage"] == []


def test_a_rolling_log_is_read_in_the_order_of_its_numbers() -> None:
    lines = [f"{line}\n".encode() for line in event_lines("app-1", tasks=12)]
    folder = "eventlog_v2_app-1/"
    files = {
        f"{folder}": b"",
        f"{folder}appstatus_app-1": b"",
        **{f"{folder}events_{number}_app-1": line for number, line in enumerate(lines, start=1)},
    }
    record = read(zipped(dict(sorted(files.items())))).only
    assert (record["total_tasks"], record["status"], record["data_quality"]) == (
        12,
        "COMPLETED",
        ["submit_time_missing"],
    )


def test_an_application_that_runs_is_read_as_far_as_it_is() -> None:
    lines = event_log("app-1", ended=False)[:-30]
    running = application("app-1", attempt(None))
    with SparkRest([running], {"app-1/logs": zipped({"app-1.inprogress": lines})}) as rest:
        record = collected(rest.url).only
    assert (record["status"], record["end_time"]) == ("RUNNING", None)
    assert record["broken_lines"] == 0
    assert "incomplete" in record["data_quality"]


def test_each_attempt_is_read_by_its_own_log() -> None:
    both = application("app-1", attempt(attemptId="2"), attempt(attemptId="1"))
    logs = {
        f"app-1/{tasks}/logs": zipped({f"a_{tasks}": event_log("app-1", attempt=str(tasks), tasks=tasks)})
        for tasks in (1, 2)
    }
    with SparkRest([both], logs) as rest:
        found = collected(rest.url)
    assert found.names == ["app-1/2", "app-1/1"]
    assert [one["total_tasks"] for one in found.records] == [2, 1]


def test_a_log_without_its_start_has_what_the_list_says() -> None:
    lines = "\n".join(event_lines("app-1")[3:])
    record = read(zipped({"whatever": lines.encode()})).only
    assert (record["app_id"], record["app_name"], record["user"]) == ("app-1", "nightly", "ana")
    assert record["start_time"] == "2026-01-01T00:00:00.000Z"
    assert "application_start_missing" in record["data_quality"]
    assert "app_id_from_file_name" not in record["data_quality"]


def test_of_several_logs_the_one_of_the_attempt_is_read() -> None:
    names = {"application_1_0001_1": "1", "application_1_0001_2": "2"}
    both = {name: event_log("application_1_0001", attempt=number) for name, number in names.items()}
    listed = application("application_1_0001", attempt(attemptId="2"))
    with SparkRest([listed], {"application_1_0001/2/logs": zipped(both)}) as rest:
        assert collected(rest.url).names == ["application_1_0001/2"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped({"app-1": event_log("app-1")})[:-40], "its zip is damaged"),
        (zipped({"a": event_log("a")}, zipfile.ZIP_STORED).replace(b"nightly", b"daily__"), "damaged"),
        (b"PK" + b"\0" * 500, "its zip is damaged"),
        (zipped({}), "its zip does not hold one event log"),
        (zipped({"a": event_log("app-1"), "b": event_log("app-1")}), "its zip does not hold one event log"),
        (zipped({"app-2": event_log("app-2")}), "its zip holds the event log of app-2"),
        (zipped({"../app-1": event_log("app-1")}), "a name that leads out of it"),
        (zipped({"/etc/app-1": event_log("app-1")}), "a name that leads out of it"),
        (zipped({"..\\app-1": event_log("app-1")}), "a name that leads out of it"),
        (zipped({"C:app-1": event_log("app-1")}), "a name that leads out of it"),
        (zipped({"/".join("abcdefghij"): b""}), "a name that leads out of it"),
        (zipped({"a": b"", "a/b": b""}), "cannot be unpacked"),
        (zipped({"x" * 300: b""}), "cannot be unpacked"),
        (zipped({"app-1": b"no event\n" * 9}), "no event log"),
        (zipped({"app-1": b""}), "no event log"),
    ],
)
def test_a_zip_that_no_history_server_makes_is_rejected(content: bytes, reason: str) -> None:
    found = read(content)
    assert found.records == []
    assert reason in found.rejected["app-1"]
    assert found.memory.things == {}


def test_a_zip_with_the_same_name_twice_is_rejected() -> None:
    content = zipped({"app-1": event_log("app-1"), "app-2": event_log("app-1")}, zipfile.ZIP_STORED)
    assert "the same name twice" in read(content.replace(b"app-2", b"app-1")).rejected["app-1"]


def test_a_zip_that_grows_beyond_all_measure_is_rejected_unread() -> None:
    content = zipped({"app-1": bytes(archive.FREE_RATIO_BYTES + 1)})
    assert "claims to hold" in read(content).rejected["app-1"]


def test_a_zip_with_too_many_entries_is_rejected() -> None:
    content = zipped({str(number): b"" for number in range(archive.MOST_ENTRIES + 1)}, zipfile.ZIP_STORED)
    assert "50,001 entries" in read(content).rejected["app-1"]


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    read(zipped({"app-1": event_log("app-1")}))
    read(zipped({"../app-1": b""}))
    assert list(tmp_path.iterdir()) == []


def test_what_did_not_change_is_not_asked_again() -> None:
    applications = [application("a", attempt(START + 9)), application("b"), application("r", attempt(None))]
    logs = {f"{name}/logs": zipped({name: event_log(name)}) for name in ("a", "b")}
    logs["r/logs"] = zipped({"r.inprogress": event_log("r", ended=False)})
    with SparkRest(applications, logs) as rest:
        first = collected(rest.url)
        asked = rest.asked("/logs")
        assert collected(rest.url, first.memory).names == []
        assert rest.asked("/logs") == asked == 3
        rest.applications[2]["attempts"] = [attempt(None, lastUpdatedEpoch=START + 500)]
        assert collected(rest.url, first.memory).names == ["r"]
        rest.applications[2]["attempts"] = [attempt(START + 600)]
        assert collected(rest.url, first.memory).names == ["r"]
        assert collected(rest.url, first.memory).names == []


def test_another_way_and_other_settings_read_everything_again() -> None:
    with SparkRest([application()], parts() | {"app-1/logs": zipped({"app-1": event_log("app-1")})}) as rest:
        memory = collected(rest.url).memory
        assert collected(rest.url, memory, via="rest").names == ["app-1"]
        assert collected(rest.url, memory, price_core_hour=1.0).names == ["app-1"]
        assert collected(rest.url, memory, price_core_hour=1.0, max_apps=7, retries=0).names == []


def test_a_record_is_remembered_once_it_is_taken_and_not_before() -> None:
    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.history_server import collect
    from metaplat.settings import Settings
    from metaplat_tests.standins.spark_rest_parts import NOW

    into = Collected()
    with SparkRest([application()], {"app-1/logs": zipped({"app-1": event_log("app-1")})}) as rest:
        request = CollectRequest(Settings(), NOW, into.warnings.append, url=rest.url, memory=into.memory)
        records = iter(collect(request))
        next(records)
        assert into.memory.things == {}
        assert list(records) == []
    assert len(into.memory.things) == 1


def test_filters_by_user_and_name_need_no_log() -> None:
    applications = [
        application("a", attempt(START + 9, sparkUser="ben")),
        application("b", attempt(START + 8), name="etl-1"),
        application("c", attempt(START + 7), name="other"),
    ]
    logs = {"b/logs": zipped({"b": event_log("b", name="etl-1")})}
    with SparkRest(applications, logs) as rest:
        found = collected(rest.url, user="ana", name="etl-*")
        assert rest.asked("/logs") == 1
    assert found.names == ["b"]
    assert found.rejected == {}


def test_what_a_tag_leaves_out_is_not_remembered() -> None:
    log = zipped({"app-1": event_log("app-1", properties={"spark.metaplat.tag.team": "blue"})})
    with SparkRest([application()], {"app-1/logs": log}) as rest:
        red = collected(rest.url, tags={"team": "red"})
        assert (red.names, red.memory.things) == ([], {})
        assert collected(rest.url, red.memory, tags={"team": "blue"}).names == ["app-1"]


def test_without_an_address_it_is_told_what_to_say() -> None:
    with pytest.raises(UsageError, match="say --url"):
        collected(None)  # type: ignore[arg-type]
