"""Batches of DynamoDB requests: bounded rounds with pauses, and what was left in the end.

Here: BatchWriteItem and BatchGetItem, which may leave parts of a batch undone; the pauses between rounds.
Not here: which rows (``dynamodb_hot``). boto3's own ``batch_writer`` retries at once and without bound.
"""

from __future__ import annotations

import random
import time
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from metaplat.model.errors import TransientStoreError
from metaplat.stores.dynamodb_client import is_throttled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from metaplat.stores.dynamodb_wire import Wire

WRITE_SIZE, READ_SIZE = 25, 100
"""Most items of one BatchWriteItem and BatchGetItem (AWS, "Quotas")."""
ROUNDS = 6
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0
SHOWN_KEYS = 20

Item = TypeVar("Item")


def in_chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Cut ``items`` into lists of ``size``, the last one shorter."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def in_rounds(work: Callable[[list[Item]], list[Item]], items: Sequence[Item]) -> list[Item]:
    """Give ``work`` what it left undone until nothing is, at most six times; return what still is.

    The pauses have full jitter: a random time below a bound that doubles (AWS Architecture Blog,
    "Exponential Backoff And Jitter").
    """
    left = list(items)
    for done in range(ROUNDS):
        if not left:
            break
        if done:
            longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (done - 1))
            time.sleep(random.uniform(0, longest))  # noqa: S311  # spreads load, keeps no secret
        left = work(left)
    return left


def batch_write(client: DynamoDBClient, table: str, requests: list[Item]) -> list[Item]:
    """Send at most 25 put or delete requests of distinct keys; return those left undone.

    Parameters
    ----------
    client : DynamoDBClient
        Any client; its own attempts come before the rounds.
    table : str
        Full table name.
    requests : list of dict
        ``{"PutRequest": {"Item": ...}}`` or ``{"DeleteRequest": {"Key": ...}}``, values in wire form.
    """
    from botocore.exceptions import ClientError

    batch: Any = {table: requests}
    try:
        answer: Any = client.batch_write_item(RequestItems=batch)
    except ClientError as error:
        if is_throttled(error):
            return requests
        raise
    return list(answer.get("UnprocessedItems", {}).get(table, ()))


def batch_get(
    client: DynamoDBClient, table: str, keys: list[dict[str, Wire]], names: Sequence[str]
) -> list[dict[str, Wire]]:
    """Return the attributes ``names`` of the items under at most 100 ``keys``, strongly consistent.

    Keys that stay unprocessed are left out, like keys without an item: use it to save work only.
    """
    from botocore.exceptions import ClientError

    found: list[dict[str, Wire]] = []
    placeholders = {f"#n{number}": name for number, name in enumerate(names)}

    def read(left: list[dict[str, Wire]]) -> list[dict[str, Wire]]:
        request: Any = {
            "Keys": left,
            "ConsistentRead": True,
            "ProjectionExpression": ", ".join(placeholders),
            "ExpressionAttributeNames": placeholders,
        }
        try:
            answer: Any = client.batch_get_item(RequestItems={table: request})
        except ClientError as error:
            if is_throttled(error):
                return left
            raise
        found.extend(answer.get("Responses", {}).get(table, ()))
        return list(answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", ()))

    in_rounds(read, keys)
    return found


def unwritten(table: str, attempted: str, keys: Sequence[tuple[str, int]]) -> TransientStoreError:
    """Return the error that names what could not be written."""
    shown = ", ".join(f"({partition}, {sort})" for partition, sort in keys[:SHOWN_KEYS])
    more = f" and {len(keys) - SHOWN_KEYS} more" if len(keys) > SHOWN_KEYS else ""
    answer = f"{len(keys)} rows are not written after {ROUNDS} rounds: {shown}{more}"
    return TransientStoreError(f"DynamoDB table {table}", attempted, answer, "Wait a little first.")
