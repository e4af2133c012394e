"""``metaplat spark``: an application shown, compared and reported, from the lake and from its log."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat.cli.options import configured_stores
from metaplat_tests.reports.spark_lake import filled
from metaplat_tests.reports.spark_report_samples import ATTACK, attempt, large
from metaplat_tests.standins.event_log_lines import application_start, whole_log

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat_tests.cli.conftest import Invoke

NOW = datetime(2025, 12, 1, tzinfo=UTC)
APP = attempt().app_id
PARTS = ("2 findings: 1 high, 1 medium", "Figures", "From 2025-11-20 02:15:00", "4 stages", "Executors: ")


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


@pytest.fixture
def lake() -> None:
    """Keep two attempts of one application in the lake."""
    later = attempt(app_id="application_1763600000000_0057", duration_ms=1_448_000)
    later.stages[0].duration_ms = 300_000
    later.environment["spark.executor.memory"] = "16g"
    later.end_time = (attempt().end_time or NOW) + timedelta(days=1)
    later.start_time = (attempt().start_time or NOW) + timedelta(days=1)
    filled(configured_stores(), NOW, attempt(), later)


@pytest.mark.usefixtures("lake")
def test_the_page_has_its_parts_in_order_with_the_findings_first(metaplat: Invoke) -> None:
    answer = metaplat("spark", "show", APP)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("nightly orders\ncompleted, 12 min 4 s\n")
    places = [answer.out.index(part) for part in PARTS]
    assert places == sorted(places)
    assert "Try: Enable spark.sql.adaptive.skewJoin.enabled=true, or salt the key." in answer.out
    assert "FetchFailed: executor 3 was lost" in answer.out
    assert "not known        driver memory" in answer.out


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize("columns", ["80", "120", "160"])
def test_no_line_is_longer_than_the_terminal(
    metaplat: Invoke, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for command in (("show", APP), ("compare", "nightly orders")):
        answer = metaplat("spark", *command)
        assert max(map(len, answer.out.splitlines())) <= int(columns)


@pytest.mark.usefixtures("lake")
def test_json_is_the_record_one_line_an_attempt(metaplat: Invoke) -> None:
    assert metaplat("spark", "show", APP, "--json").lines == [attempt().record()]
    both = metaplat("spark", "show", "nightly orders", "--json").lines
    assert [record["app_id"][-4:] for record in both] == ["0057", "0042"]
    assert [len(record["stages"]) for record in both] == [5, 5]


@pytest.mark.usefixtures("lake")
def test_of_a_name_the_newest_is_shown_and_others_are_named(metaplat: Invoke) -> None:
    answer = metaplat("spark", "show", "nightly*")
    assert "application      application_1763600000000_0057" in answer.out
    assert answer.err == f"also found: event-logs/{APP}/1\n"


@pytest.mark.usefixtures("lake")
def test_the_page_is_written_where_it_is_wanted(metaplat: Invoke, tmp_path: Path) -> None:
    answer = metaplat("spark", "show", APP, "--html", "page.html")
    assert (answer.code, answer.out, answer.err) == (0, "", "wrote page.html\n")
    assert "<h1>nightly orders</h1>" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("lake")
def test_two_applications_side_by_side(metaplat: Invoke) -> None:
    answer = metaplat("spark", "compare", APP, "application_1763600000000_0057")
    assert answer.code == 0
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert "duration 12 min 4 s 24 min 8 s 2.00 worse" in lines
    assert "spark.executor.memory" in answer.out
    found = metaplat("spark", "compare", APP, "application_1763600000000_0057", "--json").json
    assert found["figures"][0] == {
        "name": "duration_ms",
        "a": 724_000,
        "b": 1_448_000,
        "ratio": 2.0,
        "mark": "worse",
    }
    assert found["settings"] == [{"name": "spark.executor.memory", "a": "8g", "b": "16g"}]
    assert found["stages"][0]["change_ms"] == 180_000


@pytest.mark.usefixtures("lake")
def test_a_name_alone_compares_its_newest_two_attempts(metaplat: Invoke) -> None:
    found = metaplat("spark", "compare", "nightly orders", "--json").json
    assert (found["a"]["app_id"][-4:], found["b"]["app_id"][-4:]) == ("0042", "0057")
    alone = metaplat("spark", "compare", APP)
    assert (alone.code, alone.error) == (
        2,
        f"there is only one attempt of {APP}: say what to compare it with",
    )


@pytest.mark.usefixtures("lake")
def test_the_report_is_written_with_the_pages_it_names(metaplat: Invoke, home: Path) -> None:
    answer = metaplat("spark", "report")
    assert (answer.code, answer.err) == (0, f"wrote {home}/reports/spark/index.html\n")
    assert (home / "reports" / "spark" / "index.html").is_file()
    assert metaplat("spark", "report", "-o", "all.html").err == "wrote all.html\n"
    assert set(metaplat("spark", "report", "--json").json) >= {"totals", "slowest", "spill", "findings"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show",), "say APP: an application id or name; or --path, where its log is"),
        (("show", "etl"), "no Spark application 'etl' is in the lake: it holds none."),
        (("compare", "etl", "other"), "no Spark application 'etl' is in the lake: it holds none."),
        (("show", "etl", "--path", "nowhere"), "nowhere"),
    ],
)
def test_what_is_not_there_is_one_clear_line(metaplat: Invoke, arguments: tuple[str, ...], said: str) -> None:
    answer = metaplat("spark", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.error


def test_a_log_is_shown_without_a_lake(metaplat: Invoke, logs: Path, home: Path) -> None:
    (logs / "app-1").write_bytes(whole_log("app-1"))
    for place in (logs, logs / "app-1"):
        answer = metaplat("spark", "show", "--path", place)
        assert (answer.code, answer.err) == (0, "")
        assert "application      app-1" in answer.out
    assert not (home / "lake").exists()
    assert metaplat("spark", "show", "app-1", "--path", logs, "--json").lines[0]["app_id"] == "app-1"


def test_of_many_logs_one_is_named(metaplat: Invoke, logs: Path) -> None:
    for number in (1, 2):
        (logs / f"app-{number}").write_bytes(whole_log(f"app-{number}"))
    answer = metaplat("spark", "show", "--path", logs)
    assert answer.code == 2
    assert answer.error.startswith("2 applications are there: say one, for example app-")
    assert "application      app-2" in metaplat("spark", "show", "app-2", "--path", logs).out
    wrong = metaplat("spark", "show", "app-3", "--path", logs)
    assert (wrong.code, wrong.error.partition(";")[0]) == (2, "no Spark application named 'app-3'")
    compared = metaplat("spark", "compare", "app-1", "app-2", "--path", logs, "--json").json
    assert [each["ratio"] for each in compared["figures"] if each["name"] == "duration_ms"] == [1.0]


def test_a_log_that_cannot_be_read_is_told_and_hides_no_other(metaplat: Invoke, logs: Path) -> None:
    (logs / "app-1").write_bytes(whole_log("app-1"))
    (logs / "app-2").write_bytes(b"remember the milk\n")
    answer = metaplat("spark", "show", "app-1", "--path", logs)
    assert answer.code == 1
    assert "application      app-1" in answer.out
    assert "app-2" in answer.err


def test_a_name_commands_neither_the_terminal_nor_the_browser(
    metaplat: Invoke, logs: Path, tmp_path: Path
) -> None:
    name = f"\x1b[2J{ATTACK}\r\n\x07"
    (logs / "app-1").write_bytes(application_start("app-1", name=name))
    answer = metaplat("spark", "show", "--path", logs)
    assert all(line.isprintable() for line in answer.out.splitlines())
    assert metaplat("spark", "show", "--path", logs, "--html", "page.html").code == 0
    assert ATTACK not in (tmp_path / "page.html").read_text(encoding="utf-8")
    [record] = metaplat("spark", "show", "--path", logs, "--json").lines
    assert record["app_name"] == name
    assert json.dumps(record)


def test_thousands_of_stages_are_a_short_page(metaplat: Invoke) -> None:
    filled(configured_stores(), NOW, large(3000, 40))
    answer = metaplat("spark", "show", APP)
    assert answer.code == 0
    assert len(answer.out.splitlines()) < 120
    for said in ("the 12 longest of 1,000 jobs", "the 15 longest of 3,000 stages"):
        assert said in answer.out
