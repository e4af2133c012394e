"""The three Spark domains, made of one landed record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.collectors.spark.attempt import ApplicationAttempt, Executor, Finding, Job, StageAttempt
from metaplat.domains import all_domains, domain_named, with_children
from metaplat.ingest.landing import Landing
from metaplat.ingest.partition import ingest_partitions
from metaplat.model.errors import UsageError
from metaplat.model.landed import IngestReceipt
from metaplat.settings import Settings
from metaplat.stores.home import Stores, open_stores
from metaplat.stores.sql import connect, query

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from metaplat.model.domain import MetadataDomain

NOW = datetime(2025, 11, 30, 12, tzinfo=UTC)
STARTED = datetime(2025, 11, 28, 23, 50, tzinfo=UTC)
ENDED = STARTED + timedelta(minutes=30)
APPLICATIONS, STAGES, EXECUTORS = (
    domain_named(f"spark_{name}") for name in ("applications", "stages", "executors")
)


def attempt(**changes: Any) -> ApplicationAttempt:
    values: dict[str, Any] = {
        "source": "event-logs",
        "app_id": "application_1_2",
        "attempt_id": "1",
        "app_name": "etl",
        "user": "alice",
        "status": "COMPLETED",
        "start_time": STARTED,
        "end_time": ENDED,
        "duration_ms": 1_800_000,
        "total_tasks": 10,
        "environment": {"spark.executor.cores": "4", "spark.app.name": "etl"},
        "tags": {"team": "orders"},
        "job_list": [Job(0, "SUCCEEDED", STARTED, ENDED, [0, 1])],
        "findings": [Finding("spill", "high", "stage 1 spilled 3 GiB", "Raise memory.", 1, 0)],
        "stages": [StageAttempt(0, 0, "count", "COMPLETE"), StageAttempt(1, 0, "save", "COMPLETE", [0])],
        "executors": [Executor("1", "10.0.0.1", STARTED)],
    }
    return ApplicationAttempt(**(values | changes))


RUNNING_YET: dict[str, Any] = {"status": "RUNNING", "end_time": None, "duration_ms": None, "total_tasks": 4}


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return open_stores(Settings(home=tmp_path))


def land(stores: Stores, *attempts: ApplicationAttempt) -> list[str]:
    landing = Landing(APPLICATIONS, stores, NOW)
    return [landing.land_record(each.record()).status for each in attempts]


def ingest(stores: Stores, domain: MetadataDomain, *partitions: str) -> dict[str, IngestReceipt]:
    results = ingest_partitions(domain, stores, partitions, NOW)
    assert all(isinstance(result, IngestReceipt) for result in results.values())
    return results  # type: ignore[return-value]  # as the line before says


def rows(stores: Stores, domain: MetadataDomain, partition: str) -> pl.DataFrame:
    return stores.lake.read(domain, [partition])


def test_one_landed_attempt_gives_rows_of_three_domains(stores: Stores) -> None:
    assert land(stores, attempt()) == ["landed"]
    assert len(stores.landing.list_objects()) == 1
    for domain, count in ((APPLICATIONS, 1), (STAGES, 2), (EXECUTORS, 1)):
        receipt = ingest(stores, domain, "2025-11-29")["2025-11-29"]
        assert (receipt.rows, receipt.quarantined, receipt.unknown_fields) == (count, 0, 0)
    stage = rows(stores, STAGES, "2025-11-29").row(1, named=True)
    assert (stage["app_id"], stage["app_name"], stage["stage_id"]) == ("application_1_2", "etl", 1)
    assert stage["attempt_key"] == "event-logs/application_1_2/1"


def test_an_attempt_lies_in_the_partition_of_its_end_and_of_its_start_while_it_runs(stores: Stores) -> None:
    land(stores, attempt(**RUNNING_YET))
    for domain in (APPLICATIONS, STAGES, EXECUTORS):
        ingest(stores, domain, "2025-11-28")
        assert rows(stores, domain, "2025-11-28")["partitioned_by"].unique().to_list() == ["start"]
    land(stores, attempt())
    for domain, count in ((APPLICATIONS, 1), (STAGES, 2), (EXECUTORS, 1)):
        ingest(stores, domain, "2025-11-29")
        assert rows(stores, domain, "2025-11-28").is_empty()
        assert rows(stores, domain, "2025-11-29").height == count


def test_an_attempt_that_ran_and_ended_on_one_day_is_one_row(stores: Stores) -> None:
    end = STARTED + timedelta(minutes=5)
    land(stores, attempt(**RUNNING_YET), attempt(end_time=end))
    receipt = ingest(stores, APPLICATIONS, "2025-11-28")["2025-11-28"]
    assert (receipt.rows, receipt.superseded, receipt.conflicts) == (1, 1, 0)
    assert rows(stores, APPLICATIONS, "2025-11-28")["status"].to_list() == ["COMPLETED"]
    assert ingest(stores, STAGES, "2025-11-28")["2025-11-28"].conflicts == 0


def test_attempts_without_a_number_are_told_apart_from_those_with_one(stores: Stores) -> None:
    land(stores, attempt(attempt_id=None), attempt(attempt_id="1"), attempt(attempt_id="2"))
    ingest(stores, APPLICATIONS, "2025-11-29")
    assert rows(stores, APPLICATIONS, "2025-11-29")["attempt_id"].to_list() == [None, "1", "2"]


def test_an_ended_attempt_never_gives_way_to_one_that_knows_less(stores: Stores) -> None:
    land(stores, attempt())
    compacted = attempt(total_tasks=2, data_quality=["compacted"])
    assert land(stores, compacted, attempt(total_tasks=10, data_quality=["truncated"])) == ["kept", "kept"]
    assert land(stores, attempt(total_tasks=11)) == ["landed"]


def test_properties_and_tags_are_asked_for_by_name_in_sql(stores: Stores) -> None:
    land(stores, attempt())
    ingest(stores, APPLICATIONS, "2025-11-29")
    sql = (
        "SELECT environment['spark.executor.cores'] AS cores, tags['team'] AS team, "
        "findings[1].kind AS kind FROM spark_applications WHERE date = '2025-11-29'"
    )
    with connect(stores.lake, all_domains()) as connection:
        answer = query(connection, sql)
    assert answer.to_dicts() == [{"cores": "4", "team": "orders", "kind": "spill"}]


def test_maps_may_be_empty(stores: Stores) -> None:
    land(stores, attempt(environment={}, tags={}), attempt(app_id="application_1_3"))
    ingest(stores, APPLICATIONS, "2025-11-29")
    assert rows(stores, APPLICATIONS, "2025-11-29")["tags"].to_list() == [
        [],
        [{"key": "team", "value": "orders"}],
    ]


def test_a_record_in_the_wrong_folder_is_landed_whole_where_it_belongs(
    stores: Stores, tmp_path: Path
) -> None:
    import orjson

    file = tmp_path / "attempts.ndjson"
    other = attempt(app_id="application_1_3", end_time=ENDED + timedelta(days=1))
    file.write_bytes(b"".join(orjson.dumps(each.record()) + b"\n" for each in (attempt(), other)))
    [landed] = Landing(APPLICATIONS, stores, NOW).land_files([file])
    assert (landed.partition, landed.also) == ("2025-11-29", ("2025-11-30",))
    for domain, count in ((APPLICATIONS, 1), (STAGES, 2), (EXECUTORS, 1)):
        for day in ("2025-11-29", "2025-11-30"):
            receipt = ingest(stores, domain, day)[day]
            assert (receipt.rows, receipt.quarantined) == (count, 0)
    assert len(stores.landing.list_objects()) == 2


def test_stages_that_are_none_go_to_the_quarantine_of_stages_only(stores: Stores) -> None:
    record = attempt().record() | {"stages": {"0": "no list"}}
    Landing(APPLICATIONS, stores, NOW).land_record(record)
    assert ingest(stores, APPLICATIONS, "2025-11-29")["2025-11-29"].rows == 1
    receipt = ingest(stores, STAGES, "2025-11-29")["2025-11-29"]
    assert (receipt.rows, receipt.reasons) == (0, {"stages: expected an array": 1})


def test_nothing_is_landed_for_stages_by_themselves(stores: Stores) -> None:
    with pytest.raises(UsageError, match="is made of what lands for spark_applications"):
        Landing(STAGES, stores, NOW)


def test_the_children_of_the_applications_are_known() -> None:
    names = [domain.name for domain in with_children(APPLICATIONS)]
    assert names == ["spark_applications", "spark_executors", "spark_stages"]


def test_secrets_are_in_no_landed_attempt(stores: Stores) -> None:
    stage = StageAttempt(0, 0, "load", "FAILED", failure_reason="GET https://host/x?sig=abcdef failed")
    land(stores, attempt(environment={"spark.db.password": "hunter22"}, stages=[stage]))
    [item] = stores.landing.list_objects()
    content = stores.landing.get(item.key)
    assert b"hunter22" not in content
    assert b"abcdef" not in content
