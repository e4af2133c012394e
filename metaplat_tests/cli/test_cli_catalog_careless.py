"""``metaplat catalog`` with options that a careless caller gives: blank, contradictory, out of all range."""

from __future__ import annotations

import json
import os
import stat
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
def frames(metaplat: Invoke, tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"frame_{number}.fits" for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(fits_bytes(number))
    assert metaplat("catalog", "ingest", *paths).code == 0
    return paths


@pytest.mark.parametrize("option", ["--mission", "--target", "--from", "--to", "--where", "--cone", "--text"])
@pytest.mark.parametrize("blank", ["", "  "], ids=["empty", "blanks"])
@pytest.mark.parametrize("command", ["search", "facets", "preflight"])
def test_a_blank_option_does_not_widen_a_search_to_everything(
    metaplat: Invoke, command: str, option: str, blank: str
) -> None:
    answer = metaplat("catalog", command, option, blank)
    assert (answer.code, answer.out) == (2, "")
    assert answer.error == f"{option} is blank: give a value, or leave {option} out"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--window-days", "0"), "window_days 0.0: it must be above 0"),
        (("--window-days", "1e300"), "window_days 1e+300"),
        (("--window-days", "nan"), "window_days nan"),
        (("--out-ratio", "inf"), "out_ratio inf: it must be from 0 to 1e+15"),
        (("--out-ratio", "1e300"), "out_ratio 1e+300"),
        (
            ("--min-datasets", "3", "--max-datasets", "2"),
            "max_datasets 2: it must be at least min_datasets, 3",
        ),
    ],
    ids=str,
)
def test_a_preflight_that_cannot_be_meant_is_one_line(
    metaplat: Invoke, options: tuple[str, ...], told: str
) -> None:
    answer = metaplat("catalog", "preflight", *options)
    assert answer.code == 2
    assert told in answer.error


def test_a_preflight_looks_back_as_far_as_there_is_time(metaplat: Invoke, frames: list[Path]) -> None:
    answer = metaplat("catalog", "preflight", "--window-days", "365000", "--min-datasets", "3", "--json")
    assert answer.json["checks"][0]["numbers"]["in_window"] == len(frames)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--type", "raw_to_prcessed"), "raw_to_processed, calibration, derived, supersedes"),
        (("--impact", "--dir", "ancestors"), "--impact"),
        (("--impact", "--type", "calibration"), "--impact"),
    ],
    ids=str,
)
def test_a_graph_that_would_be_empty_or_another_is_an_error(
    metaplat: Invoke, frames: list[Path], options: tuple[str, ...], told: str
) -> None:
    answer = metaplat("catalog", "graph", frames[0], *options)
    assert answer.code == 2
    assert told in answer.error


@pytest.mark.usefixtures("frames")
def test_stac_names_choose_columns_in_tables_and_exports(metaplat: Invoke, tmp_path: Path) -> None:
    table = metaplat("catalog", "search", "--fields", "datetime,mission,mission_id")
    assert table.out.splitlines()[0].split() == ["observation_timestamp", "mission_id"]
    target = tmp_path / "out.ndjson"
    assert metaplat("catalog", "export", "-o", target, "--fields", "datetime,mission").code == 0
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert [list(line) for line in lines] == [["observation_timestamp", "mission_id"]] * 3


@pytest.mark.usefixtures("frames")
def test_an_export_of_unknown_columns_is_an_error_that_lists_them(metaplat: Invoke, tmp_path: Path) -> None:
    answer = metaplat("catalog", "export", "-o", tmp_path / "out.csv", "--fields", "colour")
    assert answer.code == 2
    assert "observation_timestamp" in answer.error
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.usefixtures("frames")
def test_an_export_has_the_permissions_of_any_new_file(metaplat: Invoke, tmp_path: Path) -> None:
    target, other = tmp_path / "out.csv", tmp_path / "other"
    before = os.umask(0o022)
    try:
        assert metaplat("catalog", "export", "-o", target).code == 0
        other.touch()
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(other.stat().st_mode) == 0o644


@pytest.mark.usefixtures("frames")
def test_an_export_may_have_the_longest_name_there_is(metaplat: Invoke, tmp_path: Path) -> None:
    target = tmp_path / ("x" * 251 + ".csv")
    assert metaplat("catalog", "export", "-o", target).code == 0
    assert len(target.read_text().splitlines()) == 4
