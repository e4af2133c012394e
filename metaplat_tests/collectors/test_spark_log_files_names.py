"""What names of files and folders say, and which files make up a log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.spark.log_files.layout import Folder, single_log
from metaplat.collectors.spark.log_files.log import EventLog, LogFile
from metaplat.collectors.spark.log_files.names import Kind, application_of, base_of, is_hidden, kind_of

YARN = "application_1700000000000_0007"


def listed(*names: str, folder: str = "/logs") -> list[LogFile]:
    return [LogFile(f"{folder}/{name}", name, 10, "e") for name in names]


def logs_of(address: str, *names: str) -> tuple[list[EventLog], list[str], list[str]]:
    warned: list[str] = []
    rejected: list[str] = []
    folder = Folder(address, listed(*names, folder=address))
    found = list(folder.logs(warned.append, lambda name, reason: rejected.append(f"{name}: {reason}")))
    return found, warned, rejected


def names_of(log: EventLog) -> list[str]:
    return [file.name for file in log.files]


@pytest.mark.parametrize(
    ("name", "app_id", "attempt_id"),
    [
        (YARN, YARN, None),
        (f"{YARN}_3", YARN, "3"),
        (f"{YARN}_3.zstd.inprogress", YARN, "3"),
        ("app-20240101120000-0001.lz4", "app-20240101120000-0001", None),
        ("app-20240101120000-0001_2", "app-20240101120000-0001", "2"),
        ("local-1700000000000.inprogress", "local-1700000000000", None),
        (f"spark-{'0a' * 16}", f"spark-{'0a' * 16}", None),
        ("spark-application-1700000000000.snappy", "spark-application-1700000000000", None),
        ("my_nightly_job", None, None),
        ("application_1_2_3_4x!", None, None),
        ("1700000000000", None, None),
    ],
)
def test_the_name_of_a_single_log_hints_at_its_application(
    name: str, app_id: str | None, attempt_id: str | None
) -> None:
    (file,) = listed(name)
    log = single_log(file)
    assert (log.app_id, log.attempt_id) == (app_id, attempt_id)
    assert log.in_progress is name.endswith(".inprogress")
    assert (log.layout, log.files, log.address) == ("single", (file,), f"/logs/{name}")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (YARN, Kind.SINGLE),
        ("anything", Kind.SINGLE),
        ("with.strange.ending", Kind.SINGLE),
        (f"{YARN}.json", Kind.SINGLE),
        ("events_1_app.zstd", Kind.ROLLED),
        ("events_12_app.zstd.compact", Kind.ROLLED),
        ("events_x_app", Kind.SINGLE),
        ("appstatus_app.inprogress", Kind.STATUS),
        ("eventlog", Kind.DATABRICKS),
        ("eventlog-2024-05-01--10-30.gz", Kind.DATABRICKS),
        ("eventlog-2024-05-01--10-30", Kind.DATABRICKS),
        ("eventlogs", Kind.SINGLE),
        ("notes.txt", Kind.TEXT),
        ("run.json.gz", Kind.TEXT),
        ("part-0000.snappy.parquet", Kind.OTHER),
        ("table.csv.gz", Kind.OTHER),
        ("spark.jar", Kind.OTHER),
        (".app.crc", Kind.OTHER),
        ("_SUCCESS", Kind.OTHER),
        ("logs_$folder$", Kind.OTHER),
        ("stdout", Kind.OTHER),
        ("stderr--2024-05-01--10-00", Kind.OTHER),
        ("log4j-active.log", Kind.OTHER),
        ("log4j-2024-05-01-10.log.gz", Kind.OTHER),
    ],
)
def test_a_name_says_what_a_file_may_be(name: str, kind: Kind) -> None:
    assert kind_of(name) is kind


@given(st.text())
def test_any_name_has_a_kind(name: str) -> None:
    assert kind_of(name) in Kind
    application_of(base_of(name))
    is_hidden(name)


def test_a_rolling_log_is_read_by_number_not_by_name() -> None:
    names = [f"events_{number}_{YARN}_1.zstd" for number in range(1, 13)]
    (log,), warned, _ = logs_of(f"/logs/eventlog_v2_{YARN}_1", *sorted(names), f"appstatus_{YARN}_1")
    assert names_of(log) == names
    assert (log.layout, log.in_progress, log.app_id, log.attempt_id) == ("rolling", False, YARN, "1")
    assert (log.address, log.name) == (f"/logs/eventlog_v2_{YARN}_1", f"eventlog_v2_{YARN}_1")
    assert not warned


@pytest.mark.parametrize(
    ("statuses", "running"),
    [
        (["appstatus_app.inprogress"], True),
        (["appstatus_app"], False),
        (["appstatus_app", "appstatus_app.inprogress"], False),
        ([], False),
    ],
)
def test_the_status_file_says_whether_a_rolling_log_is_in_progress(
    statuses: list[str], running: bool
) -> None:
    (log,), _, _ = logs_of("/logs/eventlog_v2_app", "events_1_app", *statuses)
    assert log.in_progress is running
    assert names_of(log) == ["events_1_app"]


def test_a_compacted_file_stands_for_all_up_to_its_number() -> None:
    names = [f"events_{number}_app.zstd" for number in (1, 2, 3, 4, 10)]
    (log,), warned, _ = logs_of(
        "/logs/eventlog_v2_app", *names, "events_2_app.zstd.compact", "events_3_app.zstd.compact"
    )
    assert [(file.name, file.compacted) for file in log.files] == [
        ("events_3_app.zstd.compact", True),
        ("events_4_app.zstd", False),
        ("events_10_app.zstd", False),
    ]
    assert warned == ["/logs/eventlog_v2_app: 5 of its events files are missing, the first is 5"]


def test_missing_first_files_are_told() -> None:
    (log,), warned, _ = logs_of("/logs/eventlog_v2_app", "events_3_app", "events_4_app")
    assert names_of(log) == ["events_3_app", "events_4_app"]
    assert warned == ["/logs/eventlog_v2_app: 2 of its events files are missing, the first is 1"]


def test_an_unpacked_copy_beside_a_file_is_not_counted_twice() -> None:
    (log,), warned, _ = logs_of("/logs/eventlog_v2_app", "events_1_app", "events_1_app.zstd", "events_2_app")
    assert names_of(log) == ["events_1_app", "events_2_app"]
    assert len(warned) == 1
    assert "events_1_app.zstd: left out" in warned[0]


def test_a_rolling_folder_without_events_is_rejected_once_its_application_ended() -> None:
    assert logs_of("/logs/eventlog_v2_app", "appstatus_app") == (
        [],
        [],
        ["/logs/eventlog_v2_app: is a rolling event log without events files"],
    )
    found, warned, rejected = logs_of("/logs/eventlog_v2_app", "appstatus_app.inprogress")
    assert (found, rejected) == ([], [])
    assert warned == ["/logs/eventlog_v2_app: no events files yet"]


def test_a_renamed_rolling_folder_is_one_log_for_each_application_in_it() -> None:
    found, warned, _ = logs_of(
        "/copies", "events_1_app-1-1", "events_2_app-1-1", "events_1_app-1-2", "appstatus_app-1-2.inprogress"
    )
    assert [(log.address, log.app_id, log.in_progress, len(log.files)) for log in found] == [
        ("/copies/events_*_app-1-1", "app-1-1", False, 2),
        ("/copies/events_*_app-1-2", "app-1-2", True, 1),
    ]
    assert not warned


def test_a_databricks_folder_is_one_log_with_the_active_file_last() -> None:
    folder = "/delivered/0926-123456-abc12/eventlog/0926-123456-abc12_10_0_0_1/42"
    rotated = ["eventlog-2024-05-01--10-30.gz", "eventlog-2024-05-01--11-30.gz", "eventlog-2024-04-30--23-00"]
    (log,), warned, _ = logs_of(folder, "eventlog", *rotated, "eventlog-2024-05-01--11-30")
    assert names_of(log) == [rotated[2], rotated[0], "eventlog-2024-05-01--11-30", "eventlog"]
    assert (log.layout, log.address, log.name) == ("databricks", folder, "0926-123456-abc12/42")
    assert (log.in_progress, log.app_id, log.attempt_id) == (False, None, None)
    assert len(warned) == 1
    assert logs_of("/somewhere/else", "eventlog")[0][0].name == "else"


def test_the_fingerprint_changes_with_any_file_and_with_the_end_of_the_application() -> None:
    def log(in_progress: bool = False, **changes: object) -> str:
        file = LogFile(**{"address": "/l/a", "name": "a", "size": 1, "etag": "e", **changes})  # type: ignore[arg-type]
        return EventLog("/l/a", "a", "single", (file,), in_progress).fingerprint

    assert log() == log()
    assert len({log(), log(True), log(size=2), log(etag="f"), log(name="b")}) == 5
    assert log(address="/moved/a") == log()
