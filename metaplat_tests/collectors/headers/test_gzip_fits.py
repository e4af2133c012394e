"""FITS inside gzip is read without inflating the data; anything else inside is refused with what it is."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.headers.header import Header
from metaplat.collectors.headers.local_source import open_local
from metaplat.collectors.headers.reading import read_header
from metaplat_tests.collectors.headers.fits_files import WHOLE, extension, outcome, primary, read, refused

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = primary(*WHOLE, "OBJECT  = 'M31'", *[f"KEY{n:<5}= {n}.5" for n in range(60)], axes=(300, 300))


def members(content: bytes, size: int) -> bytes:
    """Return one gzip member for every ``size`` bytes."""
    return b"".join(gzip.compress(content[at : at + size]) for at in range(0, len(content), size))


def tarred(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo("a.fits")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_a_packed_file_says_what_the_file_says() -> None:
    found = read(gzip.compress(CONTENT))
    assert found.values == read(CONTENT).values
    assert (found.file_format, found.flags, found.truncated) == ("fits", [], None)


@pytest.mark.parametrize("size", [1, 37, 2880, 50_000])
def test_members_are_joined(size: int) -> None:
    assert read(members(CONTENT[: 2880 * 4], size)).values == read(CONTENT).values


def test_padding_behind_the_last_member_is_no_member() -> None:
    assert read(gzip.compress(primary(*WHOLE)) + b"\0" * 500).values["TELESCOP"] == "T"


def test_a_file_whose_data_are_cut_is_read() -> None:
    packed = gzip.compress(CONTENT[:5760] + bytes(range(256)) * 1000)
    assert read(packed[: len(packed) // 2]).values["OBJECT"] == "M31"


def test_a_file_cut_within_its_header_says_so() -> None:
    packed = gzip.compress(CONTENT, 1)
    error = refused(packed[:200])
    assert error.code == "cut_header"
    assert error.text.startswith("inside gzip: ")


def test_headers_behind_an_empty_primary_are_inflated() -> None:
    content = primary(*WHOLE) + extension("GAIN    = 2", axes=(500_000,))
    assert read(gzip.compress(content)).values["GAIN"] == 2


def test_a_header_behind_much_data_is_not_inflated_for() -> None:
    content = primary(axes=(1_000_000,)) + extension(*WHOLE)
    assert "TELESCOP" not in read(gzip.compress(content)).values
    near = primary(axes=(100_000,)) + extension(*WHOLE)
    assert read(gzip.compress(near)).values["TELESCOP"] == "T"


def test_a_long_header_is_inflated_in_steps(tmp_path: Path) -> None:
    content = primary(*[f"KEY{n:<5}= {n * 7919 % 10007}" for n in range(50_000)], *WHOLE)
    (tmp_path / "a").write_bytes(gzip.compress(content, 1))
    with open_local(str(tmp_path / "a")) as source:
        assert source.size > 65536
        assert read_header(source).values["TELESCOP"] == "T"


@pytest.mark.parametrize(
    ("inside", "code", "word"),
    [
        (b"", "empty", "no bytes"),
        (b"time,flux\n1,2\n", "compressed", "text"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "compressed", "HDF5"),
        (b"CDF\x01" + bytes(100), "compressed", "NetCDF"),
        (gzip.compress(CONTENT), "compressed", "another gzip"),
        (b"<html><body>502", "html", "HTML"),
        (bytes(100_000), "zero_filled", "zero"),
        (b"PK\x03\x04" + bytes(100), "archive", "zip"),
        (b"\x7fELF" + bytes(100), "unknown_format", "7f 45"),
    ],
    ids=["nothing", "text", "hdf5", "netcdf", "gzip", "html", "zeros", "zip", "program"],
)
def test_what_is_inside_and_no_fits_file_is_named(inside: bytes, code: str, word: str) -> None:
    error = refused(gzip.compress(inside))
    assert error.code == code
    assert word in error.text
    assert "inside gzip" in error.text


def test_a_packed_archive_is_named() -> None:
    error = refused(tarred(CONTENT))
    assert (error.code, "tar" in error.text) == ("archive", True)


def test_damage_before_the_end_of_the_header_is_named() -> None:
    packed = bytearray(gzip.compress(CONTENT))
    packed[40:60] = b"\xff" * 20
    error = refused(bytes(packed))
    assert error.code == "compressed"
    assert "damaged" in error.text
    assert refused(b"\x1f\x8b\x09" + bytes(50)).code == "compressed"


def test_a_wrong_checksum_is_damage() -> None:
    packed = bytearray(gzip.compress(primary(*WHOLE)))
    packed[-6] ^= 0xFF
    assert refused(bytes(packed)).code == "compressed"


def test_a_bomb_takes_no_more_than_the_limit() -> None:
    compressor = zlib.compressobj(wbits=31)
    bomb = compressor.compress(primary().replace(b"END", b"KEY"))
    bomb += b"".join(compressor.compress(b" " * (1 << 20)) for _ in range(40)) + compressor.flush()
    tracemalloc.start()
    error = refused(bomb, limit=1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.code == "too_long"
    assert peak < 8 << 20


@given(st.binary(max_size=300), st.integers(0, 2000), st.binary(min_size=1, max_size=4))
def test_any_damage_leads_to_a_header_or_a_reason(tail: bytes, at: int, junk: bytes) -> None:
    packed = bytearray(gzip.compress(CONTENT) + tail)
    packed[2 + at : 2 + at + len(junk)] = junk
    found = outcome(bytes(packed))
    assert found.values["SIMPLE"] if isinstance(found, Header) else found.code
