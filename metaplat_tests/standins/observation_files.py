"""Small real observation files, written by the libraries that people write them with.

Here: one file of each format, very many FITS files that differ in a few cards, and what stands in for a
library that takes its process down.
Not here: broken files (each test breaks what it is about).
"""

from __future__ import annotations

import gzip
import io
import os
import signal
import struct
import sys
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

CARDS = 80
"""Cards of each FITS header, as instruments write them."""

_NUMBER = "0123456789"
_TIME = "2026-03-01T00:00:00.000"
_FIRST = datetime(2026, 3, 1, tzinfo=UTC)


def fits_bytes(number: int = 0, *, mission: str = "HELIOS-9", size: int = 16) -> bytes:
    """Return a FITS file: 80 cards and an image of ``size`` x ``size`` pixels.

    ``number`` is in OBSID, and in DATE-OBS as seconds after 2026-03-01.
    """
    time = (_FIRST + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.000")
    return (
        _template(mission, size)
        .replace(_TIME.encode(), time.encode(), 1)
        .replace(_NUMBER.encode(), f"{number:010d}".encode(), 1)
    )


@lru_cache
def _template(mission: str, size: int) -> bytes:
    import numpy as np
    from astropy.io import fits

    unit = fits.PrimaryHDU(np.arange(size * size, dtype=">i2").reshape(size, size))
    unit.header["MISSION"] = mission
    unit.header["TELESCOP"] = "SPYGLASS"
    unit.header["INSTRUME"] = "IMAGER"
    unit.header["OBJECT"] = "M 31"
    unit.header["DATE-OBS"] = _TIME
    unit.header["OBSID"] = _NUMBER
    unit.header["RA"] = 10.6847
    unit.header["DEC"] = 41.269
    unit.header["EXPTIME"] = (12.5, "[s] exposure")
    while len(unit.header) < CARDS:
        unit.header[f"KEY{len(unit.header)}"] = (len(unit.header) * 1.5, "one of many")
    stream = io.BytesIO()
    unit.writeto(stream)
    return stream.getvalue()


def write_fits(path: Path, number: int = 0, *, mission: str = "HELIOS-9", size: int = 16) -> Path:
    """Write ``fits_bytes`` to a path and return it."""
    path.write_bytes(fits_bytes(number, mission=mission, size=size))
    return path


def write_many_fits(folder: Path, count: int, *, a_folder: int = 1000) -> None:
    """Write ``count`` FITS files into folders of ``a_folder`` files each."""
    for number in range(count):
        below = folder / f"{number // a_folder:04d}"
        if number % a_folder == 0:
            below.mkdir(parents=True, exist_ok=True)
        (below / f"obs-{number:07d}.fits").write_bytes(fits_bytes(number))


def write_gzip_fits(path: Path, number: int = 0, *, size: int = 16) -> Path:
    """Write a FITS file packed by gzip."""
    path.write_bytes(gzip.compress(fits_bytes(number, size=size), mtime=0))
    return path


def write_hdf5(path: Path) -> Path:
    """Write an HDF5 file with attributes."""
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["mission"] = "HELIOS-9"
        file.attrs["platform"] = "SPYGLASS"
        file.attrs["instrument"] = "SOUNDER"
        file["values"] = range(10)
    return path


def write_netcdf(path: Path, data_model: Literal["NETCDF4", "NETCDF3_CLASSIC"] = "NETCDF4") -> Path:
    """Write a NetCDF file of a data model."""
    import netCDF4

    with netCDF4.Dataset(path, "w", format=data_model) as file:
        file.setncattr("platform", "SPYGLASS")
        file.setncattr("instrument", "RADIOMETER")
        file.setncattr("time_coverage_start", "2026-03-01T06:00:00Z")
        file.createDimension("time", 3)
        time = file.createVariable("time", "f8", ("time",))
        time.setncattr("units", "seconds since 2026-03-01 06:00:00")
        time[:] = [0.0, 1.0, 2.0]
    return path


def write_csv(path: Path) -> Path:
    """Write a table with ``# key: value`` lines."""
    path.write_text(
        "# mission: HELIOS-9\n# instrument: COUNTER\ntime,counts\n2026-03-01T00:00:00Z,5\n", "utf-8"
    )
    return path


def write_each_format(folder: Path) -> list[Path]:
    """Write one file of each format into a folder, in the order of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_csv(folder / "a.csv"),
        write_fits(folder / "b.fits"),
        write_gzip_fits(folder / "c.fits.gz"),
        write_hdf5(folder / "d.h5"),
        write_netcdf(folder / "e.nc"),
        write_netcdf(folder / "f.nc", "NETCDF3_CLASSIC"),
    ]


class DeadlyPattern:
    """A pattern of paths on which the process that looks for it dies, as of a library on a damaged file."""

    def search(self, path: str) -> None:
        """Die where the path says so; find nothing."""
        if "deadly" in path:
            os.kill(os.getpid(), signal.SIGSEGV)


class HalfSaidPattern:
    """A pattern of paths on which the process that looks for it dies while it hands back what it read."""

    def search(self, path: str) -> None:
        """Leave half a message in the pipe of results, and die, where the path says so; find nothing."""
        if "deadly" not in path:
            return
        frame: FrameType | None = sys._getframe()
        while frame is not None and "result_queue" not in frame.f_locals:
            frame = frame.f_back
        assert frame is not None
        queue: Any = frame.f_locals["result_queue"]
        queue._wlock.acquire()  # as one that is killed while it writes
        os.write(queue._writer.fileno(), struct.pack("!i", 100_000) + b"half")
        os.kill(os.getpid(), signal.SIGKILL)
