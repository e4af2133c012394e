"""From landed files to rows, verdicts and reports that agree, on this disk and on AWS by settings alone."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from metaplat.domains import domain_named
from metaplat.settings import load_settings
from metaplat.stores.home import open_stores
from metaplat_tests.cli.conftest import (
    KUBERNETES,
    contents_below,
    execution,
    files_below,
    three_days,
    write_records,
)
from metaplat_tests.standins.spark_jobs import needs_java

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from metaplat_tests.cli.conftest import Answer, Invoke

DOMAIN = "job_executions"
CATALOGED = ("observations", "dataset_relationships", "processing_events")
VENDOR = ("ingest_vip_extracts", "vip_history")
SPARK = ("spark_applications", "spark_executors", "spark_stages")
NOVEMBER = ("--from", "2025-11-01", "--to", "2025-11-30")
Verdicts = dict[tuple[str, str | None], tuple[str, str, dict[str, Any]]]


def runs_of(home: Path) -> list[dg.DagsterRun]:
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        return list(instance.get_runs())


def by_place(items: list[dict[str, Any]]) -> Verdicts:
    found = {
        (item["rule"], item["partition"]): (item["outcome"], item["sentence"], item["numbers"])
        for item in items
    }
    assert len(found) == len(items)
    return found


def test_a_month_is_one_run_and_every_answer_agrees_with_its_verdicts(
    metaplat: Invoke, home: Path, tmp_path: Path
) -> None:
    assert metaplat("land", DOMAIN, *three_days(tmp_path / "files")).code == 0
    answer = metaplat("materialize", DOMAIN, *NOVEMBER, "--json")
    assert answer.code == 1
    document = answer.json
    [run] = runs_of(home)
    assert document["run_ids"] == [document["run_id"]] == [run.run_id]
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert [entry["partition"] for entry in document["partitions"]] == [
        f"2025-11-{day:02d}" for day in range(1, 31)
    ]
    rows = {entry["partition"]: entry["rows"] for entry in document["partitions"]}
    assert [rows[f"2025-11-0{day}"] for day in (1, 2, 3, 4)] == [3, 2, 1, 0]

    verdicts = by_place(document["verdicts"])
    domain = domain_named(DOMAIN)
    for rule in domain.rules:
        assert (rule.name, None) in verdicts
        partitions = {partition for name, partition in verdicts if name == rule.name} - {None}
        assert len(partitions) == (30 if rule.judge else 0)
    assert verdicts["completeness_peak_memory_gb", "2025-11-02"][0] == "failed"
    assert verdicts["completeness_peak_memory_gb", "2025-11-01"][0] == "passed"
    assert verdicts["row_count", "2025-11-04"][0] == "failed"

    [reported] = metaplat("report", DOMAIN, "--format", "json").json["domains"]
    assert by_place(reported["verdicts"]) == verdicts
    assert {key: value for key, value in reported["rows"].items() if value} == {
        key: value for key, value in rows.items() if value
    }
    sql = "select status, count(*) as runs from job_executions group by 1 order by 1"
    assert metaplat("query", sql, "--json").lines == [
        {"status": "FAILED", "runs": 1},
        {"status": "SUCCESS", "runs": 5},
    ]
    sql = "select date, count(*) as rows from job_executions group by 1 order by 1"
    counted = {line["date"]: line["rows"] for line in metaplat("query", sql, "--json").lines}
    assert counted == {key: value for key, value in rows.items() if value}


def test_the_events_in_dagster_are_those_verdicts(metaplat: Invoke, home: Path, tmp_path: Path) -> None:
    metaplat("land", DOMAIN, *three_days(tmp_path / "files"))
    document = metaplat("materialize", DOMAIN, "--from", "2025-11-01", "--to", "2025-11-04", "--json").json
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        records = instance.get_records_for_run(
            document["run_id"], of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ).records
    events = [record.event_log_entry.dagster_event for record in records]
    recorded = {
        (event.asset_check_evaluation_data.check_name, event.asset_check_evaluation_data.partition): (
            "passed" if event.asset_check_evaluation_data.passed else "failed"
        )
        for event in events
        if event
    }
    summaries = {rule.name: rule.summary_name for rule in domain_named(DOMAIN).rules}
    told = {
        (rule if partition else summaries[rule], partition): outcome
        for (rule, partition), (outcome, _, _) in by_place(document["verdicts"]).items()
        if outcome != "not evaluated"
    }
    assert recorded == told


def test_missing_takes_one_run_a_stretch_and_nothing_twice(
    metaplat: Invoke, home: Path, tmp_path: Path
) -> None:
    for day in (1, 2, 5):
        moment = f"2025-11-0{day}T01:00:00Z"
        metaplat("land", DOMAIN, write_records(tmp_path / f"{day}.ndjson", execution(moment)))
    document = metaplat("materialize", DOMAIN, "--json").json
    assert [entry["partition"] for entry in document["partitions"]] == [
        "2025-11-01",
        "2025-11-02",
        "2025-11-05",
    ]
    assert len(document["run_ids"]) == len(runs_of(home)) == 2
    assert metaplat("materialize", DOMAIN, "--missing", "--json").json["run_ids"] == []


def test_a_check_alone_repeats_the_verdicts_and_leaves_the_rows(
    metaplat: Invoke, home: Path, tmp_path: Path
) -> None:
    metaplat("land", DOMAIN, *three_days(tmp_path / "files"))
    first = metaplat("materialize", DOMAIN, "--json").json
    before = contents_below(home, "lake", "landing", "quarantine")
    answer = metaplat("check", DOMAIN, "--json")
    assert answer.code == 1
    without_age = [item for item in answer.json["verdicts"] if item["rule"] != "freshness"]
    assert by_place(without_age) == by_place(
        [item for item in first["verdicts"] if item["rule"] != "freshness"]
    )
    assert contents_below(home, "lake", "landing", "quarantine") == before
    one = metaplat("check", DOMAIN, "--partition", "2025-11-02", "--json").json
    assert {item["partition"] for item in one["verdicts"]} == {"2025-11-02", None}


def story(metaplat: Invoke, tmp_path: Path) -> list[Answer]:
    """Run every step on whatever stores the settings name."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT02:00:00Z")
    recent = write_records(tmp_path / "recent.ndjson", execution(yesterday, "recent"))
    assert metaplat("land", DOMAIN, *three_days(tmp_path / "files"), recent).code == 0
    assert metaplat("collect", DOMAIN, "--source", "kubectl", "--path", KUBERNETES).code == 0
    return [
        metaplat("materialize", DOMAIN, *NOVEMBER, "--json"),
        metaplat("materialize", DOMAIN, "--missing", "--json"),
        metaplat("check", DOMAIN, "--json"),
        metaplat("report", "--json"),
        metaplat("query", "select * exclude (source_object) from job_executions order by all", "--json"),
        metaplat("domains", "--json"),
    ]


def test_s3_and_dynamodb_give_the_same_rows_and_verdicts_by_settings_alone(
    metaplat: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moto_endpoint: str, s3_bucket: str
) -> None:
    local = story(metaplat, tmp_path)
    hot_rows = [_hot_row()]
    (tmp_path / "aws.toml").write_text(
        f'home = "{tmp_path / "other"}"\nroot = "s3://{s3_bucket}/platform"\n'
        f'[s3]\nendpoint_url = "{moto_endpoint}"\n'
        f'[hot]\nbackend = "dynamodb"\nendpoint_url = "{moto_endpoint}"\ntable_prefix = "{s3_bucket}-"\n'
    )
    monkeypatch.delenv("METAPLAT_HOME")
    monkeypatch.setenv("METAPLAT_CONFIG", str(tmp_path / "aws.toml"))
    remote = story(metaplat, tmp_path)
    hot_rows.append(_hot_row())

    assert [answer.code for answer in remote] == [answer.code for answer in local]
    for here, there in zip(local[:3], remote[:3], strict=True):
        assert _steady(there.json["verdicts"]) == _steady(here.json["verdicts"])
        assert there.json["partitions"] == here.json["partitions"]
    assert _steady(_reported(remote[3])["verdicts"]) == _steady(_reported(local[3])["verdicts"])
    assert remote[4].lines == local[4].lines
    assert remote[5].json == local[5].json
    assert hot_rows[0] is not None
    assert hot_rows[0] == hot_rows[1]
    assert {path.name for path in (tmp_path / "other").iterdir()} == {"dagster"}


def _steady(items: list[dict[str, Any]]) -> dict[tuple[str, str | None], Any]:
    """Return outcome and numbers of verdicts, without those that depend on the moment."""
    return {
        (item["rule"], item["partition"]): (
            item["outcome"],
            None if item["rule"] == "freshness" else item["numbers"],
        )
        for item in items
    }


def _reported(answer: Answer) -> dict[str, Any]:
    """Return what a report says of the domain."""
    [found] = [domain for domain in answer.json["domains"] if domain["domain"] == DOMAIN]
    return dict(found)


def _hot_row() -> dict[str, Any] | None:
    store = open_stores(load_settings()).hot(domain_named(DOMAIN))
    assert store is not None
    yesterday = (datetime.now(UTC) - timedelta(days=1)).replace(hour=2, minute=0, second=0, microsecond=0)
    row = store.get("recent", int(yesterday.timestamp()), int(time.time()))
    return dict(row) if row else None


def test_no_secret_is_printed_or_kept(
    metaplat: Invoke, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canaries = [b"canary-hash-key", b"canary-aws-secret"]
    monkeypatch.setenv("METAPLAT_PRIVACY__HASH_KEY", canaries[0].decode())
    monkeypatch.setenv("METAPLAT_PRIVACY__HASH", '["job_executions.cluster_name"]')
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", canaries[1].decode())
    answers = story(metaplat, tmp_path)
    for content in contents_below(home).values():
        assert not any(canary in content for canary in canaries)
    for answer in answers:
        assert not any(canary.decode() in answer.out + answer.err for canary in canaries)


def test_a_second_demo_changes_nothing(metaplat: Invoke, home: Path) -> None:
    first = metaplat("demo", "--no-spark")
    assert first.code == 0
    assert "failed" in first.out
    before, runs = files_below(home, "lake", "landing", "quarantine", "state", "reports"), runs_of(home)
    assert {run.job_name for run in runs} == {*(f"ingest_{name}" for name in (DOMAIN, *CATALOGED)), *VENDOR}
    second = metaplat("demo", "--no-spark", "--json")
    assert second.code == 0
    reported = _reported(second)
    assert reported["outcome"] == "failed"
    assert files_below(home, "lake", "landing", "quarantine", "state", "reports") == before
    assert len(runs_of(home)) == len(runs)
    found = {verdict["rule"] for verdict in reported["verdicts"] if verdict["outcome"] == "failed"}
    assert {"primary_key", "partition", "freshness"} <= found  # a duplicate, a missing day, a stale domain


def test_a_demo_runs_a_small_spark_job_once_and_shows_what_was_found(metaplat: Invoke, home: Path) -> None:
    needs_java()
    first = metaplat("demo")
    assert first.code == 0
    assert "Spark application nightly-orders" in first.out
    assert "high failed tasks" in first.out
    jobs = {run.job_name for run in runs_of(home)}
    assert jobs == {*(f"ingest_{name}" for name in (DOMAIN, *SPARK, *CATALOGED)), *VENDOR}
    before = files_below(home, "lake", "landing", "state", "reports", "demo")
    second = metaplat("demo")
    assert "high failed tasks" in second.out
    assert files_below(home, "lake", "landing", "state", "reports", "demo") == before


def test_a_demo_writes_its_report_again_when_something_changed(metaplat: Invoke, home: Path) -> None:
    metaplat("demo", "--no-spark")
    page = (home / "reports" / "checks.html").read_bytes()
    (home / "reports" / "checks.html").write_bytes(b"an older page")
    metaplat("demo", "--no-spark")
    again = (home / "reports" / "checks.html").read_bytes()
    assert len(again) == len(page)
