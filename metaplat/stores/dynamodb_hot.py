"""The hot store in DynamoDB: for many writers on many machines.

Here: the requests of one hot table, called ``<prefix><name>``; every write is conditional where it could
overtake another writer.
Not here: the client and failures (``dynamodb_client``), making tables (``dynamodb_table``), batches and
pauses (``dynamodb_batches``), items and conditions (``dynamodb_items``), arguments of queries
(``dynamodb_queries``).
"""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import HotConflictError, TransientStoreError
from metaplat.stores.dynamodb_batches import (
    READ_SIZE,
    WRITE_SIZE,
    batch_get,
    batch_write,
    in_chunks,
    in_rounds,
    unwritten,
)
from metaplat.stores.dynamodb_client import CONNECTIONS, dynamodb_client, is_throttled, translated
from metaplat.stores.dynamodb_items import content_of, item_of, key_item, key_of, put_condition, state_of
from metaplat.stores.dynamodb_queries import page_query, subject_query
from metaplat.stores.dynamodb_table import ensure_table
from metaplat.stores.hot import HotPage, PutOutcome, outcome_of_put
from metaplat.stores.hot_content import DIGEST, SORT_LIMIT, TTL, HotCodec, LiveEntries, possible_key
from metaplat.stores.hot_page import HotQueries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from metaplat.model.field import Field
    from metaplat.model.retention import HotTable
    from metaplat.settings import HotSettings
    from metaplat.stores.dynamodb_items import Item
    from metaplat.stores.hot import HotRow
    from metaplat.stores.hot_content import HotEntry
    from metaplat.stores.hot_page import PageRequest

WINDOW = 1000
"""Rows of ``put_many`` and ``rebuild`` in flight at once: bounds memory, and keeps the order within a key."""
LEAST_LATER, MOST_AT_ONCE = 100, 1000
"""Rows to scan in one request of a query: at least so many once expired ones turned up, and at most."""
DELETE_PASSES = 3


class DynamoHot(HotQueries):
    """One hot table in DynamoDB; see ``HotStore``. Nothing is requested before the first use.

    Parameters
    ----------
    settings : HotSettings
        Region, endpoint, table prefix, whether to create the table.
    table : HotTable
        Name, keys and columns.
    retention_seconds : int
        Time to live, counted from the sort key.
    fields : sequence of Field
        Declarations of at least the table's columns.
    """

    def __init__(
        self, settings: HotSettings, table: HotTable, retention_seconds: int, fields: Sequence[Field]
    ) -> None:
        super().__init__(table)
        self._settings = settings
        self._codec = HotCodec(table, retention_seconds, fields)
        self._name = settings.table_prefix + table.name
        self._opening = threading.Lock()
        self._opened: DynamoDBClient | None = None

    def put(self, row: HotRow, now: int) -> PutOutcome:
        """Write ``row`` by the rules of its key; raises HotConflictError where other content is stored."""
        entry = self._codec.encode(row)
        if entry.ttl <= now:
            return PutOutcome.STALE
        with translated(self._name, "put a row"):
            stored = self._put_if_allowed(entry, now, settled=False)
        outcome = outcome_of_put(state_of(stored, self._table), entry.state, now, self._table)
        if outcome is None:
            raise HotConflictError(self._table.name, self._row(stored or {}), self._codec.row(entry))
        return outcome

    def replace(self, row: HotRow) -> None:
        """Write ``row`` whatever is stored: the lake has decided."""
        entry = self._codec.encode(row)
        with translated(self._name, "replace a row"):
            self._client().put_item(TableName=self._name, Item=item_of(entry))

    def get(self, partition: str, sort: int, now: int) -> HotRow | None:
        """Return the live row under a key, strongly consistent."""
        if not possible_key(partition) or not -SORT_LIMIT <= sort <= SORT_LIMIT:
            return None
        with translated(self._name, "get a row"):
            answer: Any = self._client().get_item(
                TableName=self._name, Key=key_item(self._table, partition, sort), ConsistentRead=True
            )
        state = state_of(answer.get("Item"), self._table)
        if state is None or (state.ttl is not None and state.ttl <= now):
            return None
        return self._row(answer["Item"])

    def put_many(self, rows: Iterable[HotRow], now: int) -> dict[PutOutcome, int]:
        """Put many rows; a conflict is resolved for the incoming row.

        Unchanged rows are found by batches of reads; the others are put one by one under a condition, which
        a batch of writes does not have.
        """
        live = LiveEntries(self._codec, rows, now)
        counts: Counter[PutOutcome] = Counter()
        with translated(self._name, "put rows"), ThreadPoolExecutor(CONNECTIONS) as pool:
            for window in in_chunks(live, WINDOW):
                changed = self._without_unchanged(pool, window, now)
                counts[PutOutcome.UNCHANGED] += len(window) - sum(map(len, changed))
                counts += self._put_window(pool, changed, now)
        live.raise_refusals()
        return {outcome: counts[outcome] for outcome in PutOutcome}

    def rebuild(self, rows: Iterable[HotRow], now: int) -> int:
        """Write every live row of ``rows`` over whatever is stored, in batches; returns how many."""
        live = LiveEntries(self._codec, rows, now)
        keys: set[tuple[str, int]] = set()
        with translated(self._name, "rebuild rows"), ThreadPoolExecutor(CONNECTIONS) as pool:
            for window in in_chunks(live, WINDOW):
                winners = {entry.key: entry for entry in window}
                keys |= winners.keys()
                requests = [{"PutRequest": {"Item": item_of(entry)}} for entry in winners.values()]
                self._write_batches(pool, requests, "rebuild rows")
        live.raise_refusals()
        return len(keys)

    def delete_subject(self, partition: str) -> int:
        """Remove every row of a partition key, expired ones too, and look again; returns how many."""
        if not possible_key(partition):
            return 0
        deleted = 0
        with translated(self._name, "delete a subject"), ThreadPoolExecutor(CONNECTIONS) as pool:
            for _ in range(DELETE_PASSES):
                requests = [{"DeleteRequest": {"Key": key}} for key in self._keys_of(partition)]
                if not requests:
                    return deleted
                self._write_batches(pool, requests, "delete a subject")
                deleted += len(requests)
        answer = f"new rows arrived while {deleted} were deleted"
        advice = "Stop the writers of this subject first."
        raise TransientStoreError(f"DynamoDB table {self._name}", "delete a subject", answer, advice)

    def sweep(self, now: int) -> int:
        """Do nothing: DynamoDB removes expired rows itself."""
        del now
        return 0

    def _client(self) -> DynamoDBClient:
        """Return the client; the first call makes the table ready where the settings say so."""
        with self._opening:
            if self._opened is None:
                client = dynamodb_client(self._settings)
                if self._settings.create_tables:
                    ensure_table(client, self._name, self._table)
                self._opened = client
            return self._opened

    def _put_if_allowed(self, entry: HotEntry, now: int, *, settled: bool) -> Item | None:
        """Put in one conditional request; return what was stored, whether it is replaced or stays."""
        client = self._client()
        try:
            answer: Any = client.put_item(
                TableName=self._name,
                Item=item_of(entry),
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **put_condition(self._table, entry, now, settled=settled),
            )
        except client.exceptions.ConditionalCheckFailedException as error:
            answer = error.response
        stored: Item | None = answer.get("Attributes") or answer.get("Item")
        return stored

    def _without_unchanged(
        self, pool: ThreadPoolExecutor, window: Sequence[HotEntry], now: int
    ) -> list[list[HotEntry]]:
        """Entries by key, in order, without those that are stored as they are."""
        groups: dict[tuple[str, int], list[HotEntry]] = {}
        for entry in window:
            groups.setdefault(entry.key, []).append(entry)
        names = (self._table.partition_key, self._table.sort_key, TTL, DIGEST)
        keys = in_chunks((key_item(self._table, *key) for key in groups), READ_SIZE)
        client = self._client()
        for items in pool.map(lambda chunk: batch_get(client, self._name, chunk, names), keys):
            for item in items:
                state, key = state_of(item, self._table), key_of(item, self._table)
                if all(
                    outcome_of_put(state, entry.state, now, self._table) is PutOutcome.UNCHANGED
                    for entry in groups[key]
                ):
                    del groups[key]
        return list(groups.values())

    def _put_window(
        self, pool: ThreadPoolExecutor, groups: Sequence[list[HotEntry]], now: int
    ) -> Counter[PutOutcome]:
        """Put groups of entries, each of one key, side by side."""
        counts: Counter[PutOutcome] = Counter()

        def work(left: list[list[HotEntry]]) -> list[list[HotEntry]]:
            unfinished = []
            for outcomes, rest in pool.map(lambda group: self._put_in_order(group, now), left):
                counts.update(outcomes)
                unfinished += [rest] if rest else []
            return unfinished

        if left := in_rounds(work, groups):
            raise unwritten(self._name, "put rows", [entry.key for group in left for entry in group])
        return counts

    def _put_in_order(self, group: Sequence[HotEntry], now: int) -> tuple[list[PutOutcome], list[HotEntry]]:
        """Put entries of one key one after the other; the outcomes, and the rest where it is throttled."""
        from botocore.exceptions import ClientError

        outcomes: list[PutOutcome] = []
        for number, entry in enumerate(group):
            try:
                stored = self._put_if_allowed(entry, now, settled=True)
            except ClientError as error:
                if is_throttled(error):
                    return outcomes, list(group[number:])
                raise
            outcome = outcome_of_put(state_of(stored, self._table), entry.state, now, self._table)
            outcomes.append(outcome or PutOutcome.UPDATED)
        return outcomes, []

    def _write_batches(
        self, pool: ThreadPoolExecutor, requests: Sequence[dict[str, Any]], attempted: str
    ) -> None:
        """Send put or delete requests of distinct keys in batches, side by side."""
        client = self._client()

        def work(left: list[dict[str, Any]]) -> list[dict[str, Any]]:
            batches = in_chunks(left, WRITE_SIZE)
            unprocessed = pool.map(lambda batch: batch_write(client, self._name, batch), batches)
            return [request for answer in unprocessed for request in answer]

        if left := in_rounds(work, requests):
            items = [(r.get("PutRequest") or {}).get("Item") or r["DeleteRequest"]["Key"] for r in left]
            raise unwritten(self._name, attempted, [key_of(item, self._table) for item in items])

    def _page(self, request: PageRequest, now: int) -> HotPage:
        """Read until the page is full or the rows end: expired rows are filtered after DynamoDB's limit."""
        found: list[Item] = []
        wanted = request.limit + 1  # one more tells whether there is a next page
        arguments = page_query(self._name, self._table, request, now) | {"Limit": min(wanted, MOST_AT_ONCE)}
        with translated(self._name, "query rows"):
            while len(found) < wanted:
                answer: Any = self._client().query(**arguments)
                found += answer["Items"]
                if "LastEvaluatedKey" not in answer:
                    break
                arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
                arguments["Limit"] = max(LEAST_LATER, min(wanted - len(found), MOST_AT_ONCE))
        page = found[: request.limit]
        after = request.token(*key_of(page[-1], self._table)) if len(found) > len(page) else None
        return HotPage([self._row(item) for item in page], after)

    def _keys_of(self, partition: str) -> Iterator[Item]:
        """Keys of every row of a subject, expired ones too."""
        arguments = subject_query(self._name, self._table, partition)
        for answer in self._client().get_paginator("query").paginate(**arguments):
            yield from answer["Items"]

    def _row(self, item: Item) -> HotRow:
        content = content_of(item)
        return self._codec.decode(content, content.get(TTL))
