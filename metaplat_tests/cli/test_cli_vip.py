"""``metaplat vip`` against the stand-in vendor: pull, status, verify, repair; on disk and on S3."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from metaplat_tests.cli.conftest import Answer, Invoke, answer_of, process
from metaplat_tests.standins.vip import Scenario, VipServer
from metaplat_tests.standins.vip.hour_edge import away_from_the_hours_edge
from metaplat_tests.standins.vip.scenario import CANARY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENT = [
    "job_guid",
    "hour",
    "status",
    "files_promised",
    "files_delivered",
    "bytes",
    "mismatches",
    "seconds",
]


@pytest.fixture(autouse=True)
def one_hour() -> None:
    away_from_the_hours_edge()


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[VipServer]:
    with VipServer(Scenario(files=12, size=40_000)) as server:
        point_at(server, monkeypatch)
        yield server


def point_at(server: VipServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)


def delivered(home: Path, document: dict[str, Any]) -> dict[str, bytes]:
    folder = home / document["folder"]
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def promised(server: VipServer, document: dict[str, Any]) -> dict[str, bytes]:
    guid = document["job_guid"]
    return {key.rpartition("/")[2]: server.expected_bytes(guid, key) for key in server.sizes(guid)}


def files_only(found: dict[str, bytes]) -> dict[str, bytes]:
    own = {"_PresignedUrls.json", "_manifest.json"}
    return {name: content for name, content in found.items() if name not in own}


def test_pull_delivers_every_promised_file_byte_for_byte_and_only_once(
    metaplat: Invoke, home: Path, vendor: VipServer
) -> None:
    answer = metaplat("vip", "pull", "--json")
    document = answer.json
    assert (answer.code, document["status"], document["mismatches"]) == (0, "ok", 0)
    assert set(DOCUMENT) <= set(document)
    expected = promised(vendor, document)
    assert files_only(delivered(home, document)) == expected
    assert document["files_promised"] == document["files_delivered"] == len(expected)
    assert document["bytes"] == sum(map(len, expected.values()))
    sent = vendor.bytes_sent
    again = metaplat("vip", "pull", "--json")
    assert (again.code, again.json["job_guid"]) == (0, document["job_guid"])
    assert (vendor.export_calls, vendor.bytes_sent) == (1, sent)


@pytest.mark.usefixtures("vendor")
def test_the_extract_becomes_a_row_that_sql_and_checks_see(metaplat: Invoke) -> None:
    document = metaplat("vip", "pull", "--json").json
    assert metaplat("materialize", "vip_extracts").code == 0
    answer = metaplat("query", "select job_guid, status, files_delivered from vip_extracts", "--json")
    assert answer.lines == [
        {"job_guid": document["job_guid"], "status": "ok", "files_delivered": document["files_delivered"]}
    ]
    status = metaplat("vip", "status", "--json").json
    assert [each["status"] for each in status["extracts"]] == ["ok"]


def test_too_early_is_skipped_with_the_next_slot_and_no_failure(metaplat: Invoke, vendor: VipServer) -> None:
    vendor.set_faults("too_early_429")
    answer = metaplat("vip", "pull", "--json")
    assert (answer.code, answer.json["status"], answer.json["job_guid"]) == (0, "skipped", None)
    calls = vendor.export_calls
    if answer.json["next_slot"]:
        assert metaplat("vip", "pull", "--json").json["status"] == "skipped"
        assert vendor.export_calls == calls


def test_a_past_hour_is_never_asked_for(metaplat: Invoke, vendor: VipServer) -> None:
    answer = metaplat("vip", "pull", "--hour", "20250401-07", "--json")
    assert (answer.code, answer.json["status"], vendor.export_calls) == (1, "missing", 0)
    assert "can no longer be pulled" in answer.json["reason"]
    failed = metaplat("materialize", "vip_extracts", "--partition", "2025-04-01-07:00")
    assert failed.code == 3
    assert "can no longer be pulled" in failed.err
    assert vendor.export_calls == 0


def test_a_wrong_file_is_not_visible_and_the_exit_code_says_so(
    metaplat: Invoke, home: Path, vendor: VipServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAPLAT_VIP__ROUNDS", "1")
    vendor.set_faults("file_shorter")
    answer = metaplat("vip", "pull", "--json")
    assert (answer.code, answer.json["status"]) == (1, "incomplete")
    assert answer.json["mismatches"] == len(answer.json["problems"]) > 0
    bad = {each["name"] for each in answer.json["problems"]}
    assert not bad & set(delivered(home, answer.json))
    vendor.set_faults()
    repaired = metaplat("vip", "repair", "--hour", answer.json["hour"], "--json")
    assert (repaired.code, repaired.json["status"], vendor.export_calls) == (0, "ok", 1)
    assert files_only(delivered(home, repaired.json)) == promised(vendor, repaired.json)


def test_verify_tells_what_was_lost_since(metaplat: Invoke, home: Path, vendor: VipServer) -> None:
    document = metaplat("vip", "pull", "--json").json
    folder = home / document["folder"]
    victim = next(name for name in sorted(promised(vendor, document)))
    (folder / victim).unlink()
    answer = metaplat("vip", "verify", "--hour", document["hour"], "--json")
    assert (answer.code, answer.json["mismatches"]) == (1, 1)
    assert answer.json["problems"][0]["name"] == victim


@pytest.mark.parametrize("after_files", [0, 3, 9])
def test_a_killed_pull_goes_on_with_the_same_job(after_files: int, home: Path, vendor: VipServer) -> None:
    running = process("vip", "pull", "--json")
    deadline = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < deadline:
        known = vendor.accepted_exports and sum(vendor.downloads.values()) >= after_files
        if known and list((home / "state" / "vip").rglob("*.json")):
            break
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    answer_of(running)
    again = answer_of(process("vip", "pull", "--json"))
    assert (again.code, again.json["status"]) == (0, "ok"), again.err
    assert vendor.accepted_exports == 1
    assert files_only(delivered(home, again.json)) == promised(vendor, again.json)


def test_an_interrupted_pull_ends_with_its_document_and_is_gone_on_with(home: Path) -> None:
    server = VipServer(Scenario(files=12, size=40_000, faults=("status_never",)))
    with server, pytest.MonkeyPatch.context() as environment:
        point_at(server, environment)
        running = process("vip", "pull", "--json")
        while running.poll() is None and not server.jobs:
            time.sleep(0.005)
        running.send_signal(signal.SIGINT)
        interrupted = answer_of(running)
        assert interrupted.code == 130
        assert interrupted.json["job_guid"] == server.jobs[0]
        assert interrupted.json["reason"].startswith("interrupted")
        server.set_faults()
        again = answer_of(process("vip", "pull", "--json"))
        assert (again.code, again.json["status"], server.accepted_exports) == (0, "ok", 1)
        assert files_only(delivered(home, again.json)) == promised(server, again.json)


def test_nothing_that_is_written_or_said_holds_a_secret(
    metaplat: Invoke, home: Path, vendor: VipServer
) -> None:
    answers = [metaplat("vip", "pull", "--json"), metaplat("materialize", "vip_extracts")]
    vendor.set_faults("list_401", "token_500")
    answers += [metaplat("vip", "repair"), metaplat("vip", "status"), metaplat("report", "vip_extracts")]
    said = [text.encode() for answer in answers for text in (answer.out, answer.err)]
    contents = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert not [content[:200] for content in (*said, *contents) if CANARY.encode() in content]


@pytest.mark.usefixtures("vendor")
def test_without_credentials_one_line_names_the_settings(
    metaplat: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("METAPLAT_VIP__CLIENT_SECRET")
    answer: Answer = metaplat("vip", "pull")
    assert answer.code == 2
    *_, line = answer.err.splitlines()
    assert line.startswith("error: settings: vip.client")
    assert "METAPLAT_VIP__CLIENT_SECRET" in line
    assert os.environ["METAPLAT_VIP__CLIENT_ID"] not in answer.err
