"""What reading one file into its row costs, against the well-kept libraries that read what is wanted of it.

One process, warm files, CPU time per file; the ways take turns, a hundred files each, so that a busy
machine slows all of them alike. Ours opens the file, reads its whole header, and fills every column: the rest
of the header as JSON, identity and digest included; the libraries only read values.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.catalog_files import WANTED, WANTED_ATTRIBUTES, write_files
from metaplat.collectors.headers.local_source import open_local
from metaplat.collectors.headers.mappings import load_mappings
from metaplat.collectors.headers.observation import FileFacts, observe
from metaplat.collectors.headers.reading import read_header

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from metaplat.model.observation import Row

FILES = int(os.environ.get("METAPLAT_BENCH_CATALOG_FILES", "200"))
ROUNDS = int(os.environ.get("METAPLAT_BENCH_ROUNDS", "5"))
GROUP = 100

Line = tuple[str, str, str]

_MAPPINGS = load_mappings()
_MODIFIED = datetime(2026, 3, 1, tzinfo=UTC)


def extraction() -> list[Line]:
    """Return ratios of CPU time per file, each with its target."""
    astropy_wanted = "`astropy.io.fits.open`, 12 keywords"
    astropy_all = "`astropy.io.fits.open`, every card of every HDU"
    with tempfile.TemporaryDirectory(prefix="metaplat-bench-") as name:
        folder = Path(name)
        fits = _compared(folder, "fits", {astropy_wanted: with_astropy, astropy_all: with_astropy_all})
        packed = _compared(folder, "gzip", {astropy_wanted: with_astropy})
        netcdf = {"netCDF4, 8 attributes": with_netcdf4, "netCDF4, all 28": with_netcdf4_all}
        netcdf3 = _compared(folder, "netcdf3", netcdf)
        hdf5 = _compared(folder, "hdf5", {"h5py, 8 attributes": with_h5py, "h5py, all 28": with_h5py_all})
        netcdf4 = _compared(folder, "netcdf4", netcdf)
    return [
        *_ratios("FITS", fits, ">= 15 x"),
        *_ratios("gzip FITS", packed, ">= 4 x"),
        *_ratios("NetCDF-3", netcdf3, ">= 5 x"),
        *_ratios("HDF5", hdf5, ">= 1 x"),
        *_ratios("NetCDF-4", netcdf4, ">= 1 x"),
    ]


def observed(path: str) -> Row:
    """Read one file into its row, as an ingest does."""
    with open_local(path) as source:
        facts = FileFacts(path, source.size, _MODIFIED, "1772323200000000000:43200")
        return observe(read_header(source), facts, _MAPPINGS, source.first)


def header_only(path: str) -> object:
    """Read its header."""
    with open_local(path) as source:
        return read_header(source)


def with_astropy(path: str) -> list[Any]:
    """Read the wanted keywords."""
    from astropy.io import fits

    with fits.open(path) as units:
        header = units[0].header
        return [header.get(keyword) for keyword in WANTED]


def with_astropy_all(path: str) -> list[dict[str, Any]]:
    """Read the value of every card of every HDU: what ours keeps."""
    from astropy.io import fits

    with fits.open(path) as units:
        return [{card.keyword: card.value for card in unit.header.cards} for unit in units]


def with_h5py(path: str) -> list[Any]:
    """Read the wanted attributes, opened in the cheapest way."""
    import h5py

    with h5py.File(path, "r", locking=False, rdcc_nbytes=0) as file:
        return [file.attrs[name] for name in WANTED_ATTRIBUTES]


def with_h5py_all(path: str) -> dict[str, Any]:
    """Read all attributes of the root."""
    import h5py

    with h5py.File(path, "r", locking=False, rdcc_nbytes=0) as file:
        return dict(file.attrs)


def with_netcdf4_all(path: str) -> dict[str, Any]:
    """Read all global attributes."""
    from netCDF4 import Dataset

    with Dataset(path) as dataset:
        return {name: dataset.getncattr(name) for name in dataset.ncattrs()}


def with_netcdf4(path: str) -> list[Any]:
    """Read the wanted attributes."""
    from netCDF4 import Dataset

    with Dataset(path) as dataset:
        return [dataset.getncattr(name) for name in WANTED_ATTRIBUTES]


def _compared(folder: Path, kind: str, peers: Mapping[str, Callable[[str], object]]) -> dict[str, float]:
    """Return CPU microseconds per file of ours, of our reading alone, and of the peers."""
    paths = [str(path) for path in write_files(folder / kind, kind, FILES)]
    assert observed(paths[1])["mission_id"] == "SKYWATCH"
    ways: dict[str, Callable[[str], object]] = {"ours": observed, "header": header_only, **peers}
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        spent = _round(ways, paths)
        for name in ways if number else ():  # the first one loads libraries
            rounds[name].append(spent[name] / len(paths) * 1e6)
    return {name: statistics.median(each) for name, each in rounds.items()}


def _round(ways: Mapping[str, Callable[[str], object]], paths: Sequence[str]) -> dict[str, float]:
    spent = dict.fromkeys(ways, 0.0)
    for start in range(0, len(paths), GROUP):
        group = paths[start : start + GROUP]
        for name, way in ways.items():
            begun = time.process_time()
            for path in group:
                way(path)
            spent[name] += time.process_time() - begun
    return spent


def _ratios(what: str, costs: Mapping[str, float], target: str) -> list[Line]:
    ours, header = costs["ours"], costs["header"]
    return [
        (
            f"{what}: {name} / ours",
            f"{cost / ours:.1f} x ({cost:.0f} µs against {ours:.0f} µs, of which the header {header:.0f} µs)",
            target,
        )
        for name, cost in costs.items()
        if name not in ("ours", "header")
    ]


if __name__ == "__main__":
    for line in extraction():
        print(*line, sep=" | ")
