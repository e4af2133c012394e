"""HDF5, HDF-EOS5 and NetCDF-4 told apart, metadata in groups, and far parts of files on S3."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from metaplat.collectors.headers.hdf5 import read_hdf5
from metaplat.collectors.headers.header import HeaderError
from metaplat_tests.collectors.headers.byte_sources import FarSource, read_local

if TYPE_CHECKING:
    from pathlib import Path

OLD_AND_NEW = pytest.mark.parametrize("version", ["earliest", "latest"])


@OLD_AND_NEW
def test_hdf_eos5_gives_the_attributes_of_its_file_group(tmp_path: Path, version: str) -> None:
    path = tmp_path / "file.he5"
    with h5py.File(path, "w", libver=version) as file:
        attributes = file.create_group("HDFEOS/ADDITIONAL/FILE_ATTRIBUTES").attrs
        attributes["InstrumentName"] = np.bytes_(b"OMI")
        attributes["OrbitNumber"] = np.array([1234], dtype="i4")
        file.create_group("HDFEOS INFORMATION").attrs["HDFEOSVersion"] = "HDFEOS_5.1.16"
        file["HDFEOS INFORMATION/StructMetadata.0"] = np.bytes_(b"GROUP=SwathStructure" + b" " * 30_000)
    header = read_local(path)
    assert header.file_format == "hdf-eos5"
    assert header.values == {
        "HDFEOS/ADDITIONAL/FILE_ATTRIBUTES/InstrumentName": "OMI",
        "HDFEOS/ADDITIONAL/FILE_ATTRIBUTES/OrbitNumber": 1234,
        "HDFEOS INFORMATION/HDFEOSVersion": "HDFEOS_5.1.16",
    }
    assert header.flags == []


def test_hdf_eos5_without_its_file_group_is_still_hdf_eos5(tmp_path: Path) -> None:
    path = tmp_path / "file.he5"
    with h5py.File(path, "w") as file:
        file.create_group("HDFEOS")
        file.attrs["mission"] = "AURA"
    header = read_local(path)
    assert (header.file_format, header.values) == ("hdf-eos5", {"mission": "AURA"})


@OLD_AND_NEW
def test_groups_and_datasets_without_dimensions_are_plain_hdf5(tmp_path: Path, version: str) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver=version) as file:
        file["time"] = np.arange(3.0)
        file["time"].attrs["units"] = "seconds since 2026-01-01"
        file.create_group("metadata").attrs["mission"] = "HELIOS-9"
        file.create_group("metadata/deeper").attrs["name"] = "not looked at"
    header = read_local(path)
    assert (header.file_format, header.time_range) == ("hdf5", None)
    assert header.values == {"metadata/mission": "HELIOS-9"}


@OLD_AND_NEW
def test_links_to_elsewhere_are_not_followed(tmp_path: Path, version: str) -> None:
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file.create_group("group").attrs["secret"] = "of another file"
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver=version) as file:
        file["outside"] = h5py.ExternalLink(str(other), "/group")
        file["nowhere"] = h5py.SoftLink("/not/there")
        file["circle"] = file["/"]
        file.attrs["mission"] = "HELIOS-9"
    header = read_local(path)
    assert header.values == {"mission": "HELIOS-9", "circle/mission": "HELIOS-9"}
    assert header.flags == []


@OLD_AND_NEW
def test_attributes_at_the_end_of_a_long_file_take_one_further_request(tmp_path: Path, version: str) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver=version) as file:
        file["values"] = np.zeros(1_500_000)
        for number in range(60):
            file.attrs[f"attribute {number}"] = f"text {number}"
    source = FarSource(path.read_bytes())
    header = read_hdf5(source)
    assert header.values == read_local(path).values
    assert len(header.values) == 60
    assert len(source.requests) == 1
    begin, end = source.requests[0]
    assert end - begin < source.size // 4


def test_groups_that_would_take_a_third_request_leave_a_flag(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver="earliest") as file:
        for number in range(3):
            file[f"values {number}"] = np.zeros(1_500_000)
            file.flush()
            file.create_group(f"group {number}").attrs["number"] = number
            file.flush()
        file.attrs["mission"] = "HELIOS-9"
    header = read_hdf5(FarSource(path.read_bytes(), first_block=1024))
    assert header.values["mission"] == "HELIOS-9"
    assert header.flags == ["out_of_reach"]


def test_attributes_that_would_take_a_third_request_are_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        file.attrs["mission"] = "HELIOS-9"
    source = FarSource(path.read_bytes(), first_block=512)
    source.read(600, 1)  # as if the second request had brought another stretch
    with pytest.raises(HeaderError) as refused:
        read_hdf5(source)
    assert refused.value.code == "out_of_reach"


def test_a_file_named_like_an_address_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The NetCDF library would send a request; an address has no place here, so nothing must be looked up."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("http:")  # noqa: PTH102
    with h5py.File("http:/localhost", "w") as file:
        file.attrs["mission"] = "HELIOS-9"
    assert read_local(tmp_path / "http:" / "localhost").values == {"mission": "HELIOS-9"}
