"""Times within the windows of missions, and the windows that the settings name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.domains.observations import mission_windows
from metaplat.model.errors import SettingsError
from metaplat.model.verdict import Outcome, Severity
from metaplat.rules.catalog.time_within_mission import time_within_mission
from metaplat_tests.rules.catalog.catalog_evidence import DAY, NOON_AFTER, UNKNOWN, files, judged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from metaplat.model.verdict import Verdict

START, END = DAY - timedelta(days=10), DAY - timedelta(days=2)
WINDOWS: dict[str, tuple[datetime | None, datetime | None]] = {
    "HST": (START, END),
    "Open": (None, None),
    "Exact": (None, END + timedelta(hours=6)),
}


def verdict_of(*rows: Mapping[str, Any], **facts: Any) -> Verdict:
    return judged(time_within_mission(lambda: WINDOWS), files(*rows), **facts)


def at(time: datetime, mission: str | None = "HST") -> dict[str, Any]:
    return {"observation_timestamp": time, "mission_id": mission}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (at(START), None),
        (at(START - timedelta(microseconds=1)), "before_start"),
        (at(START - timedelta(days=1), "hst"), "before_start"),
        (at(END + timedelta(hours=23, minutes=59)), None),  # the end is a date: that whole day
        (at(END + timedelta(days=1)), "after_end"),
        (at(END + timedelta(hours=6), "Exact"), "after_end"),
        (at(END + timedelta(hours=5), "Exact"), None),
        (at(datetime(1990, 1, 1, tzinfo=UTC), "Open"), None),
        (at(datetime(1990, 1, 1, tzinfo=UTC), "Unheard of"), None),
        (at(datetime(1950, 1, 1, tzinfo=UTC), None), None),
        (at(NOON_AFTER + timedelta(minutes=59), None), None),
        (at(NOON_AFTER + timedelta(minutes=61), None), "in_future"),
        (at(datetime(2069, 1, 1, tzinfo=UTC), "HST"), "in_future"),
    ],
)
def test_a_time_is_within_its_mission_and_not_ahead(row: dict[str, Any], problem: str | None) -> None:
    verdict = verdict_of(row)
    assert verdict.outcome is (Outcome.FAILED if problem else Outcome.PASSED)
    assert [sample["problem"] for sample in verdict.samples] == ([problem] if problem else [])
    assert verdict.numbers["out_of_window"] == bool(problem)
    if problem:
        assert verdict.numbers[problem] == 1


def test_the_partition_of_the_unknown_is_judged_too() -> None:
    frame = (at(datetime(2069, 1, 1, tzinfo=UTC)), {"observation_timestamp": None})
    verdict = verdict_of(*frame, partition=UNKNOWN)
    assert (verdict.outcome, verdict.numbers["in_future"], verdict.numbers["files"]) == (Outcome.FAILED, 1, 1)
    assert verdict_of({"observation_timestamp": None}, partition=UNKNOWN).outcome is Outcome.NOT_EVALUATED


def test_what_is_wrong_is_counted_by_kind_and_said() -> None:
    verdict = verdict_of(
        at(START - timedelta(days=5)),
        at(DAY),
        at(DAY),
        at(NOON_AFTER + timedelta(days=9)),
        at(START),
        at(DAY, None),
    )
    assert verdict.numbers == {
        "files": 6,
        "out_of_window": 4,
        "before_start": 1,
        "after_end": 2,
        "in_future": 1,
        "without_window": 1,
    }
    assert (
        "4 of 6 files are of a time that cannot be: 1 before the mission began, 2 after it ended, 1 in"
        in (verdict.sentence)
    )
    assert time_within_mission(lambda: WINDOWS).severity is Severity.ERROR


def test_only_files_that_are_there_are_judged() -> None:
    assert verdict_of(at(DAY) | {"file_state": "vanished"}).outcome is Outcome.NOT_EVALUATED


def test_the_windows_are_those_of_the_bundled_mappings_and_of_the_users_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("METAPLAT_CONFIG", raising=False)
    assert mission_windows()["ROSAT"][1] == datetime(1999, 2, 13, tzinfo=UTC)
    mappings = tmp_path / "missions.toml"
    mappings.write_text("[missions.SKYLARK]\nstart = 2024-05-01\n")
    monkeypatch.setenv("METAPLAT_CATALOG__MAPPINGS", str(mappings))
    assert mission_windows()["SKYLARK"] == (datetime(2024, 5, 1, tzinfo=UTC), None)
    mappings.write_text("[missions.SKYLARK]\nstart = 2023-05-01T12:00:00Z\n")
    assert mission_windows()["SKYLARK"][0] == datetime(2023, 5, 1, 12, tzinfo=UTC)
    mappings.unlink()
    with pytest.raises(SettingsError, match=r"missions\.toml"):
        mission_windows()
