"""Addresses that files must not be fetched from, in all their spellings."""

from __future__ import annotations

import asyncio
import pickle
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.vip.file_errors import RefusedFileError
from metaplat.collectors.vip.safe_addresses import (
    check_address,
    check_resolved,
    guarded_resolver,
    is_public,
)
from metaplat.model.errors import SourceError
from metaplat.settings.vip import VipSettings
from metaplat_tests.collectors.vip.fetching import told_no_secret
from metaplat_tests.collectors.vip.sick_file_host import QUERY

STRICT = VipSettings(allowed_hosts=["*.amazonaws.com", "Files.Example.com.", "*.vendor.example"])
LOCAL = VipSettings(allow_insecure=True)
ANY_HOST = VipSettings(allowed_hosts=["*"], allow_insecure=True)

ALLOWED = [
    "https://bucket.s3.eu-west-1.amazonaws.com/IMOSDL/Vessel_1.csv",
    "https://s3.amazonaws.com/bucket/x",
    "https://my.dotted.bucket.s3.amazonaws.com/x",
    "https://my_bucket.s3.amazonaws.com/x",
    "HTTPS://BUCKET.S3.AMAZONAWS.COM/x",
    "https://bucket.s3.amazonaws.com./x",
    "https://files.example.com/x",
]
REFUSED = {
    "http": "http://bucket.s3.amazonaws.com/x",
    "ftp": "ftp://bucket.s3.amazonaws.com/x",
    "file": "file:///etc/passwd",
    "no scheme": "//bucket.s3.amazonaws.com/x",
    "no host": "https:///x",
    "empty": "",
    "a user": "https://user@bucket.s3.amazonaws.com/x",
    "a user and a password": "https://user:pass@bucket.s3.amazonaws.com/x",
    "an empty user": "https://:pass@bucket.s3.amazonaws.com/x",
    "a host as user": "https://bucket.s3.amazonaws.com@evil.example/x",
    "a port": "https://bucket.s3.amazonaws.com:8443/x",
    "the usual port": "https://bucket.s3.amazonaws.com:443/x",
    "a port that is none": "https://bucket.s3.amazonaws.com:http/x",
    "another host": "https://evil.example/x",
    "only the end of an allowed name": "https://evilamazonaws.com/x",
    "an allowed name in front": "https://bucket.s3.amazonaws.com.evil.example/x",
    "an allowed name as fragment": "https://evil.example#.amazonaws.com/x",
    "an allowed name as path": "https://evil.example/.amazonaws.com",
    "a backslash": "https://evil.example\\.amazonaws.com/x",
    "a tab": "https://evil.example\t.amazonaws.com/x",
    "a line end": "https://bucket.s3.amazonaws.com/x\r\nHost: evil.example",
    "a space": "https://bucket.s3.amazonaws.com/a b",
    "a quoted dot": "https://evil%2eamazonaws.com/x",
    "letters of other alphabets": "https://bücket.s3.amazonaws.com/x",
    "dots of other alphabets": "https://169\u3002254\u3002169\u3002254/x",
    "link-local": "https://169.254.169.254/latest/meta-data",
    "a decimal number": "https://2852039166/x",
    "octal": "https://0251.0376.0251.0376/x",
    "hexadecimal": "https://0xa9fea9fe/x",
    "hexadecimal at the end": "https://bucket.s3.amazonaws.com.0x7f/x",
    "short": "https://127.1/x",
    "a public address": "https://52.218.0.1/x",
    "loopback": "https://127.0.0.1/x",
    "loopback by name": "https://localhost/x",
    "below loopback": "https://bucket.localhost/x",
    "IPv6 loopback": "https://[::1]/x",
    "IPv6": "https://[2001:4860:4860::8888]/x",
    "IPv4 in IPv6": "https://[::ffff:169.254.169.254]/x",
    "half an IPv6": "https://[::1/x",
    "two dots at the end": "https://bucket.s3.amazonaws.com../x",
    "an empty label": "https://bucket..amazonaws.com/x",
    "very long": "https://bucket.s3.amazonaws.com/" + "x" * 9000,
}


@pytest.mark.parametrize("url", ALLOWED)
def test_an_address_of_an_allowed_host_passes(url: str) -> None:
    check_address(url + QUERY, STRICT)
    check_address(url + QUERY, STRICT.model_copy(update={"allow_insecure": True}))


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED.keys())
def test_any_other_address_is_refused_and_not_told(url: str) -> None:
    for address in (url, url + QUERY):
        with pytest.raises(RefusedFileError) as raised:
            check_address(address, STRICT)
        told_no_secret(raised.value)


def test_the_host_that_is_not_allowed_is_told_so_that_it_can_be_allowed() -> None:
    with pytest.raises(RefusedFileError) as raised:
        check_address("https://Files.Other.Example/secret/path?sig=1", STRICT)
    assert raised.value.answer == "its host files.other.example is not among vip.allowed_hosts"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.9:8080", "localhost:9", "[::1]:9", "files.localhost:9"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine_passes_only_where_the_settings_say_so(scheme: str, host: str) -> None:
    check_address(f"{scheme}://{host}/x", LOCAL)
    with pytest.raises(RefusedFileError):
        check_address(f"{scheme}://{host}/x", STRICT)


@pytest.mark.parametrize(
    "url",
    [
        "http://bucket.s3.amazonaws.com/x",
        "https://bucket.s3.amazonaws.com:8443/x",
        "http://169.254.169.254/latest",
        "http://10.0.0.1:80/x",
        "http://0.0.0.0:80/x",
        "http://2130706433/x",
        "http://localhost.evil.example/x",
        "http://user@127.0.0.1:8080/x",
        "ftp://127.0.0.1/x",
    ],
)
def test_being_lax_with_this_machine_makes_nothing_else_lax(url: str) -> None:
    with pytest.raises(RefusedFileError):
        check_address(url, ANY_HOST)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["{}", "0x{:x}", "0{:o}", "0X{:X}"]))
def test_no_spelling_of_a_number_is_a_host(number: int, spelling: str) -> None:
    with pytest.raises(RefusedFileError):
        check_address(f"https://{spelling.format(number)}/x", VipSettings(allowed_hosts=["*"]))


PRIVATE = [
    "169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "0.0.0.0", "100.64.0.1",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1",
    "::", "::1", "fe80::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "::127.0.0.1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1",
    "2001:0:a00:1::1",
]  # fmt: skip
PUBLIC = ["52.218.0.1", "8.8.8.8", "2a05:d018::1", "::ffff:52.218.0.1", "64:ff9b::52.218.0.1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_inner_address_is_not_connected_to(address: str) -> None:
    assert not is_public(ip_address(address))
    for host in ("bucket.s3.amazonaws.com", "localhost"):
        with pytest.raises(RefusedFileError):
            check_resolved(host, [address], STRICT)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_connected_to(address: str) -> None:
    assert is_public(ip_address(address))
    check_resolved("bucket.s3.amazonaws.com", [address], STRICT)
    with pytest.raises(RefusedFileError):
        check_resolved("localhost", [address], LOCAL)


def test_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(RefusedFileError):
        check_resolved("bucket.s3.amazonaws.com", ["52.218.0.1", "169.254.169.254"], STRICT)


def test_the_resolver_asks_the_system_and_judges_its_answer() -> None:
    async def resolved(settings: VipSettings) -> set[str]:
        resolver = guarded_resolver(settings)
        try:
            return {answer["host"] for answer in await resolver.resolve("localhost", 443)}
        finally:
            await resolver.close()

    assert asyncio.run(resolved(LOCAL)) <= {"127.0.0.1", "::1"}
    with pytest.raises(RefusedFileError, match="private network or this machine"):
        asyncio.run(resolved(STRICT))


def test_a_refusal_survives_being_sent_to_another_process() -> None:
    with pytest.raises(SourceError) as raised:
        check_address("http://evil.example", STRICT)
    copy = pickle.loads(pickle.dumps(raised.value))
    assert (type(copy), str(copy)) == (RefusedFileError, str(raised.value))
