"""Observation files as instruments deliver them, for the benchmark of the catalog.

Here: FITS (80 cards, 15 of which vary from file to file, and 32 KB of data), the same packed by gzip,
NetCDF-3, HDF5 and NetCDF-4 (28 attributes); all of them written, or their cards made, by the well-kept
libraries.
Not here: what is measured.
"""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WANTED = (
    *("MISSION", "TELESCOP", "INSTRUME", "OBJECT", "DATE-OBS", "DATE-END"),
    *("EXPTIME", "RA", "DEC", "CALIB", "VERSION", "PROCSTAT"),
)
"""Keywords of FITS that a catalog asks for."""
WANTED_ATTRIBUTES = (
    *("mission", "platform", "instrument", "target_object"),
    *("time_coverage_start", "time_coverage_end", "product_version", "processing_level"),
)
CARDS, CARD, BLOCK = 80, 80, 2880
SIDE = 128
ATTRIBUTES = 28

_FIRST = datetime(2026, 3, 1, tzinfo=UTC)


def varying(number: int) -> dict[str, Any]:
    """Return the 15 keywords that differ from file to file."""
    begin = _FIRST + timedelta(seconds=37 * number)
    end = begin + timedelta(seconds=30)
    return {
        "DATE-OBS": _iso(begin),
        "DATE-END": _iso(end),
        "EXPTIME": 30.0 + number % 7 / 8,
        "OBJECT": f"NGC {number % 4000}",
        "RA": number % 3600 / 10 + 0.0123,
        "DEC": number % 1700 / 10 - 85 + 0.0045,
        "AIRMASS": 1 + number % 997 / 1000,
        "FILTER": "ugriz"[number % 5],
        "OBSID": f"OB{number:09d}",
        "EXPNUM": number,
        "CCDTEMP": -100 + number % 31 / 16,
        "FOCUS": number % 211 - 100,
        "SKYLEVEL": 200 + number % 977 / 4,
        "SEEING": 0.5 + number % 89 / 64,
        "MJD-OBS": 61100 + number * 37 / 86400,
    }


def fits_bytes(number: int) -> bytes:
    """Return one FITS file."""
    from astropy.io import fits

    header, data = _template()
    places = _places(header)
    content = bytearray(header)
    for keyword, value in varying(number).items():
        at = places[keyword]
        content[at : at + CARD] = str(fits.Card(keyword, value, "as measured")).encode("ascii")
    return bytes(content) + number.to_bytes(4, "big") + data[4:]


@lru_cache
def _template() -> tuple[bytes, bytes]:
    import numpy as np
    from astropy.io import fits

    pixels = np.random.default_rng(7).integers(0, 4096, (SIDE, SIDE)).astype(">i2")
    unit = fits.PrimaryHDU(pixels)
    header = unit.header
    header["MISSION"], header["TELESCOP"], header["INSTRUME"] = "SKYWATCH", "SKYWATCH 1", "WIDE FIELD"
    header["VERSION"], header["CALIB"], header["PROCSTAT"] = "2.1", "COMPLETE", "raw"
    for keyword, value in varying(0).items():
        header[keyword] = (value, "as measured")
    while len(header) < CARDS:
        number = len(header)
        header[f"CFG{number:03d}"] = (number * 1.5 if number % 3 else f"setting {number}", "how it is set up")
    stream = io.BytesIO()
    unit.writeto(stream)
    content = stream.getvalue()
    end = -(-(CARDS + 1) * CARD // BLOCK) * BLOCK
    return content[:end], content[end:]


@lru_cache
def _places(header: bytes) -> dict[str, int]:
    cards = range(0, CARDS * CARD, CARD)
    return {header[at : at + 8].decode().rstrip(): at for at in cards}


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]


def attributes(number: int) -> dict[str, Any]:
    """Return the 28 attributes of one file of the other formats."""
    begin = _FIRST + timedelta(seconds=37 * number)
    wanted = {
        "mission": "SKYWATCH",
        "platform": "SKYWATCH 1",
        "instrument": "SOUNDER",
        "target_object": f"orbit {number}",
        "time_coverage_start": _iso(begin) + "Z",
        "time_coverage_end": _iso(begin + timedelta(seconds=30)) + "Z",
        "product_version": "2.1",
        "processing_level": "L2",
    }
    others = range(ATTRIBUTES - len(wanted))
    return wanted | {f"setting_{each}": each * 1.5 if each % 2 else f"value {each}" for each in others}


def write_files(folder: Path, kind: str, count: int) -> list[Path]:
    """Write ``count`` files of a kind (a key of ``WRITERS``) and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{kind}_{number:06d}.dat" for number in range(count)]
    for number, path in enumerate(paths):
        WRITERS[kind](path, number)
    return paths


def _write_fits(path: Path, number: int) -> None:
    path.write_bytes(fits_bytes(number))


def _write_gzip(path: Path, number: int) -> None:
    path.write_bytes(gzip.compress(fits_bytes(number), 6))


def _write_netcdf3(path: Path, number: int) -> None:
    _write_netcdf(path, number, "NETCDF3_64BIT_OFFSET")


def _write_netcdf4(path: Path, number: int) -> None:
    _write_netcdf(path, number, "NETCDF4")


def _write_netcdf(path: Path, number: int, form: Any) -> None:
    from netCDF4 import Dataset

    with Dataset(path, "w", format=form) as dataset:
        dataset.setncatts(attributes(number))
        dataset.createDimension("x", SIDE)
        dataset.createDimension("y", SIDE)
        dataset.createVariable("pixels", "i2", ("y", "x"))[:] = number


def _write_hdf5(path: Path, number: int) -> None:
    import h5py
    import numpy as np

    with h5py.File(path, "w") as file:
        for name, value in attributes(number).items():
            file.attrs[name] = value
        file["pixels"] = np.full((SIDE, SIDE), number, "i2")


WRITERS: dict[str, Callable[[Path, int], None]] = {
    "fits": _write_fits,
    "gzip": _write_gzip,
    "netcdf3": _write_netcdf3,
    "hdf5": _write_hdf5,
    "netcdf4": _write_netcdf4,
}
