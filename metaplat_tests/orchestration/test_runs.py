"""Runs in this process: what they leave behind, what counts as a failure, and what becomes of killed ones."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from metaplat.model.errors import PermanentStoreError, SettingsError, TransientStoreError
from metaplat.model.verdict import Outcome
from metaplat.orchestration.instance import open_instance
from metaplat.orchestration.leftovers import end_leftovers, held
from metaplat.orchestration.progress import tracked, watching
from metaplat.orchestration.runs import check, materialize
from metaplat.settings import Settings
from metaplat.stores.home import open_stores
from metaplat_tests.orchestration.small_domains import COUNTS, days, land
from metaplat_tests.orchestration.watched_objects import WatchedObjects

if TYPE_CHECKING:
    from metaplat.stores.home import Stores

DAY, NEXT = "2025-11-01", "2025-11-02"


def test_a_run_leaves_receipts_and_verdicts_of_its_partitions_and_of_the_table(stores: Stores) -> None:
    for day in days(DAY, 3):
        land(stores, COUNTS, day, "a.json", a=1)
    materialize(COUNTS, stores, days(DAY, 3))
    outcome = materialize(COUNTS, stores, [DAY, NEXT])
    assert list(outcome.receipts) == [DAY, NEXT]
    assert {record.partition for record in outcome.verdicts} == {None, DAY, NEXT}
    assert outcome.failures == []


def test_verdicts_of_rules_that_are_no_longer_declared_are_not_told(stores: Stores) -> None:
    land(stores, COUNTS, DAY, "a.json", a=1)
    materialize(COUNTS, stores, [DAY])
    fewer = replace(COUNTS, rules=COUNTS.rules[:1])
    assert {record.rule for record in check(fewer, stores, [DAY]).verdicts} == {"amount"}


def test_a_blocking_check_that_fails_is_a_verdict_and_no_failure_of_the_run(stores: Stores) -> None:
    land(stores, COUNTS, DAY, "a.json", a=20_000)
    outcome = materialize(COUNTS, stores, [DAY])
    assert outcome.failures == []
    found = {record.rule: record.outcome for record in outcome.verdicts if record.partition}
    assert found["ruinous"] is Outcome.FAILED


def test_a_partition_that_cannot_be_read_is_told_as_a_failure(stores: Stores) -> None:
    land(stores, COUNTS, DAY, "a.json", a=1)
    land(stores, COUNTS, NEXT, "a.json", a=1)
    landing = WatchedObjects(
        stores.landing,
        lambda operation, key: PermanentStoreError if (operation, "11/02" in key) == ("get", True) else None,
    )
    outcome = materialize(COUNTS, replace(stores, landing=landing), [DAY, NEXT])
    assert list(outcome.receipts) == [DAY]
    [failure] = outcome.failures
    assert failure.startswith(f"1 of 2 partitions failed: {NEXT}: store of the test")


@pytest.mark.parametrize("job", [materialize, check])
def test_an_outage_is_told_before_a_run_starts(stores: Stores, job: type) -> None:
    down = replace(stores, landing=WatchedObjects(stores.landing, lambda *_: TransientStoreError))
    with pytest.raises(TransientStoreError):
        job(COUNTS, down, [DAY])
    assert not (stores.settings.home / "dagster").exists()


def test_settings_that_do_not_fit_are_told_before_a_run_starts(tmp_path: Path) -> None:
    stores = open_stores(Settings(home=tmp_path / "home", privacy={"drop": ["counts.nothing"]}))
    with pytest.raises(SettingsError, match="nothing"):
        materialize(COUNTS, stores, [DAY])
    assert not (tmp_path / "home").exists()


KILLED = """
import os, sys, dagster as dg
from metaplat.orchestration.leftovers import held
with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    run = instance.create_run_for_job(dg.job(name="left")(lambda: None), status=dg.DagsterRunStatus.STARTED)
    with held(instance, run.run_id):
        print(run.run_id, flush=True)
        os.kill(os.getpid(), 9) if sys.argv[2] == "killed" else sys.stdin.read()
"""


def test_runs_of_killed_processes_are_ended_and_those_of_living_ones_are_not(tmp_path: Path) -> None:
    with open_instance(Settings(home=tmp_path)) as instance:
        home = instance.root_directory
        command = [sys.executable, "-c", KILLED, home]
        killed = subprocess.run([*command, "killed"], capture_output=True, text=True)
        with subprocess.Popen(
            [*command, "alive"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as alive:
            assert alive.stdout is not None
            living, left = alive.stdout.readline().strip(), killed.stdout.strip()
            assert end_leftovers(instance) == [left]
            assert end_leftovers(instance) == []
            statuses = {run.run_id: run.status for run in instance.get_runs()}
            alive.communicate("")
        assert statuses == {left: dg.DagsterRunStatus.FAILURE, living: dg.DagsterRunStatus.STARTED}
        assert list(Path(home, "running").iterdir()) == []


def test_a_run_that_ends_holds_nothing(tmp_path: Path) -> None:
    with open_instance(Settings(home=tmp_path)) as instance:
        with held(instance, "a-run"):
            assert end_leftovers(instance) == []
        assert list(Path(instance.root_directory, "running").iterdir()) == []


def test_progress_tells_the_watcher_what_is_done_and_nobody_else() -> None:
    told: list[tuple[str, int, int]] = []
    with watching(lambda *what: told.append(what)):
        assert list(tracked("ingest", ["a", "b"])) == ["a", "b"]
    assert told == [("ingest", 1, 2), ("ingest", 2, 2)]
    assert list(tracked("ingest", ["a"])) == ["a"]
    assert len(told) == 2
