"""What every catalog index does with observations: upserts, versions and patches."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import InvalidInputError
from metaplat.model.filters import EVERYTHING
from metaplat.stores.catalog.index import FACET_COLUMNS, Change, KnownFile
from metaplat_tests.stores.catalog.catalog_rows import (
    CALLERS,
    DAY,
    FIELDS,
    NOW,
    TIMES,
    WORDS,
    edge,
    event,
    identity,
    ids_of,
    observation,
    put,
)

if TYPE_CHECKING:
    from metaplat.model.observation import Row
    from metaplat.stores.catalog.index import CatalogIndex

LATER = NOW + DAY


def only(index: CatalogIndex, number: int = 0) -> Row:
    """Return the one observation with a number."""
    (row,) = index.get([identity(number)])
    return row


def test_an_empty_catalog_answers_everything_with_nothing(index: CatalogIndex) -> None:
    assert index.last_seq() == 0
    assert (index.count(EVERYTHING), index.totals(EVERYTHING)) == (0, (0, 0))
    assert (index.get([identity(0)]), index.revisions(identity(0)), index.summaries()) == ([], [], [])
    assert (index.known([identity(0)]), index.changed_days("observations", 0)) == ({}, {})
    assert [*index.known_below(""), *index.scan(EVERYTHING), *index.dangling()] == []
    assert index.facets(EVERYTHING, ["mission_id"]) == {"mission_id": []}


def test_a_change_of_nothing_does_nothing(index: CatalogIndex) -> None:
    applied = index.apply(Change(), NOW)
    assert (list(applied.observations), applied.patched, applied.relationships, applied.events) == (
        [],
        0,
        0,
        0,
    )
    assert index.last_seq() == 0
    assert (index.known([]), index.get([]), index.edges([], "parents")) == ({}, [], [])


def test_a_new_row_is_inserted_whole(index: CatalogIndex) -> None:
    sent = observation(1)
    assert put(index, sent) == ["inserted"]
    row = only(index, 1)
    assert {name: row[name] for name in CALLERS} == sent
    assert (row["first_seen"], row["updated_at"], row["revision"]) == (NOW, NOW, 1)
    assert row["change_seq"] == index.last_seq() > 0
    assert list(row) == list(FIELDS)


def test_what_the_index_sets_is_not_taken_from_the_caller(index: CatalogIndex) -> None:
    put(index, observation() | {"first_seen": None, "updated_at": LATER, "revision": 77, "change_seq": 10**6})
    row = only(index)
    assert (row["first_seen"], row["updated_at"], row["revision"]) == (NOW, NOW, 1)
    assert row["change_seq"] < 10**6
    assert put(index, row, now=LATER) == ["unchanged"], "a row that was read can be written back"


def test_the_same_row_again_is_unchanged(index: CatalogIndex) -> None:
    put(index, observation())
    before, seq = only(index), index.last_seq()
    assert put(index, observation(), now=LATER) == ["unchanged"]
    assert (only(index), index.last_seq(), index.revisions(identity(0))) == (before, seq, [before])


def test_tries_and_extractor_are_stored_without_a_new_version(index: CatalogIndex) -> None:
    put(index, observation())
    before = only(index)
    tried: Row = {"attempts": 3, "next_attempt": LATER, "extractor_version": "2"}
    assert put(index, observation(**tried), now=LATER) == ["unchanged"]
    assert only(index) == before | tried
    assert index.known([identity(0)])[identity(0)].next_attempt == LATER


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"target_object": None}, {"target_object": "M31"}),
        ({"target_object": "M31"}, {"target_object": None}),
        ({"target_object": "M31"}, {"target_object": "m31"}),
        ({"target_object": "M31"}, {"target_object": "M31 "}),
        ({"target_object": ""}, {"target_object": None}),
        ({"file_size": 1}, {"file_size": 2}),
        ({"data_quality_score": 0.7}, {"data_quality_score": 0.7000000000000001}),
        ({"data_quality_score": 0.0}, {"data_quality_score": None}),
        ({"observation_timestamp": NOW}, {"observation_timestamp": NOW + timedelta(microseconds=1)}),
        ({"mission_specific": '{"a": 1}'}, {"mission_specific": '{"a":1}'}),
        ({"file_state": "present"}, {"file_state": "vanished"}),
        ({"content_tag": "1"}, {"content_tag": "1.0"}),
    ],
)
def test_any_difference_makes_a_new_version(index: CatalogIndex, before: Row, after: Row) -> None:
    put(index, observation(**before))
    old = only(index)
    assert put(index, observation(**after), now=LATER) == ["updated"]
    new = only(index)
    assert new == old | after | {"updated_at": LATER, "revision": 2, "change_seq": new["change_seq"]}
    assert new["change_seq"] == index.last_seq() > old["change_seq"]
    assert index.revisions(identity(0)) == [old, new]


def test_every_version_is_kept_oldest_first(index: CatalogIndex) -> None:
    for size in (1, 2, 1, 3):
        put(index, observation(file_size=size))
    versions = index.revisions(identity(0))
    assert [(row["revision"], row["file_size"]) for row in versions] == [(1, 1), (2, 2), (3, 1), (4, 3)]
    assert [row["change_seq"] for row in versions] == sorted({row["change_seq"] for row in versions})
    assert versions[-1] == only(index)


def test_of_the_same_id_twice_in_a_change_the_last_one_stands(index: CatalogIndex) -> None:
    assert len(put(index, observation(file_size=1), observation(1), observation(file_size=2))) == 3
    assert (only(index)["file_size"], only(index)["revision"]) == (2, 1)
    assert index.totals(EVERYTHING) == (2, 2 + 1001)
    assert put(index, observation(file_size=9), observation(file_size=2))[-1] == "unchanged"
    assert put(index, observation(file_size=9), observation(file_size=3))[-1] == "updated"
    assert [row["file_size"] for row in index.revisions(identity(0))] == [2, 3]


def test_each_row_of_a_change_gets_its_own_answer(index: CatalogIndex) -> None:
    put(index, observation(1), observation(2))
    rows = (observation(2, version="2"), observation(3), observation(1))
    assert put(index, *rows) == ["updated", "inserted", "unchanged"]


@pytest.mark.parametrize("text", [*WORDS, "x" * 100_000], ids=range(len(WORDS) + 1))
def test_text_comes_back_as_it_was(index: CatalogIndex, text: str) -> None:
    put(index, observation(target_object=text, file_path=text, flags=text))
    assert {only(index)[name] for name in ("target_object", "file_path", "flags")} == {text}
    assert put(index, observation(target_object=text, file_path=text, flags=text)) == ["unchanged"]


def test_every_text_may_be_as_long_as_the_extractors_leave_it(index: CatalogIndex) -> None:
    noise = random.Random(1)
    long = [
        name for name in CALLERS if FIELDS[name].dtype is str and name not in {"dataset_id", "file_state"}
    ]
    texts: Row = {name: "".join(map(chr, noise.choices(range(0x1F300, 0x1F600), k=250))) for name in long}
    for number in (0, 1):
        assert put(index, observation(number, **texts)) == ["inserted"]
    assert put(index, observation(**texts)) == ["unchanged"]
    assert only(index) == only(index) | texts
    assert [index.facets(EVERYTHING, [name])[name][0] for name in FACET_COLUMNS] == [
        (texts[name], 2) for name in FACET_COLUMNS
    ]


def test_json_comes_back_letter_by_letter(index: CatalogIndex) -> None:
    text = json.dumps({f"KEY{number}": [1.0, None, "\u00e9", "\\"] for number in range(3000)}, indent=1)
    put(index, observation(mission_specific=text))
    assert only(index)["mission_specific"] == text


@pytest.mark.parametrize("time", TIMES, ids=str)
def test_times_come_back_to_the_microsecond_in_utc(index: CatalogIndex, time: datetime) -> None:
    put(index, observation(observation_timestamp=time, modified_time=time))
    row = only(index)
    assert (row["observation_timestamp"], row["modified_time"]) == (time, time)
    assert row["modified_time"].utcoffset() == timedelta(0)
    assert index.changed_days("observations", 0) == {time.date(): index.last_seq()}


def test_a_time_in_another_zone_is_the_same_time(index: CatalogIndex) -> None:
    put(index, observation(observation_timestamp=NOW))
    shifted = NOW.astimezone(timezone(timedelta(hours=-13)))
    assert put(index, observation(observation_timestamp=shifted)) == ["unchanged"]


def test_a_nan_is_stored_as_null(index: CatalogIndex) -> None:
    put(index, observation(data_quality_score=float("nan"), ra_deg=float("nan"), dec_deg=1.0))
    assert (only(index)["data_quality_score"], only(index)["ra_deg"]) == (None, None)
    again = observation(data_quality_score=float("nan"), ra_deg=None, dec_deg=1.0)
    assert put(index, again) == ["unchanged"]


def test_numbers_keep_all_their_digits(index: CatalogIndex) -> None:
    put(index, observation(file_size=2**62, data_quality_score=0.1 + 0.2, ra_deg=5e-324, dec_deg=-90.0))
    row = only(index)
    assert (row["file_size"], row["data_quality_score"], row["ra_deg"]) == (2**62, 0.1 + 0.2, 5e-324)


def test_rows_come_in_the_order_asked_and_unknown_ones_not_at_all(index: CatalogIndex) -> None:
    put(index, *map(observation, range(5)))
    wanted = [identity(3), "none", identity(0), "'; --", identity(4)]
    assert ids_of(index.get(wanted)) == [identity(3), identity(0), identity(4)]


def test_what_is_known_of_a_file(index: CatalogIndex) -> None:
    put(index, observation(file_state="vanished", attempts=2, next_attempt=NOW), observation(1))
    assert index.known([identity(0), "none"]) == {
        identity(0): KnownFile(
            identity(0), "/data/0.fits", 1000, "0:1", "1", "ok", "vanished", attempts=2, next_attempt=NOW
        )
    }


def test_a_hundred_thousand_ids_may_be_asked_at_once(index: CatalogIndex) -> None:
    put(index, *map(observation, range(20)))
    wanted = [identity(5), *(f"{number:032x}" for number in range(100_000)), identity(7)]
    assert set(index.known(wanted)) == {identity(5), identity(7)}
    assert ids_of(index.get(wanted)) == [identity(5), identity(7)]


def test_known_files_come_by_prefix_in_code_point_order(index: CatalogIndex) -> None:
    paths = ["/a/Z", "/a/a", "/a/é", "/a/\U0001f52d", "/a/%", "/a/_", "/A/a", "/ab", "/a", "/a/b/c", "/b"]
    put(index, *(observation(number, file_path=path) for number, path in enumerate(paths)))
    for prefix in ("/a/", "", "/a", "/a/%", "/A", "/a/\U0001f52d", "none"):
        found = [known.file_path for known in index.known_below(prefix)]
        assert found == sorted(path for path in paths if path.startswith(prefix)), prefix


def test_files_that_are_due_are_those_whose_next_attempt_has_come(index: CatalogIndex) -> None:
    waits = [None, NOW - DAY, NOW, NOW + DAY]
    put(index, *(observation(number, next_attempt=wait) for number, wait in enumerate(waits)))
    assert {known.dataset_id for known in index.known_below("/data/", NOW)} == {identity(1), identity(2)}
    assert list(index.known_below("/other/", NOW)) == []


def test_a_patch_sets_columns_and_keeps_the_old_version(index: CatalogIndex) -> None:
    put(index, observation(), observation(1))
    old = only(index)
    patch = {"processing_status": "processed", "data_quality_score": 0.5, "observation_timestamp": None}
    assert index.apply(Change(patches={identity(0): patch}), LATER).patched == 1
    new = only(index)
    assert new == old | patch | {"updated_at": LATER, "revision": 2, "change_seq": new["change_seq"]}
    assert index.revisions(identity(0)) == [old, new]
    assert only(index, 1)["revision"] == 1


def test_a_patch_that_changes_nothing_is_no_new_version(index: CatalogIndex) -> None:
    put(index, observation())
    old, seq = only(index), index.last_seq()
    patches = {identity(0): {"processing_status": "raw", "file_size": 1000}}
    assert index.apply(Change(patches=patches), LATER).patched == 0
    assert (only(index), index.last_seq()) == (old, seq)


def test_a_patch_may_meet_a_row_of_its_own_change(index: CatalogIndex) -> None:
    change = Change([observation(), observation(1)], {identity(1): {"processing_status": "archived"}})
    index.apply(change, NOW)
    assert [only(index, number)["processing_status"] for number in (0, 1)] == ["raw", "archived"]


def test_a_patch_of_a_missing_row_writes_nothing_at_all(index: CatalogIndex) -> None:
    put(index, observation())
    before, seq = only(index), index.last_seq()
    change = Change(
        [observation(version="2"), observation(1)],
        {identity(0): {"version": "3"}, "missing": {"version": "3"}},
        [edge(0, 1)],
        [event("e")],
    )
    with pytest.raises(InvalidInputError, match="missing"):
        index.apply(change, LATER)
    assert (only(index), index.last_seq(), index.count(EVERYTHING)) == (before, seq, 1)
    assert (index.events("r"), index.edges([identity(0)], "children")) == ([], [])


@pytest.mark.parametrize("column", ["revision", "dataset_id", "no_such", "version = 'x', version", ""])
def test_a_patch_of_what_is_no_column_to_set_is_refused(index: CatalogIndex, column: str) -> None:
    put(index, observation())
    before = only(index)
    with pytest.raises(InvalidInputError):
        index.apply(Change(patches={identity(0): {column: "x"}}), LATER)
    assert only(index) == before


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"], ids=["nul", "lone surrogate"])
def test_text_that_is_no_text_is_stored_whole_or_refused(index: CatalogIndex, text: str) -> None:
    try:
        put(index, observation(), observation(1, target_object=text))
    except InvalidInputError:
        assert index.count(EVERYTHING) == 0
    else:
        assert only(index, 1)["target_object"] == text


def test_a_closed_index_opens_again_when_asked(index: CatalogIndex) -> None:
    put(index, observation())
    index.close()
    index.close()
    assert index.count(EVERYTHING) == 1


def test_the_address_says_where_it_is(index: CatalogIndex) -> None:
    assert index.address
    assert "wo:rd" not in index.address
    assert "wo%3Ard" not in index.address
