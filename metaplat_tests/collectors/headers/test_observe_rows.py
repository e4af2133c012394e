"""The row of an observation: each column from the keywords of FITS and of attributes."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from metaplat.collectors.headers.header import EXTRACTOR_VERSION, Header
from metaplat.collectors.headers.mappings import load_mappings
from metaplat.collectors.headers.observation import FileFacts, observe
from metaplat.model.observation import OBSERVATION_FIELDS, SET_BY_INDEX, dataset_id_of

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.collectors.headers.header import Value
    from metaplat.model.observation import Row

MAPPINGS = load_mappings()
FILE = FileFacts("/data/a.fits", 11_520, datetime(2026, 3, 2, tzinfo=UTC), "1:11520")
FULL: dict[str, Value] = {
    "MISSION": "HST",
    "TELESCOP": "HST",
    "INSTRUME": "ACS",
    "OBJECT": "NGC104",
    "DATE-OBS": "2026-03-01T12:00:00",
    "EXPTIME": 30.0,
    "RA_TARG": 5.655,
    "DEC_TARG": -72.07,
    "CALIB": "COMPLETE",
    "VERSION": "2.1",
    "DQSCORE": 0.75,
    "PROCSTAT": "Processed",
    "FILTER": "F606W",
}


def fits(values: dict[str, Any], file: FileFacts = FILE, first: bytes = b"", **about: Any) -> Row:
    return observe(Header("fits", values, **about), file, MAPPINGS, first)


def attributes(values: dict[str, Any], path: str = "/data/a.nc", **about: Any) -> Row:
    return observe(Header("netcdf4", values, **about), FILE._replace(path=path), MAPPINGS, b"")


def specific(row: Row) -> Any:
    return orjson.loads(row["mission_specific"] or "{}")


def test_a_full_header_fills_every_column() -> None:
    row = fits(FULL)
    assert set(row) == {field.name for field in OBSERVATION_FIELDS} - set(SET_BY_INDEX)
    expected = {
        "dataset_id": dataset_id_of("/data/a.fits"),
        "mission_id": "HST",
        "satellite_name": "HST",
        "instrument_type": "ACS",
        "target_object": "NGC104",
        "observation_timestamp": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "observation_end": datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC),
        "observation_time_raw": "2026-03-01T12:00:00",
        "time_rule": "DATE-OBS",
        "ra_deg": 5.655,
        "dec_deg": -72.07,
        "calibration_status": "COMPLETE",
        "version": "2.1",
        "data_quality_score": 0.75,
        "header_completeness": 1.0,
        "processing_status": "processed",
        "file_path": "/data/a.fits",
        "file_format": "fits",
        "file_size": 11_520,
        "modified_time": FILE.modified,
        "content_tag": "1:11520",
        "flags": None,
        "extraction_status": "ok",
        "extraction_reason": None,
        "extractor_version": f"{EXTRACTOR_VERSION}-{MAPPINGS.digest}",
        "attempts": 0,
        "next_attempt": None,
        "file_state": "present",
    }
    assert {name: row[name] for name in expected} == expected
    assert specific(row) == {"EXPTIME": 30.0, "PROCSTAT": "Processed", "FILTER": "F606W"}


def test_an_empty_header_leaves_everything_unknown_null() -> None:
    row = fits({})
    unknown = ("mission_id", "satellite_name", "instrument_type", "target_object", "observation_timestamp",
               "observation_end", "ra_deg", "dec_deg", "data_quality_score", "calibration_status", "version",
               "observation_time_raw", "time_rule", "flags", "mission_specific")  # fmt: skip
    assert {row[name] for name in unknown} == {None}
    assert (row["processing_status"], row["header_completeness"]) == ("raw", 0.2)


@pytest.mark.parametrize(
    ("missing", "calibration", "tenths"),
    [
        ((), None, 10),
        ((), "COMPLETE", 10),
        (("MISSION",), None, 8),
        (("MISSION",), "COMPLETE", 9),
        (("MISSION",), "complete", 8),
        (("MISSION",), "PARTIAL", 8),
        (("MISSION", "TELESCOP"), None, 6),
        (("MISSION", "TELESCOP", "INSTRUME"), None, 4),
        (("MISSION", "TELESCOP", "INSTRUME"), "COMPLETE", 5),
        (("MISSION", "TELESCOP", "INSTRUME", "DATE-OBS"), None, 2),
        (("MISSION", "TELESCOP", "INSTRUME", "DATE-OBS"), "COMPLETE", 3),
    ],
)
@pytest.mark.parametrize("blank", [None, "", "   "])
def test_completeness_is_counted_in_tenths(
    missing: tuple[str, ...], calibration: str | None, tenths: int, blank: str | None
) -> None:
    values: dict[str, Value] = dict.fromkeys(("MISSION", "TELESCOP", "INSTRUME", "DATE-OBS"), "x")
    values |= dict.fromkeys(missing, blank) | {"CALIB": calibration}
    assert fits(values)["header_completeness"] == tenths / 10


@pytest.mark.parametrize("value", [False, 0, 0.0])
def test_false_and_zero_are_present(value: Value) -> None:
    assert fits({"MISSION": value})["header_completeness"] == 0.4


def test_only_the_four_keywords_of_fits_count_for_its_completeness() -> None:
    values: dict[str, Value] = {"OBSRVTRY": "STEREO_A", "MJD-OBS": 61100.0}
    row = fits(values)
    assert (row["satellite_name"], row["mission_id"], row["header_completeness"]) == (
        "STEREO_A",
        "STEREO",
        0.2,
    )


@pytest.mark.parametrize(
    ("value", "text"), [(True, "T"), (False, "F"), (7, "7"), (1.5, "1.5"), (1e20, "1E+20")]
)
def test_a_value_that_is_no_text_is_written_as_fits_does_and_flagged(value: Value, text: str) -> None:
    row = fits({"MISSION": value, "VERSION": value})
    assert (row["mission_id"], row["version"], row["flags"]) == (text, text, "not_text")


@pytest.mark.parametrize("value", ["", "  ", None, math.nan, [], "\0\0"])
def test_a_blank_text_is_null_and_gives_way_to_the_next_keyword(value: Value) -> None:
    assert fits({"OBJECT": value})["target_object"] is None
    assert fits({"OBJECT": value, "TARGNAME": "M31"})["target_object"] == "M31"


def test_the_mission_is_that_of_the_header_then_of_the_telescope_then_of_the_path() -> None:
    path = FILE._replace(path="/d/jw02732001001_02101_00001_nrca1_cal.fits")
    assert fits({"MISSION": "AXAF", "TELESCOP": "HST"}, path)["mission_id"] == "AXAF"
    assert fits({"MISSION": "  ", "TELESCOP": "HST"}, path)["mission_id"] == "HST"
    assert fits({"TELESCOP": "WHT"}, path)["mission_id"] == "JWST"
    assert fits({"TELESCOP": "WHT"})["mission_id"] is None


def test_a_mission_has_keywords_and_an_order_of_dates_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        '[missions.X]\ntelescop = ["X"]\ndate_order = "mdy"\ntarget_object = ["FIELD"]\n'
        'data_quality_score = [{ key = "GOODNESS", percent = true }]\n'
    )
    values: dict[str, Value] = {"OBJECT": "no", "FIELD": "yes", "DATE-OBS": "07/06/2011", "GOODNESS": 85}
    of_x = observe(Header("fits", values | {"TELESCOP": "X"}), FILE, load_mappings(file), b"")
    assert (of_x["target_object"], of_x["data_quality_score"], of_x["flags"]) == ("yes", 0.85, None)
    assert of_x["observation_timestamp"] == datetime(2011, 7, 6, tzinfo=UTC)
    assert specific(of_x) == {"OBJECT": "no", "GOODNESS": 85}, "a converted value stays as it was written"
    other = observe(Header("fits", values), FILE, load_mappings(file), b"")
    assert (other["target_object"], other["data_quality_score"]) == ("no", None)


@pytest.mark.parametrize(
    ("value", "score", "flags"),
    [
        (0.0, 0.0, None),
        (1, 1.0, None),
        ("0.5", 0.5, None),
        ("", None, None),
        (1.01, None, "quality_out_of_range"),
        (-0.1, None, "quality_out_of_range"),
        (95, None, "quality_out_of_range"),
        ("good", None, "quality_unreadable"),
        (True, None, "quality_unreadable"),
        (math.nan, None, "quality_unreadable"),
    ],
)
def test_quality_is_a_score_from_0_to_1(value: Value, score: float | None, flags: str | None) -> None:
    row = fits({"DQSCORE": value})
    assert (row["data_quality_score"], row["flags"]) == (score, flags)


def test_a_bit_mask_named_quality_is_no_score() -> None:
    assert fits({"QUALITY": 0})["data_quality_score"] is None


@pytest.mark.parametrize(
    ("ra", "dec", "expected", "flags"),
    [
        (10.5, -41.25, (10.5, -41.25), None),
        (0, 90, (0.0, 90.0), None),
        ("10.5", " -41.25 ", (10.5, -41.25), None),
        ("12:34:56.7", "+01:30:00", (188.73625, 1.5), None),
        ("12 34 56.7", "-00 30 00", (188.73625, -0.5), None),
        ("12h34m56.7s", "-41d15m00s", (188.73625, -41.25), None),
        (10.5, None, (None, None), None),
        (370.0, 0.0, (None, None), "direction_out_of_range"),
        (-1.0, 0.0, (None, None), "direction_out_of_range"),
        (10.0, 90.1, (None, None), "direction_out_of_range"),
        ("25:00:00", "00:00:00", (None, None), "direction_out_of_range"),
        ("12:60:00", "00:00:00", (None, None), "direction_unreadable"),
        ("north", 1.0, (None, None), "direction_unreadable"),
        (math.nan, 1.0, (None, None), "direction_unreadable"),
        (True, 1.0, (None, None), "direction_unreadable"),
    ],
)
def test_a_direction_is_read_in_degrees_or_sexagesimal(
    ra: Value, dec: Value, expected: tuple[float | None, float | None], flags: str | None
) -> None:
    row = fits({"RA": ra, "DEC": dec})
    assert (row["ra_deg"], row["dec_deg"]) == pytest.approx(expected)
    assert row["flags"] == flags


def test_right_ascension_and_declination_are_never_taken_of_two_pairs() -> None:
    row = fits({"RA_TARG": 1.0, "DEC": 2.0, "RA_PNT": 3.0, "DEC_PNT": 4.0, "CRVAL1": 5.0, "CRVAL2": 6.0})
    assert (row["ra_deg"], row["dec_deg"]) == (3.0, 4.0)
    assert fits({"CRVAL1": 5.0, "CRVAL2": 6.0})["ra_deg"] is None


@pytest.mark.parametrize("frame", [{"EQUINOX": 1950.0}, {"RADESYS": "FK4"}, {"RADECSYS": "FK4-NO-E"}])
def test_a_direction_of_1950_is_not_taken_and_flagged(frame: dict[str, Value]) -> None:
    row = fits({"RA": 10.0, "DEC": 20.0, **frame})
    assert (row["ra_deg"], row["dec_deg"], row["flags"]) == (None, None, "not_icrs")
    assert specific(row)["RA"] == 10.0


@pytest.mark.parametrize(
    ("value", "status", "flags"),
    [
        ("RAW", "raw", None),
        ("archived", "archived", None),
        ("L1B", "processed", None),
        ("done", "raw", "status_unknown"),
    ],
)
def test_the_processing_status_is_one_of_three_words(value: str, status: str, flags: str | None) -> None:
    row = fits({"PROCSTAT": value})
    assert (row["processing_status"], row["flags"], specific(row)) == (status, flags, {"PROCSTAT": value})


def test_a_truncated_file_is_incomplete_and_says_why() -> None:
    row = fits(FULL, truncated="the header says 8640 bytes, the file has 5000", flags=["padding_missing"])
    assert (row["extraction_status"], row["flags"]) == ("incomplete", "padding_missing,truncated")
    assert row["extraction_reason"] == "the header says 8640 bytes, the file has 5000"


def test_flags_are_unique_and_sorted() -> None:
    row = fits({"MISSION": 7, "DATE-OBS": "no"}, flags=["not_text", "latin1"])
    assert row["flags"] == "latin1,not_text,time_unreadable"


def test_attributes_are_found_in_any_case_and_spelling_and_the_root_before_groups() -> None:
    row = attributes(
        {
            "META/Platform": "Aqua",
            "platform": " Terra ",
            "META/Instrument": "MODIS",
            "Mission": None,
            "HDFEOS/ADDITIONAL/FILE_ATTRIBUTES/RangeBeginningDate": "2020-01-01",
            "HDFEOS/ADDITIONAL/FILE_ATTRIBUTES/RangeBeginningTime": "05:06:07.5",
            "Date-End": "2020-01-01T06:00:00Z",
            "Title": "Radiances",
        }
    )
    assert (row["mission_id"], row["satellite_name"], row["instrument_type"]) == ("Terra", "Terra", "MODIS")
    assert row["observation_timestamp"] == datetime(2020, 1, 1, 5, 6, 7, 500_000, UTC)
    assert row["observation_end"] == datetime(2020, 1, 1, 6, tzinfo=UTC)
    group = "HDFEOS/ADDITIONAL/FILE_ATTRIBUTES"
    assert row["time_rule"] == f"{group}/RangeBeginningDate+{group}/RangeBeginningTime"
    assert specific(row) == {
        "META/Platform": "Aqua",
        "Date-End": "2020-01-01T06:00:00Z",
        "Title": "Radiances",
    }
    assert row["header_completeness"] == 0.8


def test_a_time_variable_makes_a_header_with_a_time() -> None:
    row = attributes({}, time_range=(0.0, 3600.0, "seconds since 2020-01-01", None))
    assert (row["time_rule"], row["header_completeness"]) == ("time variable", 0.4)
    assert row["observation_end"] == datetime(2020, 1, 1, 1, tzinfo=UTC)


def test_the_path_gives_mission_and_time_to_a_file_that_states_neither() -> None:
    row = attributes({"x": 1}, path="s3://eo/S3A_OL_1_EFR____20200201T010203_2020_.nc")
    assert (row["mission_id"], row["time_rule"]) == ("Sentinel-3", "path")
    assert row["observation_timestamp"] == datetime(2020, 2, 1, 1, 2, 3, tzinfo=UTC)


def test_the_digest_tells_contents_apart_and_not_names_and_dates() -> None:
    block = bytes(11_520)
    same = fits(FULL, FILE._replace(path="/other/name", content_tag="2:11520"), block)["content_digest"]
    assert fits(FULL, FILE, block)["content_digest"] == same
    others = {
        fits(FULL, FILE._replace(size=11_521), block)["content_digest"],
        fits(FULL | {"FILTER": "F435W"}, FILE, block)["content_digest"],
        fits(FULL | {"OBJECT": "NGC105"}, FILE, block)["content_digest"],
        fits(FULL, FILE, block[:-1] + b"x")["content_digest"],
    }
    assert len(others | {same}) == 5
    assert len(same) == 32
