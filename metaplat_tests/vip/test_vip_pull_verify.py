"""Verifying and repairing one hour, also one that another client pulled."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import InvalidInputError, SettingsError, UsageError
from metaplat.model.extract import ExtractStatus, FileOutcome
from metaplat_tests.standins.vip import CANARY, Scenario, VipServer
from metaplat_tests.vip.vip_pulls import FOLDER, HOUR, NOW, TEST, Hand, Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HOURS = timedelta(hours=1)
OK, INCOMPLETE, MISSING = ExtractStatus.OK, ExtractStatus.INCOMPLETE, ExtractStatus.MISSING
MISMATCHED = FileOutcome.MISMATCHED


@pytest.fixture
def server() -> Iterator[VipServer]:
    with VipServer(Scenario(files=3, tables=2), Hand()) as vendor:
        yield vendor


@pytest.fixture
def site(tmp_path: Path, server: VipServer) -> Site:
    return Site(tmp_path, server)


def left_by_another(site: Site, promised: Mapping[str, int | None], **delivered: bytes) -> None:
    """Write a folder as the older client leaves it: its promise holds live addresses."""
    place = site.home / FOLDER
    place.mkdir(parents=True)
    url = f"https://bucket.s3.amazonaws.com/x?X-Amz-Signature={CANARY}"
    entries = [
        {"key": f"out/{name}", "presignedDownloadURL": url, "size": promised[name]} for name in promised
    ]
    (place / "_PresignedUrls.json").write_text(json.dumps(entries))
    for name, content in delivered.items():
        (place / name.replace("__", ".")).write_bytes(content)


def test_what_is_there_as_promised_is_ok_without_asking_the_api(site: Site, server: VipServer) -> None:
    pulled = site.pull().extract
    asked = len(server.requests)
    assert site.verify().with_status(OK) == pulled
    assert site.verify(deep=True).status is OK
    assert len(server.requests) == asked


def test_a_file_that_is_gone_or_short_is_told_remembered_and_repaired(site: Site, server: VipServer) -> None:
    pulled = site.pull().extract
    gone, short = (each.promised.name for each in pulled.files[:2])
    (site.home / FOLDER / gone).unlink()
    (site.home / FOLDER / short).write_bytes(b"short")
    verified = site.verify()
    assert verified.status is INCOMPLETE
    assert "2 of 5 promised files are not delivered" in str(verified.reason)
    assert site.remembered() == verified
    assert site.document("_manifest.json")["status"] == "incomplete"
    repaired = site.repair()
    assert (repaired.status, repaired.transferred_files) == (OK, 2)
    assert site.is_as_sent(repaired)
    assert server.export_calls == 1


def test_an_open_hour_whose_export_failed_is_not_called_missing_and_can_still_be_pulled(
    site: Site, server: VipServer
) -> None:
    server.set_faults("unknown_config")
    failed = site.pull().extract
    assert failed.status is ExtractStatus.FAILED
    assert site.verify() == failed == site.remembered()
    server.set_faults()
    assert site.pull().extract.status is OK


def test_a_changed_content_of_the_same_size_is_found_by_reading_and_stays_found(site: Site) -> None:
    pulled = site.pull().extract
    changed = site.home / FOLDER / pulled.files[0].promised.name
    content = changed.read_bytes()
    changed.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    assert site.verify().status is OK
    assert [each.outcome for each in site.verify(deep=True).mismatches] == [MISMATCHED]
    assert site.verify().status is INCOMPLETE
    repaired = site.repair()
    assert (repaired.status, changed.read_bytes()) == (OK, content)


def test_a_content_that_was_put_right_by_hand_is_ok_once_it_is_read(site: Site) -> None:
    pulled = site.pull().extract
    changed = site.home / FOLDER / pulled.files[0].promised.name
    content = changed.read_bytes()
    changed.write_bytes(b"x" * len(content))
    assert site.verify(deep=True).status is INCOMPLETE
    changed.write_bytes(content)
    assert site.verify(deep=True).status is OK


def test_an_hour_of_another_client_is_verified_by_its_own_promise(site: Site) -> None:
    left_by_another(site, {"A_0.csv": 3, "B_0.csv": 5, "C_0.csv": 2}, A_0__csv=b"abc", B_0__csv=b"abc")
    site.clock.now = NOW + HOURS
    verified = site.verify()
    assert verified.status is INCOMPLETE
    assert {each.promised.name: each.outcome for each in verified.files} == {
        "A_0.csv": FileOutcome.DELIVERED,
        "B_0.csv": MISMATCHED,
        "C_0.csv": FileOutcome.PROMISED,
    }
    assert "its job is not known, so nothing more can be fetched" in str(verified.reason)
    assert site.remembered() == verified
    assert CANARY not in repr(verified) + (site.home / f"state/vip/{TEST}/20220208/08.json").read_text()
    assert sorted(site.files()) == ["A_0.csv", "B_0.csv", "_PresignedUrls.json"]
    (site.home / FOLDER / "B_0.csv").write_bytes(b"abcde")
    (site.home / FOLDER / "C_0.csv").write_bytes(b"ab")
    assert site.pull(HOUR).extract.status is OK
    assert site.repair().status is OK


def test_a_promise_without_a_size_is_not_taken_for_kept(site: Site) -> None:
    left_by_another(site, {"A_0.csv": None}, A_0__csv=b"abc")
    site.clock.now = NOW + HOURS
    assert site.verify().status is INCOMPLETE


def test_files_without_a_promise_are_neither_ok_nor_missing(site: Site) -> None:
    (site.home / FOLDER).mkdir(parents=True)
    (site.home / FOLDER / "A_0.csv").write_bytes(b"abc")
    site.clock.now = NOW + HOURS
    verified = site.verify()
    assert (verified.status, list(verified.files)) == (INCOMPLETE, [])
    assert "nothing says what was promised" in str(verified.reason)


@pytest.mark.parametrize("content", [b"{", b"{}", b"\xff", b"[" * 100_000])
def test_a_promise_that_cannot_be_read_is_one_clear_line(content: bytes, site: Site) -> None:
    left_by_another(site, {})
    (site.home / FOLDER / "_PresignedUrls.json").write_bytes(content)
    site.clock.now = NOW + HOURS
    with pytest.raises(InvalidInputError, match=r"_PresignedUrls\.json"):
        site.verify()


def test_archives_are_looked_at(site: Site) -> None:
    good = io.BytesIO()
    with zipfile.ZipFile(good, "w") as archive:
        archive.writestr("table.csv", "a,b\n")
    climbing = io.BytesIO()
    with zipfile.ZipFile(climbing, "w") as archive:
        archive.writestr("../../table.csv", "a,b\n")
    contents = {"A_0": good.getvalue(), "B_0": climbing.getvalue(), "C_0": b"no archive"}
    sizes = {f"{name}.zip": len(content) for name, content in contents.items()}
    left_by_another(site, sizes, **{f"{name}__zip": content for name, content in contents.items()})
    site.clock.now = NOW + HOURS
    for _ in range(2):
        verified = site.verify()
        assert [each.promised.name for each in verified.delivered] == ["A_0.zip"]
        assert [each.outcome for each in verified.mismatches] == [MISMATCHED] * 2
        assert all(each.problem for each in verified.mismatches)


def test_an_hour_without_job_and_files_is_missing(site: Site, server: VipServer) -> None:
    site.clock.now = NOW + HOURS
    for verdict in (site.verify(), site.repair()):
        assert (verdict.status, verdict.hour) == (MISSING, HOUR)
    assert len(server.requests) == 0


def test_the_hour_it_is_cannot_be_verified_or_repaired_before_it_is_pulled(
    site: Site, server: VipServer
) -> None:
    for attempt in (site.verify, site.repair):
        with pytest.raises(UsageError, match="metaplat vip pull"):
            attempt()
        with pytest.raises(UsageError, match="has not begun"):
            attempt(HOUR + HOURS)
    assert len(server.requests) == 0


def test_a_job_that_is_still_running_is_left_as_it_is(site: Site, server: VipServer) -> None:
    server.set_faults("status_never")
    site.changes = {"deadline_minutes": 0.005}
    pulled = site.pull().extract
    assert site.verify() == pulled == site.remembered()


def test_an_hour_of_another_configuration_is_not_ours(site: Site) -> None:
    site.pull()
    site.changes = {"config_name": "onDemandExtract1DayProd"}
    site.clock.now = NOW + HOURS
    for attempt in (site.verify, site.repair):
        with pytest.raises(SettingsError, match=f"holds an extract of {TEST}"):
            attempt()


def test_an_hour_whose_memory_is_lost_is_repaired_by_its_manifest(site: Site, server: VipServer) -> None:
    pulled = site.pull().extract
    for path in (site.home / "state").rglob("*.json"):
        path.unlink()
    (site.home / FOLDER / pulled.files[0].promised.name).unlink()
    site.clock.now = NOW + HOURS
    repaired = site.repair()
    assert (repaired.status, repaired.transferred_files, repaired.job_guid) == (OK, 1, pulled.job_guid)
    assert server.export_calls == 1
