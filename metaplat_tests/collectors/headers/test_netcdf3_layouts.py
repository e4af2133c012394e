"""NetCDF-3 headers that repeat are read faster, and mean what they mean when read for the first time."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import netcdf_file

from metaplat.collectors.headers import netcdf3
from metaplat.collectors.headers.netcdf3_layouts import KEPT, Layouts
from metaplat_tests.collectors.headers.byte_sources import read_local

if TYPE_CHECKING:
    from metaplat.collectors.headers.header import Header

NAMES = ["mission", "orbit", "title", "level"]
VALUES = st.one_of(
    st.sampled_from(["AQUA", "TERRA", "AURA", " ", "caf\u00e9", "a\u00e9b"]),
    st.sampled_from([7, 8, 1.5, -2.5]),
    st.sampled_from([np.arange(3, dtype="i4"), np.arange(101, dtype="i4"), np.array([2.5, 3.5])]),
)
FILES = st.lists(
    st.tuples(st.tuples(*[VALUES for _ in NAMES]), st.integers(0, 3), st.sampled_from([1, 2])),
    min_size=2,
    max_size=8,
)


def fresh() -> None:
    """Forget every header that was seen."""
    netcdf3._layouts = Layouts()


def content(attributes: tuple[Any, ...], records: int, version: int = 1) -> bytes:
    """Return a file with some attributes, and times that it has so many records of."""
    stream = io.BytesIO()
    stream.close, close = lambda: None, stream.close  # type: ignore[method-assign]  # the library closes it
    with netcdf_file(stream, "w", version=version) as file:
        for name, value in zip(NAMES, attributes, strict=True):
            setattr(file, name, value.encode("latin-1") if isinstance(value, str) else value)
        file.createDimension("time", None)
        time = file.createVariable("time", "f8", ("time",))
        time.units = "seconds since 2026-01-01"
        for number in range(records):
            time[number] = 60.0 * number
        file.flush()
        whole = stream.getvalue()
    close()
    return whole


def read(whole: bytes) -> Header:
    """Read a file with this content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.nc"
        path.write_bytes(whole)
        return read_local(path)


def comparable(header: Header) -> tuple[object, ...]:
    """Return what must be the same."""
    return list(header.values.items()), header.flags, header.truncated, header.time_range, header.rest(())


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(FILES)
def test_a_header_means_the_same_however_many_like_it_were_read(files: list[tuple[Any, int, int]]) -> None:
    contents = [content(*each) for each in files]
    fresh()
    in_a_row = [comparable(read(whole)) for whole in contents]
    for whole, found in zip(contents, in_a_row, strict=True):
        fresh()
        assert comparable(read(whole)) == found


def test_a_file_cut_in_its_data_is_seen_also_where_its_header_is_known() -> None:
    fresh()
    for orbit in range(3):
        whole = content(("AQUA", orbit, "a", 1.5), 3)
        assert read(whole).truncated is None
        assert (
            read(whole[:-8]).truncated
            == f"the header announces {len(whole)} bytes, the file has {len(whole) - 8}"
        )


def test_a_header_is_not_changed_by_the_next_one() -> None:
    fresh()
    headers = [read(content(("AQUA", orbit, "a", 1.5), 1)) for orbit in range(4)]
    assert [header.values["orbit"] for header in headers] == [0, 1, 2, 3]


def test_what_is_remembered_is_bounded() -> None:
    fresh()
    for length in range(1, 40):
        read(content(("x" * length, 1, "a", 1.5), 1))
    assert len(netcdf3._layouts._known) <= KEPT
