"""A pull that is killed at any moment goes on where it was: one export call, every file once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.extract import ExtractStatus
from metaplat_tests.standins.vip import Scenario, VipServer
from metaplat_tests.vip.vip_pulls import QUICK, Hand, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAVINGS = 10
"""How often a pull that meets no obstacle saves its state; a test below counts them."""
JOB_SAVING = 2
"""The saving that makes the job known."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    clock = Hand()
    with VipServer(Scenario(files=12, tables=4, size=60_000), clock) as server:
        yield Site(tmp_path, server, clock)


def run(site: Site, moment: str, number: int = 0) -> subprocess.CompletedProcess[str]:
    """Pull in another process, which dies at a moment."""
    settings = json.dumps({"home": str(site.home), "vip": {**site.server.settings, **QUICK}})
    program = [sys.executable, "-m", "metaplat_tests.vip.mortal_pull", settings, moment, str(number)]
    return subprocess.run(program, check=False, capture_output=True, text=True, timeout=120)


def settled_downloads(server: VipServer) -> dict[str, int]:
    """Return the downloads so far, once what the killed process had asked for is counted, too."""
    counted = server.downloads
    for _ in range(100):
        time.sleep(0.1)
        if counted == server.downloads:
            break
        counted = server.downloads
    return counted


def is_complete(site: Site) -> None:
    """Check that another pull brings everything, with the job that there is."""
    before = settled_downloads(site.server)
    pulled = site.pull().extract
    assert (pulled.status, len(pulled.delivered)) == (ExtractStatus.OK, 14)
    assert site.is_as_sent(pulled)
    assert (site.server.export_calls, site.server.accepted_exports) == (1, 1)
    names = Counter(each["name"] for each in site.document("_manifest.json")["files"])
    assert set(names.values()) == {1}
    assert len(names) == 14
    again = Counter(site.server.downloads) - Counter(before)
    assert sum(again.values()) == pulled.transferred_files
    assert site.leaks() == []


def test_a_pull_that_is_not_killed_saves_its_state_so_often(site: Site) -> None:
    ended = run(site, "never")
    assert ended.returncode == 0, ended.stderr
    document: dict[str, Any] = json.loads(ended.stdout)
    assert (document["savings"], document["status"], document["files_delivered"]) == (SAVINGS, "ok", 14)


@pytest.mark.parametrize("number", range(JOB_SAVING, SAVINGS + 1))
def test_killed_after_any_step_it_goes_on_with_the_same_job(number: int, site: Site) -> None:
    assert run(site, "after", number).returncode == -signal.SIGKILL
    is_complete(site)


@pytest.mark.parametrize("number", [1, 300_000, 600_000])
def test_killed_in_the_middle_of_the_transfer_it_fetches_what_is_missing_only(
    number: int, site: Site
) -> None:
    assert run(site, "bytes", number).returncode == -signal.SIGKILL
    whole = {name for name in site.files() if not name.startswith((".", "_"))}
    sizes = {key.rpartition("/")[2]: size for key, size in site.server.sizes(site.server.jobs[0]).items()}
    assert all(len(site.files()[name]) == sizes[name] for name in whole)
    is_complete(site)
    assert site.saved[-1].transferred_files <= 14 - len(whole)


def test_killed_twice_it_still_has_one_job(site: Site) -> None:
    assert run(site, "after", JOB_SAVING).returncode == -signal.SIGKILL
    assert run(site, "bytes", 200_000).returncode == -signal.SIGKILL
    is_complete(site)


def test_killed_before_it_asks_it_asks_once(site: Site) -> None:
    assert run(site, "before", 1).returncode == -signal.SIGKILL
    is_complete(site)


def test_killed_between_the_answer_and_its_noting_it_never_makes_a_second_job(site: Site) -> None:
    """Nobody can ask the API which jobs there are: the slot is lost, and that is told."""
    assert run(site, "before", JOB_SAVING).returncode == -signal.SIGKILL
    pulled = site.pull().extract
    assert (pulled.status, site.server.accepted_exports) == (ExtractStatus.SKIPPED, 1)
    assert "2 export calls of this hour gave no job" in str(pulled.reason)


def test_killed_while_the_export_is_asked_for_the_job_is_noted_all_the_same(site: Site) -> None:
    """The call is made by a process of its own, which the kill of the pull does not reach."""
    settings = {**site.server.settings, **QUICK, "export_apart": True}
    given = json.dumps({"home": str(site.home), "vip": settings})
    program = [sys.executable, "-m", "metaplat_tests.vip.mortal_pull", given, "never", "0"]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as pull:
        while not site.server.token_calls and pull.poll() is None:
            time.sleep(0.001)
        pull.kill()
    is_complete(site)
