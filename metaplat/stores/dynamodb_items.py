"""Hot rows as DynamoDB items, and the conditions under which one may be written.

Here: entry -> item, item -> what decides about it, the rules of ``put`` as a condition expression.
Not here: requests (``dynamodb_hot``), single values (``dynamodb_wire``).
``status``, ``timestamp`` and ``ttl`` are reserved words: attributes are named by placeholders throughout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from metaplat.stores.dynamodb_wire import from_wire, to_wire
from metaplat.stores.hot import RUNNING, HotState
from metaplat.stores.hot_content import DIGEST, TTL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.model.retention import HotTable
    from metaplat.stores.dynamodb_wire import Wire
    from metaplat.stores.hot_content import HotEntry

Item = dict[str, Any]
"""Attribute -> wire form."""


def item_of(entry: HotEntry) -> Item:
    """Return the item of an entry: its columns, ttl and digest."""
    item = {name: to_wire(value) for name, value in orjson.loads(entry.content).items()}
    return item | {TTL: to_wire(entry.ttl), DIGEST: to_wire(entry.digest)}


def content_of(item: Mapping[str, Wire]) -> dict[str, Any]:
    """Return every attribute of an item as JSON types."""
    return {name: from_wire(value) for name, value in item.items()}


def state_of(item: Mapping[str, Wire] | None, table: HotTable) -> HotState | None:
    """Return what decides between the content of an item and another one of its key."""
    if not item:
        return None
    content = content_of(item)
    status = content.get(table.status) if table.status else None
    identity = content.get(table.identity) if table.identity else None
    return HotState(content.get(TTL), status, identity, content.get(DIGEST))


def key_of(item: Mapping[str, Wire], table: HotTable) -> tuple[str, int]:
    """Return partition and sort key of an item."""
    return item[table.partition_key]["S"], int(item[table.sort_key]["N"])


def key_item(table: HotTable, partition: str, sort: int) -> Item:
    """Return the reverse of ``key_of``."""
    return {table.partition_key: to_wire(partition), table.sort_key: to_wire(sort)}


def put_condition(table: HotTable, entry: HotEntry, now: int, *, settled: bool) -> dict[str, Any]:
    """Return the condition under which ``entry`` may be written, as arguments of PutItem.

    It holds exactly where ``outcome_of_put`` says created or updated; ``settled`` adds its conflicts, for
    ``put_many``, where the lake has chosen the incoming row.
    """
    names = {"#pk": table.partition_key, "#ttl": TTL}
    values: dict[str, object] = {":now": now}
    free = "attribute_not_exists(#pk) OR #ttl <= :now"
    allowed = _replaceable(table, entry, settled=settled)
    if "#hash" in allowed:  # DynamoDB refuses placeholders that are not used
        names["#hash"], values[":hash"] = DIGEST, entry.digest
    if "#status" in allowed and table.status:
        names["#status"], values[":running"] = table.status, RUNNING
    if "#id" in allowed and table.identity:
        names["#id"], values[":id"] = table.identity, entry.identity
    return {
        "ConditionExpression": f"{free} OR ({allowed})" if allowed else free,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {name: to_wire(value) for name, value in values.items()},
    }


def _replaceable(table: HotTable, entry: HotEntry, *, settled: bool) -> str:
    """Return when a live item may be replaced; empty means never."""
    changed = "NOT #hash = :hash"  # also true where somebody else wrote none
    same_run = "attribute_exists(#pk)"  # which every live item has: without an identity all are one run
    if table.identity:  # a missing one is sent as null, which is never stored and so equals none
        same_run = "(attribute_not_exists(#id) OR #id = :id)"
    if settled and (table.status is None or entry.status != RUNNING):
        return changed
    if settled:
        return f"{changed} AND (#status = :running OR NOT {same_run})"
    return f"{changed} AND #status = :running AND {same_run}" if table.status else ""
