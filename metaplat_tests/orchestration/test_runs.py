"""Runs in this process: what they leave behind, what counts as a failure, and what becomes of killed ones."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import weakref
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from metaplat.ingest.receipts import Receipts
from metaplat.model.errors import PermanentStoreError, SettingsError, TransientStoreError
from metaplat.model.verdict import Outcome
from metaplat.orchestration import runs
from metaplat.orchestration.instance import open_instance
from metaplat.orchestration.leftovers import end_leftovers, held
from metaplat.orchestration.progress import tracked, watching
from metaplat.orchestration.runs import check, materialize
from metaplat.settings import Settings
from metaplat.stores.home import open_stores
from metaplat_tests.orchestration.small_domains import COUNTS, days, land
from metaplat_tests.orchestration.watched_objects import WatchedObjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, also where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def lost_interrupt() -> None:
    with contextlib.suppress(BaseException):
        signal.raise_signal(signal.SIGINT)


def disguised_interrupt() -> None:
    """As a library does that was interrupted while it was imported."""
    lost_interrupt()
    raise AttributeError("module 'library' has no attribute 'DataType'")


def plain_interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def dropped_interrupt() -> None:
    """As where the garbage collector calls back: Python prints what is raised there, and goes on."""
    thing = set[int]()
    weakref.finalize(thing, signal.raise_signal, signal.SIGINT)
    del thing
    time.sleep(60)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    "interrupt", [plain_interrupt, lost_interrupt, disguised_interrupt, dropped_interrupt]
)
@pytest.mark.parametrize(
    ("store", "operation", "statuses"),
    [
        ("landing", "list", []),  # before the run
        ("landing", "get", ["FAILURE"]),  # while it ingests
        ("lake", "get", ["FAILURE"]),  # while it checks
    ],
)
def test_an_interrupt_ends_the_run_whatever_becomes_of_its_exception(
    stores: Stores, store: str, operation: str, statuses: list[str], interrupt: Callable[[], None]
) -> None:
    """Dagster retried the step, which found a half-imported library: a failure instead of an interrupt."""
    land(stores, COUNTS, DAY, "a.json", a=1)
    told: list[str] = []

    def once(asked: str, key: str) -> None:
        if asked == operation and not told:
            told.append(key)
            interrupt()

    if store == "lake":
        lake = replace(stores.lake, objects=WatchedObjects(stores.lake.objects, once))
        watched = replace(stores, lake=lake)
    else:
        watched = replace(stores, landing=WatchedObjects(stores.landing, once))
    with pytest.raises(KeyboardInterrupt):
        materialize(COUNTS, watched, [DAY])
    assert told
    with open_instance(stores.settings) as instance:
        assert [run.status.value for run in instance.get_runs()] == statuses
        events = [
            event.dagster_event_type for run in instance.get_runs() for event in instance.all_logs(run.run_id)
        ]
    assert dg.DagsterEventType.STEP_RESTARTED not in events
    assert materialize(COUNTS, stores, [DAY]).failures == []


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("moment", ["job_start", "job_success"])
def test_an_interrupt_between_steps_ends_the_run_too(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Dagster keeps an interrupt for the next step, and forgets it where there is none."""
    land(stores, COUNTS, DAY, "a.json", a=1)
    make_event = getattr(dg.DagsterEvent, moment)

    def interrupted(*arguments: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return make_event(*arguments)

    monkeypatch.setattr(dg.DagsterEvent, moment, interrupted)
    with pytest.raises(KeyboardInterrupt):
        materialize(COUNTS, stores, [DAY])
    with open_instance(stores.settings) as instance:
        [run] = instance.get_runs()
    assert run.is_finished


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("interrupt", [plain_interrupt, lost_interrupt])
def test_an_interrupt_after_the_run_ends_the_work_too(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, interrupt: Callable[[], None]
) -> None:
    land(stores, COUNTS, DAY, "a.json", a=1)

    def receipts(*arguments: Any) -> Receipts:
        interrupt()
        return Receipts(*arguments)

    monkeypatch.setattr(runs, "Receipts", receipts)
    with pytest.raises(KeyboardInterrupt):
        materialize(COUNTS, stores, [DAY])


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


DIES_IN_A_STEP = """
import os, sys, dagster as dg
from metaplat.orchestration.resources import default_resources
from metaplat.stores.home import Stores

@dg.asset
def dying(stores: dg.ResourceParam[Stores]) -> None:
    os.kill(os.getpid(), 9)

with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    dg.materialize([dying], instance=instance, resources=default_resources())
"""


def test_a_run_of_the_daemon_that_died_with_it_is_ended_when_dagster_is_started_again(tmp_path: Path) -> None:
    """After a power cut it looked as if under way for ever, and kept the pull of the hour waiting."""
    with open_instance(Settings(home=tmp_path)) as instance:
        command = [sys.executable, "-c", DIES_IN_A_STEP, instance.root_directory]
        environment = os.environ | {"METAPLAT_HOME": str(tmp_path)}
        killed = subprocess.run(command, capture_output=True, env=environment)
        assert killed.returncode == -signal.SIGKILL
        [left] = instance.get_runs()
        assert left.status is dg.DagsterRunStatus.STARTED
        assert end_leftovers(instance) == [left.run_id]
        [ended] = instance.get_runs()
        assert ended.status is dg.DagsterRunStatus.FAILURE


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
