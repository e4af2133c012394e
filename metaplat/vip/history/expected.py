"""Which tables an hour is expected to hold, from what is known before it and of it.

Here: the three sources of an expectation, in order: the reference list of the settings; the schema file of
the hour (for an hour without data, that of the last delivered hour); earlier jobs. Tables out of scope are
never expected.
Not here: what was delivered (``build``), how the verdict reads (``rules.vip``).

Earlier jobs: a table is expected where at least ``expected_share`` of the last ``expected_jobs`` good jobs
(status ok or late) held it. Good jobs alone count, so that a table that vanishes stays expected: the jobs
without it are incomplete. It leaves once no job has held it for ``absent_days``, measured up to the newest
job with files: a long hole makes no table absent.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Set
    from datetime import datetime

    from metaplat.settings import VipSettings
    from metaplat.vip.history.schema_tables import SchemaTable

REFERENCE, SCHEMA, JOBS = "reference", "schema", "jobs"


@dataclass(frozen=True)
class Expectation:
    """The tables that are expected, and where that comes from; both None where nothing says which."""

    tables: frozenset[str] | None = None
    source: str | None = None


@dataclass
class EarlierJobs:
    """What the jobs up to now held; told one after the other, oldest first."""

    settings: VipSettings
    _window: deque[frozenset[str]] = field(default_factory=deque)
    _held: Counter[str] = field(default_factory=Counter)
    _last_seen: dict[str, datetime] = field(default_factory=dict)
    _newest: datetime | None = None

    def tell(self, hour: datetime, tables: frozenset[str], *, good: bool) -> None:
        """Take in a job with files: the tables it held, and whether it was good.

        A job of which no table is known (one from an imported history) says nothing.
        """
        if not tables:
            return
        self._newest = hour
        self._last_seen.update(dict.fromkeys(tables, hour))
        if not good:
            return
        self._window.append(tables)
        self._held.update(tables)
        if len(self._window) > self.settings.expected_jobs:
            self._held.subtract(self._window.popleft())

    def tables(self) -> frozenset[str] | None:
        """Return the tables that are expected by now; None where there was no good job yet."""
        if not self._window or self._newest is None:
            return None
        least = self.settings.expected_share * len(self._window)
        oldest = self._newest - timedelta(days=self.settings.absent_days)
        return frozenset(
            table
            for table, times in self._held.items()
            if times >= least and times > 0 and self._last_seen[table] >= oldest
        )


def expected_tables(
    settings: VipSettings, schema: Mapping[str, SchemaTable] | None, earlier: EarlierJobs
) -> Expectation:
    """Return what an hour is expected to hold.

    Parameters
    ----------
    settings : VipSettings
        ``reference_tables`` and ``out_of_scope``.
    schema : mapping of str to SchemaTable, or None
        The schema file that counts for the hour; None where there is none.
    earlier : EarlierJobs
        The jobs before the hour.
    """
    out = frozenset(settings.out_of_scope)
    if settings.reference_tables:
        return Expectation(frozenset(settings.reference_tables) - out, REFERENCE)
    if schema is not None:
        return Expectation(in_scope(schema.keys(), settings), SCHEMA)
    tables = earlier.tables()
    return Expectation() if tables is None else Expectation(tables - out, JOBS)


def in_scope(tables: Set[str], settings: VipSettings) -> frozenset[str]:
    """Return the tables that are not out of scope."""
    return frozenset(tables) - frozenset(settings.out_of_scope)
