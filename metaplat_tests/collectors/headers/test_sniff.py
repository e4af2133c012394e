"""What a file is shows in its first bytes; what is no observation is refused with what it is instead."""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.headers.header import HeaderError
from metaplat.collectors.headers.sniff import sniff

MODULES = {"fits", "gzip", "hdf5", "netcdf3", "csv"}
HDF5 = b"\x89HDF\r\n\x1a\n"


def reason(content: bytes, size: int | None = None) -> HeaderError:
    with pytest.raises(HeaderError) as caught:
        sniff(content, len(content) if size is None else size)
    return caught.value


def outcome(content: bytes) -> str | HeaderError:
    try:
        return sniff(content, len(content))
    except HeaderError as error:
        return error


def packed_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.fits", "SIMPLE  =")
    return buffer.getvalue()


def packed_tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.fits"))
    return buffer.getvalue()


ARCHIVES = {
    "zip": packed_zip(),
    "tar": packed_tar(),
    "bzip2": bz2.compress(b"SIMPLE  ="),
    "xz": lzma.compress(b"SIMPLE  ="),
    "zstd": b"\x28\xb5\x2f\xfd\x24\x00\x01\x00\x00",
    "lz4": b"\x04\x22\x4d\x18\x64\x40\xa7",
    "7z": b"7z\xbc\xaf\x27\x1c\x00\x04",
    "rar": b"Rar!\x1a\x07\x01\x00",
}


@pytest.mark.parametrize(
    ("content", "module"),
    [
        (b"SIMPLE  =                    T", "fits"),
        (b"SIMPLE  =T", "fits"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (HDF5, "hdf5"),
        (b"CDF\x01\x00\x00\x00\x00", "netcdf3"),
        (b"CDF\x02\x00\x00\x00\x00", "netcdf3"),
        (b"CDF\x05\x00\x00\x00\x00", "netcdf3"),
        (b"time,flux\n1,2\n", "csv"),
        (b"\xef\xbb\xbftime;flux\n", "csv"),
        ("# Beobachter: Müller\na\tb\n".encode("latin-1"), "csv"),
        ("時刻,流量\n".encode(), "csv"),
        (b"CDF\x03 is text", None),
    ],
    ids=lambda given: None if isinstance(given, bytes) else str(given),
)
def test_every_format_is_known_by_its_magic(content: bytes, module: str | None) -> None:
    if module is None:
        assert reason(content).code == "unknown_format"
    else:
        assert sniff(content, len(content)) == module


@pytest.mark.parametrize("at", [512, 1024, 2048, 4096, 32768])
def test_hdf5_may_begin_behind_a_user_block(at: int) -> None:
    assert sniff(b"\0" * at + HDF5, at + 8) == "hdf5"
    assert sniff(b"any text\n".ljust(at) + HDF5, at + 8) == "hdf5"


@pytest.mark.parametrize("kind", sorted(ARCHIVES))
def test_an_archive_is_refused_with_its_kind(kind: str) -> None:
    error = reason(ARCHIVES[kind])
    assert error.code == "archive"
    assert kind in error.text


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE HTML PUBLIC>\n<html><head>",
        b"\n  <html>",
        b'\xef\xbb\xbf<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>',
        b"<h1>502 Bad Gateway</h1>",
    ],
)
def test_an_error_page_is_refused_as_html(page: bytes) -> None:
    assert reason(page).code == "html"


def test_an_error_message_in_json_is_no_table() -> None:
    assert "JSON" in reason(b'{"message": "not found"}').text
    assert "JSON" in reason(b'[{"message": "not found"}]').text


def test_nothing_and_zeros_and_blanks_have_reasons_of_their_own() -> None:
    assert reason(b"").code == "empty"
    assert reason(b"", size=10).code == "changed"
    assert reason(b"\0" * 65536, size=1_000_000).code == "zero_filled"
    assert reason(b" \n" * 100).code == "unknown_format"


def test_compress_is_told_from_gzip() -> None:
    error = reason(b"\x1f\x9d\x90\x53\x92")
    assert error.code == "compressed"
    assert ".Z" in error.text


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"XTENSION= 'BINTABLE'".ljust(2880), "broken", "XTENSION"),
        (b"BITPIX  =                   16".ljust(2880), "broken", "BITPIX"),
        (b"SIMPLE = T".ljust(2880), "broken", "SIMPLE"),
        (b"SIMPLE\n", "broken", "SIMPLE"),
        (b"SIMPLE", "cut_header", "6 bytes"),
        (b"SIMPLE  ", "cut_header", "8 bytes"),
    ],
    ids=["extension", "other card", "indicator", "line", "cut", "cut at the indicator"],
)
def test_what_was_meant_as_fits_says_so(content: bytes, code: str, word: str) -> None:
    error = reason(content)
    assert error.code == code
    assert word in error.text


def test_text_in_utf_16_is_named() -> None:
    assert "UTF-16" in reason("time,flux\n1,2\n".encode("utf-16")).text


@pytest.mark.parametrize(
    "content", [b"\x7fELF\x02\x01\x01\x00", bytes(range(128, 256)) * 8, b"time,flux\n\0"]
)
def test_binary_content_is_unknown(content: bytes) -> None:
    error = reason(content)
    assert error.code == "unknown_format"
    assert "\n" not in error.text


@given(st.one_of(st.binary(max_size=600), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_of_a_format_or_have_a_reason(content: bytes) -> None:
    found = outcome(content)
    if isinstance(found, HeaderError):
        assert found.code
        assert "\n" not in found.text
    else:
        assert found in MODULES
