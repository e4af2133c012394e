"""Cards of FITS headers mean what the standard says, and what programs write by mistake is not lost."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from metaplat_tests.collectors.headers.fits_files import WHOLE, primary, read, values


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("KEY     = 'O''HARA  '           / two quotes mean one", "O'HARA"),
        ("KEY     = 'a / b   '           / a slash in quotes", "a / b"),
        ("KEY     = '  lead  '", "  lead"),
        ("KEY     = '        '", None),
        ("KEY     = ''", None),
        ("KEY     =                      / undefined", None),
        ("KEY     =", None),
        ("KEY     =                    T", True),
        ("KEY     = F", False),
        ("KEY     =                   42 / whole", 42),
        ("KEY     = -007", -7),
        ("KEY     = 123456789012345678901234567890", 123456789012345678901234567890),
        ("KEY     = 1.5D3", 1500.0),
        ("KEY     = 1.5d-3", 0.0015),
        ("KEY     = 2E2/no blank", 200.0),
        ("KEY     = .5", 0.5),
        ("KEY     = -5.", -5.0),
        ("KEY     = (1.0, -2.5)", "(1.0, -2.5)"),
        ("KEY     = 'T       '", "T"),
        ("KEY     = 'a' / it's", "a"),
        ("HIERARCH ESO DET WIN1 NX = 2148 / pixels", None),
    ],
)
def test_a_value_is_read_as_the_standard_says(card: str, expected: object) -> None:
    found = values(card)
    if card.startswith("HIERARCH"):
        assert found == {"ESO DET WIN1 NX": 2148}
    else:
        assert found == {"KEY": expected}
        assert type(found["KEY"]) is type(expected)


def test_the_first_of_several_cards_wins() -> None:
    header = read(primary(*WHOLE, "KEY     = 1", "OTHER   = 2", "KEY     = 3", axes=(1,)))
    assert header.values["KEY"] == 1
    assert list(header.values).index("KEY") < list(header.values).index("OTHER")


def test_remarks_are_no_values() -> None:
    remarks = ["COMMENT a remark", "HISTORY = 'made'", "", "        / a title", "COMMENT = 5", "HISTORY"]
    assert values(*remarks, "KEY     = 1") == {"KEY": 1}


def test_a_long_string_goes_on_in_further_cards() -> None:
    found = values(
        "KEY     = 'one &'",
        "CONTINUE  'two''s &' / with a remark",
        "CONTINUE  '&'",
        "CONTINUE  'three'",
        "LAST    = 'kept &'",
    )
    assert found == {"KEY": "one two's three", "LAST": "kept &"}


def test_a_repeated_long_string_does_not_lengthen_the_first() -> None:
    assert values("KEY     = 'one&'", "CONTINUE  ' two'", "KEY     = 'x&'", "CONTINUE  'y'") == {
        "KEY": "one two"
    }


@pytest.mark.parametrize("card", ["CONTINUE  'lost'", "CONTINUE  12"])
def test_a_continuation_of_nothing_is_flagged(card: str) -> None:
    header = read(primary(*WHOLE, "KEY     = 5", card, axes=(1,)))
    assert header.values["KEY"] == 5
    assert header.flags == ["odd_card"]


def test_hierarch_keywords_may_be_long_and_their_values_of_every_kind() -> None:
    found = values(
        "HIERARCH ESO TEL AIRM START = 1.5D0 / airmass",
        "HIERARCH eso obs name='O''Hara / 1'",
        "HIERARCH ESO NONE =",
        "HIERARCH ESO IS = T",
        "HIERARCH ESO Z = (1, 2)",
    )
    assert found == {
        "ESO TEL AIRM START": 1.5,
        "ESO OBS NAME": "O'Hara / 1",
        "ESO NONE": None,
        "ESO IS": True,
        "ESO Z": "(1, 2)",
    }


def test_the_fields_of_a_record_are_values_of_their_own() -> None:
    found = values("DP1     = 'EXTVER: 1.0'", "DP1     = 'AXIS.1: 2'", "TITLE   = 'NGC: 5'")
    assert found == {"DP1.EXTVER": 1.0, "DP1.AXIS.1": 2.0, "TITLE": "NGC: 5"}


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("DATE-OBX= 2026-03-01T12:00:00 / not quoted", {"DATE-OBX": "2026-03-01T12:00:00"}),
        ("EXPOS   = 12:30", {"EXPOS": "12:30"}),
        ("key     = 'lower'", {"KEY": "lower"}),
        ("KEY= 5", {"KEY": 5}),
        ("KEY     =5 / no blank", {"KEY": 5}),
        ("KEY     ='text'", {"KEY": "text"}),
        ("KEY     = 'it's'", {"KEY": "it's"}),
        ("KEY     = - 1.5 E 3", {"KEY": -1500.0}),
        ("KEY     = 'open", {"KEY": "open"}),
        ("KEY     = NaN", {"KEY": "NaN"}),
        ("KEY.A   = 5", {"KEY.A": 5}),
        ("HIERARCH ESO A = 1 2 3", {"ESO A": "1 2 3"}),
    ],
)
def test_a_card_of_wrong_form_is_read_leniently_and_flagged(card: str, expected: dict[str, object]) -> None:
    assert values(card) == expected
    assert read(primary(*WHOLE, card, axes=(1,))).flags == ["odd_card"]


def test_a_keyword_without_a_value_keeps_its_text() -> None:
    assert values("MYNOTE  as the standard allows") == {"MYNOTE": "as the standard allows"}


def test_bytes_that_are_not_ascii_are_kept_or_replaced_and_flagged() -> None:
    for raw, shown in (("Müller".encode(), "Müller"), ("Müller".encode("latin-1"), "M\ufffdller")):
        header = read(primary(*WHOLE, b"OBSERVER= '" + raw + b"'", axes=(1,)))
        assert header.values["OBSERVER"] == shown
        assert header.flags == ["non_ascii"]


def test_control_characters_become_blanks_and_are_flagged() -> None:
    header = read(primary(*WHOLE, b"KEY     = 'a\0\0\0'", b"OTHER   = 'a\tb'", axes=(1,)))
    assert (header.values["KEY"], header.values["OTHER"]) == ("a", "a b")
    assert header.flags == ["control_characters"]


def test_an_odd_card_without_astropy_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from metaplat_tests.collectors.headers.fits_files import refused

    monkeypatch.setitem(sys.modules, "astropy.io.fits", None)
    error = refused(primary(*WHOLE, "KEY     = unquoted text of today", axes=(1,)))
    assert error.code == "reader_missing"
    assert "pip install" in error.text


KEYWORDS = st.from_regex(r"[A-Z][A-Z0-9_-]{0,7}", fullmatch=True).filter(
    lambda name: name not in fits.Card._special_keywords and name != "HIERARCH"
)
NUMBERS = st.one_of(
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200).filter(
    lambda text: (
        ": " not in text and not text.rstrip().endswith("&")
    )  # no record, and no mark of a long string
)


@given(st.dictionaries(KEYWORDS, st.one_of(NUMBERS, TEXTS), max_size=30))
def test_whatever_astropy_writes_is_read_as_it_was(content: dict[str, Any]) -> None:
    written = fits.Header()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for keyword, value in content.items():
            written[keyword] = value
        raw = fits.PrimaryHDU(header=written).header.tostring().encode()
    header = read(raw)
    for keyword, value in content.items():
        found = header.values[keyword]
        if isinstance(value, str):
            assert found == (value.rstrip() or None)
        else:
            assert found == value or math.isclose(
                float(str(found)), value, rel_tol=1e-12
            )  # 20 characters hold it
            assert type(found) is type(value)


@given(st.text(st.sampled_from("AZ09_- ='/&.()+eEdDTF:,~\t\0é\u4e00"), max_size=80))
def test_any_text_in_a_card_is_read_and_only_its_keyword_is_affected(text: str) -> None:
    card = text.encode()[:80]
    header = read(primary(*WHOLE, card, "LAST    = 5", axes=(1,)))
    if not card.startswith(b"END"):
        assert header.values["LAST"] == 5
    assert header.values["NAXIS1"] == 1
