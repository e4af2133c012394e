"""The hot store in DynamoDB: its table, its batches, and a service that does not play along."""

from __future__ import annotations

import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import HotConflictError, PermanentStoreError, TransientStoreError
from metaplat.model.field import Field
from metaplat.stores.dynamodb_client import dynamodb_client
from metaplat.stores.dynamodb_hot import DynamoHot
from metaplat.stores.hot import PutOutcome
from metaplat_tests.standins.dynamodb_faults import answering, counting, handling, leaving_undone
from metaplat_tests.standins.hot_tables import (
    CLUSTER_FIELDS,
    CLUSTERS,
    FAILED,
    JOB_FIELDS,
    JOBS,
    KEEP,
    NOW,
    SUCCESS,
    dynamo_settings,
    job,
    times,
)

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.settings import HotSettings


@pytest.fixture
def settings(moto_endpoint: str) -> HotSettings:
    return dynamo_settings(moto_endpoint)


def open_jobs(settings: HotSettings) -> DynamoHot:
    return DynamoHot(settings, JOBS, KEEP, JOB_FIELDS)


@pytest.fixture
def jobs(settings: HotSettings) -> DynamoHot:
    """Return a store whose table exists."""
    store = open_jobs(settings)
    store.get("load", 100, NOW)
    return store


def full_name(settings: HotSettings) -> str:
    return f"{settings.table_prefix}job-executions"


# The table ------------------------------------------------------------------------------------------------


def test_the_table_is_made_once_by_many_at_the_same_time(settings: HotSettings) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: open_jobs(settings).put(job(at=number), NOW), range(6)))
    client: Any = dynamodb_client(settings)
    table = client.describe_table(TableName=full_name(settings))["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [
        ("job_name", "HASH"),
        ("execution_timestamp", "RANGE"),
    ]
    (index,) = table["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["Projection"]) == ("status-timestamp-index", {"ProjectionType": "ALL"})
    ttl = client.describe_time_to_live(TableName=full_name(settings))["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    assert len(open_jobs(settings).query("load", NOW).rows) == 6


def test_making_a_store_requests_nothing(moto_endpoint: str) -> None:
    settings = dynamo_settings(moto_endpoint)
    with counting(settings) as requests:
        open_jobs(settings)
        assert requests == {}


def test_a_missing_table_that_may_not_be_made_is_named(settings: HotSettings) -> None:
    store = open_jobs(settings.model_copy(update={"create_tables": False}))
    attempts = (
        lambda: store.get("load", 100, NOW),
        lambda: store.put(job(), NOW),
        lambda: store.put_many([job()], NOW),
        lambda: store.rebuild([job()], NOW),
        lambda: store.query("load", NOW),
        lambda: store.query_status(SUCCESS, NOW),
        lambda: store.delete_subject("load"),
    )
    for attempt in attempts:
        with pytest.raises(PermanentStoreError, match=rf"{full_name(settings)}: .* hot\.create_tables"):
            attempt()


def test_a_table_made_by_others_gets_its_time_to_live(settings: HotSettings) -> None:
    client: Any = dynamodb_client(settings)
    name = f"{settings.table_prefix}cluster-state"
    keys = {"cluster_name": ("S", "HASH"), "timestamp": ("N", "RANGE")}
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": role} for key, (_, role) in keys.items()],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": of} for key, (of, _) in keys.items()],
    )
    DynamoHot(settings, CLUSTERS, KEEP, CLUSTER_FIELDS).get("prod", 1, NOW)
    ttl = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert ttl["TimeToLiveStatus"] == "ENABLED"


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"partition_key": "job_id", "identity": "job_name"},
            "its keys are not job_id and execution",
        ),
        ({"status": "failure", "columns": ()}, "it has no index status-timestamp-index on failure"),
    ],
)
def test_a_table_of_another_form_is_refused(
    settings: HotSettings, changes: dict[str, Any], problem: str
) -> None:
    fields = (*JOB_FIELDS, Field("failure", str, "d"))
    other = DynamoHot(settings, dataclasses.replace(JOBS, **changes), KEEP, fields)
    with pytest.raises(PermanentStoreError, match=problem):
        other.get("load", 100, NOW)


def test_an_item_has_its_ttl_in_seconds_and_no_nulls(jobs: DynamoHot, settings: HotSettings) -> None:
    jobs.put(job(rows=None, job_id=None), NOW)
    key = {"job_name": {"S": "load"}, "execution_timestamp": {"N": "100"}}
    item = dynamodb_client(settings).get_item(TableName=full_name(settings), Key=key)["Item"]
    assert item["ttl"] == {"N": str(100 + KEEP)}
    assert item.keys() == {"job_name", "execution_timestamp", "status", "ttl", "content_hash"}


def test_items_that_others_wrote_are_read_and_judged(jobs: DynamoHot, settings: HotSettings) -> None:
    """An older writer gave neither ttl nor digest, and a column that is not declared any more."""
    client = dynamodb_client(settings)
    for at, status in ((1, "RUNNING"), (2, SUCCESS), (3, SUCCESS)):
        texts = {"job_name": "load", "status": status, "job_id": "a"}
        item: Any = {name: {"S": text} for name, text in texts.items()}
        item |= {"execution_timestamp": {"N": str(at)}, "memory_gb": {"N": "12"}, "old": {"SS": ["x"]}}
        client.put_item(TableName=full_name(settings), Item=item)
    assert jobs.get("load", 1, 10**9) == job(at=1, memory_gb=12.0)
    assert times(jobs.query("load", 10**9)) == [1, 2, 3]
    assert jobs.put(job(at=1, status=SUCCESS), NOW) is PutOutcome.UPDATED
    assert jobs.put(job(at=2), NOW) is PutOutcome.STALE
    with pytest.raises(HotConflictError):
        jobs.put(job(at=2, status=FAILED), NOW)
    assert jobs.put_many([job(at=2), job(at=3, status=SUCCESS)], NOW) == {
        "created": 0, "unchanged": 0, "updated": 1, "stale": 1,
    }  # fmt: skip


def test_a_value_of_another_type_than_declared_is_one_clear_line(
    jobs: DynamoHot, settings: HotSettings
) -> None:
    item: Any = {"job_name": {"S": "load"}, "execution_timestamp": {"N": "1"}, "memory_gb": {"S": "much"}}
    dynamodb_client(settings).put_item(TableName=full_name(settings), Item=item)
    with pytest.raises(PermanentStoreError, match=r"column memory_gb holds str.* Rebuild"):
        jobs.get("load", 1, NOW)


# Batches --------------------------------------------------------------------------------------------------


def test_a_rebuild_sends_batches_of_25_distinct_keys(jobs: DynamoHot, settings: HotSettings) -> None:
    rows = [job(at=at) for at in range(60)]
    with leaving_undone(settings, times=0) as sizes:
        assert jobs.rebuild(rows + rows, NOW) == 60
    assert sorted(sizes) == [10, 25, 25]


def test_rows_that_are_stored_as_they_are_are_not_put_again(jobs: DynamoHot, settings: HotSettings) -> None:
    rows = [job(at=at) for at in range(250)]
    jobs.put_many(rows, NOW)
    with counting(settings) as requests:
        assert jobs.put_many([*rows, job(at=300)], NOW) == {
            "created": 1,
            "unchanged": 250,
            "updated": 0,
            "stale": 0,
        }
    assert requests == {"BatchGetItem": 3, "PutItem": 1}


def test_what_a_batch_leaves_undone_is_sent_again(jobs: DynamoHot, settings: HotSettings) -> None:
    rows = [job(at=at) for at in range(30)]
    with leaving_undone(settings, times=3) as sizes:
        assert jobs.rebuild(rows, NOW) == 30
    assert len(sizes) >= 4
    with leaving_undone(settings, times=1):
        assert jobs.delete_subject("load") == 30


@pytest.mark.parametrize("attempt", ["rebuild rows", "delete a subject"])
def test_what_is_left_after_six_rounds_is_named(jobs: DynamoHot, settings: HotSettings, attempt: str) -> None:
    rows = [job(at=at) for at in range(50)]
    jobs.rebuild(rows, NOW)
    begun = time.monotonic()
    with leaving_undone(settings) as sizes, pytest.raises(TransientStoreError) as caught:
        jobs.rebuild(rows, NOW) if attempt == "rebuild rows" else jobs.delete_subject("load")
    assert sorted(sizes, reverse=True)[:2] == [25, 25]
    assert len(sizes) == 7
    assert f"{attempt}: 1 rows are not written after 6 rounds: (load, " in str(caught.value)
    assert time.monotonic() - begun < PATIENCE_SECONDS


def test_reads_left_undone_cost_nothing_but_more_puts(jobs: DynamoHot, settings: HotSettings) -> None:
    rows = [job(at=at) for at in range(5)]
    jobs.put_many(rows, NOW)

    def leave(parsed: Any, **_: Any) -> None:
        items = parsed["Responses"].pop(full_name(settings), [])
        keys = [{name: item[name] for name in ("job_name", "execution_timestamp")} for item in items]
        parsed["UnprocessedKeys"] = {full_name(settings): {"Keys": keys}}

    with handling(settings, "after-call.dynamodb.BatchGetItem", leave), counting(settings) as requests:
        assert jobs.put_many(rows, NOW)[PutOutcome.UNCHANGED] == 5
    assert requests == {"BatchGetItem": 6, "PutItem": 5}


# Failures -------------------------------------------------------------------------------------------------

PATIENCE_SECONDS = 90
THROTTLED = "ProvisionedThroughputExceededException"


def test_throttled_puts_are_tried_again(jobs: DynamoHot, settings: HotSettings) -> None:
    with answering(settings, "PutItem", 400, THROTTLED, times=4) as answered:
        assert jobs.put_many([job(at=1), job(at=2)], NOW)[PutOutcome.CREATED] == 2
    assert len(answered) == 4
    assert times(jobs.query("load", NOW)) == [1, 2]


def test_puts_that_stay_throttled_are_named_up_to_twenty(
    jobs: DynamoHot, settings: HotSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "metaplat.stores.dynamodb_batches.ROUNDS", 2
    )  # each has the pauses of botocore besides
    rows = [job(at=at) for at in range(22)]
    with answering(settings, "PutItem", 400, THROTTLED), pytest.raises(TransientStoreError) as caught:
        jobs.put_many(rows, NOW)
    message = str(caught.value)
    assert "22 rows are not written" in message
    assert message.count("(load, ") == 20
    assert "and 2 more" in message


@pytest.mark.parametrize(
    ("status", "code", "kind", "advice"),
    [
        (400, "ThrottlingException", TransientStoreError, "Wait a little"),
        (500, "InternalServerError", TransientStoreError, "Wait a little"),
        (503, "ServiceUnavailable", TransientStoreError, "Wait a little"),
        (400, "AccessDeniedException", PermanentStoreError, "permissions"),
        (400, "UnrecognizedClientException", PermanentStoreError, "credentials"),
        (400, "ExpiredTokenException", PermanentStoreError, "Renew"),
        (400, "ValidationException", PermanentStoreError, "hot settings"),
    ],
)
def test_an_answer_says_whether_to_run_again(
    jobs: DynamoHot, settings: HotSettings, status: int, code: str, kind: type[Exception], advice: str
) -> None:
    with answering(settings, "GetItem", status, code), pytest.raises(kind) as caught:
        jobs.get("load", 100, NOW)
    message = str(caught.value)
    assert message.startswith(
        f"DynamoDB table {full_name(settings)}: get a row: {code} (HTTP {status}): Told so."
    )
    assert advice in message


def test_a_refusal_in_the_middle_of_many_rows_ends_them(jobs: DynamoHot, settings: HotSettings) -> None:
    refusal = answering(settings, "PutItem", 400, "AccessDeniedException")
    with refusal as answered, pytest.raises(PermanentStoreError):
        jobs.put_many([job(at=at) for at in range(400)], NOW)
    assert len(answered) < 400


def test_an_endpoint_that_is_not_there_is_told_within_seconds(moto_endpoint: str) -> None:
    del moto_endpoint  # for its credentials
    store = open_jobs(dynamo_settings("http://user:secret@127.0.0.1:9/dynamo?token=secret"))
    begun = time.monotonic()
    with pytest.raises(TransientStoreError) as caught:
        store.get("load", 100, NOW)
    assert time.monotonic() - begun < PATIENCE_SECONDS
    assert "127.0.0.1:9" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_address_that_is_none_is_one_clear_line(moto_endpoint: str) -> None:
    del moto_endpoint
    with pytest.raises(PermanentStoreError, match=r"open a client: .* hot\.endpoint_url"):
        open_jobs(dynamo_settings("nonsense")).get("load", 100, NOW)


def test_missing_credentials_are_one_clear_line(
    moto_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(PermanentStoreError, match=r"NoCredentialsError.* Check the AWS credentials"):
        open_jobs(dynamo_settings(moto_endpoint)).get("load", 100, NOW)


def test_the_endpoint_of_the_environment_is_used(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    store = open_jobs(dynamo_settings(moto_endpoint, endpoint_url=None))
    assert store.put(job(), NOW) is PutOutcome.CREATED
