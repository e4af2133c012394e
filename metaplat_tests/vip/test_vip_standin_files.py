"""The stand-in vendor: its file host, rightly and wrongly."""

from __future__ import annotations

import gzip
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat_tests.standins.vip import Scenario, VipServer, content
from metaplat_tests.standins.vip.raw_client import Raw, RawClient

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2022, 2, 8, 8, 10, tzinfo=UTC)
SIZE = 200_000


class OneFile:
    """A complete job of two files: ``address`` is that of the victim, ``other`` is hit by nothing."""

    def __init__(self, *faults: str, **more: Any) -> None:
        scenario = Scenario(faults=faults, files=2, tables=1, size=SIZE, spread=0, **more)
        self.server = VipServer(scenario, lambda: NOW)

    def __enter__(self) -> OneFile:
        self.server.__enter__()
        self.client = RawClient(self.server)
        self.job_guid = self.client.complete_job()
        first, second = self.client.files(self.job_guid).json[:2]
        self.key, self.address, self.other = (
            first["key"], first["presignedDownloadURL"], second["presignedDownloadURL"],
        )  # fmt: skip
        self.right = self.server.expected_bytes(self.job_guid, self.key)
        return self

    def __exit__(self, *error: Any) -> None:
        self.server.__exit__(*error)

    def get(self, **headers: str) -> Raw:
        """Download the victim."""
        return self.client.get(self.address, **headers)

    def renewed(self) -> str:
        """Return the address of the victim in a new list."""
        return str(self.client.files(self.job_guid).json[0]["presignedDownloadURL"])


@pytest.fixture
def host() -> Iterator[OneFile]:
    with OneFile() as one:
        yield one


def test_a_file_comes_whole_with_its_etag(host: OneFile) -> None:
    answer = host.get()
    assert (answer.status, answer.body, len(answer.body)) == (200, host.right, SIZE)
    assert re.fullmatch(r'"[0-9a-f]{32}"', answer.headers["etag"])
    assert host.server.downloads == {host.key: 1}
    assert host.server.bytes_sent == SIZE


def test_a_range_is_served_as_a_part(host: OneFile) -> None:
    answer = host.get(Range="bytes=70000-70009")
    assert (answer.status, answer.body) == (206, host.right[70_000:70_010])
    assert answer.headers["content-range"] == f"bytes 70000-70009/{SIZE}"
    assert host.get(Range="bytes=150000-").body == host.right[150_000:]


def test_a_range_behind_the_end_cannot_be_satisfied(host: OneFile) -> None:
    answer = host.get(Range=f"bytes={SIZE}-")
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{SIZE}")


def test_if_range_gives_the_part_only_of_the_same_file(host: OneFile) -> None:
    etag = host.get().headers["etag"]
    assert host.get(Range="bytes=10-", If_Range=etag).status == 206
    assert host.get(Range="bytes=10-", If_Range='"another"').status == 200


def test_head_is_refused_as_it_was_not_signed(host: OneFile) -> None:
    assert host.client.ask("HEAD", host.address).status == 403


def test_an_address_that_was_written_anew_is_refused(host: OneFile) -> None:
    assert "%2F" in host.address
    answer = host.client.get(host.address.replace("%2F", "/"))
    assert (answer.status, b"SignatureDoesNotMatch" in answer.body) == (403, True)
    assert host.client.get(host.address.partition("?")[0]).status == 403


def test_an_address_expires_with_the_clock_and_a_new_list_helps(host: OneFile) -> None:
    host.server.advance(minutes=60)
    answer = host.get()
    assert (answer.status, b"<Message>Request has expired</Message>" in answer.body) == (403, True)
    assert host.client.get(host.renewed()).body == host.right


def test_the_life_of_an_address_can_be_shorter_than_was_asked_for() -> None:
    with OneFile(url_minutes=1) as one:
        one.server.advance(61)
        assert one.get().status == 403


def test_parallel_downloads_are_counted(host: OneFile) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: host.get(), range(8)))
    assert [each.body == host.right for each in answers] == [True] * 8
    assert 1 <= host.server.most_at_once <= 4


def test_the_log_of_requests_holds_no_query(host: OneFile) -> None:
    host.get(Range="bytes=5-")
    last = host.server.requests[-1]
    assert (last.method, last.status, last.range) == ("GET", 206, "bytes=5-")
    assert not any("?" in each.path for each in host.server.requests)


@pytest.mark.parametrize("fault", ["file_cut_once", "file_no_range", "file_wrong_range", "file_etag_changes"])
def test_the_first_attempt_may_end_in_the_middle(fault: str) -> None:
    with OneFile(fault) as one:
        first = one.get()
        assert (first.status, len(first.body), first.whole) == (200, SIZE // 2, False)
        assert (first.body == one.right[: SIZE // 2]) == (fault != "file_etag_changes")
        assert one.get().body == one.right
        assert one.client.get(one.other).whole


def test_file_cut_once_goes_on_by_range() -> None:
    with OneFile("file_cut_once") as one:
        first = one.get()
        second = one.get(Range=f"bytes={len(first.body)}-", If_Range=first.headers["etag"])
        assert (second.status, first.body + second.body) == (206, one.right)


def test_file_no_range_ignores_the_range() -> None:
    with OneFile("file_no_range") as one:
        one.get()
        answer = one.get(Range="bytes=1000-")
        assert (answer.status, answer.body) == (200, one.right)


def test_file_wrong_range_starts_elsewhere() -> None:
    with OneFile("file_wrong_range") as one:
        one.get()
        answer = one.get(Range="bytes=5000-")
        assert (answer.status, answer.headers["content-range"]) == (206, f"bytes 4000-{SIZE - 1}/{SIZE}")
        assert answer.body == one.right[4_000:]


def test_file_etag_changes_is_another_file_afterwards() -> None:
    with OneFile("file_etag_changes") as one:
        before = one.get().headers["etag"]
        answer = one.get(Range="bytes=1000-", If_Range=before)
        assert (answer.status, answer.body) == (200, one.right)
        assert answer.headers["etag"] != before
        assert one.get(Range="bytes=1000-").headers["etag"] != before


def test_file_cut_often_lets_each_attempt_get_a_quarter_further() -> None:
    with OneFile("file_cut_often") as one:
        got = b""
        for _ in range(4):
            got += one.get(Range=f"bytes={len(got)}-").body
        assert got == one.right


def test_file_cut_always_never_gets_beyond_the_middle() -> None:
    with OneFile("file_cut_always") as one:
        assert [len(one.get(Range=f"bytes={start}-").body) for start in (0, 60_000, 100_000)] == [
            100_000,
            40_000,
            0,
        ]


@pytest.mark.parametrize("fault", ["file_stall", "file_stall_once"])
def test_a_file_may_fall_silent_in_the_middle(fault: str) -> None:
    with OneFile(fault) as one:
        target = one.address.removeprefix(one.server.url)
        assert one.client.silent_after("GET", target, b"", {}, SIZE // 2) == one.right[: SIZE // 2]
        again = one.get() if fault == "file_stall_once" else one.client.get(one.other)
        assert (again.whole, len(again.body)) == (True, SIZE)


def test_file_slow_is_slow_for_the_victim_only() -> None:
    with OneFile("file_slow", slow_bytes_per_second=2_000_000) as one:
        targets = [address.removeprefix(one.server.url) for address in (one.address, one.other)]
        paces = [one.server.file_host.answer(target, {}).bytes_per_second for target in targets]
        assert paces == [2_000_000, None]
        assert one.get().body == one.right


def test_file_expired_is_refused_until_the_list_is_asked_for_again() -> None:
    with OneFile("file_expired") as one:
        answers = [one.get(), one.get()]
        assert {(each.status, b"Request has expired" in each.body) for each in answers} == {(403, True)}
        assert one.client.get(one.renewed()).body == one.right
        assert one.get().status == 403
        assert one.client.get(one.other).status == 200


@pytest.mark.parametrize(
    ("fault", "statuses", "text"),
    [
        ("file_denied", [403] * 3, b"<Code>AccessDenied</Code><Message>Access Denied"),
        ("file_missing", [404] * 3, b"<Code>NoSuchKey</Code>"),
        ("file_slowdown", [503, 503, 200], b"<Code>SlowDown</Code>"),
        ("file_slowdown_always", [503] * 3, b"<Code>SlowDown</Code>"),
        ("file_xml_200", [200] * 3, b"<Code>InternalError</Code>"),
    ],
)
def test_the_host_may_refuse_in_xml(fault: str, statuses: list[int], text: bytes) -> None:
    with OneFile(fault) as one:
        answers = [one.get() for _ in range(3)]
        assert [each.status for each in answers] == statuses
        assert text in answers[0].body
        assert one.client.get(one.other).status == 200


@pytest.mark.parametrize(("fault", "more"), [("file_longer", 1_000), ("file_shorter", -1_000)])
def test_a_file_may_be_longer_or_shorter_than_promised(fault: str, more: int) -> None:
    with OneFile(fault) as one:
        answer = one.get()
        assert (answer.whole, len(answer.body)) == (True, SIZE + more)


def test_file_gzip_is_packed_though_nobody_asked() -> None:
    with OneFile("file_gzip") as one:
        answer = one.get(Accept_Encoding="identity")
        assert answer.headers["content-encoding"] == "gzip"
        assert gzip.decompress(answer.body) == one.right


def test_file_redirect_leads_to_a_place_that_counts_its_visitors() -> None:
    with OneFile("file_redirect") as one:
        answer = one.get()
        assert answer.status == 302
        assert urlsplit(answer.headers["location"]).hostname == "localhost"
        assert one.server.strayed == 0
        assert one.client.get(answer.headers["location"]).status == 404
        assert one.server.strayed == 1


def test_the_server_ends_though_a_client_waits_for_a_silent_file() -> None:
    with ThreadPoolExecutor(1) as pool, OneFile("file_stall") as one:
        waiting = pool.submit(one.get)
        while not one.server.downloads:
            time.sleep(0.01)
    assert not waiting.result().whole


@given(size=st.integers(0, 300_000), data=st.data())
def test_any_part_of_a_content_is_that_part_of_the_whole(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    everything = content.whole("label", size)
    assert len(everything) == size
    assert b"".join(content.chunks("label", size, start, stop)) == everything[start:stop]


@given(st.integers(content.FRAME_BYTES, 300_000))
def test_a_content_is_gzip_of_rows_with_four_columns(size: int) -> None:
    text = gzip.decompress(content.whole("label", size))
    rows = text.decode().splitlines()
    assert all(row.count(",") == 3 for row in rows[:-1])
    assert text.count(b"\n") == len(rows) or size < 200


def test_contents_of_two_labels_differ_everywhere() -> None:
    one, other = (content.whole(label, 200_000) for label in ("one", "other"))
    spots = range(0, 200_000, 65_536)
    assert all(one[spot : spot + 200] != other[spot : spot + 200] for spot in spots)
