"""Arguments of DynamoDB's Query for hot rows.

Here: live rows of a partition key or of a status; keys of a whole subject.
Not here: sending them and following pages (``dynamodb_hot``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.stores.dynamodb_items import key_item
from metaplat.stores.dynamodb_table import STATUS_INDEX
from metaplat.stores.dynamodb_wire import to_wire
from metaplat.stores.hot_content import TTL

if TYPE_CHECKING:
    from metaplat.model.retention import HotTable
    from metaplat.stores.hot_page import PageRequest


def page_query(name: str, table: HotTable, request: PageRequest, now: int) -> dict[str, Any]:
    """Return the query for the live rows of ``request`` in the table ``name``, without a limit."""
    values = {":value": request.value, ":low": request.low, ":high": request.high, ":now": now}
    arguments: dict[str, Any] = {
        "TableName": name,
        "KeyConditionExpression": "#column = :value AND #sort BETWEEN :low AND :high",
        "FilterExpression": "attribute_not_exists(#ttl) OR #ttl > :now",
        "ExpressionAttributeNames": {"#column": request.column, "#sort": table.sort_key, "#ttl": TTL},
        "ExpressionAttributeValues": {key: to_wire(value) for key, value in values.items()},
        "ScanIndexForward": not request.descending,
    }
    if request.column == table.status:
        arguments["IndexName"] = STATUS_INDEX
    else:
        arguments["ConsistentRead"] = True  # which an index refuses
    if request.start is not None:
        sort, partition = request.start
        key = key_item(table, partition, sort)  # an index wants its own key beside that of the table
        arguments["ExclusiveStartKey"] = key | {request.column: to_wire(request.value)}
    return arguments


def subject_query(name: str, table: HotTable, partition: str) -> dict[str, Any]:
    """Return the query for the keys of every row of a subject, expired ones too."""
    return {
        "TableName": name,
        "KeyConditionExpression": "#pk = :value",
        "ProjectionExpression": "#pk, #sk",
        "ExpressionAttributeNames": {"#pk": table.partition_key, "#sk": table.sort_key},
        "ExpressionAttributeValues": {":value": to_wire(partition)},
        "ConsistentRead": True,
    }
