"""Event logs in local folders: found whatever else lies there, and read as they are."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import TransientSourceError, UsageError
from metaplat_tests.collectors.log_request import Asked
from metaplat_tests.standins.bound_process import bound, refuse

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, *names: str, content: bytes = b"{}\n") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_every_layout_in_a_tree_is_found_in_the_order_of_names(tmp_path: Path) -> None:
    write(
        tmp_path,
        "local-2",
        "app-1-1.zstd.inprogress",
        "b/eventlog_v2_app-1-2/events_2_app-1-2",
        "b/eventlog_v2_app-1-2/events_1_app-1-2",
        "b/eventlog_v2_app-1-2/appstatus_app-1-2.inprogress",
        "b/eventlog_v2_app-1-2/.events_1_app-1-2.crc",
        "a/0926-123456-abc/eventlog/x/7/eventlog",
        "a/0926-123456-abc/driver/stdout",
        ".hidden/app-1-9",
        "_temporary/app-1-9",
        "_SUCCESS",
    )
    asked = Asked(tmp_path)
    logs = asked.logs()
    assert [(log.name, log.layout, log.in_progress) for log in logs] == [
        ("app-1-1.zstd.inprogress", "single", True),
        ("local-2", "single", False),
        ("0926-123456-abc/7", "databricks", False),
        ("eventlog_v2_app-1-2", "rolling", True),
    ]
    assert [file.name for file in logs[3].files] == ["events_1_app-1-2", "events_2_app-1-2"]
    assert logs[3].address == str(tmp_path / "b/eventlog_v2_app-1-2")
    assert (asked.warned, asked.rejected) == ([], {})
    assert [log.fingerprint for log in asked.logs()] == [log.fingerprint for log in logs]


def test_folders_below_are_left_out_where_the_settings_say_so(tmp_path: Path) -> None:
    write(tmp_path, "local-1", "below/local-2", "eventlog_v2_app/events_1_app", "eventlog_v2_app/x/local-3")
    asked = Asked(tmp_path, settings={"spark": {"recursive": False}})
    assert asked.names() == ["local-1", "eventlog_v2_app"]


@pytest.mark.parametrize("name", ["notes.txt", "part.parquet", ".hidden", "eventlog", "events_1_app"])
def test_a_path_of_one_file_is_one_log_whatever_its_name(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, "other", content=b"content")
    asked = Asked(tmp_path / name)
    (log,) = asked.logs()
    assert (log.layout, log.address) == ("single", str(tmp_path / name))
    assert asked.read(log.files[0]) == b"content"


def test_a_path_that_is_a_rolling_folder_is_one_log(tmp_path: Path) -> None:
    write(tmp_path, "eventlog_v2_app/events_1_app", "eventlog_v2_app/events_2_app")
    assert Asked(tmp_path / "eventlog_v2_app").names() == ["eventlog_v2_app"]


def test_a_folder_is_also_named_by_an_address(tmp_path: Path) -> None:
    write(tmp_path, "with space/local-1")
    assert Asked(url=f"file://{tmp_path}/with%20space").names() == ["local-1"]


@pytest.mark.parametrize(
    "url", ["hdfs://namenode/logs", "https://u:secret@host/logs?sig=secret", "s3://", "x?secret"]
)
def test_other_addresses_are_refused_without_their_secrets(url: str) -> None:
    with pytest.raises(UsageError, match="name a folder, a file, or s3") as refused:
        Asked(url=url).logs()
    assert "secret" not in str(refused.value)
    with pytest.raises(UsageError, match="need a place"):
        Asked().logs()


def test_what_does_not_exist_or_is_no_file_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such folder or file"):
        Asked(tmp_path / "absent").logs()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="neither a folder nor a file"):
        Asked(tmp_path / "pipe").logs()


def test_pipes_sockets_and_broken_links_are_left_out_and_never_opened(tmp_path: Path) -> None:
    write(tmp_path, "local-1")
    os.mkfifo(tmp_path / "app-1-1")
    (tmp_path / "app-1-3").symlink_to("nowhere")
    (tmp_path / "app-1-4").symlink_to("app-1-4")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "app-1-2"))
        asked = Asked(tmp_path)
        assert asked.names() == ["local-1"]
    told = sorted(line.removeprefix(f"{tmp_path}/") for line in asked.warned)
    assert told == [
        "app-1-1: left out, since it is a pipe",
        "app-1-2: left out, since it is a socket",
        "app-1-3: left out, since it is a link that leads nowhere",
        "app-1-4: left out, since it is a link that leads nowhere",
    ]


def test_links_are_followed_once_and_never_in_circles(tmp_path: Path) -> None:
    write(tmp_path, "logs/local-1", "elsewhere/local-2")
    (tmp_path / "logs/round").symlink_to(tmp_path / "logs")
    (tmp_path / "logs/once").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "logs/twice").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "logs/local-3").symlink_to(tmp_path / "elsewhere/local-2")
    assert Asked(tmp_path / "logs").names() == ["local-1", "local-3", "local-2"]


def test_many_other_files_cost_one_line_and_are_not_opened(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"part-{number}.parquet").touch(mode=0o000)
        (tmp_path / f"row-{number}.json").touch(mode=0o000)
    write(tmp_path, "local-1")
    asked = Asked(tmp_path)
    assert asked.names() == ["local-1"]
    assert asked.warned == [
        f"{tmp_path}: 3,000 files named like .json, .log or .txt were not opened; "
        "name one by its own path if it is an event log"
    ]


def test_a_few_files_that_are_hardly_logs_are_looked_into(tmp_path: Path) -> None:
    write(tmp_path, "a.json", "notes.txt", "x/run.log.gz", "table.csv", "local-1")
    asked = Asked(tmp_path)
    assert asked.names() == ["a.json", "local-1", "notes.txt", "run.log.gz"]
    assert not asked.warned


def test_names_that_are_no_text_are_shown_and_read(tmp_path: Path) -> None:
    odd = [b"caf\xe9-log", b"two\nlines", b"real\\x41", "für".encode()]
    for name in odd:
        with open(os.fsencode(tmp_path) + b"/" + name, "wb") as file:  # noqa: PTH123
            file.write(name)
    asked = Asked(tmp_path)
    logs = asked.logs()
    assert {log.name for log in logs} == {"caf\\xe9-log", "two\\x0alines", "real\\x41", "für"}
    assert {asked.read(log.files[0]) for log in logs} == set(odd)
    for log in logs:
        log.address.encode()
        assert log.fingerprint


READ_ALL = """
import sys
from pathlib import Path
from metaplat.model.errors import MetaplatError
from metaplat_tests.collectors.log_request import Asked

asked = Asked(Path(sys.argv[1]))
try:
    for log in asked.logs():
        try:
            print(log.name, asked.read(log.files[0]))
        except MetaplatError as error:
            print(log.name, type(error).__name__, error)
except MetaplatError as error:
    print(type(error).__name__, error)
for told in asked.rejected.items():
    print(*told)
"""


def read_all_bound(folder: Path) -> str:
    command = bound(sys.executable, "-c", READ_ALL, folder)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_one_unreadable_folder_or_file_does_not_stop_the_others(tmp_path: Path) -> None:
    write(tmp_path, "closed/local-1", "local-2", "local-3", "blind/local-4")
    refuse(tmp_path / "closed")
    refuse(tmp_path / "local-2")
    (tmp_path / "blind").chmod(0o400)
    told = read_all_bound(tmp_path)
    (tmp_path / "blind").chmod(0o700)
    assert (
        f"local-2 PermanentSourceError folder {tmp_path}: read {tmp_path}/local-2: Permission denied" in told
    )
    assert "Make it and what lies in it readable for the user that runs metaplat." in told
    assert "local-3 b'{}\\n'" in told
    assert f"{tmp_path}/closed cannot be listed: Permission denied" in told
    assert f"{tmp_path}/blind/local-4 cannot be looked at: Permission denied" in told


def test_a_place_that_cannot_be_listed_at_all_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "closed/local-1")
    refuse(tmp_path / "closed")
    assert "PermanentSourceError" in read_all_bound(tmp_path / "closed")


def test_a_file_is_read_from_an_offset_in_chunks(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    write(tmp_path, "local-1", content=content)
    asked = Asked(tmp_path)
    (log,) = asked.logs()
    assert max(map(len, asked.place.read(log.files[0]))) <= 4 << 20
    assert asked.read(log.files[0]) == content
    assert asked.read(log.files[0], 2_999_990) == content[-10:]
    assert asked.read(log.files[0], 3_000_000) == asked.read(log.files[0], 9_000_000) == b""


def test_a_file_that_grew_is_read_as_far_as_it_reaches_now(tmp_path: Path) -> None:
    write(tmp_path, "local-1.inprogress", content=b"one\n")
    asked = Asked(tmp_path)
    (log,) = asked.logs()
    with (tmp_path / "local-1.inprogress").open("ab") as file:
        file.write(b"two\n")
    assert asked.read(log.files[0]) == b"one\ntwo\n"
    assert asked.read(log.files[0], 4) == b"two\n"
    (grown,) = asked.logs()
    assert grown.fingerprint != log.fingerprint


def test_a_log_whose_application_ends_meanwhile_is_still_read(tmp_path: Path) -> None:
    write(tmp_path, "local-1.inprogress", content=b"all\n")
    asked = Asked(tmp_path)
    (log,) = asked.logs()
    (tmp_path / "local-1.inprogress").rename(tmp_path / "local-1")
    assert asked.read(log.files[0]) == b"all\n"


def test_a_file_that_is_gone_or_shorter_is_worth_another_try(tmp_path: Path) -> None:
    write(tmp_path, "local-1", "local-2", content=b"content")
    asked = Asked(tmp_path)
    one, two = asked.logs()
    (tmp_path / "local-1").unlink()
    (tmp_path / "local-2").write_bytes(b"")
    with pytest.raises(TransientSourceError, match=r"it is gone.*Collect again"):
        asked.read(one.files[0])
    with pytest.raises(TransientSourceError, match="shorter"):
        asked.read(two.files[0])


def test_a_log_file_replaced_by_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    write(tmp_path, "local-1")
    asked = Asked(tmp_path)
    (log,) = asked.logs()
    (tmp_path / "local-1").unlink()
    os.mkfifo(tmp_path / "local-1")
    with pytest.raises(TransientSourceError, match="it is gone"):
        asked.read(log.files[0])


def test_leaving_in_the_middle_of_a_file_closes_it(tmp_path: Path) -> None:
    write(tmp_path, "local-1", content=bytes(3 << 20))
    asked = Asked(tmp_path)
    (log,) = asked.logs()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    chunks = asked.place.read(log.files[0])
    next(chunks)
    del chunks
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_an_etag_changes_when_content_of_the_same_size_is_replaced(tmp_path: Path) -> None:
    write(tmp_path, "local-1", content=b"one")
    (before,) = Asked(tmp_path).logs()
    write(tmp_path, "local-1.new", content=b"two")
    (tmp_path / "local-1.new").replace(tmp_path / "local-1")
    (after,) = Asked(tmp_path).logs()
    assert before.files[0].etag != after.files[0].etag
