"""The hot store protocol: recent rows by key, expiring.

Here: what every hot store promises; the semantics of ``put``. Implementations: sqlite_hot, dynamodb_hot.
Not here: which rows are hot (``ingest``). The hot store is a cache: the lake is the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from metaplat.model.retention import HotTable

HotRow = dict[str, Any]
"""Column -> value, the columns of the ``HotTable``; no nulls needed. Rows read also carry ``ttl``, whole
seconds since 1970; a ``ttl`` given is ignored: it always is the sort key plus the retention."""

RUNNING = "RUNNING"
"""The one status that a later record of the same run may replace."""


class PutOutcome(StrEnum):
    """What a put did."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    UPDATED = "updated"
    STALE = "stale"
    """Not written: a later state of the run is stored, or the row is past its own ttl."""


class HotState(NamedTuple):
    """What decides between two contents of one key; ``ttl`` None means it never expires."""

    ttl: int | None
    status: str | None
    identity: object
    digest: str | None


def outcome_of_put(
    stored: HotState | None, incoming: HotState, now: int, table: HotTable
) -> PutOutcome | None:
    """Decide what a put does; None means conflict.

    =================================== ============================================ =========
    stored                              incoming                                     outcome
    =================================== ============================================ =========
    nothing, or expired                 anything                                     created
    any                                 the same content                             unchanged
    running, same run or without id     running with other content, or terminal      updated
    terminal, same run or without id    running                                      stale
    any other                           any other                                    conflict
    =================================== ============================================ =========

    Parameters
    ----------
    stored : HotState or None
        What is stored under the key, expired or not.
    incoming : HotState
        What is to be put.
    now : int
        Whole seconds since 1970.
    table : HotTable
        Without a status column any other content is a conflict.
    """
    if stored is None or (stored.ttl is not None and stored.ttl <= now):
        return PutOutcome.CREATED
    if stored.digest == incoming.digest:
        return PutOutcome.UNCHANGED
    same_run = table.status is not None and stored.identity in (None, incoming.identity)
    if same_run and stored.status == RUNNING:
        return PutOutcome.UPDATED
    if same_run and incoming.status == RUNNING:
        return PutOutcome.STALE
    return None


@dataclass(frozen=True)
class HotPage:
    """Rows in sort-key order, and the token that asks for the next page (None at the end)."""

    rows: Sequence[HotRow]
    after: str | None


class HotStore(Protocol):
    """One hot table. ``now`` is always an argument, in whole seconds since 1970.

    A row whose ``ttl <= now`` is invisible in every read. Rows with one sort key have no defined order.
    Every method raises TransientStoreError or PermanentStoreError where the store fails; those that write
    raise InvalidInputError for a row that cannot be stored (undeclared column, wrong type, NaN, too large).
    """

    def put(self, row: HotRow, now: int) -> PutOutcome:
        """Write ``row`` by the rules of its key; raises HotConflictError where other content is stored."""

    def replace(self, row: HotRow) -> None:
        """Write ``row`` whatever is stored: the lake has decided."""

    def get(self, partition: str, sort: int, now: int) -> HotRow | None:
        """Return the live row under a key, strongly consistent."""

    def query(
        self,
        partition: str,
        now: int,
        *,
        low: int | None = None,
        high: int | None = None,
        limit: int = 100,
        after: str | None = None,
        descending: bool = False,
    ) -> HotPage:
        """Return live rows of one partition key with ``low <= sort <= high``.

        Raises UsageError where ``limit`` is below 1 or ``after`` is not a token of the same query.
        """

    def query_status(
        self,
        status: str,
        now: int,
        *,
        low: int | None = None,
        high: int | None = None,
        limit: int = 100,
        after: str | None = None,
        descending: bool = False,
    ) -> HotPage:
        """Return live rows of one status by the index (eventually consistent on DynamoDB).

        Raises UsageError as ``query`` does, and where the table has no status.
        """

    def put_many(self, rows: Iterable[HotRow], now: int) -> dict[PutOutcome, int]:
        """Put many rows; a conflict is resolved for the incoming row and counted as updated.

        For ingest, where the lake has already chosen between contents. Rows past their ttl are skipped.
        Raises TransientStoreError naming the keys that could not be written after bounded retries. Rows that
        cannot be stored do not hinder the others: InvalidInputError is raised when those are written.
        """

    def rebuild(self, rows: Iterable[HotRow], now: int) -> int:
        """Write every live row of ``rows`` over whatever is stored, the last of a key; returns how many.

        Raises as ``put_many`` does.
        """

    def delete_subject(self, partition: str) -> int:
        """Remove every row of a partition key, expired ones too; returns how many."""

    def sweep(self, now: int) -> int:
        """Remove expired rows and return how many; 0 where the service does it."""
