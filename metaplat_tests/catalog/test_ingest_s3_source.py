"""The bytes of an object: two range requests at most, of one content, and what failures mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.headers.header import FIRST_BLOCK, HeaderError
from metaplat.collectors.headers.s3_source import S3Objects, S3Source
from metaplat.model.errors import PermanentSourceError, TransientSourceError
from metaplat.settings.sections import S3Settings
from metaplat_tests.standins.counting_s3 import CountingS3, counting_s3
from metaplat_tests.standins.sick_s3 import sick_s3

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CONTENT = bytes(number % 251 for number in range(3_000_000))
FAR = 1 << 20


@pytest.fixture(scope="module")
def bucket(moto_endpoint: str) -> Iterator[CountingS3]:
    del moto_endpoint  # sets credentials
    with counting_s3({"a/b.fits": CONTENT, "small": b"abc", "none": b"", "a//b": b"odd"}) as store:
        yield store


def open_object(endpoint: str, key: str, size: int = 1, far_bytes: int = FAR) -> S3Source:
    objects = S3Objects("bucket", S3Settings(endpoint_url=endpoint, retries=0), far_bytes)
    return objects.open(key, size, None, NOW)


def read_or_code(source: S3Source, offset: int, length: int) -> bytes | str:
    try:
        return source.read(offset, length)
    except HeaderError as error:
        return error.code


def test_a_short_object_takes_one_request(bucket: CountingS3) -> None:
    bucket.forget()
    source = open_object(bucket.endpoint, "small")
    assert (source.size, source.first, source.path) == (3, b"abc", None)
    assert (source.read(0, 2), source.read(1, 99), source.read(3, 5)) == (b"ab", b"bc", b"")
    assert bucket.requests_of("small") == [f"GET small bytes=0-{FIRST_BLOCK - 1}"]


def test_size_and_etag_are_those_of_the_answer_and_not_of_the_listing(bucket: CountingS3) -> None:
    source = open_object(bucket.endpoint, "a/b.fits", size=7)
    assert source.size == len(CONTENT)
    assert source.etag
    assert source.modified == datetime(2026, 10, 21, 7, 28, tzinfo=UTC)


@given(st.lists(st.tuples(st.integers(0, 3_100_000), st.integers(0, 400_000)), max_size=4))
def test_whatever_is_read_is_right_or_out_of_reach_within_two_requests(
    bucket: CountingS3, wanted: list[tuple[int, int]]
) -> None:
    bucket.forget()
    source = open_object(bucket.endpoint, "a/b.fits")
    for offset, length in wanted:
        assert read_or_code(source, offset, length) in {CONTENT[offset : offset + length], "out_of_reach"}
    assert len(bucket.asked) <= 2


def test_a_header_that_goes_on_is_read_on_with_one_long_request(bucket: CountingS3) -> None:
    bucket.forget()
    source = open_object(bucket.endpoint, "a/b.fits")
    for start in range(0, FAR, FIRST_BLOCK):
        assert source.read(start, FIRST_BLOCK) == CONTENT[start : start + FIRST_BLOCK]
    assert len(bucket.asked) == 2


def test_an_object_that_is_rewritten_between_the_requests_is_told(bucket: CountingS3) -> None:
    bucket.objects["moving"] = CONTENT
    source = open_object(bucket.endpoint, "moving")
    bucket.objects["moving"] = b"other" + CONTENT
    with pytest.raises(HeaderError) as caught:
        source.read(2_000_000, 80)
    assert caught.value.code == "changed"


def test_an_empty_object_is_not_asked_for(bucket: CountingS3) -> None:
    bucket.forget()
    source = open_object(bucket.endpoint, "none", size=0)
    assert (source.size, source.first) == (0, b"")
    assert bucket.asked == []


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (404, "NoSuchKey", "gone"),
        (403, "AccessDenied", "not_allowed"),
        (403, "InvalidObjectState", "not_allowed"),
        (416, "InvalidRange", "empty"),
        (412, "PreconditionFailed", "changed"),
    ],
)
def test_what_is_wrong_with_one_object_rejects_that_one(
    moto_endpoint: str, status: int, code: str, reason: str
) -> None:
    del moto_endpoint
    body = f"<Error><Code>{code}</Code></Error>".encode()
    with sick_s3(status, body) as url, pytest.raises(HeaderError) as caught:
        open_object(url, "key")
    assert caught.value.code == reason


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (503, "SlowDown", TransientSourceError),
        (500, "InternalError", TransientSourceError),
        (404, "NoSuchBucket", PermanentSourceError),
        (403, "ExpiredToken", PermanentSourceError),
        (403, "InvalidAccessKeyId", PermanentSourceError),
    ],
)
def test_what_is_wrong_with_s3_rejects_no_object(
    moto_endpoint: str, status: int, code: str, kind: type[Exception]
) -> None:
    del moto_endpoint
    body = f"<Error><Code>{code}</Code></Error>".encode()
    with sick_s3(status, body) as url, pytest.raises(kind, match="s3://bucket"):
        open_object(url, "key")
