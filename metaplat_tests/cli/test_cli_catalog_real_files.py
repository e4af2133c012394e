"""``metaplat catalog ingest`` over every data file that astropy, sunpy, h5py, netCDF4 and scipy ship.

What is cataloged is compared with what astropy, h5py and netCDF4 themselves read of the same files.
"""

from __future__ import annotations

import importlib.util
import json
import math
import shutil
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from metaplat_tests.cli.conftest import METAPLAT, Answer, answer_of, process

PACKAGES = ("astropy", "sunpy", "h5py", "netCDF4", "scipy")
CODE = {".py", ".pyc", ".pyi", ".so", ".pyx", ".c", ".h"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the data files, so that their times and places are ours."""
    folder = tmp_path_factory.mktemp("archive")
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        root = Path(spec.origin).parent
        for path in sorted(root.rglob("*")):
            folders = path.relative_to(root).parts[:-1]
            is_data = path.suffix not in CODE and any(name.startswith("data") for name in folders)
            if path.is_file() and is_data:
                target = folder / package / path.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    return folder


@pytest.fixture(scope="module")
def answer(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Answer:
    assert METAPLAT.exists()
    home = tmp_path_factory.mktemp("home")
    return answer_of(process("catalog", "ingest", archive, "--json", METAPLAT_HOME=str(home)))


@pytest.fixture(scope="module")
def lines(answer: Answer) -> list[dict[str, Any]]:
    return answer.lines


def cataloged(lines: list[dict[str, Any]], *formats: str) -> list[dict[str, Any]]:
    rows = [line["observation"] for line in lines if line["observation"] is not None]
    return [row for row in rows if row["file_format"] in formats]


def test_every_file_has_one_line_and_every_rejected_one_a_reason(
    answer: Answer, lines: list[dict[str, Any]], archive: Path
) -> None:
    assert answer.code == 1
    assert "Traceback" not in answer.err
    files = {str(path) for path in archive.rglob("*") if path.is_file()}
    assert Counter(line["path"] for line in lines) == Counter(dict.fromkeys(files, 1))
    assert {line["status"] for line in lines} == {"cataloged", "rejected"}
    for line in lines:
        assert bool(line["error"]) == (line["observation"] is None or not _is_whole(line)), line
    assert all(": " in line["error"] for line in lines if line["status"] == "rejected")


def _is_whole(line: dict[str, Any]) -> bool:
    return bool(line["observation"]["extraction_status"] == "ok")


def test_files_of_every_format_are_cataloged(lines: list[dict[str, Any]]) -> None:
    found = Counter(
        row["file_format"] for row in cataloged(lines, *("fits", "hdf5", "netcdf3", "netcdf4", "csv"))
    )
    assert found["fits"] > 50
    assert all(found[name] >= 3 for name in ("hdf5", "netcdf3", "netcdf4", "csv")), found


def test_no_file_that_a_library_opens_is_rejected(lines: list[dict[str, Any]]) -> None:
    """Rejecting is for files that nobody can read as what they are."""
    import h5py
    import netCDF4
    from astropy.io import fits

    def opens(path: str) -> bool:
        for opened in (lambda: fits.open(path), lambda: h5py.File(path, "r"), lambda: netCDF4.Dataset(path)):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    opened().close()
            except (OSError, ValueError, KeyError, TypeError, ImportError):
                continue
            return True
        return False

    rejected = [line["path"] for line in lines if line["status"] == "rejected"]
    assert [path for path in rejected if opens(path)] == []


def test_fits_keywords_are_those_of_astropy(lines: list[dict[str, Any]]) -> None:
    from astropy.io import fits

    compared = 0
    for row in cataloged(lines, "fits"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with fits.open(row["file_path"], memmap=False) as units:
                    primary = units[0].header
                    expected = {key: _plain(value) for key, value in _first_values(primary).items()}
        except OSError:
            assert row["flags"], row["file_path"]  # what astropy refuses is told to be odd
            continue
        specific = row["mission_specific"] or {}
        for key, value in expected.items():
            if key == "NAXIS" and expected.get("GROUPS"):
                continue  # astropy changes it when it reads random groups
            if key in specific and isinstance(value, str | int | float):
                assert _alike(specific[key], value), (row["file_path"], key, specific[key], value)
                compared += 1
        for column, key in (("satellite_name", "TELESCOP"), ("instrument_type", "INSTRUME")):
            if isinstance(expected.get(key), str) and expected[key].strip():
                assert row[column] == expected[key].strip()
    assert compared > 1000


def _first_values(header: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for card in header.cards:
        try:
            values.setdefault(card.keyword, card.value)
        except Exception:  # noqa: BLE001  # astropy itself cannot read that card
            values.setdefault(card.keyword, None)
    return values


def _plain(value: Any) -> Any:
    return value.rstrip() if isinstance(value, str) else value


def _alike(found: Any, value: Any) -> bool:
    if isinstance(value, bool) or isinstance(found, bool):
        return found is value
    if isinstance(value, float) and isinstance(found, int | float):
        return math.isclose(found, value, rel_tol=1e-12) or not math.isfinite(value)
    if isinstance(value, int) and isinstance(found, str):
        return found == str(value)  # beyond 2 ** 53 a number of JSON would be another one
    return bool(found == value)


def test_attributes_are_those_of_h5py_and_netcdf4(lines: list[dict[str, Any]]) -> None:
    import h5py
    import netCDF4
    import numpy as np

    def close(found: Any, value: Any) -> bool:
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, str):
            return bool(found == value.rstrip("\0"))
        wanted = np.asarray(value).ravel().tolist()
        have = found if isinstance(found, list) else [found]
        return len(have) == len(wanted) and all(
            one == other or (isinstance(other, float) and math.isclose(one or 0, other, rel_tol=1e-6))
            for one, other in zip(have, wanted, strict=True)
        )

    compared = 0
    for row in cataloged(lines, "hdf5", "hdf-eos5", "netcdf3", "netcdf4"):
        specific = row["mission_specific"] or {}
        if row["file_format"] in ("netcdf3", "netcdf4"):
            with netCDF4.Dataset(row["file_path"]) as dataset:
                expected = {name: dataset.getncattr(name) for name in dataset.ncattrs()}
        else:
            with h5py.File(row["file_path"], "r") as file:
                expected = dict(file.attrs)
        for name, value in expected.items():
            if name in specific and isinstance(value, str | bytes | int | float | np.generic | np.ndarray):
                assert close(specific[name], value), (row["file_path"], name, specific[name], value)
                compared += 1
    assert compared >= 10


def test_observation_times_are_those_of_astropy(lines: list[dict[str, Any]]) -> None:
    from datetime import datetime

    from astropy.time import Time

    compared = 0
    for row in cataloged(lines, "fits"):
        raw, rule = row["observation_time_raw"], row["time_rule"]
        if row["observation_timestamp"] is None or rule != "DATE-OBS" or row["flags"]:
            continue
        if "T" not in str(raw):
            continue
        expected = Time(str(raw).rstrip("Z"), scale="utc").to_datetime()
        found = datetime.fromisoformat(row["observation_timestamp"]).replace(tzinfo=None)
        assert abs((found - expected).total_seconds()) < 2e-6, row["file_path"]
        compared += 1
    assert compared >= 5


def test_the_same_lines_say_unchanged_the_second_time(archive: Path, tmp_path: Path) -> None:
    home = {"METAPLAT_HOME": str(tmp_path / "home")}
    first = answer_of(process("catalog", "ingest", archive / "netCDF4", archive / "scipy", "--json", **home))
    second = answer_of(process("catalog", "ingest", archive / "netCDF4", archive / "scipy", "--json", **home))
    told = {line["path"]: line for line in second.lines}
    for line in first.lines:
        again = told[line["path"]]
        assert again["status"] == {"cataloged": "unchanged"}.get(line["status"], line["status"])
        assert json.dumps(again["error"]) == json.dumps(line["error"])
