"""``metaplat spark`` and ``collect`` where what is asked for is there, and yet not so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from metaplat.cli.options import configured_stores
from metaplat_tests.reports.spark_lake import filled
from metaplat_tests.reports.spark_report_samples import attempt
from metaplat_tests.standins.event_log_lines import whole_log

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat_tests.cli.conftest import Invoke

APP = attempt().app_id


@pytest.mark.parametrize(
    ("option", "value", "said"), [("--attempt", "77", "attempt '77'"), ("--source", "emr", "source 'emr'")]
)
def test_an_application_that_is_there_but_not_so_is_told_so(
    metaplat: Invoke, option: str, value: str, said: str
) -> None:
    filled(configured_stores(), datetime(2025, 12, 1, tzinfo=UTC), attempt())
    answer = metaplat("spark", "show", APP, option, value)
    assert answer.code == 2
    assert answer.error == f"Spark application '{APP}' is in the lake, but not with {said}"


def test_a_page_and_json_at_once_are_refused(metaplat: Invoke) -> None:
    answer = metaplat("spark", "show", "etl", "--html", "page.html", "--json")
    assert (answer.code, answer.error) == (2, "--html and --json contradict each other")


def test_a_log_that_cannot_be_read_is_no_fault_of_the_command(metaplat: Invoke, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    answer = metaplat("spark", "show", "--path", tmp_path / "empty")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.splitlines() == [
        f"rejected: {tmp_path}/empty: is empty, so it is no event log",
        f"error: no Spark application can be read in {tmp_path}/empty",
    ]


def test_a_log_is_shown_by_its_address(metaplat: Invoke, tmp_path: Path) -> None:
    (tmp_path / "app-1").write_bytes(whole_log("app-1"))
    answer = metaplat("spark", "show", "--path", f"file://{tmp_path}/app-1")
    assert (answer.code, answer.err) == (0, "")


def test_two_addresses_are_refused_before_anything_is_read(metaplat: Invoke) -> None:
    arguments = ("--source", "event-logs", "--path", "s3://one/logs", "--url", "s3://other/logs")
    answer = metaplat("collect", "spark_applications", *arguments)
    assert answer.code == 2
    assert "only one can be read" in answer.error
