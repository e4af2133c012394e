"""The log of verdicts: what is kept, since when an outcome stands, what a repeated judgement leaves alone."""

from __future__ import annotations

import math
import tempfile
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.model.errors import PermanentStoreError
from metaplat.model.verdict import Outcome, Severity, Verdict
from metaplat.reports.verdict_log import VerdictLog, store_key
from metaplat.stores.local_objects import LocalObjects

START = datetime(2025, 11, 12, 6, 30, tzinfo=UTC)
LATER = START + timedelta(days=1)
LATEST = START + timedelta(days=2)
PASSED, FAILED = Outcome.PASSED, Outcome.FAILED


@pytest.fixture
def state(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path)


@pytest.fixture
def log(state: LocalObjects) -> VerdictLog:
    return VerdictLog(state)


def verdict(outcome: Outcome = PASSED, sentence: str = "Fine.", **numbers: float) -> tuple[Verdict, Severity]:
    return Verdict(outcome, sentence, numbers), Severity.ERROR


def test_what_is_recorded_can_be_loaded_sorted_by_rule_and_partition(log: VerdictLog) -> None:
    log.record("jobs", "2025-11-13", {"volume": verdict(rows=3)}, now=START, run_id="a")
    log.record("jobs", "2025-11-12", {"volume": verdict(), "primary_key": verdict()}, now=START, run_id=None)
    log.record("jobs", None, {"volume": verdict(FAILED)}, now=START, run_id="b")
    loaded = log.load("jobs")
    assert [(found.rule, found.partition, found.run_id) for found in loaded] == [
        ("primary_key", "2025-11-12", None),
        ("volume", None, "b"),
        ("volume", "2025-11-12", None),
        ("volume", "2025-11-13", "a"),
    ]
    assert loaded[-1].numbers == {"rows": 3}
    assert loaded[1].outcome is FAILED


def test_an_outcome_stands_since_it_began_however_its_numbers_change(log: VerdictLog) -> None:
    log.record("jobs", "2025-11-12", {"key": verdict(FAILED, duplicates=1)}, now=START, run_id="a")
    log.record("jobs", "2025-11-12", {"key": verdict(FAILED, duplicates=2)}, now=LATER, run_id="b")
    [found] = log.load("jobs")
    assert (found.since, found.judged_at, found.run_id) == (START, LATER, "b")


def test_an_outcome_that_changes_begins_anew(log: VerdictLog) -> None:
    for now, outcome in ((START, FAILED), (LATER, PASSED), (LATEST, FAILED)):
        log.record("jobs", "2025-11-12", {"key": verdict(outcome)}, now=now, run_id=None)
    [found] = log.load("jobs")
    assert found.since == LATEST


def test_each_partition_and_rule_has_its_own_beginning(log: VerdictLog) -> None:
    log.record("jobs", "2025-11-12", {"key": verdict(FAILED)}, now=START, run_id=None)
    log.record(
        "jobs", "2025-11-12", {"key": verdict(FAILED), "volume": verdict(FAILED)}, now=LATER, run_id=None
    )
    log.record("jobs", "2025-11-13", {"key": verdict(FAILED)}, now=LATEST, run_id=None)
    assert [found.since for found in log.load("jobs")] == [START, LATEST, LATER]


def test_rules_that_were_not_judged_keep_their_verdicts(log: VerdictLog) -> None:
    log.record("jobs", "2025-11-12", {"key": verdict(FAILED), "volume": verdict()}, now=START, run_id=None)
    judged = log.record("jobs", "2025-11-12", {"key": verdict()}, now=LATER, run_id=None)
    assert [found.rule for found in judged] == ["key"]
    assert [(found.rule, found.outcome) for found in log.load("jobs")] == [
        ("key", PASSED),
        ("volume", PASSED),
    ]


def test_judging_again_with_the_same_result_leaves_the_file_untouched(
    log: VerdictLog, state: LocalObjects
) -> None:
    same = {"key": verdict(FAILED, ratio=math.nan, count=3), "volume": verdict()}
    first = log.record("jobs", "2025-11-12", same, now=START, run_id="a")
    before = state.info(store_key("jobs", "2025-11-12"))
    again = log.record("jobs", "2025-11-12", same, now=LATER, run_id="b")
    assert state.info(store_key("jobs", "2025-11-12")) == before
    assert [found.judged_at for found in again] == [found.judged_at for found in first]


def test_many_partitions_are_recorded_at_once(log: VerdictLog) -> None:
    keys = [str(bucket) for bucket in range(256)]
    log.record_many("files", {key: {"key": verdict()} for key in keys}, now=START, run_id="a")
    changed = {key: {"key": verdict(FAILED if key == "17" else PASSED)} for key in keys}
    returned = log.record_many("files", changed, now=LATER, run_id="b")
    assert returned == log.load("files")
    assert {found.partition for found in returned} == set(keys)
    assert [found.partition for found in returned if found.since == LATER] == ["17"]


def test_times_are_kept_in_utc(log: VerdictLog) -> None:
    elsewhere = START.astimezone(timezone(timedelta(hours=9)))
    log.record("jobs", None, {"key": verdict()}, now=elsewhere, run_id=None)
    [found] = log.load("jobs")
    assert found.since == START
    assert found.since.tzinfo is UTC


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_any_two_partitions_have_two_safe_keys(one: str, other: str) -> None:
    names = [store_key("jobs", key).removeprefix("verdicts/jobs/") for key in (one, other)]
    assert (names[0] == names[1]) == (one == other)
    assert all(name.isascii() and set(name) <= SAFE and name != "__table__.json" for name in names)


TABLES = st.text(min_size=1, max_size=30) | st.sampled_from(["..", "a/b", "a", "a\\b", "n" * 255, "n" * 254])


@given(TABLES, TABLES)
def test_any_two_tables_have_two_folders_whatever_their_names(one: str, other: str) -> None:
    keys = [store_key(f"table_profile/{table}", None) for table in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)
    for key in keys:
        kind, folder, name = key.removeprefix("verdicts/").split("/")
        assert (kind, name) == ("table_profile", "__table__.json")
        assert set(folder) <= SAFE - {"."} | {"_"}
        assert len(folder) <= 255


SAFE = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-=.")


@pytest.mark.parametrize("partition", ["2025-01-01-13:00", "__table__", "../up", "a/b", "ß %41"])
def test_odd_partition_keys_come_back_as_they_were(log: VerdictLog, partition: str) -> None:
    log.record("hours", partition, {"key": verdict()}, now=START, run_id=None)
    assert [found.partition for found in log.load("hours")] == [partition]


def test_a_domain_does_not_see_the_verdicts_of_one_with_a_longer_name(log: VerdictLog) -> None:
    log.record("jobs_old", "2025-11-12", {"key": verdict()}, now=START, run_id=None)
    assert log.load("jobs") == []


def test_samples_of_any_type_are_kept_as_json_values(log: VerdictLog) -> None:
    sample = {
        "when": START.astimezone(timezone(timedelta(hours=1))),
        "day": date(2025, 11, 12),
        "text": b"plain",
        "bytes": b"\xff\x00",
        "nan": math.nan,
        "low": -math.inf,
        "price": Decimal("1.10"),
        "huge": 2**70,
        "tags": {"a"},
        "nested": {"codes": (1, None)},
        "broken": "\ud800",
        "how_long": timedelta(minutes=1),
    }
    given_verdict = Verdict(FAILED, "Bad \udc00.", {"ratio": math.inf, "huge": 2**70}, [sample])
    log.record("jobs", None, {"key": (given_verdict, Severity.WARN)}, now=START, run_id=None)
    [found] = log.load("jobs")
    assert found.numbers == {"ratio": math.inf, "huge": 2**70}
    assert found.samples == (
        {
            "when": "2025-11-12T06:30:00Z",
            "day": "2025-11-12",
            "text": "plain",
            "bytes": "0xff00",
            "nan": "NaN",
            "low": "-Infinity",
            "price": "1.10",
            "huge": "1180591620717411303424",
            "tags": ["a"],
            "nested": {"codes": [1, None]},
            "broken": "?",
            "how_long": "0:01:00",
        },
    )


def _judgements() -> st.SearchStrategy[tuple[Verdict, Severity]]:
    values = (
        st.none() | st.text() | st.floats() | st.integers() | st.binary() | st.decimals() | st.datetimes()
    )
    verdicts = st.builds(
        Verdict,
        st.sampled_from(Outcome),
        st.text(),
        st.dictionaries(st.text(), st.integers() | st.floats(), max_size=3),
        st.lists(st.dictionaries(st.text(), values, max_size=3), max_size=2),
    )
    return st.tuples(verdicts, st.sampled_from(Severity))


@given(st.dictionaries(st.text(), _judgements(), max_size=3))
def test_whatever_is_recorded_reads_back_the_same_and_repeats_without_writing(
    judged: dict[str, tuple[Verdict, Severity]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = LocalObjects(Path(folder))
        log = VerdictLog(state)
        recorded = log.record("jobs", "2025-11-12", judged, now=START, run_id=None)
        assert [found.content for found in log.load("jobs")] == [found.content for found in recorded]
        before = state.list_objects()
        log.record("jobs", "2025-11-12", judged, now=LATER, run_id="b")
        assert state.list_objects() == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"domain": "jobs", "partition": null, "verdicts": [3]}',
        b'{"domain": "jobs", "partition": null, "verdicts": [{"rule": "key"}]}',
        b'{"domain": "jobs", "partition": null, "verdicts": 3}',
    ],
)
def test_a_file_that_cannot_be_read_is_named(log: VerdictLog, state: LocalObjects, content: bytes) -> None:
    state.put("verdicts/jobs/2025-11-12.json", content)
    with pytest.raises(PermanentStoreError, match=r"verdicts/jobs/2025-11-12\.json"):
        log.load("jobs")
    with pytest.raises(PermanentStoreError, match=r"verdicts/jobs/2025-11-12\.json"):
        log.record("jobs", "2025-11-12", {"key": verdict()}, now=LATER, run_id=None)


def test_an_unreadable_time_or_outcome_is_named_too(log: VerdictLog, state: LocalObjects) -> None:
    log.record("jobs", None, {"key": verdict()}, now=START, run_id=None)
    key = store_key("jobs", None)
    whole = state.get(key)
    for good, bad in ((b'"passed"', b'"well"'), (b"06:30:00Z", b"06:30:00"), (b"2025-11-12", b"yesterday")):
        state.put(key, whole.replace(good, bad))
        with pytest.raises(PermanentStoreError, match=r"__table__\.json.*Delete it"):
            log.load("jobs")
