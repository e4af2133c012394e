"""Whatever a header holds, its row fits the catalog and can be stored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.collectors.headers.header import Header
from metaplat.collectors.headers.mappings import load_mappings
from metaplat.collectors.headers.observation import FileFacts, observe
from metaplat.model.observation import FORMATS, OBSERVATION_FIELDS, SET_BY_INDEX

if TYPE_CHECKING:
    from metaplat.collectors.headers.header import Value
    from metaplat.model.observation import Row

MAPPINGS = load_mappings()
FILE = FileFacts("/data/caf\udce9\n.fits", 5, datetime(2026, 3, 2, tzinfo=UTC), "1:5")
FIELDS = [field for field in OBSERVATION_FIELDS if field.name not in SET_BY_INDEX]
FITS, ATTRIBUTES = MAPPINGS.plan("fits", None), MAPPINGS.plan("csv", None)
KEYWORDS = sorted(
    {
        key
        for plan in (FITS, ATTRIBUTES)
        for key in (
            *plan.mission,
            *(each for _, keys in plan.texts for each in keys),
            *(each for pair in plan.directions for each in pair),
            *(each for each, _ in plan.quality),
            *plan.status,
            *(each for key in plan.times.begin + plan.times.end for each in (key.name, *key.clock)),
            *plan.times.exposure,
            *plan.times.timesys,
            "EQUINOX",
            "RADESYS",
        )
    }
)
NAMES = st.one_of(
    st.sampled_from(KEYWORDS), st.sampled_from(KEYWORDS).map("group/{}".format), st.text(max_size=8)
)
TEXTS = st.one_of(
    st.text(st.characters(), max_size=30),  # with NUL, control characters and halves of surrogate pairs
    st.sampled_from(
        ["HST", "SDO/AIA", "COMPLETE", "TT", "2026-03-01", "12:34:56.7", "07/06/2011", "0.5", "L1B"]
    ),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3))
HEADERS = st.dictionaries(NAMES, VALUES, max_size=25)


def assert_it_fits(row: Row) -> None:
    assert set(row) == {field.name for field in FIELDS}
    for field in FIELDS:
        value = row[field.name]
        if value is None:
            assert field.nullable, field.name
            continue
        assert type(value) is field.dtype, field.name
        assert not field.choices or value in field.choices, field.name
        if isinstance(value, str):
            assert "\0" not in value, field.name
            assert value, field.name
            value.encode()
        elif isinstance(value, datetime):
            assert value.tzinfo is UTC, field.name
        elif isinstance(value, (int, float)):
            assert (field.minimum is None) or value >= field.minimum, field.name
            assert (field.maximum is None) or value <= field.maximum, field.name


@settings(max_examples=400)
@given(
    values=HEADERS,
    file_format=st.sampled_from(FORMATS),
    flags=st.lists(st.sampled_from(["latin1"]), max_size=2),
)
def test_any_values_give_a_row_that_fits(
    values: dict[str, Value], file_format: str, flags: list[str]
) -> None:
    row = observe(Header(file_format, values, flags), FILE, MAPPINGS, b"anything")
    assert_it_fits(row)
    text = row["mission_specific"]
    assert text is None or isinstance(orjson.loads(text), dict)
    assert "\\u0000" not in (text or "").replace("\\\\", "")
    assert observe(Header(file_format, values, flags), FILE, MAPPINGS, b"anything") == row


@settings(max_examples=100)
@given(values=HEADERS)
def test_nothing_that_a_fits_header_says_is_lost(values: dict[str, Value]) -> None:
    row = observe(Header("fits", values), FILE, MAPPINGS, b"")
    rest = orjson.loads(row["mission_specific"] or "{}")
    columns = sum(
        row[name] is not None
        for name in ("mission_id", "satellite_name", "instrument_type", "target_object", "ra_deg", "dec_deg",
                     "data_quality_score", "calibration_status", "version")
    )  # fmt: skip
    of_the_time = 2 if row["time_rule"] else 0
    stated = {
        key.replace("\0", "?").encode("utf-8", "replace")
        for key, value in values.items()
        if value is not None
    }
    assert len(stated) - len(rest) <= columns + of_the_time


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("HST\0\0", "HST"),
        ("a\0b", "a\ufffdb"),
        ("caf\udce9", "caf\ufffd"),
        ("two\nlines", "two\nlines"),
        ("Ωmega", "Ωmega"),
    ],
)
def test_text_that_a_store_would_refuse_is_made_whole(value: str, text: str) -> None:
    row = observe(Header("fits", {"OBJECT": value}), FILE, MAPPINGS, b"")
    assert row["target_object"] == text


def test_the_rest_is_made_whole_as_well() -> None:
    values: dict[str, Value] = {"A": "x\0y", "B\0": ["\ud800", 1], "C": "\\u0000", "D": float("nan")}
    row = observe(Header("hdf5", values), FILE, MAPPINGS, b"")
    assert orjson.loads(row["mission_specific"]) == {
        "A": "x\ufffdy", "B\ufffd": ["\ufffd", 1], "C": "\\u0000", "D": None,
    }  # fmt: skip


def test_a_text_too_long_for_an_index_is_cut_and_kept_whole_among_the_rest() -> None:
    row = observe(Header("fits", {"OBJECT": "x" * 10_000}), FILE, MAPPINGS, b"")
    assert (row["target_object"], row["flags"]) == ("x" * 250, "text_cut")
    assert orjson.loads(row["mission_specific"]) == {"OBJECT": "x" * 10_000}


def test_a_name_that_is_not_utf8_can_be_stored_and_keeps_its_identity() -> None:
    row = observe(Header("fits", {}), FILE, MAPPINGS, b"")
    assert row["file_path"] == "/data/caf\\xe9\n.fits"
    other = observe(Header("fits", {}), FILE._replace(path="/data/caf\\xe9\n.fits"), MAPPINGS, b"")
    assert row["dataset_id"] != other["dataset_id"]
