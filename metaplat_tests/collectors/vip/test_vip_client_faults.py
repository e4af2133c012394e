"""An API that is down, slow, cut off or behind a proxy."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from metaplat.collectors.vip.retrying import PassingError, patiently
from metaplat.model.errors import PermanentSourceError, SettingsError, TransientSourceError
from metaplat.settings import VipSettings
from metaplat_tests.collectors.vip.vip_api import STATUS, TOKEN, Reply, VipApi
from metaplat_tests.collectors.vip.vip_asking import ask

if TYPE_CHECKING:
    from pathlib import Path

RUNNING = Reply(body={"JobStatus": "Running"})


def status(settings: VipSettings) -> str:
    return ask(settings, lambda client: client.job_status("job-1")).word


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500), Reply(502, b"<html>"), Reply(503, None, {"Retry-After": "7"}), Reply(504), Reply(408),
        Reply(429, {"Message": "slow down"}, {"Retry-After": "-1"}), Reply(425),
        Reply(429, None, {"Retry-After": "Tue, 08 Feb 2022 08:30:05 GMT"}),
        Reply(body={"JobStatus": "Running"}, fault="cut"), Reply(fault="dropped"), Reply(fault="garbage"),
        Reply(body=b"<html>"), Reply(body=[]), Reply(body={"JobStatus": None}), Reply(body={"JobStatus": ""}),
        Reply(body=b"x", headers={"Content-Encoding": "gzip"}),
    ],
    ids=lambda reply: f"{reply.status}-{reply.fault or str(reply.body)[:20]}-{dict(reply.headers)}",
)  # fmt: skip
def test_what_passes_is_tried_again_and_given_up_in_the_end(reply: Reply) -> None:
    with VipApi(token=Reply(body={"access_token": "a"}), status=[reply, reply, RUNNING]) as api:
        assert status(api.settings()) == "Running"
        assert (len(api.calls(TOKEN)), len(api.calls(STATUS))) == (1, 3)
    with VipApi(status=reply) as api, pytest.raises(TransientSourceError, match="after 3 attempts") as caught:
        status(api.settings())
    assert type(caught.value) is TransientSourceError
    assert caught.value.__context__ is None
    assert len(api.calls(STATUS)) == 3


def test_silence_ends_after_read_seconds() -> None:
    with VipApi(status=[Reply(fault="silent"), RUNNING]) as api:
        assert status(api.settings(read_seconds=0.5)) == "Running"


def test_an_answer_beyond_its_limit_is_not_read() -> None:
    with (
        VipApi(status=Reply(body={"JobStatus": "x" * 5000})) as api,
        pytest.raises(PermanentSourceError) as caught,
    ):
        status(api.settings(max_answer_kb=2))
    assert "longer than 2,048 bytes" in str(caught.value)
    assert "vip.max_answer_kb" in str(caught.value)


def test_a_long_error_page_is_told_by_its_status_alone() -> None:
    with (
        VipApi(status=Reply(503, {"Message": "x" * 5000})) as api,
        pytest.raises(TransientSourceError) as caught,
    ):
        status(api.settings(max_answer_kb=2))
    assert caught.value.answer == "HTTP 503, after 3 attempts"


def test_a_name_that_does_not_exist_says_so() -> None:
    settings = VipSettings(
        auth_url="https://vip.invalid",
        company="acme",
        client_id=SecretStr("i"),
        client_secret=SecretStr("s"),
        retries=0,
    )
    with pytest.raises(TransientSourceError, match=r"its name cannot be resolved.*vip\.auth_url"):
        status(settings)


def test_a_pause_is_no_shorter_than_asked_for_and_no_longer_than_the_longest() -> None:
    slept: list[float] = []

    async def trying() -> None:
        loop = asyncio.get_running_loop()
        times: list[float] = []

        async def attempt() -> None:
            times.append(loop.time())
            raise PassingError("a", "b", "c", "d", 3600.0)

        with pytest.raises(TransientSourceError):
            await patiently(attempt, VipSettings(retries=2, backoff_seconds=0, max_backoff_seconds=0.2))
        slept.extend(after - before for before, after in itertools.pairwise(times))

    asyncio.run(trying())
    assert len(slept) == 2
    assert all(pause >= 0.19 for pause in slept)


def test_every_call_goes_through_the_proxy_with_its_user() -> None:
    with VipApi(status=RUNNING) as api:
        settings = api.settings(
            auth_url="http://127.0.0.1:9", api_url="http://127.0.0.1:9",
            proxy=SecretStr(api.url.replace("//", "//user:canary-proxy@")),
        )  # fmt: skip
        assert status(settings) == "Running"
        assert [each.headers.get("Host") for each in api.asked] == ["127.0.0.1:9"] * 2
        assert all(each.headers["Proxy-Authorization"].startswith("Basic ") for each in api.asked)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (407, PermanentSourceError, "the proxy answered HTTP 407"),
        (502, TransientSourceError, "the proxy answered HTTP 502, after 3 attempts"),
    ],
)
def test_a_proxy_that_refuses_is_told_apart(code: int, kind: type[Exception], words: str) -> None:
    with VipApi(tunnel=Reply(code)) as api, pytest.raises(kind) as caught:
        status(api.settings(auth_url="https://vip.invalid", proxy=SecretStr(api.url)))
    assert words in str(caught.value)
    assert "METAPLAT_VIP__PROXY" in str(caught.value)


def test_a_proxy_that_is_not_there_or_no_address_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = f"http://user:canary-proxy@127.0.0.1:{taken.getsockname()[1]}"
    with VipApi() as api:
        with pytest.raises(
            TransientSourceError, match=r"the proxy cannot be reached.*METAPLAT_VIP__PROXY"
        ) as caught:
            status(api.settings(proxy=SecretStr(closed)))
        assert "canary-proxy" not in str(caught.value)
        for wrong in ("canary-proxy", "ftp://canary-proxy:21", "http://[canary-proxy", "http://"):
            with pytest.raises(SettingsError, match=r"vip\.proxy") as refused:
                status(api.settings(proxy=SecretStr(wrong)))
            assert "canary-proxy" not in str(refused.value)


def test_a_certificate_of_nobody_is_refused_at_once(tmp_path: Path) -> None:
    with VipApi() as api:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(tmp_path))
        api.wrap(context)
        with pytest.raises(PermanentSourceError, match=r"its certificate was not accepted.*SSL_CERT_FILE"):
            status(api.settings(auth_url=api.url.replace("http:", "https:")))
    assert api.asked == []


def _certificate(folder: Path) -> Path:
    """Return a file with a key and a certificate that it signed itself, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / "server.pem"
    plain = key.private_bytes(pem, form, serialization.NoEncryption())
    file.write_bytes(plain + signed.public_bytes(pem))
    return file
