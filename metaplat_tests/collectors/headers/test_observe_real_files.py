"""Rows of real observations, as astropy and sunpy ship them with their tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from astropy.io import fits
from astropy.time import Time
from astropy.utils import iers

from metaplat.collectors.headers.local_source import open_local
from metaplat.collectors.headers.mappings import load_mappings
from metaplat.collectors.headers.observation import FileFacts, observe
from metaplat.collectors.headers.reading import read_header

if TYPE_CHECKING:
    from metaplat.model.observation import Row

iers.conf.auto_download = False
MAPPINGS = load_mappings()


def file_of(package: str, name: str) -> Path:
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    found = sorted(Path(folders[0]).rglob(name)) if folders else []
    assert found, f"{package} no longer ships {name}"
    return found[0]


def row_of(path: Path) -> Row:
    with open_local(str(path)) as source:
        file = FileFacts(str(path), source.size, datetime(2026, 3, 2, tzinfo=UTC), "x")
        return observe(read_header(source), file, MAPPINGS, source.first)


@pytest.mark.parametrize(
    ("package", "name", "mission", "satellite", "instrument", "begin", "rule", "flags"),
    [
        ("astropy", "chandra_time.fits", "AXAF", "CHANDRA", "ACIS",
         "2016-01-26T17:57:20.816", "DATE-OBS (TT)", None),
        ("astropy", "o4sp040b0_raw.fits", "HST", "HST", "STIS",
         "1998-04-20T18:38:15", "DATE-OBS+TIME-OBS", None),
        ("sunpy", "go1520110607.fits", "GOES", "GOES 15", "X-ray Detector",
         "2011-06-07T00:00:00", "DATE-OBS+TIME-OBS (dd/mm/yyyy, ambiguous)", "date_ambiguous"),
        ("sunpy", "aia_171_level1.fits", "SDO", "SDO/AIA", "AIA_3",
         "2011-02-15T00:00:00.34", "DATE-OBS", None),
        ("sunpy", "eve_l1_esp_2011046_00_truncated.fits", "SDO", "SDO/EVE", "EVE_ESP",
         "2011-02-14T23:59:30.013", "DATE_OBS", "not_text"),
        ("sunpy", "gbm.fits", "Fermi", "GLAST", "GBM",
         "2011-06-06T23:58:48.816", "DATE-OBS (TT)", None),
        ("sunpy", "hsi_image_20101016_191218.fits", "RHESSI", "RHESSI", "RHESSI",
         "2010-10-16T19:12:18", "DATE_OBS", "timesys_unknown"),
    ],
)  # fmt: skip
def test_a_real_observation_is_in_its_columns(
    package: str,
    name: str,
    mission: str,
    satellite: str,
    instrument: str,
    begin: str,
    rule: str,
    flags: str | None,
) -> None:
    row = row_of(file_of(package, name))
    assert (row["mission_id"], row["satellite_name"], row["instrument_type"]) == (
        mission,
        satellite,
        instrument,
    )
    assert row["observation_timestamp"] == datetime.fromisoformat(begin).replace(tzinfo=UTC)
    assert row["time_rule"] == rule
    assert (flags is None and not row["flags"]) or flags in (row["flags"] or "").split(",")


def test_the_time_of_a_real_file_in_tt_is_that_of_astropy() -> None:
    path = file_of("astropy", "chandra_time.fits")
    header = fits.getheader(path, 1)
    expected = Time(header["DATE-OBS"], scale=header["TIMESYS"].lower()).utc.to_datetime(UTC)
    assert abs(row_of(path)["observation_timestamp"] - expected) <= timedelta(microseconds=1)
    assert row_of(path)["data_quality_score"] is None
