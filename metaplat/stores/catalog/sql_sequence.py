"""Numbers of changes, and the days they touched.

Here: ``Changes``: one transaction's numbers, from one counter row, which the transaction holds until it ends.
So numbers grow in the order in which readers see the changes.
Not here: what changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.stores.catalog.sql_values import date_of, day_of

if TYPE_CHECKING:
    from datetime import date

    from metaplat.stores.catalog.index import Table
    from metaplat.stores.catalog.sql_dialect import Dialect, SqlSession

COUNTER = "change_seq"
NO_TIME = -(10**8)
"""Stands for the day of rows without a time; before any other."""
LAST = "SELECT value FROM counters WHERE name = ?"
KEEP = """
INSERT INTO counters (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
KEEP_DAY = """
INSERT INTO changed_days (table_name, day, change_seq) VALUES (?, ?, ?)
ON CONFLICT (table_name, day) DO UPDATE SET change_seq = excluded.change_seq
"""
DAYS = "SELECT day, change_seq FROM changed_days WHERE table_name = ? AND change_seq > ? ORDER BY day"


class Changes:
    """Numbers for the changes of one transaction."""

    def __init__(self, session: SqlSession, dialect: Dialect) -> None:
        self._session, self._dialect = session, dialect
        self._first = self._last = last_change(session, dialect)
        self._days: dict[tuple[str, int], int] = {}

    def next(self) -> int:
        """Return the next number."""
        self._last += 1
        return self._last

    def touch(self, table: Table, stored_time: int | None, change_seq: int) -> None:
        """Note that a row of the day of a time changed."""
        day = day_of(stored_time)
        self._days[table, NO_TIME if day is None else day] = change_seq

    def keep(self) -> None:
        """Write the last number and the days; nothing where no number was taken."""
        if self._last == self._first:
            return
        self._session.run(self._dialect.filled(KEEP), [COUNTER, self._last])
        days = sorted((*key, change_seq) for key, change_seq in self._days.items())
        self._session.run_many(self._dialect.filled(KEEP_DAY), days)


def last_change(session: SqlSession, dialect: Dialect) -> int:
    """Return the number of the last change; 0 where there is none."""
    found = session.rows(dialect.filled(LAST), [COUNTER])
    return int(found[0][0]) if found else 0


def changed_days(session: SqlSession, dialect: Dialect, table: Table, after: int) -> dict[date | None, int]:
    """Return the days with changes after a number, each with its last one."""
    found = session.rows(dialect.filled(DAYS), [table, after])
    return {None if day == NO_TIME else date_of(day): change_seq for day, change_seq in found}
