"""Event logs below a prefix of S3, over HTTP: found page by page, read in parts, of one writing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.collectors.spark.log_files.s3_place import PART_BYTES
from metaplat.model.errors import PermanentSourceError, SourceError, TransientSourceError
from metaplat_tests.collectors.log_request import Asked
from metaplat_tests.standins.counting_s3 import counting_s3
from metaplat_tests.standins.sick_s3 import sick_s3

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def put(s3_client: Any, s3_bucket: str) -> Callable[..., None]:
    def write(*keys: str, content: bytes = b"{}\n") -> None:
        for key in keys:
            s3_client.put_object(Bucket=s3_bucket, Key=key, Body=b"" if key.endswith("/") else content)

    return write


@pytest.fixture
def ask(s3_bucket: str, moto_endpoint: str) -> Callable[..., Asked]:
    def asked(prefix: str = "", *, scheme: str = "s3", **spark: object) -> Asked:
        settings = {"s3": {"endpoint_url": moto_endpoint}, "spark": spark}
        return Asked(url=f"{scheme}://{s3_bucket}/{prefix}", settings=settings)

    return asked


def test_every_layout_below_a_prefix_is_found(
    put: Callable[..., None], ask: Callable[..., Asked], s3_bucket: str
) -> None:
    put(
        "logs/",
        "logs/app-1-1.zstd.inprogress",
        "logs/deep/er/local-2",
        "logs/eventlog_v2_app-1-2/",
        "logs/eventlog_v2_app-1-2/appstatus_app-1-2.inprogress",
        "logs/eventlog_v2_app-1-2/events_10_app-1-2",
        "logs/eventlog_v2_app-1-2/events_9_app-1-2.compact",
        "logs/eventlog_v2_app-1-2/events_9_app-1-2",
        "logs/folder_$folder$",
        "logs/marked/",
        "logs/x/0926-123456-abc/eventlog/7/eventlog",
        "logs/x/0926-123456-abc/eventlog/7/eventlog-2024-05-01--10-30.gz",
        "logs/zz.parquet",
        "logs/.hidden/local-3",
        "logs/local-4",
        "logs-of-others/local-5",
    )
    asked = ask("logs")
    logs = asked.logs()
    assert [(log.name, log.layout, log.in_progress) for log in logs] == [
        ("app-1-1.zstd.inprogress", "single", True),
        ("local-2", "single", False),
        ("eventlog_v2_app-1-2", "rolling", True),
        ("local-4", "single", False),
        ("0926-123456-abc/7", "databricks", False),
    ]
    assert [file.name for file in logs[2].files] == ["events_9_app-1-2.compact", "events_10_app-1-2"]
    assert logs[2].address == f"s3://{s3_bucket}/logs/eventlog_v2_app-1-2"
    assert [file.name for file in logs[4].files] == ["eventlog-2024-05-01--10-30.gz", "eventlog"]
    assert (asked.warned, asked.rejected) == ([], {})
    assert {asked.read(file) for log in logs for file in log.files} == {b"{}\n"}
    assert [log.fingerprint for log in asked.logs()] == [log.fingerprint for log in logs]


def test_folders_below_are_left_out_where_the_settings_say_so(
    put: Callable[..., None], ask: Callable[..., Asked]
) -> None:
    put("logs/local-1", "logs/below/local-2", "logs/eventlog_v2_app/events_1_app")
    assert ask("logs/", recursive=False).names() == ["local-1", "eventlog_v2_app"]
    assert ask(recursive=False).names() == []


@pytest.mark.parametrize("scheme", ["s3", "s3a", "s3n"])
@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("", ["local-1", "eventlog_v2_app", "notes.txt"]),
        ("logs/local-1", ["local-1"]),
        ("logs/notes.txt", ["notes.txt"]),
        ("logs/eventlog_v2_app", ["eventlog_v2_app"]),
        ("logs/eventlog_v2_app/", ["eventlog_v2_app"]),
        ("logs/local", []),
    ],
)
def test_a_prefix_is_a_bucket_a_folder_or_one_object(
    put: Callable[..., None], ask: Callable[..., Asked], scheme: str, prefix: str, names: list[str]
) -> None:
    put("logs/local-1", "logs/eventlog_v2_app/events_1_app", "logs/notes.txt")
    asked = ask(prefix, scheme=scheme)
    assert sorted(asked.names()) == sorted(names)
    assert all(asked.place.address.startswith("s3://") for _ in names)


def test_an_empty_prefix_is_told(ask: Callable[..., Asked]) -> None:
    asked = ask("nothing/here")
    assert asked.logs() == []
    assert asked.warned == [f"{asked.place.address}: no event logs there"]


@pytest.mark.usefixtures("moto_endpoint")
def test_listing_asks_once_a_page_and_reading_once_a_part() -> None:
    content = os.urandom(2 * PART_BYTES + 17)
    objects = {f"logs/row-{number}.json": b"{}" for number in range(2500)} | {"logs/local-1": content}
    with counting_s3(objects) as store:
        asked = Asked(url="s3://bucket/logs", settings={"s3": {"endpoint_url": store.endpoint}})
        (log,) = asked.logs()
        assert (log.name, store.listings, len(store.asked)) == ("local-1", 3, 3)
        assert "2,500 objects named like .json" in asked.warned[0]
        assert asked.read(log.files[0], PART_BYTES) == content[PART_BYTES:]
        assert sorted(store.requests_of("logs/local-1")) == [
            f"GET logs/local-1 bytes={PART_BYTES}-{2 * PART_BYTES - 1}",
            f"GET logs/local-1 bytes={2 * PART_BYTES}-{len(content) - 1}",
        ]


def test_a_few_objects_that_are_hardly_logs_are_looked_into(
    put: Callable[..., None], ask: Callable[..., Asked]
) -> None:
    put("logs/a.json", "logs/local-1", "logs/table.csv", "logs/x/run.log.gz")
    asked = ask("logs")
    assert sorted(asked.names()) == ["a.json", "local-1", "run.log.gz"]
    assert not asked.warned


KEYS = [
    "logs/a b+c%20d/local-1",
    "logs/größe/local-2",
    "logs//local-3",
    "logs/./local-4",
    "logs/x\x7fy/local-5",
]


@pytest.mark.parametrize("key", KEYS)
def test_odd_keys_are_found_and_read(put: Callable[..., None], ask: Callable[..., Asked], key: str) -> None:
    put("logs/first", "logs/zuletzt", key)
    put(key, content=b"odd")
    asked = ask("logs")
    read = {log.name: asked.read(log.files[0], 1) for log in asked.logs()}
    assert read == {"first": b"}\n", "zuletzt": b"}\n", key[-7:]: b"dd"}
    assert not asked.rejected


def test_a_large_object_comes_in_parts_and_from_an_offset(
    put: Callable[..., None], ask: Callable[..., Asked]
) -> None:
    content = os.urandom(3 * PART_BYTES + 17)
    put("logs/local-1", content=content)
    asked = ask("logs")
    (log,) = asked.logs()
    assert log.files[0].size == len(content)
    parts = list(asked.place.read(log.files[0]))
    assert b"".join(parts) == content
    assert max(map(len, parts)) == PART_BYTES
    assert asked.read(log.files[0], PART_BYTES + 5) == content[PART_BYTES + 5 :]
    assert asked.read(log.files[0], len(content)) == asked.read(log.files[0], len(content) + 5) == b""


def test_leaving_in_the_middle_of_an_object_leaves_nothing_behind(
    put: Callable[..., None], ask: Callable[..., Asked]
) -> None:
    put("logs/local-1", content=bytes(4 * PART_BYTES))
    asked = ask("logs")
    (log,) = asked.logs()
    parts = asked.place.read(log.files[0])
    assert len(next(parts)) == PART_BYTES
    del parts


def test_an_object_that_is_gone_or_written_anew_is_worth_another_try(
    put: Callable[..., None], ask: Callable[..., Asked], s3_client: Any, s3_bucket: str
) -> None:
    put("logs/local-1", "logs/local-2")
    asked = ask("logs")
    one, two = asked.logs()
    s3_client.delete_object(Bucket=s3_bucket, Key="logs/local-1")
    put("logs/local-2", content=b"[]\n")
    with pytest.raises(TransientSourceError, match=r"it is gone.*Collect again"):
        asked.read(one.files[0])
    with pytest.raises(TransientSourceError, match="written anew"):
        asked.read(two.files[0])


def test_an_empty_object_is_a_log_and_the_mark_of_a_folder_is_none(
    put: Callable[..., None], ask: Callable[..., Asked]
) -> None:
    put("logs/folder/")
    put("logs/local-1", content=b"")
    asked = ask("logs")
    (log,) = asked.logs()
    assert (log.name, asked.read(log.files[0])) == ("local-1", b"")


def test_a_bucket_that_does_not_exist_is_an_error(moto_endpoint: str) -> None:
    asked = Asked(url="s3://no-such-bucket/logs", settings={"s3": {"endpoint_url": moto_endpoint}})
    with pytest.raises(PermanentSourceError, match=r"HTTP 404 NoSuchBucket.*Create the bucket"):
        asked.logs()


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (
            403,
            b"<Error><Code>AccessDenied</Code></Error>",
            PermanentSourceError,
            "s3:ListBucket .* s3:GetObject",
        ),
        (403, b"<Error><Code>ExpiredToken</Code></Error>", PermanentSourceError, "aws sso login"),
        (503, b"<Error><Code>SlowDown</Code></Error>", TransientSourceError, "Wait a little"),
        (200, b"<html>log in</html>", TransientSourceError, "not an answer of S3"),
    ],
)
@pytest.mark.usefixtures("moto_endpoint")
def test_a_service_that_refuses_is_an_error_and_not_an_empty_place(
    status: int, body: bytes, kind: type[SourceError], words: str
) -> None:
    with sick_s3(status, body) as endpoint:
        asked = Asked(url="s3://some-bucket/logs", settings={"s3": {"endpoint_url": endpoint, "retries": 0}})
        with pytest.raises(kind, match=words) as refused:
            asked.logs()
    assert "\n" not in str(refused.value)
    assert "X-Amz" not in str(refused.value)
