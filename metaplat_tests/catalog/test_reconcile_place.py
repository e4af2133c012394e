"""The nightly comparison: whatever differs is found, set right, and reported."""

from __future__ import annotations

import gzip
import json
import os
import random
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.catalog.ingesting.bulk import ingest_place
from metaplat.catalog.ingesting.gzip_streams import gzip_damage
from metaplat.catalog.ingesting.reconciling import Reconciliation, reconcile
from metaplat.collectors.headers.mappings import load_mappings
from metaplat.model.errors import TransientSourceError
from metaplat.model.filters import EVERYTHING
from metaplat.model.observation import dataset_id_of
from metaplat.settings import Settings
from metaplat.stores.catalog.index import Query
from metaplat.stores.catalog.sqlite_index import SqliteIndex
from metaplat_tests.standins.observation_files import fits_bytes, write_fits, write_gzip_fits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SETTINGS = Settings.model_validate(
    {"catalog": {"processes": 1, "batch_size": 4, "settle_seconds": 10, "max_attempts": 2}}
)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqliteIndex]:
    opened = SqliteIndex(tmp_path / "catalog.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "archive"
    made.mkdir()
    return made


def settled(path: Path, *, seconds: int = 0) -> Path:
    """Let a file be written a day before ``NOW``."""
    moment = NOW.timestamp() - 86_400 + seconds
    os.utime(path, (moment, moment))
    return path


def compare(folder: Path, index: SqliteIndex, now: datetime = NOW, **how: Any) -> Reconciliation:
    return reconcile(str(folder), index, SETTINGS, now, **how)


def row_of(path: Path, index: SqliteIndex) -> dict[str, Any]:
    (row,) = index.get([dataset_id_of(str(path))])
    return row


def test_every_difference_is_found_and_set_right(folder: Path, index: SqliteIndex) -> None:
    for name in ("changed", "same", "vanished"):
        settled(write_fits(folder / f"{name}.fits", 1))
    (folder / "bad.fits").touch()
    settled(folder / "bad.fits")
    ingest_place(str(folder), index, SETTINGS, NOW - timedelta(hours=1))
    settled(write_fits(folder / "changed.fits", 2), seconds=5)
    (folder / "vanished.fits").unlink()
    settled(write_fits(folder / "missing.fits", 3))
    os.utime(write_fits(folder / "arriving.fits", 4), (NOW.timestamp() - 1,) * 2)

    report = compare(folder, index)
    assert report.counts == {
        "changed": 1,
        "new": 1,
        "retried": 1,
        "unchanged": 1,
        "unsettled": 1,
        "vanished": 1,
    }
    assert not report.agrees
    assert report.files["vanished"] == [str(folder / "vanished.fits")]
    assert report.ingest.counts == {"cataloged": 1, "updated": 1, "unchanged": 1, "rejected": 1}
    assert report.in_quarantine == 1
    gone = row_of(folder / "vanished.fits", index)
    assert (gone["file_state"], gone["mission_id"], gone["revision"]) == ("vanished", "HELIOS-9", 2)
    assert row_of(folder / "bad.fits", index)["extraction_status"] == "quarantined"
    assert index.count(EVERYTHING) == 3

    (folder / "arriving.fits").unlink()
    (folder / "bad.fits").unlink()
    again = compare(folder, index)
    assert again.counts == {"unchanged": 3, "vanished": 1}
    assert compare(folder, index).agrees


def test_a_report_is_json_and_the_audit_trail_has_it(folder: Path, index: SqliteIndex) -> None:
    settled(write_fits(folder / "a.fits"))
    settled(write_fits(folder / "b.fits")).write_bytes(b"")
    settled(folder / "b.fits")
    report = compare(folder, index, run_id="night-1")
    found = json.loads(json.dumps(report.as_dict()))
    assert found["counts"] == {"new": 2}
    assert found["files"] == {"new": [str(folder / "a.fits"), str(folder / "b.fits")]}
    assert found["rejections"][0]["error"].startswith("empty: ")
    (event,) = index.events("night-1")
    assert event["action"] == "reconcile"
    assert json.loads(event["detail"])["results"] == report.ingest.counts


def test_waiting_and_quarantined_files_are_counted_and_left_alone(folder: Path, index: SqliteIndex) -> None:
    (folder / "bad.fits").touch()
    settled(folder / "bad.fits")
    assert compare(folder, index).counts == {"new": 1}
    assert compare(folder, index, NOW + timedelta(seconds=59)).counts == {"waiting": 1}
    assert compare(folder, index, NOW + timedelta(seconds=60)).counts == {"retried": 1}
    last = compare(folder, index, NOW + timedelta(days=30))
    assert (last.counts, last.in_quarantine) == ({"quarantined": 1}, 1)
    assert last.ingest.rejections[0][1].startswith("empty: ")


def test_files_read_with_other_mappings_are_read_again(
    folder: Path, index: SqliteIndex, tmp_path: Path
) -> None:
    settled(write_fits(folder / "a.fits"))
    compare(folder, index)
    (tmp_path / "own.toml").write_text('[default]\ntarget_object = ["OBSID"]\n', encoding="utf-8")
    report = compare(folder, index, mappings=load_mappings(tmp_path / "own.toml"))
    assert report.counts == {"outdated": 1}
    assert row_of(folder / "a.fits", index)["target_object"] == "0000000000"


def test_an_empty_folder_with_known_files_is_believed_only_when_told_so(
    folder: Path, index: SqliteIndex
) -> None:
    settled(write_fits(folder / "a.fits")).rename(folder / "b.fits")
    compare(folder, index)
    (folder / "b.fits").unlink()
    with pytest.raises(TransientSourceError, match="mounted"):
        compare(folder, index)
    assert compare(folder, index, allow_empty=True).counts == {"vanished": 1}
    assert compare(folder, index).agrees


def test_neighbours_with_the_same_begin_of_their_path_are_not_touched(
    folder: Path, index: SqliteIndex, tmp_path: Path
) -> None:
    other = tmp_path / "archive-2"
    other.mkdir()
    settled(write_fits(folder / "a.fits"))
    beside = settled(write_fits(other / "b.fits"))
    compare(folder, index)
    compare(other, index)
    beside.unlink()
    assert compare(folder, index).agrees
    assert row_of(beside, index)["file_state"] == "present"


def test_names_that_are_shown_alike_are_told_apart(folder: Path, index: SqliteIndex) -> None:
    raw = folder / os.fsdecode(b"a\xff.fits")
    literal = folder / "a\\xff.fits"
    for number, path in enumerate((raw, literal)):
        settled(write_fits(path, number))
    assert compare(folder, index).counts == {"new": 2}
    raw.unlink()
    assert compare(folder, index).counts == {"unchanged": 1, "vanished": 1}
    assert row_of(raw, index)["file_state"] == "vanished"
    assert row_of(literal, index)["file_state"] == "present"


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_any_sequence_of_changes_ends_in_agreement(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    choice, root = random.Random(seed), tmp_path_factory.mktemp("any")
    folder, index = root / "archive", SqliteIndex(root / "catalog.sqlite")
    folder.mkdir()
    settled(write_fits(folder / "always.fits"))
    for _ in range(3):
        for number in range(choice.randrange(6)):
            path = folder / choice.choice(["a/x", "a", "a-b", "b/c/d", "é\n", "a.b"]) / f"{number}.fits"
            if choice.random() < 0.3:
                path.unlink(missing_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(choice.choice([b"", fits_bytes(choice.randrange(3)), b"<html>"]))
            settled(path, seconds=choice.randrange(1000))
        compare(folder, index)
        there = {str(path) for path in folder.rglob("*") if path.is_file()}
        rows = index.search(Query(absent=True))
        assert {row["file_path"] for row in rows if row["file_state"] != "vanished"} == there
        for path in folder.rglob("*.fits"):
            stored = path.stat()
            assert row_of(path, index)["content_tag"] == f"{stored.st_mtime_ns}:{stored.st_size}"
    index.close()


def test_a_gzip_file_that_is_cut_is_found_by_reading_it_to_its_end(folder: Path, index: SqliteIndex) -> None:
    whole = settled(write_gzip_fits(folder / "whole.fits.gz", 1, size=200))
    cut = write_gzip_fits(folder / "cut.fits.gz", 2, size=200)
    cut.write_bytes(cut.read_bytes()[:-3000])
    odd = write_gzip_fits(folder / os.fsdecode(b"\xff.fits.gz"), 3, size=200)
    odd.write_bytes(odd.read_bytes()[:-1000])
    settled(cut)
    settled(odd)
    ingest_place(str(folder), index, SETTINGS, NOW)
    assert {row["flags"] for row in index.search(Query())} == {"gzip_unread"}
    report = compare(folder, index)
    assert (report.gzip_checked, report.counts["cut"]) == (3, 2)
    good, bad = row_of(whole, index), row_of(cut, index)
    assert (good["extraction_status"], good["flags"]) == ("ok", None)
    assert (bad["extraction_status"], bad["flags"], bad["mission_id"]) == (
        "incomplete",
        "truncated",
        "HELIOS-9",
    )
    assert "cut" in bad["extraction_reason"]
    assert row_of(odd, index)["extraction_status"] == "incomplete"
    later = compare(folder, index)
    assert (later.gzip_checked, later.counts) == (0, {"unchanged": 3})


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=3), st.integers(1, 700), st.data())
def test_a_stream_is_whole_exactly_where_python_inflates_it(
    members: list[bytes], piece: int, data: st.DataObject
) -> None:
    packed = b"".join(gzip.compress(member, mtime=0) for member in members)
    end = data.draw(st.integers(1, len(packed)))
    ends = list(accumulate(len(gzip.compress(member, mtime=0)) for member in members))

    def pieces(content: bytes) -> list[bytes]:
        return [content[start : start + piece] for start in range(0, len(content), piece)]

    assert gzip_damage(pieces(packed)) is None
    assert gzip_damage(pieces(packed + bytes(5))) is None
    if not any(0 <= end - each < 2 for each in ends):  # one byte more than a member may be padding
        assert "cut" in str(gzip_damage(pieces(packed[:end])))
    broken = packed[:-8] + bytes(byte ^ 255 for byte in packed[-8:-4]) + packed[-4:]
    assert "damaged" in str(gzip_damage(pieces(broken)))
