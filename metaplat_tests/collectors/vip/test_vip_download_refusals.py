"""A host that refuses, is busy, silent, slow or another one: what is tried again, what is given up."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from metaplat.collectors.vip.download import Downloads, FileMismatchError, RefusedFileError
from metaplat.model.errors import PermanentSourceError, SettingsError, TransientSourceError
from metaplat_tests.collectors.vip.fetching import failure, fetched, patient, signed, told_no_secret
from metaplat_tests.collectors.vip.own_certificate import own_certificate
from metaplat_tests.collectors.vip.sick_file_host import (
    CANARY,
    Play,
    Reply,
    Request,
    SickFileHost,
    cut,
    error,
    fixed,
    s3,
)

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.collectors.vip.signed_file import SignedFile
    from metaplat.settings.vip import VipSettings

CONTENT = bytes(range(256)) * 400
SIZE = len(CONTENT)
EXPIRED = error(403, "AccessDenied", "Request has expired")


def comes_after(*plays: Play, settings: VipSettings | None = None) -> list[Request]:
    """Return the requests that it took until the file came."""

    async def run() -> list[Request]:
        async with SickFileHost(*plays) as host:
            assert (await fetched(host, SIZE, settings)).content == CONTENT
            return host.requests

    return asyncio.run(run())


def fails(*plays: Play, settings: VipSettings | None = None) -> tuple[type[Exception], str, int]:
    async def run() -> tuple[type[Exception], str, int]:
        async with SickFileHost(*plays) as host:
            error = await failure(host, SIZE, settings)
            return type(error), str(error), len(host.requests)

    return asyncio.run(run())


class Addresses:
    """Gives new addresses of a file, and counts them."""

    def __init__(self, host: SickFileHost, size: int = SIZE) -> None:
        self._host, self._size, self.given = host, size, 0

    async def renew(self) -> SignedFile:
        """Return the next address."""
        self.given += 1
        return signed(f"{self._host.url()}&round={self.given}", self._size)


def test_an_expired_address_is_renewed_and_the_file_goes_on() -> None:
    async def run() -> None:
        async with SickFileHost(cut(s3(CONTENT), 5000), EXPIRED, s3(CONTENT)) as host:
            addresses = Addresses(host)
            result = await fetched(host, SIZE, renew=addresses.renew)
            assert result.content == CONTENT
            assert host.offsets == [0, 5000, 5000]
            assert host.requests[2].target.endswith("&round=1")
            assert addresses.given == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    "play",
    [
        EXPIRED,
        error(400, "ExpiredToken"),
        error(401, "Unauthorized", "It is expired."),
        error(200, "RequestExpired"),
    ],
    ids=["403", "400", "401", "200"],
)
def test_addresses_that_expire_again_and_again_are_given_up(play: Play) -> None:
    async def run() -> None:
        async with SickFileHost(play) as host:
            addresses = Addresses(host)
            error = await failure(host, SIZE, renew=addresses.renew)
            assert type(error) is PermanentSourceError
            assert addresses.given == 3
            assert "also with a new address" in str(error)

    asyncio.run(run())


@pytest.mark.parametrize(
    "play",
    [
        error(403, "AccessDenied", "Access Denied"),
        error(404, "NoSuchKey"),
        fixed(401),
        fixed(410),
        fixed(400),
    ],
    ids=["403", "404", "401", "410", "400"],
)
def test_a_refusal_is_believed_after_one_new_address(play: Play) -> None:
    kind, text, requests = fails(play)
    assert kind is PermanentSourceError
    assert requests == 2
    assert "fetch Vessel_1.csv: HTTP 4" in text


def test_a_refusal_that_a_new_address_heals_does_no_harm() -> None:
    assert len(comes_after(error(403, "SignatureDoesNotMatch"), s3(CONTENT))) == 2


def test_a_file_that_is_no_longer_listed_is_given_up() -> None:
    async def gone() -> None:
        return None

    async def run() -> str:
        async with SickFileHost(EXPIRED) as host:
            return str(await failure(host, SIZE, renew=gone))

    assert "does not list it any more" in asyncio.run(run())


def test_a_file_that_is_listed_with_another_size_later_is_a_mismatch() -> None:
    async def run() -> type[Exception]:
        async with SickFileHost(EXPIRED, s3(CONTENT)) as host:
            return type(await failure(host, SIZE, renew=Addresses(host, SIZE + 1).renew))

    assert asyncio.run(run()) is FileMismatchError


def test_a_new_address_is_judged_like_the_first() -> None:
    async def elsewhere() -> SignedFile:
        return signed(f"https://169.254.169.254/latest?X-Amz-Signature={CANARY}", SIZE)

    async def run() -> type[Exception]:
        async with SickFileHost(EXPIRED) as host:
            return type(await failure(host, SIZE, renew=elsewhere))

    assert asyncio.run(run()) is RefusedFileError


@pytest.mark.parametrize(
    "play",
    [
        error(503, "SlowDown"),
        error(503, "SlowDown", Retry_After="0"),
        fixed(429, Retry_After="86400"),
        fixed(503, Retry_After="Tue, 08 Feb 2022 08:00:00 GMT"),
        fixed(500),
        fixed(502),
        fixed(504),
        fixed(408),
        error(400, "RequestTimeout"),
    ],
    ids=["503", "503 and 0", "429", "503 and a past date", "500", "502", "504", "408", "400 RequestTimeout"],
)
def test_a_busy_host_is_asked_again_and_given_up_in_the_end(play: Play) -> None:
    assert len(comes_after(play, play, s3(CONTENT))) == 3
    kind, text, requests = fails(play)
    assert kind is TransientSourceError
    assert requests == 1 + 3
    assert "gave up after 4 attempts" in text


def test_a_busy_host_is_left_alone_by_all_files_for_as_long_as_it_asks() -> None:
    async def run() -> list[float]:
        loop, times = asyncio.get_running_loop(), []

        def play(request: Request) -> Reply:
            times.append(loop.time())
            return fixed(503, Retry_After="1")(request) if len(times) == 1 else s3(CONTENT)(request)

        given_up_at_once = patient(max_backoff_seconds=1, file_retries=0)
        async with SickFileHost(play) as host, Downloads(given_up_at_once) as downloads:
            renew = Addresses(host).renew
            with pytest.raises(TransientSourceError):
                await anext(downloads.open(signed(host.url(), SIZE), renew))
            await anext(downloads.open(signed(host.url("Other.csv"), SIZE), renew))
        return times

    first, second = asyncio.run(run())
    assert second - first >= 1


def test_a_host_that_falls_silent_is_asked_again_from_there() -> None:
    requests = comes_after(cut(s3(CONTENT), 4000, "silent"), s3(CONTENT), settings=patient(stall_seconds=0.2))
    assert [request.offset for request in requests] == [0, 4000]


def test_a_host_that_is_always_silent_is_given_up() -> None:
    kind, text, requests = fails(cut(s3(CONTENT), 0, "silent"), settings=patient(stall_seconds=0.1))
    assert kind is TransientSourceError
    assert requests == 1 + 3
    assert "silence for vip.stall_seconds" in text


def test_a_trickle_is_a_stall_and_no_progress() -> None:
    def trickle(request: Request) -> Reply:
        reply = s3(CONTENT)(request)
        return Reply(reply.status, reply.headers, reply.body[:400], "silent", pause=0.01)

    settings = patient(stall_seconds=0.3, min_kb_per_second=500)
    kind, text, requests = fails(trickle, settings=settings)
    assert kind is TransientSourceError
    assert requests == 1 + 3
    assert "slower than vip.min_kb_per_second" in text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_not_followed(status: int) -> None:
    kind, text, requests = fails(
        fixed(status, Location=f"http://127.0.0.1:1/latest?X-Amz-Signature={CANARY}")
    )
    assert kind is RefusedFileError
    assert requests == 1
    assert "a redirect" in text


@pytest.mark.parametrize("status", [204, 405, 418, 451])
def test_an_answer_that_makes_no_sense_is_given_up_at_once(status: int) -> None:
    assert fails(fixed(status))[::2] == (PermanentSourceError, 1)


def test_what_is_no_http_is_asked_again() -> None:
    kind, text, _ = fails(lambda _: Reply(99999, {}, b"", "cut"))
    assert kind is TransientSourceError
    assert "no HTTP" in text


def test_a_host_with_a_certificate_of_nobody_is_not_asked(tmp_path: Path) -> None:
    async def run() -> tuple[type[Exception], str, int]:
        async with SickFileHost(s3(CONTENT), tls=own_certificate(tmp_path)) as host:
            error = await failure(host, SIZE)
            return type(error), str(error), len(host.requests)

    kind, text, requests = asyncio.run(run())
    assert (kind, requests) == (PermanentSourceError, 0)
    assert "certificate" in text


def test_a_name_that_resolves_to_an_inner_address_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inner = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: inner)

    async def run() -> RefusedFileError:
        file = signed(f"https://files.amazonaws.com/x?X-Amz-Signature={CANARY}", SIZE)
        async with Downloads(patient()) as downloads:
            with pytest.raises(RefusedFileError) as raised:
                await anext(downloads.open(file, _no_renewal))
            return raised.value

    error = asyncio.run(run())
    told_no_secret(error)
    assert "fetch Vessel_1.csv: its host resolves to an address inside a private network" in str(error)


async def _no_renewal() -> None:
    raise AssertionError("no new address is needed")


def test_a_proxy_is_asked_with_the_name_and_its_secrets_are_told_to_nobody() -> None:
    async def run() -> tuple[str, str]:
        async with SickFileHost(fixed(502)) as proxy:
            settings = patient(proxy=f"http://user:{CANARY}@127.0.0.1:{proxy.port}")
            file = signed(f"https://files.amazonaws.com/x?X-Amz-Signature={CANARY}", SIZE)
            async with Downloads(settings) as downloads:
                with pytest.raises(TransientSourceError) as raised:
                    await anext(downloads.open(file, Addresses(proxy).renew))
            told_no_secret(raised.value)
            return str(raised.value), proxy.requests[0].target

    text, asked = asyncio.run(run())
    assert "the proxy answered HTTP 502" in text
    assert asked == "files.amazonaws.com:443"


def test_a_proxy_that_is_no_address_is_an_error_of_the_settings() -> None:
    async def run() -> None:
        async with Downloads(patient(proxy="no proxy")) as downloads:
            await anext(downloads.open(signed("https://files.amazonaws.com/x", SIZE), _no_renewal))

    with pytest.raises(SettingsError, match=r"vip\.proxy"):
        asyncio.run(run())
