"""Real HDF5 and NetCDF-4 files, those inside h5py, astropy and sunpy, read as the libraries read them."""

from __future__ import annotations

from pathlib import Path

import astropy
import h5py
import netCDF4
import numpy as np
import pytest
import sunpy

from metaplat.collectors.headers.hdf5_contents import describe
from metaplat.collectors.headers.hdf5_library import open_library
from metaplat.collectors.headers.local_source import open_local
from metaplat.collectors.headers.reading import read_header
from metaplat.collectors.headers.sniff import HDF5_MAGIC
from metaplat_tests.collectors.headers.byte_sources import FarSource, read_local

PACKAGES = [Path(str(package.__file__)).parent for package in (astropy, h5py, sunpy)]
FILES = sorted(
    path
    for package in PACKAGES
    for path in package.rglob("*")
    if path.suffix in (".h5", ".hdf5", ".nc") and path.read_bytes().startswith(HDF5_MAGIC)
)
NETCDF = [path for path in FILES if path.suffix == ".nc"]


def comparable(value: object) -> object:
    """Return a value of a library as we write it."""
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, str):
        return None if value.strip("\0 ") == "" else value.rstrip("\0")
    listed = np.asarray(value).ravel().tolist()
    return listed[0] if len(listed) == 1 else listed


def test_the_packages_ship_hdf5_and_netcdf4_files() -> None:
    assert len(FILES) >= 8
    assert len(NETCDF) >= 4


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_attribute_of_a_real_file_is_the_one_that_h5py_reads(path: Path) -> None:
    with h5py.File(path, "r") as file:
        wanted = {name: comparable(value) for name, value in file.attrs.items() if name != "_NCProperties"}
    header = read_local(path)
    assert {name: header.values[name] for name in wanted} == wanted
    assert "truncated" not in header.flags


@pytest.mark.parametrize("path", NETCDF, ids=lambda path: path.name)
def test_every_global_attribute_of_a_real_file_is_the_one_that_netcdf4_reads(path: Path) -> None:
    with netCDF4.Dataset(path) as file:
        wanted = {name: comparable(file.getncattr(name)) for name in file.ncattrs()}
    header = read_local(path)
    assert header.file_format == "netcdf4"
    assert header.values == wanted


@pytest.mark.parametrize("path", NETCDF, ids=lambda path: path.name)
def test_the_time_range_of_a_real_file_is_its_first_and_last_time(path: Path) -> None:
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        time = file["time"] if "time" in file.variables else file["time_tag"]
        wanted = (float(time[0]), float(time[-1]), time.units, getattr(time, "calendar", None))
    assert read_local(path).time_range == wanted


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_parser_and_the_library_make_the_same_of_a_real_file(path: Path) -> None:
    flags: set[str] = set()
    with open_local(str(path)) as source, open_library(source, flags) as root:
        by_library = describe(root, flags)
    assert read_local(path) == by_library


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_real_file_on_s3_gives_the_same_as_here_in_two_requests(path: Path) -> None:
    source = FarSource(path.read_bytes(), first_block=4096)
    assert read_header(source) == read_local(path)
    assert len(source.requests) <= 1
