"""The files of a table in a folder and on S3: listing, reading parts, footers of many files."""

from __future__ import annotations

import io
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.model.errors import (
    InvalidInputError,
    PermanentStoreError,
    SettingsError,
    StoreError,
    TransientStoreError,
)
from metaplat.settings import S3Settings
from metaplat.stores.tables.files import TableFiles, open_table_files
from metaplat.stores.tables.footers import read_footer, read_footers
from metaplat.stores.tables.key_column import read_keys
from metaplat.stores.tables.s3_files import NEAR_BYTES, ONE_REQUEST_BYTES, merge_ranges
from metaplat_tests.standins.counting_s3 import counting_s3
from metaplat_tests.standins.sick_s3 import sick_s3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from metaplat.model.landed import ObjectInfo

LATENCY = 0.03


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")


def parquet(rows: int = 3, first: int = 0) -> bytes:
    sink = io.BytesIO()
    keys = [f"key-{first + number}" for number in range(rows)]
    pq.write_table(pa.table({"k": keys, "v": list(range(rows))}), sink)
    return sink.getvalue()


OBJECTS = {
    "id_bucket=0/part-0.parquet": parquet(3),
    "id_bucket=1/deep/er/part-0.parquet": parquet(4),
    "id_bucket=10/part ü?#%2F.parquet": parquet(5),
    "id_bucket=2/part+1.parquet": parquet(6),
    "_SUCCESS": b"",
}


@pytest.fixture(params=["folder", "S3", "moto"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TableFiles]:
    """Put the same objects in a folder, the counting stand-in and moto; a neighbour has a longer name."""
    named = {f"part_t/{key}": content for key, content in OBJECTS.items()}
    named["part_t2/id_bucket=0/x.parquet"] = parquet()
    if request.param == "folder":
        for key, content in named.items():
            (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / key).write_bytes(content)
        yield open_table_files(f"{tmp_path}/part_t/", S3Settings())
    elif request.param == "S3":
        with counting_s3(named) as store:
            yield open_table_files("s3://bucket/part_t/", S3Settings(endpoint_url=store.endpoint))
    else:
        bucket = request.getfixturevalue("s3_bucket")
        for key, content in named.items():
            request.getfixturevalue("s3_client").put_object(Bucket=bucket, Key=key, Body=content)
        endpoint = request.getfixturevalue("moto_endpoint")
        yield open_table_files(f"s3://{bucket}/part_t/", S3Settings(endpoint_url=endpoint))


def test_a_listing_has_every_object_below_the_location_by_key(table: TableFiles) -> None:
    assert not table.address.endswith("/")
    listed = table.list_objects()
    assert [info.key for info in listed] == sorted(OBJECTS)
    assert [info.size for info in listed] == [len(OBJECTS[key]) for key in sorted(OBJECTS)]
    assert all(info.etag and info.modified.tzinfo is UTC for info in listed)


@pytest.mark.parametrize("folder", ["id_bucket=1", "id_bucket=1/"])
def test_one_folder_is_listed_without_those_of_longer_names(table: TableFiles, folder: str) -> None:
    assert [info.key for info in table.list_folder(folder)] == ["id_bucket=1/deep/er/part-0.parquet"]
    assert table.list_folder("id_bucket=99") == []


def test_tails_and_ranges_are_the_bytes_that_lie_there(table: TableFiles) -> None:
    for info in table.list_objects():
        content = OBJECTS[info.key]
        assert table.read_tail(info, 10) == content[-10:]
        assert table.read_tail(info, 10**6) == content
        wanted = [(20, 30), (0, 4), (0, 4), (5, 5), (25, 200)] if content else [(0, 0)]
        assert table.read_ranges(info, wanted) == [content[start:end] for start, end in wanted]
        assert table.read_ranges(info, []) == []


def test_footers_come_in_order_and_keys_with_them(table: TableFiles) -> None:
    infos = list(reversed(table.list_objects()))
    answers = list(read_footers(table, infos, "k"))
    assert [info for info, _ in answers] == infos
    assert isinstance(answers[infos.index(next(i for i in infos if not i.size))][1], InvalidInputError)
    rows = {info.key: answer.rows for info, answer in answers if not isinstance(answer, Exception)}
    assert list(rows.values()) == [6, 5, 4, 3]
    for info, footer in answers:
        if not isinstance(footer, Exception):
            assert read_keys(table, info, footer, "k").to_list() == [f"key-{n}" for n in range(footer.rows)]


def test_an_object_that_went_or_changed_after_the_listing_is_told_and_others_go_on(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.parquet").write_bytes(parquet(number))
    files = open_table_files(str(tmp_path), S3Settings())
    infos = files.list_objects()
    (tmp_path / "1.parquet").unlink()
    (tmp_path / "2.parquet").write_bytes(parquet(9))
    (tmp_path / "3.parquet").unlink()
    (tmp_path / "3.parquet").mkdir()
    answers = [answer for _, answer in read_footers(files, infos)]
    assert [type(answer).__name__ for answer in answers] == [
        "Footer",
        "KeyError",
        "KeyError",
        "KeyError",
        "Footer",
    ]


@pytest.mark.parametrize("change", ["gone", "rewritten"])
def test_moto_tells_an_object_that_went_or_changed(
    s3_bucket: str, s3_client: Any, moto_endpoint: str, change: str
) -> None:
    s3_client.put_object(Bucket=s3_bucket, Key="t/a.parquet", Body=parquet())
    files = open_table_files(f"s3://{s3_bucket}/t", S3Settings(endpoint_url=moto_endpoint, retries=0))
    (info,) = files.list_objects()
    if change == "gone":
        s3_client.delete_object(Bucket=s3_bucket, Key="t/a.parquet")
    else:
        s3_client.put_object(Bucket=s3_bucket, Key="t/a.parquet", Body=parquet(first=5))
    with pytest.raises(KeyError):
        files.read_tail(info, 8)
    with pytest.raises(KeyError):
        files.read_ranges(info, [(0, 4)])


def test_keys_that_obstore_refuses_are_read_too(s3_bucket: str, s3_client: Any, moto_endpoint: str) -> None:
    names = ["id_bucket=0//double.parquet", "id_bucket=0/./dot.parquet", "id_bucket=1/plain.parquet"]
    for name in names:
        s3_client.put_object(Bucket=s3_bucket, Key=f"t/{name}", Body=parquet())
    files = open_table_files(f"s3://{s3_bucket}/t", S3Settings(endpoint_url=moto_endpoint))
    infos = files.list_objects()
    assert sorted(info.key for info in infos) == sorted(names)
    assert all(info.modified.tzinfo is UTC for info in infos)
    for info, footer in read_footers(files, infos, "k"):
        assert not isinstance(footer, Exception)
        assert len(read_keys(files, info, footer, "k")) == 3
    odd = next(info for info in infos if "//" in info.key)
    s3_client.put_object(Bucket=s3_bucket, Key=f"t/{odd.key}", Body=parquet(9))
    with pytest.raises(KeyError):
        files.read_tail(odd, 8)


MISSING: dict[str, Callable[[Path], str]] = {
    "does not exist": lambda folder: f"{folder}/absent",
    "is a file": lambda folder: f"{folder}/file.parquet",
    "below a file": lambda folder: f"{folder}/file.parquet/more",
}


@pytest.mark.parametrize("where", MISSING.values(), ids=MISSING.keys())
def test_a_folder_that_is_none_is_one_clear_line(tmp_path: Path, where: Callable[[Path], str]) -> None:
    (tmp_path / "file.parquet").write_bytes(parquet())
    with pytest.raises(PermanentStoreError) as caught:
        open_table_files(where(tmp_path), S3Settings()).list_objects()
    assert where(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("location", ["absent", "part_t/file.parquet", "part"])
def test_a_prefix_without_objects_is_one_clear_line(location: str) -> None:
    with counting_s3({"part_t/file.parquet": parquet()}) as store:
        files = open_table_files(f"s3://bucket/{location}", S3Settings(endpoint_url=store.endpoint))
        with pytest.raises(PermanentStoreError, match="no object below it") as caught:
            files.list_objects()
    assert "\n" not in str(caught.value)


def test_a_bucket_that_is_not_there_is_one_clear_line(moto_endpoint: str) -> None:
    with pytest.raises(PermanentStoreError, match="NoSuchBucket"):
        open_table_files("s3://no-such-bucket/t", S3Settings(endpoint_url=moto_endpoint)).list_objects()


@pytest.mark.parametrize("location", ["s3a://bucket/t", "https://host/t", "s3://", "s3:///t", "", " "])
def test_an_address_of_another_kind_is_an_error_of_the_settings(location: str) -> None:
    with pytest.raises(SettingsError):
        open_table_files(location, S3Settings())


def test_an_empty_folder_is_an_empty_table(tmp_path: Path) -> None:
    assert open_table_files(str(tmp_path), S3Settings()).list_objects() == []


SICK = {
    "outage": (503, b"<Error><Code>SlowDown</Code></Error>", TransientStoreError),
    "refusal": (403, b"<Error><Code>AccessDenied</Code></Error>", PermanentStoreError),
    "login page": (200, b"<html>log in</html>", TransientStoreError),
    "foreign 404": (404, b"<html>no such page</html>", StoreError),
}


@pytest.mark.parametrize(("status", "body", "kind"), SICK.values(), ids=SICK.keys())
def test_a_sick_store_is_an_error_of_the_store_and_not_a_missing_or_damaged_file(
    status: int, body: bytes, kind: type[StoreError]
) -> None:
    with counting_s3({"t/x.parquet": parquet()}) as store:
        (info,) = open_table_files("s3://bucket/t", S3Settings(endpoint_url=store.endpoint)).list_objects()
    with sick_s3(status, body) as endpoint:
        files = open_table_files("s3://bucket/t", S3Settings(endpoint_url=endpoint, retries=0))
        for attempt in (files.list_objects, lambda: read_footer(files, info)):
            with pytest.raises(kind) as caught:
                attempt()
            assert not any(word in str(caught.value) for word in ("\n", "very-secret", "X-Amz", "?"))


def large_table(count: int) -> dict[str, bytes]:
    return {f"t/id_bucket={number}/part.parquet": parquet(5, number * 5) for number in range(count)}


def test_footers_take_one_request_each_and_many_are_in_flight() -> None:
    with counting_s3(large_table(128), LATENCY) as store:
        files = open_table_files("s3://bucket/t", S3Settings(endpoint_url=store.endpoint))
        infos = files.list_objects()
        assert len(store.asked) == 1
        store.forget()
        assert [getattr(answer, "rows", None) for _, answer in read_footers(files, infos, "k")] == [5] * 128
        assert len(store.asked) == 128
        assert 16 <= store.most_in_flight <= 64


def test_footers_are_not_fetched_far_ahead_of_who_takes_them() -> None:
    with counting_s3(large_table(128)) as store:
        files = open_table_files(
            "s3://bucket/t", S3Settings(endpoint_url=store.endpoint, parallel_requests=4)
        )
        infos = files.list_objects()
        store.forget()
        footers = read_footers(files, infos)
        next(footers)
        footers.close()  # type: ignore[attr-defined]
        assert len(store.asked) <= 16


def test_a_file_of_another_kind_is_told_cut_where_it_begins_as_parquet(tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(b"PAR1" + bytes(200_000))
    (tmp_path / "other").write_bytes(b"id,name\n" * 50_000)
    files = open_table_files(str(tmp_path), S3Settings())
    cut, other = (answer for _, answer in read_footers(files, files.list_objects()))
    assert "the file is cut" in str(cut)
    assert "not Parquet" in str(other)


RANGES = st.lists(st.tuples(st.integers(0, 2**28), st.integers(0, 2**26)).map(lambda r: (r[0], r[0] + r[1])))


@given(RANGES)
def test_merged_ranges_are_all_there_and_near_each_other(ranges: list[tuple[int, int]]) -> None:
    groups = merge_ranges(ranges)
    assert sorted(wanted for group in groups for wanted in group) == sorted(set(ranges))
    for group in groups:
        span = max(end for _, end in group) - group[0][0]
        assert len(group) == 1 or span <= ONE_REQUEST_BYTES
        reached = group[0][1]
        for start, end in group[1:]:
            assert start - reached < NEAR_BYTES
            reached = max(reached, end)


def test_near_ranges_cost_one_request_and_far_ones_two() -> None:
    content = bytes(20 * 2**20)
    with counting_s3({"t/x": content}) as store:
        files = open_table_files("s3://bucket/t", S3Settings(endpoint_url=store.endpoint))
        info: ObjectInfo
        (info,) = files.list_objects()
        store.forget()
        files.read_ranges(info, [(0, 10), (7 * 2**20, 7 * 2**20 + 5)])
        assert len(store.asked) == 1
        files.read_ranges(info, [(0, 10), (19 * 2**20, 19 * 2**20 + 5)])
        assert len(store.asked) == 3
