"""Extending a history, a few hours at a time, gives what making it all at once gives."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model.extract import Extract, ExtractStatus
from metaplat.settings import S3Settings, Settings, VipSettings
from metaplat.stores.deliveries import open_deliveries
from metaplat.vip.history.build import build_history
from metaplat.vip.history.histories import Histories
from metaplat_tests.standins.counting_s3 import counting_s3
from metaplat_tests.standins.vip.history_tree import HistoryFaults, write_history
from metaplat_tests.standins.vip_hour_folders import FIRST, HourFolders, extract

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

HOURS = 12
TABLES = ("Voyages", "Cargo", "Cargo_Book")
FEW = {
    "level_hours": 6, "level_minimum": 2, "season_minimum": 1, "spread_hours": 6,
    "expected_jobs": 3, "absent_days": 0.2, "late_minutes": 5,
}  # fmt: skip
"""Windows so short that a dozen hours fill them."""

_sizes = st.dictionaries(st.sampled_from(TABLES), st.sampled_from([0, 10, 12, 500]), max_size=3)
_schemas = st.lists(
    st.tuples(st.sampled_from(TABLES), st.sampled_from(["int", "text"])),
    max_size=3,
    unique_by=lambda each: each[0],
)
_hours = st.fixed_dictionaries(
    {
        "data": _sizes,
        "schema": st.none() | st.just("broken") | _schemas,
        "promise": st.sampled_from(["none", "kept", "lacking", "broken"]),
        "foreign": st.booleans(),
        "extract": st.none()
        | st.sampled_from([ExtractStatus.FAILED, ExtractStatus.OK, ExtractStatus.SKIPPED]),
        "other": st.sampled_from([False] * 9 + [True]),
    }
)
_modes = st.sampled_from([{}, {"reference_tables": ["Voyages", "Cargo"]}, {"out_of_scope": ["Cargo"]}])


def _write(folders: HourFolders, number: int, plan: dict[str, Any]) -> None:
    files = {f"{table}_0.csv.gz": size for table, size in plan["data"].items()}
    folders.put(number, files)
    if plan["schema"] == "broken":
        folders.put(number, {"_MasterTableSchema.json": "{"})
    elif plan["schema"] is not None:
        fields = [
            {"DataObjectName": name, "Fields": [{"Name": "a", "Type": kind}]} for name, kind in plan["schema"]
        ]
        folders.schema(number, *fields)
    if plan["promise"] == "broken":
        folders.put(number, {"_PresignedUrls.json": "[{"})
    elif plan["promise"] != "none":
        lacking = {"Gone_0.csv.gz": 7} if plan["promise"] == "lacking" else {}
        folders.promise(number, {**files, **lacking})
    if plan["foreign"]:
        folders.put(number, {"backup/Voyages_0.csv.gz": 3, "notes.xlsx": 4})
    if plan["other"]:
        folders.manifest(number, config_name="somebodyElse")


def _assert_same(one: Histories, other: Histories) -> None:
    assert one.jobs.equals(other.jobs)
    assert one.tables.equals(other.tables)
    assert one.sizes.equals(other.sizes)


@settings(max_examples=60)
@given(
    plans=st.lists(_hours, min_size=HOURS, max_size=HOURS),
    cuts=st.sets(st.integers(1, HOURS - 1), max_size=4),
    relisted=st.integers(0, 3),
    mode=_modes,
)
def test_extending_gives_the_same_rows_as_making_all_anew(
    plans: Sequence[dict[str, Any]], cuts: set[int], relisted: int, mode: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as root:
        folders = HourFolders(Path(root), **FEW, **mode)
        extracts: dict[datetime, Extract] = {}
        for number, plan in enumerate(plans):
            _write(folders, number, plan)
            if plan["extract"] is not None:
                hour = folders.hour(number)
                extracts[hour] = extract(
                    hour, plan["extract"], accepted_at=hour, finished_at=folders.hour(number + 1)
                )
        whole = folders.build(folders.hours(HOURS), extracts=extracts)
        grown = Histories.empty()
        for begin, end in pairwise([0, *sorted(cuts), HOURS]):
            first = max(begin - relisted, 0)
            earlier = grown.before(folders.hour(first))
            grown = grown.merged(folders.build(folders.hours(end - first, first), earlier, extracts))
        _assert_same(grown, whole)


def test_a_stretch_in_the_middle_can_be_made_anew(tmp_path: Path) -> None:
    facts = write_history(tmp_path, FIRST, 400, tables=3, faults=HistoryFaults.spread_over(400))
    folders = HourFolders(tmp_path)
    whole = folders.build(facts.all_hours())
    again = folders.build(folders.hours(60, 200), whole.before(folders.hour(200)))
    _assert_same(whole.merged(again), whole)
    some = [folders.hour(number) for number in (240, 200, 207)]
    picked = folders.build(some, whole.before(folders.hour(200)))
    _assert_same(picked, whole.at(some))


def test_a_late_file_turns_its_hour_whole_when_it_is_listed_again(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path)
    for number in range(4):
        folders.schema(number, "Voyages", "Cargo")
        folders.put(number, {"Voyages_0.csv.gz": 5, "Cargo_0.csv.gz": 5})
    late = tmp_path / folders.settings.vip.folder(folders.hour(2)) / "Cargo_0.csv.gz"
    content = late.read_bytes()
    late.unlink()
    before = folders.build(folders.hours(3))
    assert before.jobs["status"].to_list() == ["ok", "ok", "incomplete"]
    late.write_bytes(content)
    after = before.merged(folders.build(folders.hours(3, 1), before.before(folders.hour(1))))
    assert after.jobs["status"].to_list() == ["ok"] * 4
    _assert_same(after, folders.build(folders.hours(4)))


def test_rows_of_tables_that_are_nothing_any_more_go_with_their_hour(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path)
    folders.schema(0, "Voyages", "Cargo")
    folders.put(0, {"Voyages_0.csv.gz": 5})
    before = folders.build(folders.hours(1))
    folders.schema(0, "Voyages")
    after = before.merged(folders.build(folders.hours(1)))
    assert after.tables["table"].to_list() == ["Voyages"]


def test_histories_of_two_configurations_stay_apart(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path)
    folders.put(0, {"Voyages_0.csv.gz": 5})
    mine = folders.build(folders.hours(2))
    other = Histories(
        *(each.with_columns(config_name=pl.lit("other")) for each in (mine.jobs, mine.tables, mine.sizes))
    )
    both = mine.merged(other)
    assert both.jobs.height == 4
    _assert_same(both.only("other"), other)
    _assert_same(folders.build(folders.hours(2), both).merged(mine), mine)


def test_a_hole_in_a_history_that_is_known_from_elsewhere_stays_as_it_was(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path, **FEW)
    for number in range(6):
        folders.put(number, {"Voyages_0.csv.gz": 5 + number})
    whole = folders.build(folders.hours(6))
    gone = tmp_path / folders.settings.vip.folder(folders.hour(3))
    (gone / "Voyages_0.csv.gz").unlink()
    _assert_same(folders.build(folders.hours(6), whole.at([folders.hour(3)])), whole)
    forgotten = folders.build(folders.hours(6))
    assert forgotten.jobs["status"].to_list() == ["ok", "ok", "ok", "missing", "ok", "ok"]


def test_one_more_hour_takes_a_handful_of_requests(tmp_path: Path, moto_endpoint: str) -> None:
    del moto_endpoint  # only its credentials are needed
    facts = write_history(tmp_path, FIRST, 40, tables=4, mean_bytes=4_000)
    paths = [path for path in tmp_path.rglob("*") if path.is_file()]
    objects = {f"lake/{path.relative_to(tmp_path)}": path.read_bytes() for path in paths}
    with counting_s3(objects) as server:
        bucket = Settings(
            s3=S3Settings(endpoint_url=server.endpoint),
            vip=VipSettings(environment="Prod", target="s3://bucket/lake"),
        )
        deliveries, config = open_deliveries(bucket), bucket.vip.config
        known = build_history(bucket, deliveries, facts.all_hours()[:39], Histories.empty(), {}, config)
        server.asked.clear()
        newest = facts.all_hours()[36:]
        made = build_history(bucket, deliveries, newest, known.before(newest[0]), {}, config)
        assert made.jobs["status"].to_list() == ["ok"] * 4
        assert server.listings <= 4
        assert len(server.asked) <= 4 + 2 * 4 + 1  # listings, two papers an hour, the schema file before
