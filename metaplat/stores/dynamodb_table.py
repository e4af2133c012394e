"""A DynamoDB table for hot rows: made where it is missing, checked where it is there.

Here: keys, status index, billing, time to live.
Not here: rows (``dynamodb_hot``). Terraform may make the same tables instead (``hot.create_tables = false``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.model.errors import PermanentStoreError, TransientStoreError
from metaplat.stores.dynamodb_client import MISSING, translated
from metaplat.stores.hot_content import TTL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from metaplat.model.retention import HotTable

STATUS_INDEX = "status-timestamp-index"
POLL_SECONDS, POLLS = 1, 60


def ensure_table(client: DynamoDBClient, name: str, table: HotTable) -> None:
    """Make the table ``name`` for ``table`` ready: created if missing, active, with time to live.

    Safe to call from several processes at once.

    Raises
    ------
    PermanentStoreError
        It exists with other keys or without the status index, or may not be created.
    TransientStoreError
        It did not become active in time, or DynamoDB fails.
    """
    with translated(name, "look at the table"):
        found = _describe(client, name)
    if found is None:
        with translated(name, "create the table"):
            _create(client, name, table)
    if found is None or found["TableStatus"] != "ACTIVE":
        _wait(client, name)
        with translated(name, "look at the table"):
            found = _describe(client, name) or {}
    _check(found, name, table)
    with translated(name, "turn on time to live"):
        _enable_ttl(client, name)


def table_definition(name: str, table: HotTable) -> dict[str, Any]:
    """Return the arguments of CreateTable.

    The index has the fixed name ``status-timestamp-index``, whatever the columns are called.
    """
    keys = {table.partition_key: "S", table.sort_key: "N"}
    definition: dict[str, Any] = {
        "TableName": name,
        "KeySchema": _key_schema(table.partition_key, table.sort_key),
        "BillingMode": "PAY_PER_REQUEST",
    }
    if table.status is not None:
        keys[table.status] = "S"
        index = {
            "IndexName": STATUS_INDEX,
            "KeySchema": _key_schema(table.status, table.sort_key),
            "Projection": {"ProjectionType": "ALL"},
        }
        definition["GlobalSecondaryIndexes"] = [index]
    definition["AttributeDefinitions"] = [
        {"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()
    ]
    return definition


def _key_schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


def _describe(client: DynamoDBClient, name: str) -> Mapping[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        return client.describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] == MISSING:
            return None
        raise


def _create(client: DynamoDBClient, name: str, table: HotTable) -> None:
    from botocore.exceptions import ClientError

    try:
        client.create_table(**table_definition(name, table))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":  # another process was quicker
            raise


def _wait(client: DynamoDBClient, name: str) -> None:
    from botocore.exceptions import WaiterError

    waiter = client.get_waiter("table_exists")
    try:
        with translated(name, "wait for the table"):
            waiter.wait(TableName=name, WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": POLLS})
    except PermanentStoreError as error:
        if not isinstance(error.__cause__, WaiterError):
            raise
        answer = f"not active after {POLLS * POLL_SECONDS} s"
        raise TransientStoreError(error.system, error.attempted, answer, "Wait a little first.") from error


def _check(found: Mapping[str, Any], name: str, table: HotTable) -> None:
    """Refuse a table that our requests would not fit."""
    wanted = table_definition(name, table)
    indexes = {index["IndexName"]: index for index in found.get("GlobalSecondaryIndexes", ())}
    problem = ""
    if _pairs(found.get("KeySchema", ())) != _pairs(wanted["KeySchema"]):
        problem = f"its keys are not {table.partition_key} and {table.sort_key}"
    for index in wanted.get("GlobalSecondaryIndexes", ()):
        there = indexes.get(index["IndexName"], {})
        if _pairs(there.get("KeySchema", ())) != _pairs(index["KeySchema"]):
            problem = f"it has no index {STATUS_INDEX} on {table.status} and {table.sort_key}"
    if problem:
        advice = "Rename or remove it, or set hot.table_prefix; it is a cache that is rebuilt from the lake."
        raise PermanentStoreError(f"DynamoDB table {name}", "look at the table", problem, advice)


def _pairs(schema: Any) -> set[tuple[str, str]]:
    return {(key["AttributeName"], key["KeyType"]) for key in schema}


def _enable_ttl(client: DynamoDBClient, name: str) -> None:
    from botocore.exceptions import ClientError

    state = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if state.get("TimeToLiveStatus") in ("ENABLED", "ENABLING"):
        return
    try:
        client.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL}
        )
    except ClientError as error:
        message = str(error.response["Error"].get("Message", ""))
        if error.response["Error"]["Code"] != "ValidationException" or "already" not in message:
            raise  # "already enabled": another process was quicker
