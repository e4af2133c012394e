"""What only deliveries to S3 go through: refusals half-way, outages, odd keys, memory."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import PermanentStoreError, StoreError, TransientStoreError
from metaplat.settings import S3Settings, Settings
from metaplat.stores.deliveries import Deliveries, open_deliveries
from metaplat.stores.s3_objects import S3Objects
from metaplat.stores.streamed_s3 import MOST_PARTS, S3Streams
from metaplat_tests.standins.sick_s3 import sick_s3
from metaplat_tests.standins.stub_s3 import StubS3, stub_s3

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

MIB = 2**20
HOUR = "IMOSDL/Hourly/20220208/08/"
DAY = [f"IMOSDL/Hourly/20220208/{hour:02d}/" for hour in range(24)]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")


def at(endpoint: str, target: str = "s3://bucket", **vip: Any) -> Deliveries:
    sections: Any = {
        "s3": {"endpoint_url": endpoint, "retries": 0},
        "vip": {"target": target, "part_mb": 5, **vip},
    }
    return open_deliveries(Settings(**sections))


async def zeros(mib: int) -> AsyncIterator[bytes]:
    for _ in range(mib):
        await asyncio.sleep(0)
        yield bytes(MIB)


def refusal(server: StubS3, mib: int = 24) -> StoreError:
    """Write a file that the server refuses, and return the error once nothing is left behind."""
    with pytest.raises(StoreError) as caught:
        asyncio.run(at(server.endpoint).write(f"{HOUR}a", zeros(mib), mib * MIB))
    counts = server.counts()
    assert counts["visible"] == {}
    assert counts["open"] == []
    assert counts["asked"]["abort"] == 1
    text = str(caught.value)
    assert not any(part in text for part in ("\n", "?", "uploadId", "very-secret", "X-Amz"))
    return caught.value


@pytest.mark.parametrize("part", [1, 3, 5])
def test_a_refused_part_leaves_nothing_behind(part: int) -> None:
    with stub_s3(refused_part=part) as server:
        error = refusal(server)
    assert isinstance(error, PermanentStoreError)
    assert error.answer == "HTTP 403 AccessDenied"


@pytest.mark.parametrize(
    ("status", "kind", "answer"),
    [
        ("403", PermanentStoreError, "HTTP 403 AccessDenied"),
        ("200", TransientStoreError, "HTTP 200 InternalError"),  # S3 answers before it knows
    ],
    ids=["403", "200"],
)
def test_a_refused_completion_leaves_nothing_behind(status: str, kind: type[StoreError], answer: str) -> None:
    with stub_s3(refused_completion=status) as server:
        error = refusal(server)
    assert isinstance(error, kind)
    assert error.answer == answer


def test_a_cancelled_upload_removes_its_parts() -> None:
    async def stalls() -> AsyncIterator[bytes]:
        yield bytes(12 * MIB)
        await asyncio.sleep(3600)

    async def give_up(store: Deliveries, server: StubS3) -> None:
        writing = asyncio.create_task(store.write("a", stalls(), 24 * MIB))
        while (await asyncio.to_thread(server.counts))["asked"].get("part", 0) < 1:
            await asyncio.sleep(0.01)
        writing.cancel()
        await writing

    with stub_s3() as server:
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(give_up(at(server.endpoint), server))
        counts = server.counts()
    assert counts["open"] == []
    assert counts["visible"] == {}
    assert counts["asked"]["abort"] == 1


def test_a_small_file_is_one_request_and_a_large_one_goes_in_parts() -> None:
    with stub_s3() as server:
        store = at(server.endpoint)
        asyncio.run(store.write("small", zeros(4), 4 * MIB))
        assert server.counts()["asked"] == {"put": 1}
        asyncio.run(store.write("large", zeros(14), 14 * MIB))
        counts = server.counts()
    assert counts["asked"] == {"put": 1, "begin": 1, "part": 3, "complete": 1}
    assert counts["visible"] == {"small": 4 * MIB, "large": 14 * MIB}


@pytest.mark.parametrize(
    ("size", "part"),
    [(0, 16), (160 * 1024 * MIB, 17), (156 * 1024 * MIB, 16), (500 * 1024 * MIB, 52), (None, 21)],
)
def test_parts_grow_where_s3_would_not_take_so_many(size: int | None, part: int) -> None:
    objects = S3Objects("s3://bucket", S3Settings())
    streams = S3Streams(objects, 16 * MIB, 4, largest=200 * 1024 * MIB)
    assert streams.part_for(size) == part * MIB
    assert (size or 0) <= MOST_PARTS * streams.part_for(size)


ACTIONS: dict[str, Callable[[Deliveries], object]] = {
    "write small": lambda store: asyncio.run(store.write("a", zeros(1), MIB)),
    "write large": lambda store: asyncio.run(store.write("a", zeros(12), 12 * MIB)),
    "folder": lambda store: store.folder(HOUR),
    "listing": lambda store: store.listing([HOUR]),
    "listing of days": lambda store: store.listing(DAY),
    "day_folders": lambda store: store.day_folders("IMOSDL/Hourly/"),
    "read_range": lambda store: store.read_range(f"{HOUR}a", 0, 5),
}


def failure(store: Deliveries, action: str) -> StoreError:
    with pytest.raises(StoreError) as caught:
        ACTIONS[action](store)
    text = str(caught.value)
    assert "s3://bucket" in text
    assert not any(part in text for part in ("\n", "?", "very-secret", "X-Amz"))
    return caught.value


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(("status", "code"), [(500, "InternalError"), (503, "SlowDown"), (502, "")])
def test_an_outage_may_be_run_again(action: str, status: int, code: str) -> None:
    with sick_s3(status, f"<Error><Code>{code}</Code></Error>".encode()) as endpoint:
        assert isinstance(failure(at(endpoint, parallel_listings=2), action), TransientStoreError)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (404, "NoSuchBucket")])
def test_a_refusal_is_for_good(action: str, status: int, code: str) -> None:
    with sick_s3(status, f"<Error><Code>{code}</Code></Error>".encode()) as endpoint:
        assert isinstance(failure(at(endpoint, parallel_listings=2), action), PermanentStoreError)


@pytest.mark.parametrize("action", [name for name in ACTIONS if "write" not in name and "read" not in name])
@pytest.mark.parametrize("answer", [(200, b"<html>please log in</html>"), (404, b"")], ids=["200", "404"])
def test_an_answer_that_is_not_of_s3_is_never_an_empty_folder(action: str, answer: tuple[int, bytes]) -> None:
    with sick_s3(*answer) as endpoint:
        failure(at(endpoint, parallel_listings=2), action)


@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_at_the_endpoint_may_be_run_again(action: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        store = at(f"http://127.0.0.1:{unused.getsockname()[1]}")
        assert isinstance(failure(store, action), TransientStoreError)


def put(client: Any, bucket: str, *keys: str) -> None:
    for key in keys:
        client.put_object(Bucket=bucket, Key=f"p/{key}", Body=b"" if key.endswith(("/", "empty")) else b"1")


@pytest.mark.parametrize("width", [2, 64], ids=["day by day", "hour by hour"])
def test_folder_markers_are_no_files_and_empty_files_are(
    moto_endpoint: str, s3_bucket: str, s3_client: Any, width: int
) -> None:
    kept = {f"{HOUR}a", f"{HOUR}empty", f"{HOUR}sub/empty", f"{HOUR}sub/both"}
    markers = ["IMOSDL/", "IMOSDL/Hourly/20220208/", HOUR, f"{HOUR}sub/", f"{HOUR}bare/", f"{HOUR}sub/both/"]
    put(s3_client, s3_bucket, *kept, *markers, DAY[20])
    store = at(moto_endpoint, f"s3://{s3_bucket}/p", parallel_listings=width)
    found = store.listing(DAY)
    assert sorted(found["folder"] + found["name"]) == sorted(kept)
    assert sorted(store.folder(HOUR)) == ["a", "empty"]


@pytest.mark.parametrize("odd", ["/x", "./x", "../x", "b\x7f", "\ttab", "/empty"])
@pytest.mark.parametrize("width", [2, 64], ids=["day by day", "hour by hour"])
def test_one_odd_key_hides_no_other_file(
    moto_endpoint: str, s3_bucket: str, s3_client: Any, odd: str, width: int
) -> None:
    put(s3_client, s3_bucket, f"{HOUR}a", f"{HOUR}empty", f"{HOUR}sub/", f"{HOUR}{odd}", f"{DAY[9]}b")
    put(s3_client, s3_bucket, "IMOSDL/Hourly//c", "IMOSDL/Hourly/20220301/00/d")
    store = at(moto_endpoint, f"s3://{s3_bucket}/p", parallel_listings=width)
    found = store.listing(DAY)
    assert set(found["folder"] + found["name"]) == {
        f"{HOUR}a",
        f"{HOUR}empty",
        f"{HOUR}{odd}",
        f"{DAY[9]}b",
    }
    assert store.day_folders("IMOSDL/Hourly/") == ["20220208", "20220301"]
    assert {"a", "empty"} <= set(store.folder(HOUR))


def test_a_history_is_listed_by_days_and_an_increment_by_hours() -> None:
    with stub_s3(hours=72, files=450, latency=0.01) as server:
        store = at(server.endpoint)
        assert store.day_folders("DEV/IMOSDL/Hourly/") == ["20220208", "20220209", "20220210", "20220211"]
        days = ["20220208", "20220209", "20220210", "20220211"]
        hours = [f"DEV/IMOSDL/Hourly/{day}/{hour:02d}/" for day in days for hour in range(24)]
        before = server.counts()["asked"]["list"]
        whole = store.listing(hours)
        between = server.counts()["asked"]["list"]
        newest = store.listing(hours[24:27])
        after = server.counts()["asked"]["list"]
    assert whole.height == 72 * 450
    assert between - before == 8 + 11 + 11 + 4
    assert newest.height == 3 * 450
    assert after - between == 3


MANY = """
import asyncio, resource, sys
from metaplat.settings import Settings
from metaplat.stores.deliveries import open_deliveries
async def zeros():
    for _ in range(48):
        await asyncio.sleep(0)
        yield bytes(2**20)
async def main(store):
    await store.write("first", zeros(), 48 * 2**20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await asyncio.gather(*(store.write(str(number), zeros(), 48 * 2**20) for number in range(16)))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
asyncio.run(main(open_deliveries(Settings(s3={"endpoint_url": sys.argv[1]}, vip={"target": "s3://bucket"}))))
"""


def test_sixteen_large_files_at_once_take_no_more_memory_than_the_parts_may() -> None:
    """768 MiB go through a budget of 4 parts of 16 MiB."""
    with stub_s3() as server:
        command = [sys.executable, "-c", MANY, server.endpoint]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert len(server.counts()["visible"]) == 17
    assert int(told) < 100 * 1024


def test_a_write_that_waits_for_memory_may_be_cancelled_and_stops_no_other() -> None:
    async def main(store: Deliveries) -> int:
        gate = asyncio.Event()

        async def held() -> AsyncIterator[bytes]:
            yield bytes(MIB)
            await gate.wait()
            yield bytes(19 * MIB)

        first = asyncio.create_task(store.write("first", held(), 20 * MIB))
        waiting = [asyncio.create_task(store.write(str(n), zeros(12), 12 * MIB)) for n in range(3)]
        await asyncio.sleep(0.05)
        waiting[0].cancel()
        gate.set()
        sizes = await asyncio.gather(first, *waiting, return_exceptions=True)
        assert isinstance(sizes[1], asyncio.CancelledError)
        return sum(size for size in sizes if isinstance(size, int))

    with stub_s3() as server:
        assert asyncio.run(main(at(server.endpoint, parallel_parts=2))) == 44 * MIB
        assert sorted(server.counts()["visible"]) == ["1", "2", "first"]


def test_a_store_may_be_used_in_one_event_loop_after_another() -> None:
    with stub_s3() as server:
        store = at(server.endpoint, parallel_parts=1)
        for turn in range(3):
            asyncio.run(store.write(str(turn), zeros(6), 6 * MIB))
        assert len(server.counts()["visible"]) == 3
