"""Headers that repeat are read faster, and mean what they mean when read for the first time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.headers import fits_cards, fits_hdu
from metaplat.collectors.headers.fits_layouts import Layouts
from metaplat.collectors.headers.header import Header
from metaplat_tests.collectors.headers.fits_files import WHOLE, primary, read

VALUES = [
    "5",
    "-7 / whole",
    "1.5D3",
    "2.5 / part",
    ".5",
    "T",
    "",
    "/ undefined",
    "'text'",
    "''",
    "'O''Hara'",
    "'EXTVER: 2.0'",
    "'NGC: x'",
    "'long &'",
    "'é'",
    "(1, 2)",
    "12:30",
    "99999999999999999999",
    "1E999",
]
NAMES = [
    "DP1     = ",
    "KEY     = ",
    "HIERARCH ESO X = ",
    "COMMENT ",
    "HISTORY = ",
    "        ",
    "CONTINUE  ",
    "NAXIS1  = ",
]
KINDS = st.lists(st.sampled_from(NAMES), max_size=8)


def fresh() -> None:
    """Forget everything that was seen."""
    fits_hdu._layouts = Layouts()
    fits_cards._seen.clear()


def comparable(header: Header) -> tuple[object, ...]:
    """Return what must be the same; NaN does not occur."""
    return list(header.values.items()), header.flags, header.truncated, header.rest(("KEY", "TELESCOP"))


@given(st.data())
def test_a_header_means_the_same_however_many_like_it_were_read_before(draw: st.DataObject) -> None:
    names = draw.draw(KINDS)
    choices = st.tuples(*[st.sampled_from(VALUES) for _ in names])
    contents = [
        primary(*WHOLE, *[name + value for name, value in zip(names, chosen, strict=True)], axes=(3,))
        for chosen in draw.draw(st.lists(choices, min_size=2, max_size=8))
    ]
    fresh()
    in_a_row = [comparable(read(content)) for content in contents]
    for content, found in zip(contents, in_a_row, strict=True):
        fresh()
        assert comparable(read(content)) == found


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=12),
    st.sets(st.sampled_from(["KEY", "ESO X", "TELESCOP", "NAXIS1", "ABSENT"])),
)
def test_the_rest_is_what_any_header_would_give(lines: list[tuple[str, str]], mapped: set[str]) -> None:
    header = read(primary(*WHOLE, *[name + value for name, value in lines], axes=(3,)))
    assert header.rest(mapped) == Header("fits", header.values).rest(mapped)


def test_nothing_is_left_when_everything_is_mapped() -> None:
    header = read(primary(axes=(3,)))
    assert header.rest(tuple(header.values)) is None


def test_values_that_json_lacks_become_null_or_text() -> None:
    header = read(primary(*WHOLE, "BIG     = 9007199254740993", "FAR     = 1E999", "NONE    =", axes=(3,)))
    rest = header.rest(("SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "TELESCOP", "INSTRUME", "DATE-OBS"))
    assert rest == '{"BIG":"9007199254740993","FAR":null}'


def test_a_size_that_varies_is_computed_for_each_file() -> None:
    fresh()
    for side in (10, 20, 30, 20):
        whole = primary(*WHOLE, axes=(side, 700))
        assert read(whole).flags == []
        assert read(whole[:-2880]).flags == ["truncated"]


def test_a_header_is_not_changed_by_the_next_one() -> None:
    fresh()
    headers = [read(primary(*WHOLE, f"KEY     = {number}", axes=(3,))) for number in range(5)]
    dict(headers[3].values).clear()
    assert [header.values["KEY"] for header in headers] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("distinct", [3000])
def test_what_is_remembered_is_bounded(distinct: int) -> None:
    fresh()
    for number in range(distinct):
        lines = [f"K{number * 10 + index:<7}= {index}" for index in range(number % 90 + 1)]
        read(primary(*WHOLE, *lines, axes=(3,)))
    assert len(fits_cards._seen) <= fits_cards.KEPT_CARDS
    assert sum(len(known) for known in fits_hdu._layouts._known.values()) <= 64 * 4
