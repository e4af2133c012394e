"""NetCDF-3: real files of scipy, sizes that do not fit, cut and damaged headers."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.collectors.headers.header import HeaderError
from metaplat.collectors.headers.netcdf3 import read_netcdf3
from metaplat_tests.collectors.headers.byte_sources import FarSource, read_local, refusal_of
from metaplat_tests.collectors.headers.test_netcdf_models import MODELS, Model, with_times

CLASSIC = MODELS[:3]
REAL = sorted((Path(str(scipy.io.__file__)).parent / "tests" / "data").glob("*.nc"))


class Kept(BytesIO):
    """A file in memory whose content is still there when scipy has closed it."""

    content = b""

    def close(self) -> None:
        """Close it, and keep what was written."""
        if not self.closed:
            self.content = self.getvalue()
        super().close()


@lru_cache
def whole(version: int = 1) -> bytes:
    """Return a file with attributes, a fixed and two growing variables, as scipy writes it."""
    stream = Kept()
    with scipy.io.netcdf_file(stream, "w", version=version) as file:
        file.platform = "SPYGLASS"
        file.orbit = 7
        file.createDimension("time", None)
        file.createDimension("x", 5)
        file.createVariable("x", "i2", ("x",))[:] = np.arange(5)
        time = file.createVariable("time", "f8", ("time",))
        time.units = "hours since 2026-03-01"
        time[:] = np.arange(4.0)
        file.createVariable("counts", "i2", ("time", "x"))[:] = np.ones((4, 5))
    return stream.content


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_real_file_has_the_attributes_that_scipy_and_netcdf4_read(path: Path) -> None:
    header = read_local(path)
    with netCDF4.Dataset(path) as file:
        assert header.values == {name: file.getncattr(name) for name in file.ncattrs()}
    with scipy.io.netcdf_file(path, mmap=False) as file:
        assert set(header.values) == set(file._attributes)
    assert header.truncated is None


def test_scipy_ships_netcdf3_files() -> None:
    assert len(REAL) >= 3


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_by_scipy_is_read_and_whole(tmp_path: Path, version: int) -> None:
    header = read_local(written(tmp_path / "file.nc", whole(version)))
    assert header.values == {"platform": "SPYGLASS", "orbit": 7}
    assert header.time_range == (0.0, 3.0, "hours since 2026-03-01", None)
    assert (header.truncated, header.flags) == (None, [])


@pytest.mark.parametrize("model", CLASSIC)
@pytest.mark.parametrize("lost", [8, 20])
def test_a_file_without_its_end_is_truncated_though_the_library_opens_it(
    tmp_path: Path, model: Model, lost: int
) -> None:
    path = with_times(tmp_path / "file.nc", model, [1.0, 2.0, 3.0, 4.0])
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-lost])
    header = read_local(path)
    assert header.flags == ["truncated"]
    assert header.truncated == f"the header announces {size} bytes, the file has {size - lost}"
    assert header.values == {"platform": "SPYGLASS"}
    assert header.time_range is not None
    assert header.time_range[0] == 1.0


def test_a_file_that_only_lacks_padding_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("x", 5)
        variable: Any = file.createVariable("v", "i1", ("x",))
        variable[:] = 1
    path.write_bytes(path.read_bytes()[:-3])
    header = read_local(path)
    assert (header.truncated, header.flags) == (None, ["padding_missing"])


@pytest.mark.parametrize("model", CLASSIC)
def test_one_growing_variable_alone_has_no_padding_between_its_records(tmp_path: Path, model: Model) -> None:
    path = tmp_path / "file.nc"
    with netCDF4.Dataset(path, "w", format=model) as file:
        file.createDimension("time", None)
        time: Any = file.createVariable("time", "i2", ("time",))
        time.units = "days since 2026-01-01"
        time[:] = [5, 6, 7, 8, 9]
    header = read_local(path)
    assert header.time_range == (5, 9, "days since 2026-01-01", None)
    assert header.truncated is None
    path.write_bytes(path.read_bytes()[:-4])
    assert read_local(path).truncated is not None


def test_a_file_that_is_still_streamed_has_as_many_records_as_there_are(tmp_path: Path) -> None:
    content = whole()[:4] + b"\xff\xff\xff\xff" + whole()[8:]
    header = read_local(written(tmp_path / "file.nc", content))
    assert header.truncated is None
    assert header.time_range == (0.0, 3.0, "hours since 2026-03-01", None)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9])
def test_a_file_cut_in_its_header_says_so(tmp_path: Path, share: float) -> None:
    begin = whole().index(b"counts")
    error = refusal_of(written(tmp_path / "file.nc", whole()[: max(int(begin * share), 4)]))
    assert error.code == "cut_header"


def test_garbage_behind_the_magic_is_broken(tmp_path: Path) -> None:
    error = refusal_of(written(tmp_path / "file.nc", b"CDF\x01" + bytes(range(1, 200)) * 10))
    assert error.code == "broken"
    assert "\n" not in error.text


def test_a_header_of_more_than_the_first_block_is_read_and_one_too_long_refused() -> None:
    stream = Kept()
    with scipy.io.netcdf_file(stream, "w") as file:
        for number in range(5000):
            setattr(file, f"attribute_{number}", "x" * 20)
    source = FarSource(stream.content)
    header = read_netcdf3(source)
    assert len(header.values) == 5000
    assert len(source.requests) == 1
    with pytest.raises(HeaderError) as refused:
        read_netcdf3(FarSource(stream.content), max_header_bytes=100_000)
    assert refused.value.code == "too_long"


def test_numbers_of_an_attribute_are_a_list_and_too_many_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "file.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as file:
        file.setncatts({"few": np.arange(3, dtype="u8"), "many": np.arange(101), "text": "", "zeros": "a\0b"})
    header = read_local(path)
    assert header.values == {"few": [0, 1, 2], "many": None, "text": None, "zeros": "a"}
    assert header.flags == ["left_out"]


def test_a_length_beyond_all_bounds_is_a_cut_header(tmp_path: Path) -> None:
    path = with_times(tmp_path / "file.nc", "NETCDF3_64BIT_DATA", [1.0])
    content = path.read_bytes()
    at = content.index(b"platform") - 8
    path.write_bytes(content[:at] + b"\xff" * 8 + content[at + 8 :])
    assert refusal_of(path).code == "cut_header"


@settings(max_examples=400, deadline=None)
@given(
    version=st.sampled_from([1, 2]),
    changes=st.lists(st.tuples(st.integers(3, 2000), st.integers(0, 255)), max_size=6),
    cut=st.none() | st.integers(4, 2000),
)
def test_damaged_bytes_give_a_header_or_a_reason(
    version: int, changes: list[tuple[int, int]], cut: int | None
) -> None:
    content = bytearray(whole(version))
    for at, byte in changes:
        content[at % len(content)] = byte
    content[:3] = b"CDF"
    try:
        outcome = read_netcdf3(FarSource(bytes(content[:cut])), max_header_bytes=1 << 20).file_format
    except HeaderError as error:
        outcome = error.code
    assert outcome in ("netcdf3", "broken", "cut_header", "too_long")
