"""What goes wrong is one line on standard error, and an exit code that says whose fault it is."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from metaplat_tests.cli.conftest import answer_of, process, three_days

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat_tests.cli.conftest import Invoke

DOMAIN = "job_executions"


@pytest.mark.parametrize("command", ["materialize", "check", "report", "land", "collect"])
def test_an_unknown_domain_names_the_nearest(metaplat: Invoke, tmp_path: Path, command: str) -> None:
    more = [tmp_path / "x.json"] if command == "land" else []
    answer = metaplat(command, "job_exections", *more)
    assert answer.code == 2
    assert answer.error == "no domain named 'job_exections'; did you mean job_executions?"


@pytest.mark.parametrize("command", ["materialize", "check"])
@pytest.mark.parametrize("key", ["2025-13-01", "2025-11-1", "2024-12-31", "2099-01-01", "latest", "", "17"])
def test_a_partition_that_does_not_exist_is_refused(
    metaplat: Invoke, home: Path, command: str, key: str
) -> None:
    answer = metaplat(command, DOMAIN, "--partition", key)
    assert answer.code == 2
    assert answer.error.startswith(f"no partition {key!r}:")
    assert not home.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--from", "2025-11-03", "--to", "2025-11-01"], "wrong way round: 2025-11-03 lies after 2025-11-01"),
        (["--from", "2025-11-03", "--to", "2025-02-30"], "no partition '2025-02-30'"),
        (["--from", ""], "no partition ''"),
        (["--partition", "2025-11-03", "--missing"], "say one of --partition, --from/--to and --missing"),
        (["--partition", "2025-11-03", "--to", "2025-11-04"], "say one of"),
    ],
)
def test_a_range_that_cannot_be_is_refused(metaplat: Invoke, arguments: list[str], told: str) -> None:
    answer = metaplat("materialize", DOMAIN, *arguments)
    assert answer.code == 2
    assert told in answer.error


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hom = 'x'", "hom: no such setting. Did you mean home?"),
        (
            "[sensor]\nolder_partition = 3",
            "sensor.older_partition: no such setting. Did you mean sensor.older_part",
        ),
        ("[sensor]\nolder_partitions = 'many'", "sensor.older_partitions: Input should be a valid integer"),
        ("[nonsense]\nx = 1", "nonsense: no such setting"),
        ("x = [", "is not TOML"),
        ("root = 'gs://bucket'", "is not an address s3://"),
    ],
)
@pytest.mark.parametrize("place", ["before", "after", "variable", "folder"])
def test_a_wrong_settings_file_is_refused_wherever_it_is_named(
    metaplat: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str, place: str
) -> None:
    file = tmp_path / ("metaplat.toml" if place == "folder" else "other.toml")
    file.write_text(text)
    if place == "variable":
        monkeypatch.setenv("METAPLAT_CONFIG", str(file))
    before = ["--config", file] if place == "before" else []
    after = ["--config", file] if place == "after" else []
    answer = metaplat(*before, "domains", *after)
    assert answer.code == 2
    assert told in answer.error


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("METAPLAT_HOEM", "x", "METAPLAT_HOEM: no such setting. Did you mean METAPLAT_HOME?"),
        ("METAPLAT_SENSOR__OLDER", "x", "METAPLAT_SENSOR__OLDER: no such setting"),
        ("METAPLAT_S3__PARALLEL_REQUESTS", "0", "s3.parallel_requests: Input should be greater than"),
        ("METAPLAT_HOT__BACKEND", "redis", "hot.backend: Input should be 'sqlite' or 'dynamodb'"),
        ("METAPLAT_PRIVACY__DROP", "not json", "privacy"),
        ("METAPLAT_CONFIG", "/nowhere/x.toml", "/nowhere/x.toml: cannot be read"),
    ],
)
def test_a_wrong_variable_is_named(
    metaplat: Invoke, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    answer = metaplat("domains")
    assert answer.code == 2
    assert told in answer.error


def test_privacy_settings_that_fit_no_field_are_refused_before_a_run_starts(
    metaplat: Invoke, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAPLAT_PRIVACY__DROP", '["job_executions.no_such_field"]')
    answer = metaplat("materialize", DOMAIN, "--partition", "2025-11-01")
    assert answer.code == 2
    assert "no_such_field" in answer.error
    assert not (home / "dagster").exists()


@pytest.mark.parametrize("below", ["", "a/folder"])
def test_a_home_that_cannot_be_written_is_one_line(
    metaplat: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    [file, *_] = three_days(tmp_path / "files")
    monkeypatch.setenv("METAPLAT_HOME", str(file / below))
    for arguments in (["land", DOMAIN, file], ["demo"], ["materialize", DOMAIN, "--partition", "2025-11-01"]):
        answer = metaplat(*arguments)
        assert answer.code == 3
        assert str(file) in answer.error
        assert "home" in answer.error


def test_an_unreachable_s3_is_one_line_within_seconds_and_writes_nothing(home: Path, tmp_path: Path) -> None:
    [file, *_] = three_days(tmp_path / "files")
    variables = {
        "METAPLAT_ROOT": "s3://bucket/prefix",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "AKIACANARY",
        "AWS_SECRET_ACCESS_KEY": "canary",
    }
    begun = time.monotonic()
    commands = (
        ["domains"],
        ["materialize", DOMAIN, "--partition", "2025-11-01"],
        ["land", DOMAIN, file],
        ["query", "select count(*) from job_executions"],
    )
    for started in [process(*command, **variables) for command in commands]:
        answer = answer_of(started)
        assert answer.code == 3
        assert "s3://bucket/prefix" in answer.error
        assert "127.0.0.1:9" in answer.error
        assert "no connection" in answer.error
        assert "canary" not in (answer.out + answer.err).lower()
    assert time.monotonic() - begun < 300  # four processes side by side; unbounded retries take longer
    assert not home.exists()


def test_a_bucket_that_does_not_exist_is_named(
    metaplat: Invoke, monkeypatch: pytest.MonkeyPatch, moto_endpoint: str, home: Path
) -> None:
    monkeypatch.setenv("METAPLAT_ROOT", "s3://nobody-made-this-bucket")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    answer = metaplat("materialize", DOMAIN, "--partition", "2025-11-01")
    assert answer.code == 3
    assert "s3://nobody-made-this-bucket" in answer.error
    assert "NoSuchBucket" in answer.error
    assert "Create the bucket" in answer.error
    assert not home.exists()


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("selec 1", "syntax error"),
        ("select * from nowhere", "nowhere"),
        ("select nothing_like_it from job_executions", "nothing_like_it"),
        ("drop view job_executions", "SELECT"),
        ("select 1; select 2", "SELECT"),
        ("", ""),
        ("select * from read_text('/etc/hostname')", "Permission"),
    ],
)
def test_a_wrong_question_is_the_fault_of_who_asks(metaplat: Invoke, sql: str, told: str) -> None:
    answer = metaplat("query", sql)
    assert answer.code == 2
    assert answer.error.startswith("SQL: ")
    assert told in answer.error


@pytest.mark.parametrize("place", ["file/x.json", "/proc/nowhere/x.json", "folder"])
def test_a_report_that_cannot_be_written_says_where(metaplat: Invoke, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    answer = metaplat("report", "-o", tmp_path / place)
    assert answer.code == 2
    assert f"cannot write {tmp_path / place}" in answer.error
    assert (tmp_path / "file").read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["collect", DOMAIN], "say --source: job_executions has cluster, kubectl"),
        (["collect", DOMAIN, "--source", "kubctl"], "did you mean kubectl?"),
        (["collect", "vip_extracts"], "pull it with `metaplat vip pull`"),
        (["collect", DOMAIN, "--source", "kubectl", "--since", "yesterday"], "--since yesterday:"),
        (["collect", DOMAIN, "--source", "kubectl", "--since", "2025-11-01T10:00"], "no zone"),
        (["land", DOMAIN, "nothing.json"], "cannot land nothing.json: No such file"),
        (["land", DOMAIN, "nothing.json", "--partition", "2020-01-01"], "no partition '2020-01-01'"),
        (["report", "--json", "--format", "csv"], "contradict"),
    ],
)
def test_a_wrong_argument_is_a_usage_error(metaplat: Invoke, arguments: list[str], told: str) -> None:
    answer = metaplat(*arguments)
    assert answer.code == 2
    assert told in answer.error


def test_a_failing_store_in_the_middle_of_a_run_is_the_outsides_fault(
    metaplat: Invoke, home: Path, tmp_path: Path
) -> None:
    metaplat("land", DOMAIN, *three_days(tmp_path / "files"))
    (home / "lake" / DOMAIN).mkdir(parents=True)
    (home / "lake" / DOMAIN / "date=2025-11-02").write_text("a file where a folder belongs")
    answer = metaplat("materialize", DOMAIN, "--from", "2025-11-01", "--to", "2025-11-03", "--json")
    assert answer.code == 3
    assert "2025-11-02" in answer.error
    assert [entry["partition"] for entry in answer.json["partitions"]] == ["2025-11-01", "2025-11-03"]
    assert len(answer.json["failures"]) == 1


def test_no_error_shows_a_traceback_or_the_environment(
    metaplat: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAPLAT_PRIVACY__HASH_KEY", "canary-of-the-hash-key")
    monkeypatch.setenv("METAPLAT_DAGSTER__POSTGRES_URL", "postgresql://u:canary-of-postgres@127.0.0.1:9/d")
    for arguments in (["materialize", DOMAIN, "--partition", "2025-11-01"], ["materialize", "x"]):
        answer = metaplat(*arguments)
        assert answer.code in (2, 3)
        assert "canary" not in answer.error
    assert "METAPLAT_PRIVACY__HASH_KEY" in os.environ
