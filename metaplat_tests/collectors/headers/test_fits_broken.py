"""Broken FITS files are rejected with the reason, and no bytes at all lead to any other error."""

from __future__ import annotations

from pathlib import Path

import astropy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.headers.header import Header, HeaderError
from metaplat.collectors.headers.local_source import open_local
from metaplat.collectors.headers.reading import read_header
from metaplat_tests.collectors.headers.fits_files import (
    WHOLE,
    Remote,
    cards,
    extension,
    outcome,
    padded,
    primary,
    read,
    refused,
)

SHAPE = ("SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0")
SAMPLES = [
    Path(str(astropy.__file__)).parent / "io/fits/tests/data" / name
    for name in ("test0.fits", "variable_length_table.fits", "random_groups.fits", "comp.fits")
]


def test_a_header_cut_within_says_both_sizes() -> None:
    error = refused(cards(*SHAPE, *WHOLE)[:450])
    assert error.code == "cut_header"
    assert "450 bytes" in error.text
    assert "2880" in error.text
    longer = refused(cards(*SHAPE, *["KEY     = 1"] * 1000)[:70_001])
    assert (longer.code, "70001 bytes" in longer.text, "72000" in longer.text) == ("cut_header", True, True)


@pytest.mark.parametrize(
    "content",
    [
        padded(cards(*SHAPE)),
        padded(cards(*SHAPE)) + bytes(2880 * 100),
        padded(cards(*SHAPE)) + bytes(range(256)) * 1000,
        padded(cards(*SHAPE)) + extension(axes=(10,)),
        padded(cards(*SHAPE)) + bytes(2880) + extension(axes=(10,)),
    ],
    ids=[
        "nothing follows",
        "zeros follow",
        "data follow",
        "an extension follows",
        "data and an extension follow",
    ],
)
def test_a_header_without_end_says_so(content: bytes) -> None:
    assert refused(content).code == "no_end"


def test_end_within_a_value_is_no_end() -> None:
    tricky = "KEY     = 'a" + " " * 61 + "END   '"
    found = read(primary(*WHOLE, tricky.ljust(80)[:80], "", "LAST    = 1", axes=(1,)))
    assert found.values["LAST"] == 1


@pytest.mark.parametrize("behind", [b"/ junk", b"\0" * 72, b"     = 5"])
def test_end_counts_whatever_stands_behind_it(behind: bytes) -> None:
    content = padded(cards(*SHAPE, *WHOLE, b"END     " + behind)) + extension("KEY     = 1", axes=(1,))
    found = read(content)
    assert found.values["KEY"] == 1
    with_lines = padded(cards(*SHAPE, *WHOLE, b"END     " + behind)) + b"\n" * 2880
    assert read(with_lines).flags == ["trailing_bytes"]


@pytest.mark.parametrize("end_of_line", ["\n", "\r\n", "\r"])
def test_line_ends_in_cards_are_named(end_of_line: str) -> None:
    lines = end_of_line.join([*SHAPE, *WHOLE, "END"]).encode()
    assert refused(lines).code == "broken"
    assert refused(lines.ljust(2880)).code == "broken"
    within = primary(*WHOLE, f"KEY     = 'a'{end_of_line}", axes=(1,))
    assert "line ends" in refused(within).text


def test_a_hundred_thousand_cards_are_read_and_too_many_bytes_refused() -> None:
    content = primary(*[f"KEY{number:<5}= {number}" for number in range(99_990)], *WHOLE)
    assert len(content) > 7_900_000
    found = read(content)
    assert found.values["KEY99989"] == 99_989
    error = refused(content, limit=1 << 20)
    assert error.code == "too_long"
    assert str(1 << 20) in error.text


def test_a_small_limit_holds_for_the_first_block_too() -> None:
    assert refused(primary(*["KEY     = 1"] * 100), limit=2880).code == "too_long"


def test_a_header_that_takes_a_third_request_is_out_of_reach() -> None:
    content = primary(*["KEY     = 1"] * 20_000)
    with pytest.raises(HeaderError, match="out_of_reach"):
        read_header(Remote(content, far_bytes=1 << 20))


def test_a_long_header_is_read_from_a_local_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(primary(*["KEY     = 1"] * 20_000, *WHOLE))
    with open_local(str(tmp_path / "a")) as source:
        assert read_header(source).values["TELESCOP"] == "T"


@given(st.binary(max_size=6000))
def test_any_bytes_behind_the_magic_are_a_header_or_a_reason(junk: bytes) -> None:
    found = outcome(b"SIMPLE  =" + junk)
    assert found.flags is not None if isinstance(found, Header) else found.code


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=30))
def test_any_bytes_in_aligned_cards_are_a_header_or_a_reason(lines: list[bytes]) -> None:
    found = outcome(primary(*WHOLE, *lines))
    if isinstance(found, Header):
        found.rest(())
    else:
        assert found.code in ("broken", "no_end")


@given(st.sampled_from(SAMPLES), st.data())
def test_a_damaged_real_file_is_a_header_or_a_reason(path: Path, draw: st.DataObject) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(draw.draw(st.integers(1, 6))):
        at = draw.draw(st.integers(9, len(content) - 1))
        kind = draw.draw(st.sampled_from(["put", "cut", "repeat"]))
        if kind == "put":
            content[at : at + 4] = draw.draw(st.binary(min_size=4, max_size=4))
        elif kind == "cut":
            del content[at : at + draw.draw(st.integers(1, 3000))]
        else:
            content[at:at] = content[at : at + draw.draw(st.integers(1, 3000))]
        if len(content) < 100:
            break
    found = outcome(bytes(content))
    if isinstance(found, Header):
        found.rest(("NAXIS",))
        assert (found.truncated is not None) == ("truncated" in found.flags)


@given(st.sampled_from(SAMPLES), st.data())
def test_a_real_file_cut_anywhere_is_never_taken_as_whole_and_longer(path: Path, draw: st.DataObject) -> None:
    content = path.read_bytes()
    cut = draw.draw(st.integers(10, len(content) - 1))
    found = outcome(content[:cut])
    if isinstance(found, Header):
        whole = read(content)
        assert set(found.values) <= set(whole.values)
        assert cut % 2880 == 0 or found.flags
    else:
        assert found.code in ("cut_header", "no_end")
