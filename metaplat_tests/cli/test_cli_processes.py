"""Processes that work at once, are killed or interrupted: the same files in the end, and no run left over."""

from __future__ import annotations

import shutil
import signal
import time
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from metaplat_tests.cli.conftest import answer_of, contents_below, execution, process, write_records

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat_tests.cli.conftest import Answer, Invoke

DOMAIN = "job_executions"
RANGE = ("--from", "2025-11-01", "--to", "2025-11-20", "--json")
KEPT = ("lake", "landing", "quarantine")


@pytest.fixture
def landed(metaplat: Invoke, home: Path, tmp_path: Path) -> Path:
    """Return a home with twenty days of landed executions, some of them bad."""
    files = []
    for day in range(1, 21):
        records = [execution(f"2025-11-{day:02d}T{hour:02d}:00:00Z", f"job{hour}") for hour in range(20)]
        files.append(write_records(tmp_path / f"{day}.ndjson", *records, {"job_name": "bad"}))
    metaplat("land", DOMAIN, *files)
    return home


def statuses(home: Path) -> list[str]:
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        return sorted(run.status.value for run in instance.get_runs())


def outcomes(answer: Answer) -> dict[Any, str]:
    return {(item["rule"], item["partition"]): item["outcome"] for item in answer.json["verdicts"]}


def test_two_at_once_on_a_new_home_both_end_well_with_one_right_result(landed: Path) -> None:
    for arguments in (("--partition", "2025-11-05", "--json"), RANGE):
        started = [process("materialize", DOMAIN, *arguments) for _ in range(2)]
        answers = [answer_of(each) for each in started]
        assert [(answer.code, answer.err) for answer in answers] == [(1, ""), (1, "")]
        assert outcomes(answers[0]) == outcomes(answers[1])
        assert answers[0].json["run_id"] != answers[1].json["run_id"]
    assert statuses(landed) == ["SUCCESS"] * 4
    together = contents_below(landed, *KEPT)
    for name in ("lake", "quarantine", "state"):
        shutil.rmtree(landed / name)
    assert answer_of(process("materialize", DOMAIN, *RANGE)).code == 1
    assert contents_below(landed, *KEPT) == together


def test_a_run_killed_at_any_moment_is_repaired_by_running_it_again(landed: Path, tmp_path: Path) -> None:
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(landed, undisturbed)
    begun = time.monotonic()
    right = answer_of(process("materialize", DOMAIN, *RANGE, METAPLAT_HOME=str(undisturbed)))
    whole = time.monotonic() - begun
    for share in (0.4, 0.6, 0.8):
        killed = process("materialize", DOMAIN, *RANGE)
        time.sleep(whole * share)
        killed.kill()
        killed.communicate()
        again = answer_of(process("materialize", DOMAIN, *RANGE))
        assert (again.code, again.err) == (1, "")
        assert outcomes(again) == outcomes(right)
        assert contents_below(landed, *KEPT) == contents_below(undisturbed, *KEPT)
        assert set(statuses(landed)) <= {"SUCCESS", "FAILURE"}  # none is left as started
        for name in ("lake", "quarantine", "state"):
            shutil.rmtree(landed / name)


@pytest.mark.parametrize(
    ("sign", "later"),
    [
        ("dagster", 0.0),  # before the run
        ("dagster/running/*.lock", 0.0),
        ("dagster/running/*.lock", 0.3),
        ("quarantine/*", 0.0),  # while it ingests
        ("state/verdicts/*/*", 0.0),  # while it checks
    ],
)
def test_a_run_that_is_interrupted_ends_quietly(landed: Path, sign: str, later: float) -> None:
    started = process("materialize", DOMAIN, *RANGE)
    while started.poll() is None and not any(landed.glob(sign)):
        time.sleep(0.01)
    time.sleep(later)
    started.send_signal(signal.SIGINT)
    answer = answer_of(started)
    if answer.code == 130:
        assert answer.out == ""
        assert "Traceback" not in answer.err
    else:  # it was at its end before it was interrupted
        assert answer.json["failures"] == []
    assert "STARTED" not in statuses(landed)
    assert answer_of(process("materialize", DOMAIN, *RANGE)).code == 1
    assert set(statuses(landed)) <= {"SUCCESS", "FAILURE", "CANCELED"}


def test_a_question_that_is_answered_leaves_nothing_on_stderr() -> None:
    answer = answer_of(process("query", "select count(*) as n from table_profiles", "--json"))
    assert (answer.code, answer.json, answer.err) == (0, {"n": 0}, "")


@pytest.mark.parametrize(
    "question",
    [
        "select * from nosuch",
        "selec 1",
        "select nosuch from job_executions",
        "select 'x'::int",
        "select 1; select 2",
    ],
)
def test_a_question_that_cannot_be_answered_leaves_one_line_on_stderr(question: str) -> None:
    answer = answer_of(process("query", question))
    assert (answer.code, answer.out) == (2, "")
    assert answer.error.startswith("SQL: ")
