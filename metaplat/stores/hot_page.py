"""Pages of hot rows: what is asked for, checked, and the token that asks for the next page.

Here: the two queries up to where storage is read. The token is made of the last row given, so that every
implementation makes the same one.
Not here: reading (each implementation's ``_page``).
"""

from __future__ import annotations

import base64
import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from metaplat.model.errors import UsageError
from metaplat.stores.hot import HotPage
from metaplat.stores.hot_content import SORT_LIMIT, possible_key

if TYPE_CHECKING:
    from metaplat.model.retention import HotTable

CHECK_BYTES = 6
MOST_ROWS = 2**31
"""A limit above means all rows; storage counts no further."""


@dataclass(frozen=True)
class PageRequest:
    """One page of one query, its bounds always set.

    Parameters
    ----------
    table, column, value : str
        Hot table, the column asked for (partition key or status) and its value.
    low, high : int
        Inclusive bounds of the sort key.
    limit : int
        Most rows of the page.
    descending : bool
        Newest first.
    start : tuple of (int, str) or None
        Sort and partition key of the last row of the page before.
    """

    table: str
    column: str
    value: str
    low: int
    high: int
    limit: int
    descending: bool
    start: tuple[int, str] | None = None

    def token(self, partition: str, sort: int) -> str:
        """Return the token that asks for what follows the row with these keys."""
        return _encode([self.table, self.column, self.value, partition, sort])

    def following(self, after: str) -> PageRequest:
        """Return the request of the page after; raises UsageError for a token of no such query."""
        try:
            raw = base64.b64decode(after.encode("ascii"), altchars=b"-_", validate=True)
            *scope, partition, sort = orjson.loads(raw[CHECK_BYTES:])
            genuine = _encode([*scope, partition, sort]) == after and self.low <= sort <= self.high
        except (ValueError, TypeError):
            genuine, scope = False, []  # not base64, not JSON, or not of this form
        if not genuine or scope != [self.table, self.column, self.value]:
            raise UsageError(
                f"the page token given as after belongs to no page of this query of {self.table}; "
                "ask for the first page again"
            )
        return replace(self, start=(sort, partition))


class HotQueries(ABC):
    """The two queries of a hot store; an implementation adds how one page is read.

    Parameters
    ----------
    table : HotTable
        The table asked.
    """

    def __init__(self, table: HotTable) -> None:
        self._table = table

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
        """Return live rows of one partition key with ``low <= sort <= high``; see ``HotStore``."""
        bounds = _clamped(low, -SORT_LIMIT), _clamped(high, SORT_LIMIT)
        column = self._table.partition_key
        request = PageRequest(self._table.name, column, partition, *bounds, min(limit, MOST_ROWS), descending)
        return self._checked_page(request, after, now)

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
        """Return live rows of one status by the index; see ``HotStore``."""
        column = self._table.status
        if column is None:
            raise UsageError(f"hot store table {self._table.name} has no status to ask for")
        bounds = _clamped(low, -SORT_LIMIT), _clamped(high, SORT_LIMIT)
        request = PageRequest(self._table.name, column, status, *bounds, min(limit, MOST_ROWS), descending)
        return self._checked_page(request, after, now)

    @abstractmethod
    def _page(self, request: PageRequest, now: int) -> HotPage:
        """Read the rows of a valid request."""

    def _checked_page(self, request: PageRequest, after: str | None, now: int) -> HotPage:
        if request.limit < 1:
            raise UsageError(f"a page of {request.limit} rows cannot be asked for; limit starts at 1")
        if request.low > request.high or not possible_key(request.value):
            return HotPage((), None)
        return self._page(request if after is None else request.following(after), now)


def _clamped(bound: int | None, otherwise: int) -> int:
    return otherwise if bound is None else max(-SORT_LIMIT - 1, min(bound, SORT_LIMIT + 1))


def _encode(key: list[object]) -> str:
    """Base64 of a check sum and JSON: a token that was cut or altered is noticed."""
    body = orjson.dumps(key)
    check = hashlib.blake2b(body, digest_size=CHECK_BYTES).digest()
    return base64.urlsafe_b64encode(check + body).decode("ascii")
