"""Mappings: the bundled missions, a user's file over them, and what is wrong in one."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from metaplat.collectors.headers.mappings import BUNDLED, load_mappings
from metaplat.collectors.headers.times import observed_time
from metaplat.model.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.collectors.headers.mappings import Mappings

MAPPINGS = load_mappings()


def loaded(tmp_path: Path, text: str) -> Mappings:
    file = tmp_path / "mappings.toml"
    file.write_text(text, encoding="utf-8")
    return load_mappings(file)


@pytest.mark.parametrize(
    ("telescope", "mission"),
    [
        ("HST", "HST"),
        ("JWST", "JWST"),
        ("SDO/AIA", "SDO"),
        ("                 SDO/EVE", "SDO"),
        ("SOHO", "SOHO"),
        ("STEREO_A", "STEREO"),
        ("CHANDRA", "Chandra"),
        ("XMM", "XMM-Newton"),
        ("GLAST", "Fermi"),
        ("swift", "Swift"),
        ("Kepler", "Kepler"),
        ("TESS", "TESS"),
        ("GOES 15", "GOES"),
        ("GOES  16", "GOES-R"),
        ("g16", "GOES-R"),
        ("LANDSAT_8", "Landsat"),
        ("Sentinel-1A", "Sentinel-1"),
        ("Sentinel-5 precursor", "Sentinel-5P"),
        ("SENTINEL-5P", "Sentinel-5P"),
        ("Terra", "Terra"),
        ("NPP", "Suomi-NPP"),
        ("SOLO/EUI/FSI", "Solar Orbiter"),
        ("UK 48-inch Schmidt", None),
        ("", None),
    ],
)
def test_a_telescope_tells_its_mission(telescope: str, mission: str | None) -> None:
    assert MAPPINGS.mission_of_telescope(telescope) == mission


@pytest.mark.parametrize(
    ("name", "mission", "time"),
    [
        ("jw02732001001_02101_00001_nrca1_cal.fits", "JWST", None),
        ("efz20040301.000010_s.fits", "SOHO", "2004-03-01T00:00:10"),
        ("tess2018206045859-s0001-0000000012345678-0120-s_lc.fits", "TESS", "2018-07-25T04:58:59"),
        ("MOD021KM.A2020032.1205.061.2020032194112.nc", "Terra", "2020-02-01T12:05:00"),
        ("MYD11A1.A2020032.h18v04.061.nc", "Aqua", "2020-02-01T00:00:00"),
        ("OMI-Aura_L2-OMTO3_2020m0201t0105-o82711_v003.he5", "Aura", "2020-02-01T01:05:00"),
        ("MLS-Aura_L2GP-O3_v05-01-c01_2020d032.he5", "Aura", "2020-02-01T00:00:00"),
        ("VNP02IMG.A2020032.1206.002.nc", "Suomi-NPP", "2020-02-01T12:06:00"),
        ("SVM01_npp_d20200201_t0101234_e0102476_b42789_c2020.h5", "Suomi-NPP", "2020-02-01T01:01:23"),
        ("OR_ABI-L2-CMIPF-M6C13_G16_s20200321200204_e2020.nc", "GOES-R", "2020-02-01T12:00:20"),
        ("LC08_L1TP_044034_20200201_20200211_01_T1.nc", "Landsat", "2020-02-01T00:00:00"),
        ("S1A_IW_GRDH_1SDV_20200201T010203_20200201T010228_031.nc", "Sentinel-1", "2020-02-01T01:02:03"),
        ("s1a-iw-grd-vv-20200201t010203-20200201t010228-031.nc", "Sentinel-1", "2020-02-01T01:02:03"),
        ("S2A_MSIL1C_20200201T010203_N0208_R031.nc", "Sentinel-2", "2020-02-01T01:02:03"),
        ("S3A_OL_1_EFR____20200201T010203_20200201T010503_2020.nc", "Sentinel-3", "2020-02-01T01:02:03"),
        ("S5P_OFFL_L2__NO2____20200201T010203_20200201T024333.nc", "Sentinel-5P", "2020-02-01T01:02:03"),
        ("ocean.nc", None, None),
        ("20200201.csv", None, None),
    ],
)
def test_the_name_of_a_file_tells_its_mission_and_time(
    name: str, mission: str | None, time: str | None
) -> None:
    path = f"/data/archive/{name}"
    assert MAPPINGS.mission_of_path(path) == mission
    for file_format in ("fits", "netcdf4"):
        begin, _ = observed_time({}, MAPPINGS.plan(file_format, mission).times, None, path)
        assert begin.time == (datetime.fromisoformat(time).replace(tzinfo=UTC) if time else None)
        assert begin.rule == ("path" if time else None)


def test_every_bundled_mission_has_a_window_and_its_other_names_have_the_same() -> None:
    windows = MAPPINGS.mission_windows
    assert windows["HST"] == (datetime(1990, 4, 24, tzinfo=UTC), None)
    assert windows["AXAF"] == windows["Chandra"]
    assert all(start and start.tzinfo is UTC for start, _ in windows.values())
    assert all(end is None or (start and end > start) for start, end in windows.values())


def test_mappings_travel_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(MAPPINGS)) == MAPPINGS


def test_the_same_content_has_the_same_digest_and_another_keyword_another(tmp_path: Path) -> None:
    assert load_mappings().digest == MAPPINGS.digest
    assert len(MAPPINGS.digest) == 8
    other = loaded(tmp_path, '[missions.X]\ntelescop = ["X-1"]\n')
    assert other.digest != MAPPINGS.digest
    later = loaded(tmp_path, '[missions.X]\ntelescop = ["X-1"]\nstart = 2020-01-01\n')
    assert later.digest == other.digest, "the window of a mission changes no row"


def test_a_file_of_the_user_adds_missions(tmp_path: Path) -> None:
    mappings = loaded(
        tmp_path,
        """
        [missions.Probe]
        mission = ["PRB"]
        telescop = ["PROBE-*"]
        path = '(?:^|/)prb_'
        start = 2020-01-01
        end = 2021-06-01T12:00:00Z
        date_order = "mdy"
        target_object = ["TARGET"]
        [missions.Probe.attributes]
        satellite_name = ["Craft Name"]
        """,
    )
    assert mappings.mission_of_telescope("probe-2") == "Probe"
    assert mappings.mission_of_path("s3://bucket/prb_1.fits") == "Probe"
    assert mappings.mission_named("prb") == "Probe"
    assert mappings.mission_windows["PRB"][1] == datetime(2021, 6, 1, 12, tzinfo=UTC)
    fits, attributes = mappings.plan("fits", "Probe"), mappings.plan("hdf5", "Probe")
    assert fits.times.date_order == attributes.times.date_order == "mdy"
    assert dict(fits.texts)["target_object"] == ("TARGET",)
    assert dict(fits.texts)["satellite_name"] == dict(mappings.plan("fits", None).texts)["satellite_name"]
    assert dict(attributes.texts)["satellite_name"] == ("craft_name",)
    assert mappings.mission_of_telescope("HST") == "HST", "the bundled missions stay"


def test_a_file_of_the_user_replaces_what_the_bundled_one_says_key_by_key(tmp_path: Path) -> None:
    mappings = loaded(
        tmp_path,
        """
        [default]
        exposure = ["SECONDS"]
        [default.processing_words]
        final = "archived"
        [missions.Optics]
        telescop = ["HST"]
        [missions.Kepler]
        end = 2019-01-01
        """,
    )
    assert mappings.mission_of_telescope("HST") == "Optics"
    assert mappings.mission_of_telescope("Kepler") == "Kepler"
    assert mappings.mission_windows["Kepler"] == (
        datetime(2009, 3, 7, tzinfo=UTC),
        datetime(2019, 1, 1, tzinfo=UTC),
    )
    plan = mappings.plan("fits", None)
    assert plan.times.exposure == ("SECONDS",)
    assert (plan.status_words["final"], plan.status_words["raw"]) == ("archived", "raw")
    assert mappings.plan("fits", "Kepler").times.exposure == (), "what is said of a mission is nearer"


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ('[missions.X]\ntelescope = ["X"]', "missions.X.telescope", "no such key"),
        ("[defaults]", "defaults", "no such key"),
        ('[default.fits]\nmission_id = "MISSION"', "default.fits.mission_id", "valid list"),
        ('[default]\nversion = [1]', "default.version.0", "valid string"),
        ('[default]\nversion = [""]', "default.version.0", "at least 1 character"),
        ('[missions.X]\npath = "("', "missions.X.path.0", "no regular expression"),
        ('[missions.X]\ntime_path = "(?P<year>....)"', "missions.X.time_path.0", "needs the groups"),
        ('[missions.X]\nstart = "2020"', "missions.X.start", "is no date"),
        ("[missions.X]\nstart = 2020-01-02\nend = 2020-01-01", "missions.X.end", "not after start"),
        ('[missions.X]\ndate_order = "ymd"', "missions.X.date_order", "'dmy' or 'mdy'"),
        ('[missions.X]\ntime_scale = "CET"', "missions.X.time_scale", "no time scale"),
        ('[default]\nobservation_timestamp = [{ key = "A", form = "week" }]',
         "default.observation_timestamp.0.form", "'text', 'mjd'"),
        ('[default.processing_words]\ndone = "finished"', "default.processing_words.done", "'archived'"),
        ('[default]\ndirection = [{ ra = "RA" }]', "default.direction.0.dec", "required"),
        ('[missions.X]\ntelescop = ["T"]\n[missions.Y]\ntelescop = ["t"]', "missions.Y.telescop", "of X"),
        ("[missions.X", "catalog.mappings", "is not TOML"),
        ("missions = 3", "missions", "valid dictionary"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str, key: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, text)
    assert key in str(caught.value)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value).strip()


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: cannot be read"):
        load_mappings(tmp_path / "nowhere.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="is not TOML"):
        load_mappings(tmp_path / "binary.toml")


def test_the_bundled_file_may_serve_as_a_file_of_the_user() -> None:
    twice = load_mappings(BUNDLED)
    assert (twice.plans, twice.mission_windows) == (MAPPINGS.plans, MAPPINGS.mission_windows)
