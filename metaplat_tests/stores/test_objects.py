"""What every object store promises, on each of them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import InvalidInputError
from metaplat.settings import S3Settings
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.s3_objects import S3Objects

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.stores.objects import ObjectStore

ODD_NAMES = [
    *("a b.json", "100%.json", "a%20b.json", "a+b.json", "é/ü.json", "名.json", "a#b?c=d&e", "colon:.json"),
    *("it's [x] {y} *.json", "date=2025-11-29/x~y@z.json", ".hidden", "a..b", "x.tmp", "-dash"),
]
UNSAFE_KEYS = ["", "/a", "a/", "a//b", "../a", "a/../b", "a/..", "./a", "a\\b", "a\0b", "a\nb"]


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "local":
        return LocalObjects(tmp_path / "landing")
    endpoint = request.getfixturevalue("moto_endpoint")
    bucket = request.getfixturevalue("s3_bucket")
    settings = S3Settings(endpoint_url=endpoint, parallel_requests=8)
    return S3Objects(f"s3://{bucket}/some/landing", settings)


def fill(store: ObjectStore, *keys: str) -> None:
    for key in keys:
        store.put(key, key.encode())


def test_what_was_put_is_got_again(store: ObjectStore) -> None:
    store.put("a/b.json", b"first")
    store.put("a/b.json", b"second")
    assert store.get("a/b.json") == b"second"


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put("a/empty", b"")
    assert store.get("a/empty") == b""
    assert [item.key for item in store.list_objects("a/")] == ["a/empty"]


def test_put_tells_the_same_as_info_and_listing(store: ObjectStore) -> None:
    put = store.put("a/b.json", b"12345")
    assert put == store.info("a/b.json") == store.list_objects()[0]
    assert (put.key, put.size) == ("a/b.json", 5)
    assert put.modified.tzinfo is UTC or put.modified.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - put.modified) < timedelta(minutes=1)


def test_a_rewritten_object_has_another_etag(store: ObjectStore) -> None:
    etags = [store.put("a", content).etag for content in (b"1", b"2", b"3", b"4")]
    assert len(set(etags)) == 4


def test_a_missing_object_is_a_key_error_and_no_info(store: ObjectStore) -> None:
    fill(store, "a/b")
    for key in ("c", "a", "a/b/c"):
        with pytest.raises(KeyError):
            store.get(key)
        assert store.info(key) is None


def test_deleting_twice_is_deleting_once(store: ObjectStore) -> None:
    fill(store, "a/b", "a/c")
    store.delete("a/b")
    store.delete("a/b")
    assert [item.key for item in store.list_objects()] == ["a/c"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_come_back_as_they_were(store: ObjectStore, name: str) -> None:
    fill(store, f"p/{name}")
    assert store.get(f"p/{name}") == f"p/{name}".encode()
    assert [item.key for item in store.list_objects("p/")] == [f"p/{name}"]
    assert [item.key for item in store.list_tree("p/")] == [f"p/{name}"]
    store.delete(f"p/{name}")
    assert store.list_objects("p/") == []


@pytest.mark.parametrize("key", UNSAFE_KEYS)
def test_unsafe_keys_are_refused_before_anything_is_written(store: ObjectStore, key: str) -> None:
    with pytest.raises(InvalidInputError, match="object key"):
        store.put(key, b"")
    assert store.list_objects() == []


def test_a_prefix_is_the_beginning_of_a_key_not_a_folder(store: ObjectStore) -> None:
    fill(store, "a/2025/1", "a/2025/10", "a/2025/2", "ab", "b/2025/1")
    listed = {prefix: [item.key for item in store.list_objects(prefix)] for prefix in ("a", "a/2025/1", "c")}
    assert listed == {
        "a": ["a/2025/1", "a/2025/10", "a/2025/2", "ab"],
        "a/2025/1": ["a/2025/1", "a/2025/10"],
        "c": [],
    }


def test_listings_are_sorted_and_agree(store: ObjectStore) -> None:
    fill(store, "a/z", "a/b/c", "a-b/c", "a/bb", "a.b", "top")
    every = store.list_objects()
    assert [item.key for item in every] == sorted(item.key for item in every)
    assert len(every) == 6
    prefixes = ["", "a", "a/", "a/b/", "none/"]
    assert store.list_prefixes(prefixes) == {prefix: store.list_objects(prefix) for prefix in prefixes}
    for folder in ("", "a/", "a/b/", "none/"):
        assert store.list_tree(folder) == store.list_objects(folder)


def test_a_wide_and_deep_tree_is_listed_whole(store: ObjectStore) -> None:
    keys = [f"t/{a}/{b}/{c}" for a in range(3) for b in range(5) for c in range(2)] + ["t/x", "t/1/y"]
    fill(store, *keys, "u/1")
    assert [item.key for item in store.list_tree("t/")] == sorted(keys)


def test_an_unwritten_store_is_empty(store: ObjectStore) -> None:
    assert store.list_objects() == store.list_tree("a/") == []
    assert store.list_prefixes(["a/", "b/"]) == {"a/": [], "b/": []}
    assert store.info("a") is None


def test_many_are_got_in_the_given_order_with_none_for_what_is_missing(store: ObjectStore) -> None:
    keys = [f"k/{number}" for number in range(40)]
    fill(store, *keys)
    wanted = [*reversed(keys), "k/none", keys[3], keys[3]]
    expected = [(key, None if key == "k/none" else key.encode()) for key in wanted]
    assert list(store.get_many(wanted)) == expected
    assert list(store.get_many([])) == []


def test_too_large_objects_are_left_out(store: ObjectStore) -> None:
    sizes = [0, 9, 10, 11, 65535, 65536, 65537, 200_000]
    for size in sizes:
        store.put(f"s/{size}", bytes(size))
    for limit in (10, 65536):
        got = dict(store.get_many([f"s/{size}" for size in sizes], limit))
        assert {key: content and len(content) for key, content in got.items()} == {
            f"s/{size}": (size or b"") if size <= limit else None for size in sizes
        }


def test_large_objects_are_whole(store: ObjectStore) -> None:
    content = bytes(range(256)) * 2**16 + b"end"
    store.put("large", content)
    assert store.get("large") == content
    assert dict(store.get_many(["large", "none"])) == {"large": content, "none": None}


def test_many_can_be_left_half_way(store: ObjectStore) -> None:
    keys = [f"k/{number}" for number in range(30)]
    fill(store, *keys)
    reader = iter(store.get_many(keys))
    assert next(reader) == ("k/0", b"k/0")
    del reader


def test_readers_see_the_old_content_or_the_new_one(store: ObjectStore) -> None:
    contents = [bytes([letter]) * 300_000 for letter in b"abc"]
    store.put("k/x", contents[0])
    stop, seen = threading.Event(), set[bytes]()

    def read() -> None:
        last = False
        while not last:
            last = stop.is_set()
            seen.add(store.get("k/x"))
            assert [item.key for item in store.list_objects()] == ["k/x"]

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for turn in range(12):
        store.put("k/x", contents[turn % 3])
    stop.set()
    for reader in readers:
        reader.join()
    assert seen <= set(contents)
    assert seen


def test_writers_of_one_key_at_once_leave_one_of_their_contents(store: ObjectStore) -> None:
    contents = [bytes([letter]) * 100_000 for letter in b"abcd"]
    writers = [threading.Thread(target=store.put, args=("k/x", content)) for content in contents]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert store.get("k/x") in contents
    assert [item.key for item in store.list_objects()] == ["k/x"]
