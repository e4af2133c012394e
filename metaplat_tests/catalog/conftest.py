"""A catalog in a folder of its own, with settings that name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metaplat.catalog.client import Catalog
from metaplat.settings import load_settings
from metaplat_tests.standins.observation_files import fits_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalog]:
    monkeypatch.setenv("METAPLAT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("METAPLAT_CATALOG__PROCESSES", "1")
    monkeypatch.delenv("METAPLAT_CONFIG", raising=False)
    with Catalog(load_settings()) as opened:
        yield opened


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder


@pytest.fixture
def delivered(archive: Path) -> Callable[[int], list[Path]]:
    """Write so many FITS files of mission HELIOS-9, a second apart from 2026-03-01."""

    def deliver(count: int) -> list[Path]:
        paths = [archive / f"frame_{number:03d}.fits" for number in range(count)]
        for number, path in enumerate(paths):
            path.write_bytes(fits_bytes(number))
        return paths

    return deliver
