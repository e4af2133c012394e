"""What an earlier pull left is gone on with: a job that would not end, files that would not come."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat.model.extract import ExtractStatus, FileOutcome
from metaplat_tests.standins.vip import Scenario, VipServer
from metaplat_tests.vip.vip_pulls import HOUR, NOW, Hand, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOURS = timedelta(hours=1)
OK, FAILED, INCOMPLETE = ExtractStatus.OK, ExtractStatus.FAILED, ExtractStatus.INCOMPLETE
SOON = {"deadline_minutes": 0.005}


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def server(clock: Hand) -> Iterator[VipServer]:
    with VipServer(Scenario(files=3, tables=2), clock) as vendor:
        yield vendor


@pytest.fixture
def site(tmp_path: Path, server: VipServer, clock: Hand) -> Site:
    return Site(tmp_path, server, clock)


@pytest.mark.parametrize("fault", ["status_never", "list_empty", "status_404", "list_not_list"])
def test_a_job_that_ran_out_of_time_is_gone_on_with_in_the_same_hour(
    fault: str, site: Site, server: VipServer
) -> None:
    server.set_faults(fault)
    site.changes = SOON
    assert site.pull().extract.status is FAILED
    server.set_faults()
    site.changes = {}
    assert site.pull().extract.status is OK
    assert server.export_calls == 1


def test_the_pull_of_the_next_hour_finishes_the_one_before(
    site: Site, server: VipServer, clock: Hand
) -> None:
    server.set_faults("status_never")
    site.changes = SOON
    site.pull()
    server.set_faults()
    site.changes = {}
    clock.now = NOW + HOURS
    pulled = site.pull()
    assert (pulled.extract.hour, pulled.extract.status) == (HOUR + HOURS, OK)
    assert [(each.hour, each.status, each.job_guid) for each in pulled.resumed] == [
        (HOUR, OK, server.jobs[0])
    ]
    assert all(map(site.is_as_sent, [pulled.extract, *pulled.resumed]))
    assert server.accepted_exports == 2
    assert site.pull().resumed == ()


def test_an_earlier_extract_that_fails_again_does_not_stop_the_hour_it_is(
    site: Site, server: VipServer, clock: Hand
) -> None:
    server.set_faults("file_missing")
    first = site.pull().extract
    assert first.status is INCOMPLETE
    server.vendor.jobs.pop(str(first.job_guid))
    server.set_faults()
    clock.now = NOW + HOURS
    pulled = site.pull()
    assert pulled.extract.status is OK
    assert [(each.status, len(each.mismatches)) for each in pulled.resumed] == [(INCOMPLETE, 1)]
    assert [each.status for each in site.saved] == [INCOMPLETE, INCOMPLETE, OK]


def test_a_skipped_hour_still_finishes_the_one_before(site: Site, server: VipServer, clock: Hand) -> None:
    server.set_faults("file_missing")
    clock.now = NOW + timedelta(minutes=30)
    site.pull()
    server.set_faults()
    clock.now = NOW + HOURS
    pulled = site.pull()
    assert pulled.extract.status is ExtractStatus.SKIPPED
    assert [each.status for each in pulled.resumed] == [OK]


def test_an_extract_older_than_a_day_is_left_to_repair(site: Site, server: VipServer, clock: Hand) -> None:
    server.set_faults("file_missing")
    site.pull()
    server.set_faults()
    clock.now = NOW + 25 * HOURS
    assert site.pull().resumed == ()
    repaired = site.repair()
    assert (repaired.status, repaired.transferred_files) == (OK, 1)
    assert site.is_as_sent(repaired)
    assert server.accepted_exports == 2


@pytest.mark.parametrize("fault", ["status_failed", "status_cancelled", "status_timed_out"])
def test_a_job_that_ended_badly_is_asked_about_once_and_never_replaced(
    fault: str, site: Site, server: VipServer, clock: Hand
) -> None:
    server.set_faults(fault)
    assert site.pull().extract.status is FAILED
    asked = server.status_calls
    assert site.pull().extract.status is FAILED
    assert (server.status_calls, server.export_calls) == (asked + 1, 1)
    clock.now = NOW + HOURS
    assert site.pull().resumed == ()


def test_a_job_that_ended_badly_by_mistake_is_gone_on_with(site: Site, server: VipServer) -> None:
    server.set_faults("status_failed")
    site.pull()
    server.set_faults()
    assert site.pull().extract.status is OK
    assert server.export_calls == 1


def test_only_what_is_missing_is_fetched_again(site: Site, server: VipServer) -> None:
    server.set_faults("file_denied")
    first = site.pull().extract
    assert (first.status, len(first.mismatches)) == (INCOMPLETE, 1)
    manifest = site.document("_manifest.json")
    assert [each["outcome"] for each in manifest["files"]].count("failed") == 1
    before = server.downloads
    server.set_faults()
    again = site.pull().extract
    assert (again.status, again.transferred_files) == (OK, 1)
    changed = {key for key, count in server.downloads.items() if count != before.get(key)}
    assert changed == {first.mismatches[0].promised.key}
    assert site.document("_manifest.json")["status"] == "ok"


def test_a_refused_host_that_is_allowed_later_is_fetched_then(site: Site, server: VipServer) -> None:
    site.changes = {"allowed_hosts": ["*.amazonaws.com"], "allow_insecure": True}
    server.set_faults("list_foreign_host")
    first = site.pull().extract
    assert [each.outcome for each in first.mismatches] == [FileOutcome.REFUSED]
    server.set_faults()
    assert site.pull().extract.status is OK


def test_a_promise_is_kept_though_the_job_lists_less_later(site: Site, server: VipServer) -> None:
    server.set_faults("file_missing")
    first = site.pull().extract
    server.set_faults("file_missing", "list_missing_table")
    again = site.pull().extract
    assert again.status is INCOMPLETE
    assert {each.promised for each in again.files} == {each.promised for each in first.files}


def test_addresses_that_expired_are_renewed_once_for_all_files(tmp_path: Path, clock: Hand) -> None:
    with VipServer(Scenario(files=8, tables=2, faults=("file_expired",), victims=None), clock) as server:
        site = Site(tmp_path, server, clock)
        pulled = site.pull().extract
        assert (pulled.status, len(pulled.delivered)) == (OK, 10)
        assert site.is_as_sent(pulled)
        assert server.list_calls <= 4
        assert server.export_calls == 1


def test_nothing_is_written_into_the_folder_before_a_delivered_file(site: Site, server: VipServer) -> None:
    server.set_faults("file_missing")
    site.changes = {"file_filter": "Voyages_0*"}
    pulled = site.pull().extract
    assert (pulled.status, len(pulled.delivered)) == (INCOMPLETE, 0)
    assert len(pulled.files) == 1
    assert site.files() == {}


def test_an_interrupted_transfer_keeps_what_came_and_fetches_the_rest_later(
    site: Site, server: VipServer
) -> None:
    interrupts: list[str] = []

    def interrupt(what: str, done: int, total: int) -> None:
        if done > total / 2 and not interrupts:
            interrupts.append(what)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        site.pull(progress=interrupt)
    left = site.remembered()
    assert left is not None
    assert (left.status, len(left.files)) == (ExtractStatus.RUNNING, 5)
    pulled = site.pull().extract
    assert pulled.status is OK
    assert site.is_as_sent(pulled)
    assert server.export_calls == 1


def test_an_earlier_extract_that_lacks_only_refused_files_is_not_gone_on_with(tmp_path: Path) -> None:
    clock = Hand()
    with VipServer(Scenario(files=4, tables=2, size=2_000), clock) as server:
        site = Site(tmp_path, server, clock)
        server.set_faults("list_dotdot")
        assert site.pull().extract.status is ExtractStatus.INCOMPLETE
        server.set_faults()
        clock.now += timedelta(hours=1)
        pulled = site.pull()
        assert pulled.extract.hour == HOUR + timedelta(hours=1)
        assert pulled.resumed == ()
