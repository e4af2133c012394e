"""A download goes on where it was cut, with the same file or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.collectors.vip.download import FileChangedError, FileMismatchError
from metaplat.model.errors import TransientSourceError
from metaplat_tests.collectors.vip.fetching import failure, fetched, patient
from metaplat_tests.collectors.vip.sick_file_host import (
    Play,
    Reply,
    Request,
    SickFileHost,
    chunked,
    cut,
    fixed,
    s3,
)

CONTENT = random.Random(6).randbytes(300_000)
SIZE = len(CONTENT)
MODIFIED = "Tue, 08 Feb 2022 08:00:00 GMT"


def asks_again(*plays: Play, size: int | None = SIZE) -> tuple[bytes, list[int]]:
    """Return the bytes that came, and from where each request asked."""

    async def run() -> tuple[bytes, list[int]]:
        async with SickFileHost(*plays) as host:
            result = await fetched(host, size)
            assert result.download.sha256 == hashlib.sha256(CONTENT).hexdigest()
            assert result.download.size == SIZE
            return result.content, host.offsets

    return asyncio.run(run())


def fails(*plays: Play, size: int | None = SIZE, retries: int = 3) -> tuple[str, type[Exception], int]:
    """Return the text and kind of the error, and the number of requests."""

    async def run() -> tuple[str, type[Exception], int]:
        async with SickFileHost(*plays) as host:
            error = await failure(host, size, patient(file_retries=retries))
            return str(error), type(error), len(host.requests)

    return asyncio.run(run())


def test_a_file_that_is_cut_once_goes_on_from_there() -> None:
    content, offsets = asks_again(cut(s3(CONTENT), 1000), s3(CONTENT))
    assert content == CONTENT
    assert offsets == [0, 1000]


def test_progress_resets_the_count_of_attempts() -> None:
    content, offsets = asks_again(cut(s3(CONTENT), 20_000))
    assert content == CONTENT
    assert len(offsets) == SIZE / 20_000  # far more than the 3 retries


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, SIZE), max_size=6), st.booleans())
def test_the_bytes_are_the_same_wherever_it_is_cut(cuts: list[int], knows_size: bool) -> None:
    attempts = [play for count in cuts for play in (cut(s3(CONTENT), count), s3_part(7))]
    content, _ = asks_again(*attempts, s3(CONTENT), size=SIZE if knows_size else None)
    assert content == CONTENT


def s3_part(count: int) -> Play:
    """Return a play that sends a shorter part than was asked for, and says so."""

    def play(request: Request) -> Reply:
        stop = min(request.offset + count, SIZE)
        told = {"ETag": '"one"', "Content-Range": f"bytes {request.offset}-{stop - 1}/{SIZE}"}
        body = CONTENT[request.offset : stop]
        return Reply(206, {**told, "Content-Length": str(len(body))}, body)

    return play


def test_a_host_that_sends_small_parts_is_asked_until_all_is_there() -> None:
    content, offsets = asks_again(s3_part(30_000))
    assert content == CONTENT
    assert offsets == list(range(0, SIZE, 30_000))


def test_the_resumed_request_names_the_version() -> None:
    async def run() -> list[str | None]:
        async with SickFileHost(cut(s3(CONTENT), 1000), s3(CONTENT)) as host:
            await fetched(host, SIZE)
            return [request.headers.get("if-range") for request in host.requests]

    assert asyncio.run(run()) == [None, '"one"']


def test_without_etag_the_time_of_the_last_change_is_the_version() -> None:
    play = s3(CONTENT, None, **{"Last-Modified": MODIFIED})
    content, offsets = asks_again(cut(play, 1000), play)
    assert content == CONTENT
    assert offsets == [0, 1000]


def test_a_weak_etag_is_compared_but_not_sent() -> None:
    play = s3(CONTENT, 'W/"one"')

    async def run() -> list[tuple[int, str | None]]:
        async with SickFileHost(cut(play, 1000), play) as host:
            assert (await fetched(host, SIZE)).content == CONTENT
            return [(request.offset, request.headers.get("if-range")) for request in host.requests]

    assert asyncio.run(run()) == [(0, None), (1000, None)]


def test_an_ignored_range_with_the_same_etag_is_skipped_over() -> None:
    whole = fixed(200, CONTENT, ETag='"one"')
    content, offsets = asks_again(cut(whole, 100_000), cut(whole, 50_000), cut(whole, 150_000), whole)
    assert content == CONTENT
    assert offsets == [0, 100_000, 100_000, 150_000]


def test_a_host_that_ignores_ranges_and_always_cuts_is_given_up() -> None:
    text, kind, requests = fails(cut(fixed(200, CONTENT, ETag='"one"'), 100_000))
    assert kind is TransientSourceError
    assert requests == 1 + 3
    assert "gave up after 4 attempts" in text


@pytest.mark.parametrize("later", ['"two"', None], ids=["another", "none"])
def test_an_ignored_range_with_another_etag_means_the_file_changed(later: str | None) -> None:
    told = {"ETag": later} if later else {}
    _, kind, requests = fails(cut(s3(CONTENT), 1000), fixed(200, CONTENT, **told))
    assert kind is FileChangedError
    assert requests == 2


def test_a_file_that_changes_on_the_way_is_never_mixed() -> None:
    assert fails(cut(s3(CONTENT), 1000), s3(bytes(SIZE), '"two"'))[1] is FileChangedError


def test_a_part_of_another_version_is_not_taken() -> None:
    part = Reply(
        206, {"ETag": '"two"', "Content-Range": f"bytes 1000-{SIZE - 1}/{SIZE}"}, CONTENT[1000:], "cut"
    )
    assert fails(cut(s3(CONTENT), 1000), lambda _: part)[1] is FileChangedError


@pytest.mark.parametrize(
    "place", ["bytes 900-299999/300000", "bytes 1001-299999/300000", "bytes */300000", "lines 1-2/3", ""]
)
def test_another_part_than_was_asked_for_is_not_taken(place: str) -> None:
    part = Reply(206, {"ETag": '"one"', "Content-Range": place}, CONTENT[1000:], "cut")
    assert fails(cut(s3(CONTENT), 1000), lambda _: part)[1] is FileChangedError


def test_a_cut_file_without_any_version_is_fetched_again_from_its_start() -> None:
    _, kind, requests = fails(cut(s3(CONTENT, None), 1000))
    assert kind is FileChangedError
    assert requests == 1


def test_a_part_that_tells_another_length_in_all_is_a_mismatch() -> None:
    part = Reply(206, {"ETag": '"one"', "Content-Range": "bytes 1000-4999/5000"}, CONTENT[1000:5000], "cut")
    text, kind, _ = fails(cut(s3(CONTENT), 1000), lambda _: part)
    assert kind is FileMismatchError
    assert "5,000 bytes there, where 300,000 are promised" in text


def test_a_file_that_ends_before_the_asked_place_is_a_mismatch() -> None:
    beyond = fixed(416, b"", Content_Range="bytes */900")
    text, kind, _ = fails(cut(s3(CONTENT), 1000), beyond)
    assert kind is FileMismatchError
    assert "900 bytes there" in text


def test_a_416_that_says_nothing_is_asked_again() -> None:
    content, _ = asks_again(cut(s3(CONTENT), 1000), fixed(416), s3(CONTENT))
    assert content == CONTENT


def test_a_cut_chunked_body_goes_on_too() -> None:
    content, offsets = asks_again(chunked(CONTENT[:1000], ended=False, ETag='"one"'), s3(CONTENT), size=None)
    assert content == CONTENT
    assert offsets == [0, 1000]


def test_a_file_that_became_shorter_than_what_came_is_not_complete() -> None:
    first = chunked(CONTENT[:1000], ended=False, ETag='"one"')
    _, kind, _ = fails(first, chunked(CONTENT[:500], ETag='"one"'), size=None)
    assert kind is TransientSourceError


def test_a_connection_that_breaks_after_the_last_promised_byte_does_no_harm() -> None:
    content, offsets = asks_again(chunked(CONTENT, ended=False))
    assert content == CONTENT
    assert offsets == [0]


def test_a_host_that_only_refuses_connections_is_given_up() -> None:
    async def run() -> str:
        async with SickFileHost(s3(CONTENT)) as host:
            pass
        return str(await failure(host, SIZE))

    assert "it cannot be reached; gave up after 4 attempts" in asyncio.run(run())
