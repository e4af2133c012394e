"""What every store of deliveries promises, on a disk and on S3."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metaplat.model.errors import InvalidInputError
from metaplat.settings import Settings
from metaplat.stores.deliveries import open_deliveries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from metaplat.stores.deliveries import Deliveries

MIB = 2**20
HOUR = "IMOSDL/Hourly/20220208/08/"


@pytest.fixture(params=["local", "s3"])
def deliveries(request: pytest.FixtureRequest, tmp_path: Path) -> Deliveries:
    if request.param == "local":
        return open_deliveries(Settings(home=tmp_path / "home"))
    endpoint = request.getfixturevalue("moto_endpoint")
    bucket = request.getfixturevalue("s3_bucket")
    vip: Any = {"target": f"s3://{bucket}/some/where", "part_mb": 5, "parallel_listings": 4}
    s3: Any = {"endpoint_url": endpoint, "retries": 0}
    return open_deliveries(Settings(vip=vip, s3=s3))


class Chunks:
    """A source that counts, may fail at its end, and knows whether it was closed."""

    def __init__(self, chunks: Iterable[bytes], failure: BaseException | None = None) -> None:
        self.chunks, self.failure, self.closed = list(chunks), failure, False

    async def __call__(self) -> AsyncIterator[bytes]:
        """Yield the chunks, then fail where that is wanted."""
        try:
            for chunk in self.chunks:
                await asyncio.sleep(0)
                yield chunk
            if self.failure is not None:
                raise self.failure
        finally:
            self.closed = True


def write(store: Deliveries, key: str, content: bytes, size: int | None = None, chunk: int = 700_000) -> int:
    pieces = [content[start : start + chunk] for start in range(0, len(content), chunk)]
    return asyncio.run(store.write(key, Chunks(pieces)(), size))


def rows(frame: pl.DataFrame) -> set[tuple[str, str, int]]:
    return {(row["folder"], row["name"], row["size"]) for row in frame.to_dicts()}


class TooShortError(Exception):
    """What a source may raise."""


@pytest.mark.parametrize("told", [True, False], ids=["size told", "size unknown"])
@pytest.mark.parametrize("size", [0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 12 * MIB + 7])
def test_what_was_streamed_is_there_byte_for_byte(deliveries: Deliveries, size: int, *, told: bool) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    key = f"{HOUR}Vessels_0.csv.gz"
    assert write(deliveries, key, content[:size], size if told else None) == size
    assert deliveries.objects.get(key) == content[:size]
    assert deliveries.folder(HOUR)["Vessels_0.csv.gz"].size == size


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.lists(st.binary(max_size=50)), told=st.sampled_from(["right", "none", "more", "less"]))
def test_chunks_of_any_size_give_their_bytes_in_order(
    deliveries: Deliveries, chunks: list[bytes], told: str
) -> None:
    """What is promised is checked by the source; here it only decides how to send."""
    content = b"".join(chunks)
    size = {"right": len(content), "none": None, "more": 6 * MIB, "less": len(content) // 2}[told]
    assert asyncio.run(deliveries.write("a/b", Chunks(chunks)(), size)) == len(content)
    assert deliveries.objects.get("a/b") == content


@pytest.mark.parametrize("size", [2 * MIB, 12 * MIB])
@pytest.mark.parametrize(
    "failure",
    [TooShortError("shorter than promised"), OSError(28, "of the source"), asyncio.CancelledError()],
    ids=["own", "OSError", "cancelled"],
)
def test_what_the_source_raises_comes_out_unchanged_and_nothing_is_visible(
    deliveries: Deliveries, size: int, failure: BaseException
) -> None:
    source = Chunks([bytes(MIB)] * (size // MIB), failure)
    with pytest.raises(type(failure)) as caught:
        asyncio.run(deliveries.write(f"{HOUR}a", source(), size))
    if not isinstance(failure, asyncio.CancelledError):  # tasks make their own
        assert caught.value is failure
        assert caught.value.__cause__ is caught.value.__context__ is None
    assert source.closed
    assert deliveries.folder(HOUR) == {}
    assert deliveries.listing([HOUR]).is_empty()


@pytest.mark.parametrize("size", [2 * MIB, 12 * MIB])
def test_a_failed_rewrite_leaves_what_was_there(deliveries: Deliveries, size: int) -> None:
    write(deliveries, "a/b", b"before")
    with pytest.raises(TooShortError):
        asyncio.run(deliveries.write("a/b", Chunks([bytes(size)], TooShortError())(), size))
    assert deliveries.objects.get("a/b") == b"before"
    write(deliveries, "a/b", b"after")
    assert deliveries.objects.get("a/b") == b"after"


def test_nothing_is_visible_before_the_last_chunk(deliveries: Deliveries) -> None:
    seen = []

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield bytes(MIB)
        seen.append(await asyncio.to_thread(deliveries.folder, HOUR))

    asyncio.run(deliveries.write(f"{HOUR}a", slowly(), 12 * MIB))
    assert seen == [{}]
    assert list(deliveries.folder(HOUR)) == ["a"]


def test_many_at_once_do_not_mix_and_one_failure_stops_no_other(deliveries: Deliveries) -> None:
    async def all_at_once() -> list[int | BaseException]:
        sizes = [0, 3, MIB, 6 * MIB, 7 * MIB, 100]
        writes = [
            deliveries.write(f"{HOUR}{number}", Chunks([bytes([number]) * size])(), size)
            for number, size in enumerate(sizes)
        ]
        broken = deliveries.write(f"{HOUR}broken", Chunks([bytes(6 * MIB)], TooShortError())(), 6 * MIB)
        return list(await asyncio.gather(*writes, broken, return_exceptions=True))

    *written, broken = asyncio.run(all_at_once())
    assert written == [0, 3, MIB, 6 * MIB, 7 * MIB, 100]
    assert isinstance(broken, TooShortError)
    for number, size in enumerate(written):
        assert deliveries.objects.get(f"{HOUR}{number}") == bytes([number]) * int(str(size))
    assert sorted(deliveries.folder(HOUR)) == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("key", ["", "/a", "a/", "../a", "a/../b", "a\\b", "a\0b"])
def test_an_unsafe_key_is_refused_and_its_source_closed(deliveries: Deliveries, key: str) -> None:
    source = Chunks([b"1"])
    with pytest.raises(InvalidInputError, match="object key"):
        asyncio.run(deliveries.write(key, source(), 1))
    assert deliveries.objects.list_objects() == []


class Download:
    """A source that is no generator: it is closed by ``close``, and tells its end again and again."""

    def __init__(self, size: int) -> None:
        self.left, self.closed = size, 0

    def __aiter__(self) -> Download:
        return self

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        size = min(self.left, MIB // 3)
        self.left -= size
        return bytes(size)

    def close(self) -> None:
        """Drop the connection."""
        self.closed += 1


@pytest.mark.parametrize("size", [0, 2 * MIB, 11 * MIB])
def test_a_source_that_is_no_generator_is_closed_too(deliveries: Deliveries, size: int) -> None:
    source = Download(size)
    assert asyncio.run(deliveries.write("a", source, size)) == size
    assert source.closed == 1
    assert deliveries.folder("")["a"].size == size


def test_a_cancelled_write_leaves_nothing(deliveries: Deliveries) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield bytes(6 * MIB)
        await asyncio.sleep(3600)

    async def give_up() -> None:
        writing = asyncio.create_task(deliveries.write(f"{HOUR}a", endless(), 12 * MIB))
        await asyncio.sleep(0.2)
        writing.cancel()
        await writing

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(give_up())
    assert deliveries.folder(HOUR) == {}


def test_a_folder_tells_its_direct_children_by_name(deliveries: Deliveries) -> None:
    for key in (f"{HOUR}a", f"{HOUR}b.csv", f"{HOUR}sub/c", "IMOSDL/Hourly/20220208/080/d", f"{HOUR[:-1]}x"):
        write(deliveries, key, b"1234")
    found = deliveries.folder(HOUR)
    assert {name: (info.key, info.size) for name, info in found.items()} == {
        "a": (f"{HOUR}a", 4),
        "b.csv": (f"{HOUR}b.csv", 4),
    }
    assert all(datetime.now(UTC) - info.modified < timedelta(minutes=5) for info in found.values())
    assert deliveries.folder("IMOSDL/Hourly/20220208/09/") == {}


def test_ranges_end_where_the_file_ends(deliveries: Deliveries) -> None:
    write(deliveries, "a/b", b"0123456789")
    asked = [(0, 3), (8, 2), (8, 100), (10, 5), (11, 5), (0, 0), (3, 4)]
    found = [deliveries.read_range("a/b", start, length) for start, length in asked]
    assert found == [b"0123456789"[start : start + length] for start, length in asked]
    with pytest.raises(KeyError):
        deliveries.read_range("a/none", 0, 1)


def test_days_are_found_among_other_folders(deliveries: Deliveries) -> None:
    for folder in ("20220209/00", "20220208/08", "_state/20220208", "2022/02", "20220210x/1"):
        write(deliveries, f"IMOSDL/Hourly/{folder}/a", b"1")
    write(deliveries, "IMOSDL/Hourly/20220211", b"a file")
    assert deliveries.day_folders("IMOSDL/Hourly/") == ["20220208", "20220209"]
    assert deliveries.day_folders("DEV/IMOSDL/Hourly/") == []


def test_a_listing_holds_every_file_of_every_folder_once(deliveries: Deliveries) -> None:
    """Some days are asked for as a whole, and some hour by hour; both tell the same."""
    hours = [f"IMOSDL/Hourly/202202{day:02d}/{hour:02d}/" for day in (8, 9) for hour in range(24)]
    kept = [hours[3], hours[4], hours[30], hours[47]]
    for folder in kept:
        for name, size in {"a_0.csv": 3, "_schema.json": 5, "sub/deep/c": 2, "é b": 1, "empty": 0}.items():
            write(deliveries, folder + name, bytes(size))
    write(deliveries, "IMOSDL/Hourly/20220208/beside", b"1")
    write(deliveries, "IMOSDL/Hourly/20220208/030/other", b"1")
    names = {("a_0.csv", 3), ("_schema.json", 5), ("sub/deep/c", 2), ("é b", 1), ("empty", 0)}
    expected = {(folder, name, size) for folder in kept for name, size in names}
    found = deliveries.listing(hours)
    assert rows(found) == expected
    assert found.height == len(expected)
    assert rows(deliveries.listing([hours[3], hours[3], hours[5]])) == {
        row for row in expected if row[0] == hours[3]
    }
    assert found.schema == {
        "folder": pl.String,
        "name": pl.String,
        "size": pl.Int64,
        "modified": pl.Datetime("us", "UTC"),
    }
    ages = [datetime.now(UTC) - moment for moment in found["modified"]]
    assert max(ages) < timedelta(minutes=5)


def test_a_store_that_was_never_written_is_empty(deliveries: Deliveries) -> None:
    assert deliveries.listing([HOUR, "x/"]).is_empty()
    assert deliveries.listing([]).is_empty()
    assert deliveries.listing([]).schema == deliveries.listing([HOUR]).schema
    assert deliveries.day_folders("IMOSDL/Hourly/") == []
    assert deliveries.folder(HOUR) == {}
