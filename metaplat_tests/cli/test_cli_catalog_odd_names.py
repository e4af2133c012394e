"""Names of files that hold line breaks, control sequences, or bytes that are no UTF-8."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from metaplat_tests.standins.observation_files import fits_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat_tests.cli.conftest import Invoke


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAPLAT_CATALOG__PROCESSES", "1")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    "command",
    [("ingest",), ("watch", "--looks", "3", "--interval", "0.1"), ("reconcile",)],
    ids=lambda words: words[0],
)
def test_a_name_forges_no_line_and_moves_no_cursor(
    metaplat: Invoke, archive: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("METAPLAT_CATALOG__SETTLE_SECONDS", "0")
    (archive / "a\nerror: all is lost \x1b[31m.fits").write_text("<html>")
    answer = metaplat("catalog", command[0], archive, *command[1:])
    assert "\x1b" not in answer.err
    told = [line for line in answer.err.splitlines() if r"a\nerror: all is lost \x1b[31m.fits: html" in line]
    assert len(told) == 1
    assert not any(line.startswith("error:") for line in answer.err.splitlines())


def test_a_preflight_names_a_file_in_one_line(metaplat: Invoke, archive: Path) -> None:
    path = archive / "a\nit may start"
    path.write_bytes(fits_bytes(1))
    metaplat("catalog", "ingest", archive)
    path.unlink()
    answer = metaplat("catalog", "preflight", "--from", "2026-01-01", "--min-quality", "0")
    assert answer.code == 1
    assert "it may start" not in answer.err.splitlines()


def test_json_lines_stay_one_line_a_file(metaplat: Invoke, archive: Path) -> None:
    raw = os.fsencode(archive)
    for name in (b"new\nline.fits", b'quote".fits', b"bad\xff\xfe.fits", "ü☃.fits".encode(), b"esc\x1b.fits"):
        with open(raw + b"/" + name, "wb") as file:  # noqa: PTH123  # names that are no UTF-8
            file.write(fits_bytes(1))
    answer = metaplat("catalog", "ingest", archive, "--json")
    assert sorted(line["path"].removeprefix(f"{archive}/") for line in answer.lines) == sorted(
        ["new\nline.fits", 'quote".fits', r"bad\xff\xfe.fits", "ü☃.fits", "esc\x1b.fits"]
    )


def test_a_name_that_is_no_utf8_is_found_as_it_is_and_as_it_is_shown(metaplat: Invoke, archive: Path) -> None:
    path = os.fsdecode(os.fsencode(archive) + b"/bad\xff.fits")
    with open(path, "wb") as file:  # noqa: PTH123  # as above
        file.write(fits_bytes(1))
    metaplat("catalog", "ingest", archive)
    [row] = metaplat("catalog", "search", "--json", "--fields", "file_path,dataset_id").lines
    assert row["file_path"] == rf"{archive}/bad\xff.fits"
    for name in (path, row["file_path"]):
        assert metaplat("catalog", "show", name, "--json").json["dataset_id"] == row["dataset_id"]


def test_a_name_that_only_looks_so_is_itself(metaplat: Invoke, archive: Path) -> None:
    (archive / r"bad\xff.fits").write_bytes(fits_bytes(1))
    metaplat("catalog", "ingest", archive)
    assert metaplat("catalog", "show", rf"{archive}/bad\xff.fits", "--json").code == 0
