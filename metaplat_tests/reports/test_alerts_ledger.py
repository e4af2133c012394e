"""What is remembered of alerts: on disk, between processes, and whatever the names are."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.model.errors import PermanentStoreError
from metaplat.reports.alerts.alert import Alert, alert_id
from metaplat.reports.alerts.entry import Acknowledgement, Change, Entry, Pending, SinkState, Told
from metaplat.reports.alerts.entry_json import entry_from_item, entry_item
from metaplat.reports.alerts.ledger import AlertLedger, ledger_key
from metaplat.reports.alerts.standing import Standing
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.objects import check_key
from metaplat_tests.reports.alert_samples import NOW, Watch, alert

if TYPE_CHECKING:
    from pathlib import Path

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
LEVELS = st.sampled_from(["low", "medium", "high"])
ALERTS = st.builds(Alert, TEXT, TEXT, LEVELS, st.lists(TEXT).map(tuple), TEXT, MOMENTS, st.none() | TEXT)
SINKS = st.builds(
    SinkState,
    st.none() | st.builds(Told, LEVELS, MOMENTS, MOMENTS),
    st.none() | st.builds(Pending, st.sampled_from(Change), st.integers(1, 99), TEXT, MOMENTS),
)
ENTRIES = st.builds(
    Entry,
    ALERTS,
    st.none() | MOMENTS,
    st.none() | st.builds(Acknowledgement, TEXT, TEXT, MOMENTS),
    st.dictionaries(TEXT, SINKS, max_size=3),
)


@pytest.fixture
def state(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path / "state")


def corrupt(content: object) -> bytes:
    return content if isinstance(content, bytes) else orjson.dumps(content)


@given(ENTRIES)
def test_every_entry_reads_back_as_it_was(entry: Entry) -> None:
    assert entry_from_item(orjson.loads(orjson.dumps(entry_item(entry)))) == entry


@given(st.text(), st.text())
def test_every_subject_has_a_key_of_its_own_that_every_store_takes(first: str, second: str) -> None:
    key = check_key(ledger_key(first))
    assert len(key) < 240
    assert key.isascii()
    same = first.encode("utf-8", "replace") == second.encode("utf-8", "replace")
    assert (key == ledger_key(second)) == same


def test_long_names_stay_apart() -> None:
    assert ledger_key("ü" * 255) != ledger_key("ü" * 254)
    assert len(ledger_key("ü" * 255)) < 240


def test_the_id_of_an_alert_is_the_same_in_every_release() -> None:
    """It is in messages that people have kept."""
    assert alert_id("job_executions", "row_count") == "de8d900b5d4f"
    assert alert_id("a", "b", "c") != alert_id("a", "b")


@pytest.mark.parametrize(
    "name", ["table_profile/part_x; DROP TABLE", "table_profile/../../x", "a\nb", "\udce9", "Ünï/码"]
)
def test_a_subject_of_any_name_is_remembered(tmp_path: Path, name: str) -> None:
    watch = Watch(LocalObjects(tmp_path / "state"))
    sink = watch.sink("oncall")
    odd = alert(subject=name)
    watch.look(odd, subject=name)
    assert watch.look(odd, subject=name) == []
    [(subject, body)] = sink.sent
    assert subject.isprintable()
    assert all(line.isprintable() for line in body.splitlines())
    watch.look(subject=name)
    assert watch.ledger.subjects() == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", [], {"alerts": 1}, {"alerts": [{}]}, {"alerts": [None]}, {"alerts": [{"subject": 1}]}],
)
def test_a_file_that_is_no_ledger_is_an_error_that_names_it(state: LocalObjects, content: object) -> None:
    state.put(ledger_key("jobs"), corrupt(content))
    with pytest.raises(PermanentStoreError, match=r"read alerts/jobs\.json.*Delete it"):
        AlertLedger(state).load(["jobs"])


@given(st.recursive(st.none() | st.booleans() | st.integers() | TEXT, lambda x: st.lists(x)), st.data())
def test_an_entry_with_any_wrong_value_is_an_error_of_three_kinds(wrong: object, data: st.DataObject) -> None:
    item = entry_item(Entry(alert(), sinks={"a": SinkState(Told("low", NOW, NOW))}))
    item[data.draw(st.sampled_from(sorted(item)))] = wrong
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        entry_from_item(item)


def test_a_look_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    watch = Watch(LocalObjects(tmp_path / "state"))
    watch.sink("oncall")
    watch.look(alert())
    before = watch.state.list_objects()
    watch.look(alert())
    assert watch.state.list_objects() == before


def test_what_is_foreseen_is_not_written(state: LocalObjects) -> None:
    ledger = AlertLedger(state)
    assert ledger.foresee({"jobs": Standing((alert(),))}, NOW)["jobs"][alert().id].firing
    assert state.list_objects() == []


def test_an_acknowledgement_made_while_a_slow_sink_is_told_is_kept(tmp_path: Path) -> None:
    watch = Watch(LocalObjects(tmp_path / "state"))
    sink = watch.sink("slow")

    class Acknowledging:
        def send(self, subject: str, body: str) -> None:
            watch.acknowledge(alert())
            sink.send(subject, body)

    watch.receivers[0] = type(watch.receivers[0])(watch.receivers[0].interest, Acknowledging())
    watch.look(alert())
    entry = watch.entry(alert())
    assert entry.acknowledged
    assert entry.sinks["slow"].told


def test_writers_of_different_subjects_do_not_disturb_each_other(state: LocalObjects) -> None:
    names = [f"domain_{number}" for number in range(8)]

    def watch_one(name: str) -> None:
        watch = Watch(state)
        watch.sink("oncall")
        for step in range(10):
            watch.look(*([alert(subject=name)] if step % 2 == 0 else []), subject=name)
        watch.look(alert(subject=name), subject=name)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(watch_one, names))
    ledger = AlertLedger(state)
    assert ledger.subjects() == names
    for name, entries in ledger.load(names).items():
        [entry] = entries.values()
        assert entry.firing
        assert entry.alert.subject == name
        assert entry.sinks["oncall"].told


KILLED = """
import os, sys, time
from pathlib import Path
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.reports.alert_samples import Watch, alert

watch = Watch(LocalObjects(Path(sys.argv[1])))
watch.sink("first")
watch.sink("second")

def die(subject, body):
    while "first" not in watch.entry(alert()).sinks:
        time.sleep(0.01)
    os._exit(9)

watch.receivers[1].sink.send = die
watch.look(alert())
"""


def test_a_kill_between_two_sinks_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "state"], check=False, timeout=60)
    assert killed.returncode == 9
    watch = Watch(LocalObjects(tmp_path / "state"))
    first, second = watch.sink("first"), watch.sink("second")
    watch.look(alert())
    assert (len(first.sent), len(second.sent)) == (0, 1)
