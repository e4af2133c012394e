"""A pull of the hour it is: everything that is promised, once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import SettingsError, UsageError
from metaplat.model.extract import ExtractStatus
from metaplat.vip.pulling.document import extract_document
from metaplat_tests.standins.vip import Scenario, VipServer
from metaplat_tests.vip.vip_pulls import FOLDER, HOUR, NOW, TEST, Hand, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOURS = timedelta(hours=1)


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def server(clock: Hand) -> Iterator[VipServer]:
    with VipServer(Scenario(files=6, tables=3), clock) as vendor:
        yield vendor


@pytest.fixture
def site(tmp_path: Path, server: VipServer, clock: Hand) -> Site:
    return Site(tmp_path, server, clock)


def test_every_promised_file_is_delivered_byte_for_byte(site: Site) -> None:
    pulled = site.pull().extract
    assert (pulled.status, len(pulled.delivered), pulled.mismatches) == (ExtractStatus.OK, 8, [])
    assert site.is_as_sent(pulled)
    assert pulled.folder == FOLDER
    assert site.remembered() == pulled
    assert site.saved == [pulled]


def test_pulled_again_it_asks_for_nothing_and_transfers_nothing(site: Site, server: VipServer) -> None:
    first = site.pull().extract
    requests = len(server.requests)
    again = site.pull().extract
    assert len(server.requests) == requests
    assert (again.transferred_files, again.transferred_bytes) == (0, 0)
    assert (again.status, again.finished_at, again.files) == (first.status, first.finished_at, first.files)


def test_the_document_has_the_figures_of_the_pull(site: Site, server: VipServer) -> None:
    document = extract_document(site.pull().extract)
    size = sum(server.sizes(server.jobs[0]).values())
    assert {name: document[name] for name in ("job_guid", "hour", "status", "mismatches")} == {
        "job_guid": server.jobs[0],
        "hour": "2022-02-08T08:00:00Z",
        "status": "ok",
        "mismatches": 0,
    }
    assert (document["files_promised"], document["files_delivered"], document["bytes"]) == (8, 8, size)
    assert document["transferred_bytes"] == size
    assert document["seconds"] > 0


def test_the_promise_is_saved_without_what_signs_it(site: Site, server: VipServer) -> None:
    site.pull()
    saved = site.document("_PresignedUrls.json")
    assert {each["key"]: each["size"] for each in saved} == server.sizes(server.jobs[0])
    assert all(each["presignedDownloadURL"].endswith(f"/{each['key']}") for each in saved)


def test_the_manifest_tells_of_every_file(site: Site, server: VipServer) -> None:
    pulled = site.pull().extract
    manifest = site.document("_manifest.json")
    assert (manifest["job_guid"], manifest["config_name"], manifest["hour"]) == (
        server.jobs[0],
        TEST,
        "2022-02-08T08:00:00Z",
    )
    told = {each["key"]: (each["size"], each["sha256"], each["outcome"]) for each in manifest["files"]}
    guid = str(pulled.job_guid)
    assert told == {
        key: (size, server.expected_sha256(guid, key), "delivered")
        for key, size in server.sizes(guid).items()
    }
    assert all(each["etag"] for each in manifest["files"])


def test_progress_counts_the_bytes_of_all_files(site: Site, server: VipServer) -> None:
    seen: list[tuple[str, int, int]] = []
    site.pull(progress=lambda what, done, total: seen.append((what, done, total)))
    size = sum(server.sizes(server.jobs[0]).values())
    assert seen[-1] == (f"{TEST} 2022-02-08 08:00", size, size)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_a_file_that_vanished_is_fetched_again_from_the_same_job(site: Site, server: VipServer) -> None:
    first = site.pull().extract
    gone = first.files[0].promised.name
    (site.home / FOLDER / gone).unlink()
    again = site.pull().extract
    assert (again.status, again.transferred_files, server.export_calls) == (ExtractStatus.OK, 1, 1)
    assert site.is_as_sent(again)


def test_a_file_of_another_size_is_replaced(site: Site) -> None:
    first = site.pull().extract
    (site.home / FOLDER / first.files[0].promised.name).write_bytes(b"short")
    again = site.pull().extract
    assert (again.status, again.transferred_files) == (ExtractStatus.OK, 1)
    assert site.is_as_sent(again)


def test_foreign_files_in_the_folder_are_left_alone(site: Site) -> None:
    place = site.home / FOLDER
    place.mkdir(parents=True)
    (place / "notes.txt").write_bytes(b"mine")
    (place / "_manifest.json").write_bytes(b"not ours")
    pulled = site.pull().extract
    assert (pulled.status, len(pulled.delivered)) == (ExtractStatus.OK, 8)
    assert site.files()["notes.txt"] == b"mine"


def test_an_hour_that_ends_while_the_job_runs_keeps_its_folder(site: Site, clock: Hand) -> None:
    clock.now = HOUR + timedelta(minutes=59)

    def ended(sentence: str) -> None:
        if "is accepted" in sentence:
            clock.now += timedelta(minutes=20)

    site.hears = ended
    pulled = site.pull().extract
    assert (pulled.status, pulled.hour, pulled.folder) == (ExtractStatus.OK, HOUR, FOLDER)
    assert site.is_as_sent(pulled)


def test_the_next_hour_has_a_job_and_a_folder_of_its_own(site: Site, clock: Hand, server: VipServer) -> None:
    site.pull()
    clock.now += HOURS
    pulled = site.pull()
    assert (pulled.extract.hour, pulled.extract.folder) == (HOUR + HOURS, FOLDER.replace("/08/", "/09/"))
    assert pulled.resumed == ()
    assert server.accepted_exports == 2
    assert site.is_as_sent(pulled.extract)


def test_two_configurations_never_share_a_folder(site: Site, server: VipServer) -> None:
    site.pull()
    site.changes = {"config_name": "onDemandExtract1DayProd"}
    with pytest.raises(SettingsError, match=f"holds an extract of {TEST}"):
        site.pull()
    assert server.export_calls == 1


def test_an_hour_that_has_not_begun_cannot_be_pulled(site: Site, server: VipServer) -> None:
    with pytest.raises(UsageError, match="has not begun"):
        site.pull(HOUR + HOURS)
    with pytest.raises(UsageError, match="no start of an hour"):
        site.pull(NOW)
    assert not server.requests


def test_without_credentials_nothing_is_asked_and_the_slot_is_kept(site: Site, server: VipServer) -> None:
    site.changes = {"client_id": None}
    with pytest.raises(SettingsError, match="METAPLAT_VIP__CLIENT_ID"):
        site.pull()
    assert (len(server.requests), [each.export_calls for each in site.saved]) == (0, [0])
    site.changes = {}
    assert site.pull().extract.status is ExtractStatus.OK
