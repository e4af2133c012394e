"""``metaplat vip history`` and ``charts``: datasets, old CSV files, holes, consolidation."""

from __future__ import annotations

import ast
import csv
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat_tests.standins.vip.history_tree import HistoryFaults, TreeFacts, write_history

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat_tests.cli.conftest import Invoke

FIRST = datetime(2022, 2, 8, 8, tzinfo=UTC)
HOURS = 50
LAST = FIRST + timedelta(hours=HOURS - 1)
MISSING = (7, 20, 21)


@pytest.fixture(autouse=True)
def prod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAPLAT_VIP__ENVIRONMENT", "Prod")


@pytest.fixture
def tree(home: Path) -> TreeFacts:
    faults = HistoryFaults(missing=MISSING, incomplete=(30,), unexpected=(40,), manifests=False)
    return write_history(home, FIRST, HOURS, tables=5, seed=2, faults=faults)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def stamp(number: int) -> str:
    return f"{FIRST + timedelta(hours=number):%Y%m%d-%H}"


@pytest.mark.usefixtures("tree")
def test_every_hour_has_a_row_and_a_missing_one_is_zero(metaplat: Invoke, tmp_path: Path) -> None:
    answer = metaplat(
        *("vip", "history", "--from", "2022-02-08T08:00Z", "--to", f"{LAST:%Y%m%d-%H}"),
        *("--csv", tmp_path / "csv", "--json"),
    )
    assert answer.code == 0, answer.err
    assert answer.json["hours"] == HOURS
    assert answer.json["statuses"]["missing"] == len(MISSING)
    jobs = rows(tmp_path / "csv" / "historical_job_metrics.csv")
    assert list(jobs[0])[:3] == ["date", "jobDelivered", "JobExpected"]
    assert [row["date"] for row in jobs] == [stamp(number) for number in range(HOURS)]
    assert [number for number, row in enumerate(jobs) if row["jobDelivered"] == "0"] == list(MISSING)
    assert {row["JobExpected"] for row in jobs} == {"1"}


def test_the_old_files_of_tables_and_sizes_keep_their_columns_and_forms(
    metaplat: Invoke, tree: TreeFacts, home: Path, tmp_path: Path
) -> None:
    assert metaplat("vip", "history", "--csv", tmp_path / "csv").code == 0
    tables = rows(tmp_path / "csv" / "historical_table_metrics.csv")
    assert list(tables[0])[:6] == [
        *("date", "tablesDelivered", "tablesExpected"),
        *("missingTables", "missingTablesList", "completenessRatio"),
    ]
    assert len(tables) == HOURS
    lacking = tree.incomplete[FIRST + timedelta(hours=30)]
    assert ast.literal_eval(tables[30]["missingTablesList"]) == sorted(lacking)
    assert int(tables[30]["tablesDelivered"]) == 5 - len(lacking)
    assert (tables[0]["missingTablesList"], float(tables[0]["completenessRatio"])) == ("[]", 1.0)
    assert float(tables[MISSING[0]]["completenessRatio"]) == 0.0
    sizes = rows(tmp_path / "csv" / "historical_job_size.csv")
    assert list(sizes[0])[:3] == ["date", "size", "files"]
    folder = home / "IMOSDL/Hourly/20220208/08"
    found = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    assert (sizes[0]["size"], sizes[0]["files"]) == (str(sum(found) // 1000), str(len(found)))
    assert (sizes[MISSING[1]]["size"], sizes[MISSING[1]]["files"]) == ("0", "0")


@pytest.mark.usefixtures("tree")
def test_the_second_run_finds_no_new_hour_and_the_datasets_are_in_sql(metaplat: Invoke) -> None:
    assert metaplat("vip", "history").code == 0
    again = metaplat("vip", "history", "--json")
    assert (again.code, again.json["run_id"]) == (0, None)
    counted = "select count(*) as hours, sum(n_files = 0) as missing from historical_job_size"
    assert metaplat("query", counted, "--json").lines == [{"hours": HOURS, "missing": len(MISSING)}]


@pytest.mark.usefixtures("tree")
def test_a_day_alone_means_the_hours_of_it_that_the_history_needs(metaplat: Invoke) -> None:
    answer = metaplat("vip", "history", "--from", f"{FIRST:%Y-%m-%d}", "--to", f"{LAST:%Y-%m-%d}", "--json")
    first, last = (f"{moment:%Y-%m-%dT%H:00:00Z}" for moment in (FIRST, LAST))
    assert (answer.json["from"], answer.json["to"], answer.json["hours"]) == (first, last, HOURS)


@pytest.mark.usefixtures("tree")
def test_excused_hours_stay_missing_and_leave_the_verdicts(
    metaplat: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = [f"{FIRST + timedelta(hours=number):%Y-%m-%dT%H:00:00Z}" for number in MISSING]
    excused = ",".join(f'{{"first": "{hour}", "reason": "another bucket"}}' for hour in hours)
    monkeypatch.setenv("METAPLAT_VIP__EXCUSED", f"[{excused}]")
    answer = metaplat("vip", "history", "--json")
    assert answer.json["excused"] == len(MISSING)
    states = {(each["domain"], each["rule"]): each["outcome"] for each in answer.json["verdicts"]}
    assert "failed" not in {outcome for (domain, rule), outcome in states.items() if rule == "missing_hours"}


@pytest.mark.usefixtures("tree")
def test_hours_known_from_old_files_only_are_part_of_the_history(metaplat: Invoke, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    before = FIRST + timedelta(hours=-2)
    lines = [f"{FIRST + timedelta(hours=number):%Y%m%d-%H},1,1" for number in (-2, -1, 0)]
    (old / "historical_job_metrics.csv").write_text("\n".join(["date,jobDelivered,JobExpected", *lines]))
    sizes = [f"{FIRST + timedelta(hours=number):%Y%m%d-%H},5000,9" for number in (-2, -1, 0)]
    (old / "historical_job_size.csv").write_text("\n".join(["date,size,files", *sizes]))
    answer = metaplat("vip", "history", "--import", old, "--csv", tmp_path / "csv", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["hours"] == HOURS + 2
    found = rows(tmp_path / "csv" / "historical_job_size.csv")
    assert [(row["date"], row["size"]) for row in found[:2]] == [
        (f"{before:%Y%m%d-%H}", "5000"),
        (f"{before + timedelta(hours=1):%Y%m%d-%H}", "5000"),
    ]
    assert found[2]["size"] != "5000"


@pytest.mark.usefixtures("tree")
def test_missing_hours_are_copied_from_another_place(metaplat: Invoke, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    write_history(elsewhere, FIRST, HOURS, tables=5, seed=2, faults=HistoryFaults(manifests=False))
    first, last = (f"{moment:%Y-%m-%dT%H:00Z}" for moment in (FIRST, LAST))
    answer = metaplat(*("vip", "history", "--from", first, "--to", last, "--copy-from", elsewhere, "--json"))
    assert answer.code == 0, answer.err
    assert "missing" not in answer.json["statuses"]
    assert f"of {len(MISSING) + 1} hours" in answer.err  # the incomplete one gets its table, too


def test_copied_without_a_range_everything_there_is_comes_and_enters_the_history(
    metaplat: Invoke, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    write_history(elsewhere, FIRST, 5, tables=2, seed=2, faults=HistoryFaults(manifests=False))
    answer = metaplat("vip", "history", "--copy-from", elsewhere, "--json")
    assert (answer.code, answer.json["statuses"]) == (0, {"ok": 5}), answer.err


@pytest.mark.usefixtures("tree")
def test_charts_are_written_where_they_are_wanted(metaplat: Invoke, tmp_path: Path) -> None:
    assert metaplat("vip", "history").code == 0
    answer = metaplat("vip", "charts", "-o", tmp_path / "charts", "--json")
    assert answer.code == 0
    names = [path.name for path in (tmp_path / "charts").iterdir()]
    assert [sum(name.endswith(end) for name in names) for end in (".png", ".csv", ".html")] == [10, 10, 1]
    assert "https://" not in (tmp_path / "charts" / "charts.html").read_text("utf-8").partition("<script")[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "yesterday"], "no hour 'yesterday'"),
        (["--from", ""], "no hour ''"),
        (["--from", "2022-02-09", "--to", "2022-02-08"], "the wrong way round"),
        (["--from", "2021-01-01", "--to", "2021-01-02"], "do not go that far back"),
    ],
)
def test_a_range_that_makes_no_sense_is_one_line(metaplat: Invoke, words: list[str], said: str) -> None:
    answer = metaplat("vip", "history", *words)
    assert answer.code == 2
    assert said in answer.error


def test_where_nothing_was_delivered_it_says_so(metaplat: Invoke) -> None:
    answer = metaplat("vip", "history")
    assert (answer.code, answer.out) == (0, "")
    assert "nothing was delivered" in answer.err
