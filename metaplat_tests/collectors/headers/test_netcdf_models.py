"""All five data models of NetCDF, written by the library: attributes and times are those it reads itself."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Literal

import netCDF4
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metaplat.collectors.headers.hdf5 import read_tree
from metaplat.collectors.headers.local_source import open_local
from metaplat.collectors.headers.reading import read_header
from metaplat_tests.collectors.headers.byte_sources import FarSource, read_local, refusal_of

Model = Literal["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA", "NETCDF4", "NETCDF4_CLASSIC"]
MODELS: list[Model] = [
    "NETCDF3_CLASSIC",
    "NETCDF3_64BIT_OFFSET",
    "NETCDF3_64BIT_DATA",
    "NETCDF4",
    "NETCDF4_CLASSIC",
]
SINCE = "seconds since 2026-03-01 00:00:00"

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
VALUES = st.one_of(
    TEXT,
    st.integers(-(2**31), 2**31 - 1).map(np.int32),
    st.integers(-128, 127).map(np.int8),
    st.integers(-(2**15), 2**15 - 1).map(np.int16),
    st.floats(allow_nan=False).map(np.float64),
    st.floats(width=32, allow_nan=False).map(np.float32),
    st.lists(st.integers(0, 99), min_size=2, max_size=5).map(lambda each: np.array(each, "i4")),
)


def comparable(value: Any) -> object:
    """Return a value of the library as we write it."""
    if isinstance(value, str):
        return value_or_none(value)
    listed = np.asarray(value).ravel().tolist()
    return listed[0] if len(listed) == 1 else listed


def value_or_none(text: str) -> str | None:
    """Return a text; None where it is blank."""
    return text if text and not text.isspace() else None


def with_times(path: Path, model: Model, times: list[float], kind: str = "f8", **attributes: object) -> Path:
    """Write a file with a time variable that grows, and another variable beside it."""
    with netCDF4.Dataset(path, "w", format=model) as file:
        file.setncattr("platform", "SPYGLASS")
        file.createDimension("time", None)
        other = file.createVariable("flag", "i1", ("time",))
        time: Any = file.createVariable("time", kind, ("time",))
        time.setncatts({"units": SINCE, **attributes})
        time.set_auto_maskandscale(False)
        time[:] = np.array(times, kind)
        other[:] = 1
    return path


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(model=st.sampled_from(MODELS), attributes=st.dictionaries(NAMES, VALUES, max_size=20))
def test_global_attributes_are_those_that_the_library_reads(model: Model, attributes: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.nc"
        with netCDF4.Dataset(path, "w", format=model) as file:
            file.setncatts(attributes)
        with netCDF4.Dataset(path) as file:
            wanted = {name: comparable(file.getncattr(name)) for name in file.ncattrs()}
        header = read_local(path)
        assert header.file_format == ("netcdf3" if model.startswith("NETCDF3") else "netcdf4")
        assert header.values == wanted
        assert header.truncated is None


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", ["f8", "f4", "i4", "i2"])
def test_the_range_of_a_time_variable_is_its_first_and_last_value(
    tmp_path: Path, model: Model, kind: str
) -> None:
    path = with_times(tmp_path / "file.nc", model, [3.0, 5.0, 9.0], kind, calendar="standard")
    assert read_local(path).time_range == (3.0, 9.0, SINCE, "standard")


@pytest.mark.parametrize("model", MODELS)
def test_packed_times_are_unpacked_and_the_lesser_comes_first(tmp_path: Path, model: Model) -> None:
    path = with_times(tmp_path / "file.nc", model, [9, 5, 3], "i4", scale_factor=0.5, add_offset=100.0)
    assert read_local(path).time_range == (101.5, 104.5, SINCE, None)


@pytest.mark.parametrize("model", MODELS)
def test_times_that_were_never_written_are_no_range(tmp_path: Path, model: Model) -> None:
    empty = with_times(tmp_path / "empty.nc", model, [])
    filled = with_times(tmp_path / "filled.nc", model, [1.0, float(netCDF4.default_fillvals["f8"])])
    marked = with_times(tmp_path / "marked.nc", model, [1.0, -1.0], missing_value=-1.0)
    assert [read_local(path).time_range for path in (empty, filled, marked)] == [None, None, None]


@pytest.mark.parametrize("model", MODELS)
def test_the_variable_named_time_is_taken_before_others_and_no_unit_without_since(
    tmp_path: Path, model: Model
) -> None:
    path = tmp_path / "file.nc"
    with netCDF4.Dataset(path, "w", format=model) as file:
        file.createDimension("time", 2)
        for name, units, start in [("a_time", SINCE, 1), ("time", SINCE, 2), ("exposure", "seconds", 3)]:
            variable: Any = file.createVariable(name, "f8", ("time",))
            variable.units = units
            variable[:] = [start, start + 10]
    assert read_local(path).time_range == (2.0, 12.0, SINCE, None)


@pytest.mark.parametrize("model", MODELS)
def test_a_time_of_no_dimension_is_first_and_last_at_once(tmp_path: Path, model: Model) -> None:
    path = tmp_path / "file.nc"
    with netCDF4.Dataset(path, "w", format=model) as file:
        time: Any = file.createVariable("t", "f8", ())
        time.units = SINCE
        time[...] = 42.0
    assert read_local(path).time_range == (42.0, 42.0, SINCE, None)


@pytest.mark.parametrize("model", MODELS)
def test_text_that_is_not_utf8_is_latin1_with_a_flag(tmp_path: Path, model: Model) -> None:
    path = tmp_path / "file.nc"
    with netCDF4.Dataset(path, "w", format=model) as file:
        file.setncattr_string("kept", "x") if model == "NETCDF4" else file.setncattr("kept", "x")
        file.setncattr("target", "K?ln")
    path.write_bytes(path.read_bytes().replace(b"K?ln", b"K\xf6ln"))
    header = read_local(path)
    assert header.values["target"] == "Köln"
    assert header.flags == ["latin1"]


@pytest.mark.parametrize("model", MODELS)
def test_a_file_on_s3_gives_header_and_times_in_two_requests(tmp_path: Path, model: Model) -> None:
    path = with_times(tmp_path / "file.nc", model, [float(number) for number in range(40_000)])
    source = FarSource(path.read_bytes())
    assert read_header(source) == read_local(path)
    assert read_local(path).time_range == (0.0, 39_999.0, SINCE, None)
    assert len(source.requests) <= 1


@pytest.mark.parametrize(
    "storage",
    [
        {"zlib": True, "shuffle": True},
        {"zlib": True, "shuffle": False, "fletcher32": True},
        {"zlib": False, "fletcher32": True},
        {"contiguous": True},
        {"chunksizes": (7,)},
        {"chunksizes": (1,), "zlib": True},
        {"datatype": ">f8", "endian": "big", "zlib": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["f8", "i4", "u8", "f4"])
def test_times_are_read_from_every_storage_that_the_library_writes(
    tmp_path: Path, storage: dict[str, Any], kind: str
) -> None:
    path = tmp_path / "file.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("time", 3000 if storage.get("contiguous") else None)
        time: Any = file.createVariable("time", dimensions=("time",), **{"datatype": kind, **storage})
        time.units = SINCE
        time[:] = np.arange(5, 3005)
    with open_local(str(path)) as source:
        header = read_tree(source)
    assert header.time_range == (5.0, 3004.0, SINCE, None)
    assert header.flags == []


def test_times_behind_a_filter_that_is_not_known_leave_a_flag(tmp_path: Path) -> None:
    path = tmp_path / "file.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.setncattr("platform", "SPYGLASS")
        file.createDimension("time", None)
        time: Any = file.createVariable("time", "f8", ("time",), compression="zstd")
        time.units = SINCE
        time[:] = [1.0, 2.0]
    header = read_local(path)
    assert header.values == {"platform": "SPYGLASS"}
    assert header.flags == ["time_unreadable"]


def test_attributes_of_groups_have_the_name_of_the_group_before_them(tmp_path: Path) -> None:
    path = tmp_path / "file.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.setncattr("title", "whole")
        file.createGroup("METADATA").setncattr("orbit", np.int32(7))
    assert read_local(path).values == {"title": "whole", "METADATA/orbit": 7}


def test_a_file_of_an_older_library_is_told_by_its_dimensions(tmp_path: Path) -> None:
    path = with_times(tmp_path / "file.nc", "NETCDF4", [1.0, 2.0])
    content = path.read_bytes()
    path.write_bytes(content.replace(b"_NCProperties", b"_NXProperties"))
    header = read_local(path)
    assert header.file_format == "netcdf4"
    assert header.time_range == (1.0, 2.0, SINCE, None)


def test_a_cut_netcdf4_file_is_truncated_with_both_sizes(tmp_path: Path) -> None:
    path = with_times(tmp_path / "file.nc", "NETCDF4", [1.0, 2.0])
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    error = refusal_of(path)
    assert error.code == "truncated"
    assert f"eof = {len(content) - 1}," in error.text
    assert f"stored_eof = {len(content)}" in error.text
