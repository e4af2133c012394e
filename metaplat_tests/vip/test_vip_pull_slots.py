"""One export an hour: when it is asked for, when it is not, and what happens where its answer is lost."""

from __future__ import annotations

import signal
import threading
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat.model.extract import Extract, ExtractStatus
from metaplat.stores.local_objects import LocalObjects
from metaplat.vip.pulling.alone import alone
from metaplat.vip.pulling.bench import unheard
from metaplat_tests.standins.vip import Scenario, VipServer
from metaplat_tests.vip.vip_pulls import FOLDER, HOUR, NOW, TEST, Hand, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

HOURS, MINUTES = timedelta(hours=1), timedelta(minutes=1)
OK, SKIPPED, FAILED, MISSING = (
    ExtractStatus.OK,
    ExtractStatus.SKIPPED,
    ExtractStatus.FAILED,
    ExtractStatus.MISSING,
)


@dataclass
class Leaping(Hand):
    """A clock that goes on by two minutes once the intent to ask for an export is noted."""

    site: Site | None = None
    has_leapt: bool = False

    def __call__(self) -> datetime:
        """Return the time on it."""
        left = self.site.remembered() if self.site and not self.has_leapt else None
        if left and left.asked_at:
            self.has_leapt = True
            self.now += 2 * MINUTES
        return self.now


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


def test_before_the_next_slot_the_api_is_not_asked_and_after_it_it_is(
    site: Site, server: VipServer, clock: Hand
) -> None:
    server.set_faults("too_early_429")
    first = site.pull().extract
    assert (first.status, first.next_slot) == (SKIPPED, HOUR + 50 * MINUTES)
    assert site.pull().extract.status is SKIPPED
    assert server.export_calls == 1
    clock.now = HOUR + 50 * MINUTES
    assert site.pull().extract.status is OK
    assert (server.export_calls, server.accepted_exports) == (2, 1)


def test_a_slot_that_lies_in_the_next_hour_keeps_the_pull_of_that_hour_from_asking_too_soon(
    site: Site, server: VipServer, clock: Hand
) -> None:
    server.set_faults("too_early_429")
    clock.now = HOUR + 25 * MINUTES
    server.vendor.accepted[TEST] = clock.now
    refused = site.pull().extract
    assert refused.next_slot == HOUR + 85 * MINUTES
    assert "after the end of the hour: this hour will be missing" in str(refused.reason)
    clock.now = HOUR + 70 * MINUTES
    skipped = site.pull().extract
    assert (skipped.hour, skipped.status, skipped.next_slot) == (HOUR + HOURS, SKIPPED, refused.next_slot)
    assert server.export_calls == 1
    clock.now = HOUR + 85 * MINUTES
    assert site.pull().extract.status is OK


def test_an_undated_refusal_is_asked_again_by_the_next_pull(site: Site, server: VipServer) -> None:
    server.set_faults("too_early_no_date")
    assert [site.pull().extract.status for _ in range(2)] == [SKIPPED, SKIPPED]
    assert server.export_calls == 2


@pytest.mark.parametrize("before", ["never pulled", "skipped"])
def test_a_past_hour_is_missing_and_never_asked_for(
    before: str, site: Site, server: VipServer, clock: Hand
) -> None:
    if before == "skipped":
        server.set_faults("too_early_429")
        site.pull()
        server.set_faults()
    calls = server.export_calls
    clock.now = NOW + HOURS
    gone = site.pull(HOUR).extract
    assert (gone.status, gone.job_guid) == (MISSING, None)
    assert "hour can no longer be pulled: the API exports the present only" in str(gone.reason)
    assert site.remembered() == gone
    assert server.export_calls == calls


@pytest.mark.parametrize("fault", ["export_lost_answer", "export_502", "export_html"])
def test_a_lost_answer_is_asked_for_once_more_and_never_doubles_the_job(
    fault: str, site: Site, server: VipServer, clock: Hand
) -> None:
    server.set_faults(fault)
    assert site.pull().extract.status is FAILED
    again = site.pull().extract
    assert again.status is SKIPPED
    assert "this hour will be missing (2 export calls of this hour gave no job)" in str(again.reason)
    clock.now = NOW + HOURS
    assert site.pull(HOUR).extract.status is MISSING
    assert server.accepted_exports == 1


def test_where_the_api_was_down_the_same_hour_can_be_pulled_later(site: Site, server: VipServer) -> None:
    server.set_faults("api_dropped")
    assert site.pull().extract.status is FAILED
    server.set_faults()
    assert site.pull().extract.status is OK


def test_the_job_is_remembered_before_its_status_is_asked_for(site: Site, server: VipServer) -> None:
    known: list[Extract | None] = []
    site.hears = lambda _: known.append(site.remembered())
    site.pull()
    assert known[0] is not None
    assert (known[0].status, known[0].job_guid, known[0].export_calls) == (FAILED, None, 1)
    assert known[1] is not None
    assert (known[1].status, known[1].job_guid) == (ExtractStatus.RUNNING, server.jobs[0])
    assert known[1].folder == FOLDER


def test_a_pull_that_waited_for_another_one_looks_at_the_clock_again(
    site: Site, server: VipServer, clock: Hand
) -> None:
    waiting = threading.Event()
    site.hears = lambda sentence: waiting.set() if "waiting for it" in sentence else None
    clock.now = HOUR + 59 * MINUTES
    with alone(site.settings, unheard):
        pulls = [threading.Thread(target=site.pull, args=(hour,)) for hour in (HOUR, None)]
        for each in pulls:
            each.start()
        assert waiting.wait(60)
        clock.now += 2 * MINUTES
    for each in pulls:
        each.join()
    assert {each.hour: each.status for each in site.saved} == {HOUR: MISSING, HOUR + HOURS: OK}
    assert server.export_calls == 1


@pytest.mark.parametrize(("asked", "verdict"), [(None, (HOUR + HOURS, OK)), (HOUR, (HOUR, MISSING))])
def test_an_hour_that_ends_just_before_the_call_is_not_asked_for(
    asked: datetime | None, verdict: tuple[datetime, ExtractStatus], site: Site, server: VipServer
) -> None:
    site.clock = Leaping(HOUR + 59 * MINUTES, site)
    pulled = site.pull(asked).extract
    assert (pulled.hour, pulled.status) == verdict
    left = site.remembered()
    assert left is not None
    assert (left.status, left.reason) == (MISSING, "the hour ended before its export could be asked for")
    assert (left, pulled) == (site.saved[0], site.saved[-1])
    assert server.export_calls == (asked is None)


def test_two_pulls_at_once_make_one_job_and_one_transfer(site: Site, server: VipServer) -> None:
    pulls = [threading.Thread(target=site.pull) for _ in range(3)]
    for each in pulls:
        each.start()
    for each in pulls:
        each.join()
    assert [each.status for each in site.saved] == [OK] * 3
    assert sorted(each.transferred_files for each in site.saved) == [0, 0, 5]
    assert (server.accepted_exports, server.export_calls) == (1, 1)
    assert any("another pull" in sentence for sentence in site.told)


def test_a_second_machine_goes_on_with_the_job_of_the_first(
    site: Site, server: VipServer, tmp_path: Path
) -> None:
    """Both know nothing, the first one is quicker, and the second has noted its intent over the job."""
    other = Site(tmp_path / "other", server, site.clock, {"target": str(site.home)})
    other.state = LocalObjects(site.home / "state")

    def overtake(sentence: str) -> None:
        if "asking for the export" in sentence:
            noted = other.state.get(f"vip/{TEST}/20220208/08.json")
            site.state.delete(f"vip/{TEST}/20220208/08.json")
            quicker = threading.Thread(target=site.pull)
            quicker.start()
            quicker.join()
            other.state.put(f"vip/{TEST}/20220208/08.json", noted)

    other.hears = overtake
    pulled = other.pull().extract
    assert (pulled.status, pulled.job_guid, pulled.transferred_files) == (OK, server.jobs[0], 0)
    assert (server.accepted_exports, server.export_calls) == (1, 1)


def test_an_interrupted_pull_still_notes_the_job_that_was_asked_for(site: Site, server: VipServer) -> None:
    def interrupt(sentence: str) -> None:
        if "asking for the export" in sentence:
            signal.raise_signal(signal.SIGINT)

    site.hears = interrupt
    with pytest.raises(KeyboardInterrupt):
        site.pull()
    left = site.remembered()
    assert left is not None
    assert (left.status, left.job_guid) == (ExtractStatus.RUNNING, server.jobs[0])
    site.hears = lambda _: None
    assert site.pull().extract.status is OK
    assert server.export_calls == 1


def test_where_memory_is_lost_the_manifest_in_the_folder_tells_of_the_job(
    site: Site, server: VipServer
) -> None:
    first = site.pull().extract
    site.state.delete(f"vip/{TEST}/20220208/08.json")
    site.state.delete(f"vip/{TEST}/20220208/08.job.json")
    again = site.pull().extract
    assert (again.status, again.job_guid, again.transferred_files) == (OK, first.job_guid, 0)
    assert server.export_calls == 1


def test_what_is_remembered_with_a_job_never_leads_to_another_export(site: Site, server: VipServer) -> None:
    left = Extract(TEST, "Test", HOUR, FOLDER, MISSING, job_guid="somebody-elses")
    for status in ExtractStatus:
        site.memory.save(replace(left, status=status))
        assert site.pull().extract.status is FAILED
    assert server.export_calls == 0
