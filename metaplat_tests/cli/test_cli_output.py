"""What commands print: JSON alone on standard output, tables for people, nothing where nobody reads."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from metaplat_tests.cli.conftest import (
    KUBERNETES,
    METAPLAT,
    contents_below,
    execution,
    three_days,
    write_records,
)

if TYPE_CHECKING:
    from metaplat_tests.cli.conftest import Invoke

DOMAIN = "job_executions"


def test_every_json_command_prints_json_and_nothing_else(metaplat: Invoke, tmp_path: Path) -> None:
    files = three_days(tmp_path / "files")
    bad = tmp_path / "bad.json"
    bad.write_text("{cut")
    landed = metaplat("land", DOMAIN, *files, bad, "--json")
    assert landed.code == 0
    assert [line["status"] for line in landed.lines] == ["landed"] * 4
    assert "bad.json" in landed.err  # what is to be said beside goes to the other stream

    run = metaplat("materialize", DOMAIN, "--json")
    assert run.code == 1
    assert set(run.json) == {"domain", "run_id", "run_ids", "partitions", "verdicts", "failures"}
    assert metaplat("materialize", DOMAIN, "--missing", "--json").json["run_ids"] == []
    assert metaplat("check", DOMAIN, "--json").json["domain"] == DOMAIN
    listed = {each["domain"]: each for each in metaplat("domains", "--json").json["domains"]}
    assert listed[DOMAIN]["rows"] == 6
    assert DOMAIN in {each["domain"] for each in metaplat("report", "--json").json["domains"]}
    assert metaplat("query", "select 1 as x, null as y", "--json").lines == [{"x": 1, "y": None}]
    collected = metaplat("collect", DOMAIN, "--source", "kubectl", "--path", KUBERNETES, "--json")
    assert collected.json["landed"] == collected.json["records"] > 0


def test_values_that_json_does_not_know_are_printed_as_text(metaplat: Invoke) -> None:
    sql = (
        "select 'NaN'::double as nan, date '2025-11-01' as day, [1, 2] as list, {'a': 1} as struct,"
        " timestamptz '2025-11-01 02:00:00+00' as moment, 1.50::decimal(9, 2) as price"
    )
    [row] = metaplat("query", sql, "--json").lines
    assert row["nan"] is None
    assert row["day"] == "2025-11-01"
    assert row["moment"] == "2025-11-01T02:00:00+00:00"
    assert row["price"] == "1.50"
    assert row["list"] == [1, 2]
    assert row["struct"] == {"a": 1}


def test_a_wide_answer_is_printed_one_row_a_line(metaplat: Invoke) -> None:
    columns = ", ".join(f"'value of column {number}' as column_{number}" for number in range(40))
    answer = metaplat("query", f"select {columns} from range(3)")
    assert len(answer.out.splitlines()) == 4
    assert answer.out.count("value of column 39") == 3


def test_a_file_whose_name_is_not_utf8_is_landed_and_told(metaplat: Invoke, tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/na\xefve.json"))
    try:
        file.write_text(json.dumps(execution("2025-11-01T01:00:00Z")))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    answer = metaplat("land", DOMAIN, file, "--json")
    if answer.code == 0:
        assert answer.json["partition"] == "2025-11-01"
    else:  # or refused in one line, never in a traceback
        assert answer.error


def test_a_report_is_written_in_the_form_its_name_says(metaplat: Invoke, tmp_path: Path) -> None:
    metaplat("land", DOMAIN, *three_days(tmp_path / "files"))
    metaplat("materialize", DOMAIN)
    for name, beginning in (
        ("a.html", "<!doctype html>"),
        ("a.csv", "domain,rule,"),
        ("a.txt", "{"),
        ("a", "{"),
    ):
        answer = metaplat("report", "-o", tmp_path / "new" / name)
        assert (answer.code, answer.out) == (0, "")
        assert (tmp_path / "new" / name).read_text().lower().startswith(beginning)
    assert metaplat("report", "--format", "csv", "-o", tmp_path / "b.html").code == 0
    assert (tmp_path / "b.html").read_text().startswith("domain,rule,")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"a.html", "a.csv", "a.txt", "a"}


def test_a_report_written_through_a_link_or_to_a_pipe_replaces_neither(
    metaplat: Invoke, tmp_path: Path
) -> None:
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    assert metaplat("report", "-o", tmp_path / "link.json").code == 0
    assert (tmp_path / "link.json").is_symlink()
    assert "domains" in json.loads((tmp_path / "real.json").read_text())

    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        assert metaplat("report", "-o", tmp_path / "pipe").code == 0
        assert reader.stdout is not None
        assert "domains" in json.loads(reader.stdout.read())
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_reader_that_leaves_early_is_no_error() -> None:
    for command in ("query 'select * from range(20000)'", "query --json 'select * from range(20000)'"):
        piped = f"{METAPLAT} {command} | head -1; echo ${{PIPESTATUS[0]}}"
        answer = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, check=True)
        assert answer.stderr == ""
        assert answer.stdout.splitlines()[-1] == "0"
        assert len(answer.stdout.splitlines()) == 2


def test_nothing_landed_is_said_and_starts_no_run(metaplat: Invoke, home: Path) -> None:
    answer = metaplat("materialize", DOMAIN)
    assert (answer.code, answer.out) == (0, "")
    assert "nothing landed" in answer.err
    answer = metaplat("check", DOMAIN)
    assert (answer.code, answer.out) == (0, "")
    assert "nothing of job_executions was ever ingested" in answer.err
    assert not home.exists()


def test_people_read_what_fails_and_how_much_was_done(metaplat: Invoke, tmp_path: Path) -> None:
    write_records(
        tmp_path / "day.ndjson", execution("2025-11-01T01:00:00Z"), {"job_name": "x", "status": "?"}
    )
    metaplat("land", DOMAIN, tmp_path / "day.ndjson")
    answer = metaplat("materialize", DOMAIN)
    assert answer.code == 1
    assert "quarantine" in answer.out
    assert "2025-11-01" in answer.out
    assert "1 partitions, 1 rows, 1 records in quarantine" in answer.err


def test_a_dry_run_prints_one_line_per_execution_and_lands_nothing(metaplat: Invoke, home: Path) -> None:
    answer = metaplat("collect", DOMAIN, "--source", "kubectl", "--path", KUBERNETES, "--dry-run", "--json")
    assert answer.code == 0
    jobs = json.loads((KUBERNETES / "jobs.json").read_text())["items"]
    assert len(answer.lines) == len(jobs)
    for record in answer.lines:
        assert {"job_name", "execution_date", "status", "failure_reason", "resources_used"} <= set(record)
    assert not home.exists()
    table = metaplat("collect", DOMAIN, "--source", "kubectl", "--path", KUBERNETES, "--dry-run")
    assert len(table.out.splitlines()) >= len(jobs) + 1


def test_a_second_collect_changes_nothing(metaplat: Invoke, home: Path) -> None:
    command = ("collect", DOMAIN, "--source", "kubectl", "--path", KUBERNETES)
    first = metaplat(*command, "--json").json
    assert first["landed"] == first["records"]
    landed = contents_below(home)
    assert len(landed) == first["records"]
    assert metaplat(*command, "--json").json["unchanged"] == first["records"]
    assert contents_below(home) == landed
    told = metaplat(*command)
    assert "next: metaplat materialize job_executions --missing" in told.err


PROGRESS = """
import sys, time
from metaplat.cli import output
output.QUIET_SECONDS = float(sys.argv[1])
with output.progress_bar() as draw:
    for done in range(1, 31):
        draw("ingest", done, 30)
        draw("check", done, 30)
        time.sleep(0.02)
"""


@pytest.mark.parametrize(("quiet", "drawn"), [("0", True), ("60", False)])
def test_progress_is_one_bar_a_kind_of_work_and_only_where_it_lasts(quiet: str, drawn: bool) -> None:
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", PROGRESS, quiet], stderr=theirs) as started:
        os.close(theirs)
        told = b""
        try:
            while part := os.read(ours, 65536):
                told += part
        except OSError:  # the other end was closed: Linux says so this way
            pass
        os.close(ours)
    assert started.returncode == 0
    assert (b"ingest" in told) is drawn
    last_frame = told.rpartition(b"ingest")[2]
    assert last_frame.count(b"check") == int(drawn)


def test_nothing_is_drawn_where_nobody_watches(metaplat: Invoke, tmp_path: Path) -> None:
    metaplat("land", DOMAIN, *three_days(tmp_path / "files"))
    answer = metaplat("materialize", DOMAIN, "--json")
    assert answer.err == ""


def test_a_full_standard_output_is_one_line_of_error() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    shell = f"{METAPLAT} domains --json > /dev/full"
    answer = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert answer.returncode == 3
    assert answer.stderr.startswith("error: standard output: print the result: No space left on device")
    assert len(answer.stderr.splitlines()) == 1


def test_a_closed_standard_output_is_one_line_of_error() -> None:
    answer = subprocess.run(
        ["bash", "-c", f"{METAPLAT} domains --json >&-"], capture_output=True, text=True, check=False
    )
    assert (answer.returncode, len(answer.stderr.splitlines())) == (3, 1)
