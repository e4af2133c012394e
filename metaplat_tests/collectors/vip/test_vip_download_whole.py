"""A download that goes well: the very bytes, verified, asked for with the very address."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import random
from typing import TYPE_CHECKING

import pytest

from metaplat.collectors.vip.download import Downloads, FileMismatchError, RefusedFileError
from metaplat.model.errors import TransientSourceError
from metaplat_tests.collectors.vip.fetching import failure, fetched, patient, signed
from metaplat_tests.collectors.vip.sick_file_host import (
    QUERY,
    Play,
    Reply,
    Request,
    SickFileHost,
    chunked,
    error,
    fixed,
    s3,
)

if TYPE_CHECKING:
    from metaplat.settings.vip import VipSettings

CONTENT = random.Random(6).randbytes(3_000_000)
SIZE = len(CONTENT)
SMALL = b"imo;name\n1;Aurora\n"
ERROR_LIKE = b'<?xml version="1.0"?>\n<Error><Code>SlowDown</Code><Message>Told by a test</Message></Error>'


def comes(play: Play, size: int | None, checksum: str | None = None) -> bytes:
    async def run() -> bytes:
        async with SickFileHost(play) as host:
            return (await fetched(host, size, checksum=checksum)).content

    return asyncio.run(run())


def fails(
    play: Play, size: int | None, settings: VipSettings | None = None, checksum: str | None = None
) -> tuple[type[Exception], str, int]:
    async def run() -> tuple[type[Exception], str, int]:
        async with SickFileHost(play) as host:
            error = await failure(host, size, settings, checksum=checksum)
            return type(error), str(error), len(host.requests)

    return asyncio.run(run())


def test_a_file_comes_with_its_etag_size_and_hash() -> None:
    async def run() -> None:
        async with SickFileHost(s3(CONTENT)) as host:
            result = await fetched(host, SIZE)
        assert result.content == CONTENT
        assert result.download.etag == '"one"'
        assert result.download.size == SIZE
        assert result.download.sha256 == hashlib.sha256(CONTENT).hexdigest()

    asyncio.run(run())


def test_nothing_is_said_of_the_whole_before_it_is_there() -> None:
    async def run() -> None:
        async with SickFileHost(s3(CONTENT)) as host, Downloads(patient()) as downloads:
            download = downloads.open(signed(host.url(), SIZE), _never)
            first = await anext(download)
            assert 0 < len(first) < SIZE
            assert download.sha256 is None
            assert download.size == len(first)

    asyncio.run(run())


async def _never() -> None:
    raise AssertionError("no new address is needed")


def test_pieces_are_never_larger_than_a_mebibyte() -> None:
    async def run() -> list[int]:
        async with SickFileHost(s3(CONTENT)) as host, Downloads(patient()) as downloads:
            sizes = []
            async for piece in downloads.open(signed(host.url(), SIZE), _never):
                sizes.append(len(piece))
                await asyncio.sleep(0.01)  # a slow store: the buffers fill
            return sizes

    sizes = asyncio.run(run())
    assert sum(sizes) == SIZE
    assert max(sizes) <= 1 << 20


def test_a_slow_store_is_no_stall_of_the_host() -> None:
    async def run() -> tuple[int, int]:
        settings = patient(stall_seconds=0.5, file_retries=0)
        async with SickFileHost(s3(CONTENT * 3)) as host, Downloads(settings) as downloads:
            size = 0
            async for piece in downloads.open(signed(host.url(), 3 * SIZE), _never):
                size += len(piece)
                await asyncio.sleep(0.7 if size < SIZE // 4 else 0)
            return size, len(host.requests)

    assert asyncio.run(run()) == (3 * SIZE, 1)


def test_the_address_is_sent_as_it_was_signed() -> None:
    async def run() -> Request:
        async with SickFileHost(s3(SMALL)) as host:
            await fetched(host, len(SMALL))
            return host.requests[0]

    request = asyncio.run(run())
    assert request.target == "/job/Vessel_1.csv" + QUERY
    assert request.headers["accept-encoding"] == "identity"
    assert "range" not in request.headers
    assert "cookie" not in request.headers


def test_an_empty_file_comes_as_no_bytes() -> None:
    assert comes(s3(b""), 0) == b""
    assert comes(s3(b""), None) == b""
    assert comes(chunked(b""), 0) == b""


def test_a_file_without_a_promised_size_ends_where_the_host_says() -> None:
    assert comes(s3(SMALL), None) == SMALL
    assert comes(chunked(SMALL), None) == SMALL
    assert comes(chunked(SMALL), len(SMALL)) == SMALL


def test_an_answer_that_tells_no_end_at_all_is_not_believed() -> None:
    play = lambda _: Reply(200, {}, SMALL, "cut")  # noqa: E731
    kind, text, _ = fails(play, None)
    assert issubclass(kind, TransientSourceError)
    assert "how long" in text
    assert comes(play, len(SMALL)) == SMALL


def test_a_compressed_answer_is_kept_as_it_was_sent() -> None:
    packed = gzip.compress(SMALL, mtime=0)
    play = fixed(200, packed, Content_Encoding="gzip")
    assert comes(play, len(packed)) == packed
    assert fails(play, len(SMALL))[0] is FileMismatchError


@pytest.mark.parametrize("size", [SIZE - 1, SIZE + 1, 0], ids=["longer", "shorter", "not empty"])
def test_another_length_than_promised_is_seen_before_any_byte_is_taken(size: int) -> None:
    async def run() -> int:
        async with SickFileHost(s3(CONTENT)) as host, Downloads(patient()) as downloads:
            download = downloads.open(signed(host.url(), size), _never)
            with pytest.raises(FileMismatchError, match="3,000,000 bytes there"):
                await anext(download)
            with pytest.raises(FileMismatchError):  # and it stays so
                await anext(download)
            return len(host.requests)

    assert asyncio.run(run()) == 1


def test_a_body_that_grows_beyond_the_promise_is_dropped_at_once() -> None:
    kind, text, requests = fails(chunked(SMALL), len(SMALL) - 1)
    assert (kind, requests) == (FileMismatchError, 1)
    assert "longer there than the promised 17 bytes" in text


def test_a_body_that_ends_well_below_the_promise_is_shorter_for_good() -> None:
    kind, text, requests = fails(chunked(SMALL), len(SMALL) + 1)
    assert (kind, requests) == (FileMismatchError, 1)
    assert "18 bytes there, where 19 are promised" in text


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_promised_checksum_is_verified_inside_the_stream(algorithm: str) -> None:
    right = hashlib.new(algorithm, SMALL).hexdigest()
    assert comes(s3(SMALL), len(SMALL), right.upper()) == SMALL
    kind, text, _ = fails(s3(SMALL), len(SMALL), checksum=right[::-1])
    assert kind is FileMismatchError
    assert "checksum" in text


def test_a_document_of_an_error_is_no_file() -> None:
    async def run() -> bytes:
        host = SickFileHost(error(200, "InternalError"), chunked(ERROR_LIKE), s3(SMALL))
        async with host:
            return (await fetched(host, len(SMALL))).content

    assert asyncio.run(run()) == SMALL


@pytest.mark.parametrize("size", [500_000, None], ids=["promised", "not promised"])
def test_a_document_of_an_error_is_never_delivered(size: int | None) -> None:
    for play in (error(200, "InternalError"), chunked(ERROR_LIKE)):
        kind, text, requests = fails(play, size)
        assert kind is TransientSourceError
        assert "HTTP 200" in text
        assert requests == 1 + 3


@pytest.mark.parametrize("content", [ERROR_LIKE, ERROR_LIKE + bytes(100_000)], ids=["small", "large"])
def test_a_file_of_xml_that_looks_like_an_error_comes_if_it_has_its_size(content: bytes) -> None:
    assert comes(s3(content), len(content)) == content
    assert comes(chunked(content), len(content)) == content


def test_a_file_larger_than_the_settings_allow_is_refused_without_a_promise() -> None:
    small = patient(max_file_gb=1_000_000 / 2**30)
    for play in (s3(CONTENT), chunked(CONTENT)):
        assert fails(play, None, small)[0] is RefusedFileError
    job = patient(max_job_gb=1_000_000 / 2**30)
    for play in (s3(CONTENT), chunked(CONTENT)):
        assert fails(play, None, job)[0] is RefusedFileError


def test_many_files_come_at_once_but_no_more_than_allowed_from_one_host() -> None:
    slow = lambda request: Reply(200, {"Content-Length": "18"}, SMALL, pause=0.002)  # noqa: E731, ARG005

    async def run() -> tuple[list[bytes], int]:
        async with SickFileHost(slow) as host, Downloads(patient(parallel_per_host=3)) as downloads:

            async def one() -> bytes:
                return b"".join([piece async for piece in downloads.open(signed(host.url(), 18), _never)])

            return await asyncio.gather(*[one() for _ in range(12)]), host.most_at_once

    contents, most = asyncio.run(run())
    assert contents == [SMALL] * 12
    assert most == 3


def test_a_download_that_is_left_in_the_middle_leaves_nothing_open() -> None:
    async def run() -> int:
        async with SickFileHost(s3(CONTENT)) as host, Downloads(patient()) as downloads:
            left = downloads.open(signed(host.url(), SIZE), _never)
            await anext(left)
            closed = downloads.open(signed(host.url(), SIZE), _never)
            await anext(closed)
            closed.close()
            return len(host.requests)

    assert asyncio.run(run()) == 2  # a connection that stays open is a warning, and warnings are errors


def test_outside_of_its_block_nothing_is_opened() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        Downloads(patient()).open(signed("https://a.amazonaws.com/x", 1), _never)
