"""A History Server behind TLS: its certificate must be of an authority that is trusted."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from metaplat.collectors.spark.history_server import exchange
from metaplat.model.errors import PermanentSourceError, TransientSourceError
from metaplat_tests.standins.small_event_log import event_log
from metaplat_tests.standins.spark_rest import SparkRest
from metaplat_tests.standins.spark_rest_parts import application, collected, zipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOGS = {"app-1/logs": zipped({"app-1": event_log("app-1")})}


@pytest.fixture(autouse=True)
def _authorities_are_loaded_anew() -> Iterator[None]:
    exchange.certificates.cache_clear()
    yield
    exchange.certificates.cache_clear()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a file with a key and a certificate that it signed itself, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


def test_a_certificate_of_nobody_is_refused_at_once(certificate: Path) -> None:
    with (
        SparkRest([application()], LOGS, certificate=certificate) as rest,
        pytest.raises(PermanentSourceError, match=r"its certificate was not accepted.*SSL_CERT_FILE"),
    ):
        collected(rest.url)


def test_a_certificate_that_is_trusted_is_accepted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with SparkRest([application()], LOGS, certificate=certificate) as rest:
        assert rest.url.startswith("https://")
        assert collected(rest.url).names == ["app-1"]


def test_a_slow_server_behind_tls_is_given_up_as_well(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with (
        SparkRest(faults={"applications": ["drip"]}, certificate=certificate) as rest,
        pytest.raises(TransientSourceError, match="within 1 s"),
    ):
        collected(rest.url, retries=0, timeout_seconds=1)


def test_a_server_that_does_not_speak_tls_is_an_outage() -> None:
    with SparkRest([application()], LOGS) as rest, pytest.raises(TransientSourceError):
        collected(rest.url.replace("http://", "https://"), retries=0)


def test_trusting_is_asked_of_the_system_once() -> None:
    assert exchange.certificates() is exchange.certificates()
    assert exchange.certificates().verify_mode == ssl.CERT_REQUIRED
