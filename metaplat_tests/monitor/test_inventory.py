"""Which data files of a listing lie in which bucket."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.model.landed import ObjectInfo
from metaplat.model.table import MonitoredTable
from metaplat.model.table_metrics import Strange
from metaplat.monitor.inventory import take_inventory

TABLE = MonitoredTable("part_t", "/tables/part_t", "k", bucket_count=16)
NOW = datetime(2025, 3, 1, tzinfo=UTC)


def listed(*keys: str, size: int = 10) -> list[ObjectInfo]:
    return [ObjectInfo(key, size, NOW, "e") for key in keys]


def test_every_expected_bucket_is_there_with_its_files_by_key() -> None:
    inventory = take_inventory(TABLE, listed("id_bucket=3/b", "id_bucket=3/a", "id_bucket=15/x/y.parquet"))
    assert list(inventory.buckets) == list(range(16))
    assert [item.key for item in inventory.buckets[3]] == ["id_bucket=3/a", "id_bucket=3/b"]
    assert inventory.present == [3, 15]
    assert not inventory.strange


@pytest.mark.parametrize(
    ("key", "name", "kind"),
    [
        ("id_bucket=16/a", "id_bucket=16", Strange.UNKNOWN),
        ("id_bucket=-1/a", "id_bucket=-1", Strange.UNKNOWN),
        ("id_bucket=99999999999999999999/a", "id_bucket=99999999999999999999", Strange.UNKNOWN),
        ("id_bucket=007/a", "id_bucket=007", Strange.PADDED),
        ("id_bucket=+7/a", "id_bucket=+7", Strange.PADDED),
        ("id_bucket=__HIVE_DEFAULT_PARTITION__/a", "id_bucket=__HIVE_DEFAULT_PARTITION__", Strange.DEFAULT),
        ("id_bucket=abc/a", "id_bucket=abc", Strange.NOT_A_NUMBER),
        ("id_bucket=/a", "id_bucket=", Strange.NOT_A_NUMBER),
        ("id_bucket=٣/a", "id_bucket=٣", Strange.NOT_A_NUMBER),
        ("id_bucket=1.0/a", "id_bucket=1.0", Strange.NOT_A_NUMBER),
        ("ID_BUCKET=1/a", "ID_BUCKET=1", Strange.OTHER),
        ("year=2024/id_bucket=1/a", "year=2024", Strange.OTHER),
        ("a.parquet", ".", Strange.OTHER),
        ("id_bucket=1", ".", Strange.OTHER),
    ],
)
def test_files_elsewhere_are_told_by_their_folder(key: str, name: str, kind: Strange) -> None:
    inventory = take_inventory(TABLE, listed(key, size=7))
    assert [(item.name, item.kind, item.files, item.bytes) for item in inventory.strange] == [
        (name, kind, 1, 7)
    ]
    assert not inventory.present


@pytest.mark.parametrize(
    "key",
    [
        "_SUCCESS",
        "id_bucket=1/_SUCCESS",
        "id_bucket=1/.a.crc",
        "_delta_log/0.json",
        "id_bucket=1/_tmp/a",
        "x/",
    ],
)
def test_hidden_objects_and_folders_are_no_data_files(key: str) -> None:
    inventory = take_inventory(TABLE, listed(key))
    assert not inventory.present
    assert not inventory.strange


def test_objects_without_bytes_are_no_data_files_and_told_where_they_pose_as_parquet() -> None:
    objects = listed("id_bucket=1/", "id_bucket=1/a.parquet", "id_bucket=2_$folder$", "b.parquet", size=0)
    inventory = take_inventory(TABLE, objects)
    assert not inventory.present
    assert not inventory.strange
    assert [item.key for item in inventory.empty_files] == ["b.parquet", "id_bucket=1/a.parquet"]


def test_a_table_may_pad_its_folders_itself() -> None:
    table = MonitoredTable("part_t", "/tables/part_t", "k", bucket_count=16, bucket_digits=3)
    inventory = take_inventory(table, listed("id_bucket=007/a", "id_bucket=8/a"))
    assert inventory.present == [7]
    assert [(item.name, item.kind) for item in inventory.strange] == [("id_bucket=8", Strange.PADDED)]


def test_a_name_that_is_not_utf8_is_shown_as_text() -> None:
    inventory = take_inventory(TABLE, listed("odd\udcff/a"))
    assert inventory.strange[0].name == "odd\\xff"


PARTS = st.one_of(
    st.sampled_from(["id_bucket=1", "id_bucket=01", "id_bucket=99", "_x", ".x", "a"]), st.text(min_size=1)
)


@given(st.lists(st.tuples(st.lists(PARTS, min_size=1, max_size=3), st.integers(0, 3)), max_size=20))
def test_every_visible_object_with_bytes_is_counted_once(given: list[tuple[list[str], int]]) -> None:
    objects = [ObjectInfo("/".join(parts), size, NOW, "e") for parts, size in given]
    inventory = take_inventory(TABLE, objects)
    counted = sum(map(len, inventory.buckets.values())) + sum(item.files for item in inventory.strange)
    visible = [
        item
        for item in objects
        if item.size
        and item.key[-1] != "/"
        and not any(part[:1] in tuple("_.") for part in item.key.split("/"))
    ]
    assert counted == len(visible)
