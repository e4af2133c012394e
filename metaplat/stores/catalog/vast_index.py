"""The catalog index in VAST DB: the protocol, each method one transaction.

Here: ``VastIndex``.
Not here: how it is done: ``vast_session`` (transactions, taking turns), ``vast_changes`` (writing),
``vast_pages``, ``vast_counts``, ``vast_graph``, ``vast_reading`` (reading).

VAST filters, and neither sorts nor counts: whatever it cannot decide is decided on the rows as they stream
by. Counting therefore reads the columns it needs of all matching rows; there are no running counts.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal

from metaplat.model.filters import And, Compare, Filter, Prefix
from metaplat.stores.catalog import vast_counts, vast_graph
from metaplat.stores.catalog.index import KnownFile
from metaplat.stores.catalog.vast_changes import apply_change
from metaplat.stores.catalog.vast_pages import page, present
from metaplat.stores.catalog.vast_reading import by_keys, frames, rows_of
from metaplat.stores.catalog.vast_session import VastSession
from metaplat.stores.catalog.vast_tables import EVENTS, OBSERVATIONS, RELATIONSHIPS, REVISIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date, datetime

    from metaplat.model.observation import Row
    from metaplat.settings import CatalogSettings
    from metaplat.stores.catalog.index import Applied, Change, Edge, FacetCount, Query, Summary, Table

KNOWN = list(KnownFile._fields)
SCANNED = {
    "dataset_relationships": (RELATIONSHIPS, "recorded_at"),
    "processing_events": (EVENTS, "occurred_at"),
}


class VastIndex:
    """The catalog in a schema of a VAST cluster; connects on first use, creating tables that are missing.

    Parameters
    ----------
    settings : CatalogSettings
        ``vast_endpoint``, keys, bucket (which must exist) and schema.
    session_factory : callable, optional
        Returns a session of the SDK; by default ``vastdb.connect`` with the settings.
    """

    def __init__(self, settings: CatalogSettings, session_factory: Callable[[], Any] | None = None) -> None:
        self._session = VastSession(settings, session_factory)

    @property
    def address(self) -> str:
        """Host, bucket and schema."""
        return self._session.address

    def apply(self, change: Change, now: datetime) -> Applied:
        """Write a change; writers take turns by a row that all of them update (``vast_session``)."""
        return self._session.writing(
            "write a change", lambda tables, last_seq: apply_change(tables, last_seq, change, now)
        )

    def known(self, dataset_ids: Sequence[str]) -> dict[str, KnownFile]:
        """Return what is remembered of files, by dataset_id."""
        with self._session.reading("look up files") as tables:
            rows = rows_of(by_keys(tables, OBSERVATIONS, KNOWN, "dataset_id", dataset_ids))
            return {row["dataset_id"]: KnownFile(**row) for row in rows}

    def known_below(self, prefix: str, now: datetime | None = None) -> Iterator[KnownFile]:
        """Yield the known files below a prefix, by path; all of them are held while they are sorted."""
        import polars as pl

        due: list[Filter] = [] if now is None else [Compare("next_attempt", "<=", now)]
        with self._session.reading("list known files") as tables:
            held = list(frames(tables, OBSERVATIONS, KNOWN, And((Prefix("file_path", prefix), *due))))
        if held:
            for row in pl.concat(held).sort("file_path", "dataset_id").iter_rows():
                yield KnownFile._make(row)

    def get(self, dataset_ids: Sequence[str]) -> list[Row]:
        """Return observations in any file state, in the order asked."""
        with self._session.reading("get observations") as tables:
            found = by_keys(tables, OBSERVATIONS, OBSERVATIONS.columns, "dataset_id", dataset_ids)
            rows = {row["dataset_id"]: row for row in rows_of(found)}
        return [rows[key] for key in dataset_ids if key in rows]

    def revisions(self, dataset_id: str) -> list[Row]:
        """Return all versions of an observation, oldest first."""
        with self._session.reading("get the versions of an observation") as tables:
            versions = [
                row
                for table in (REVISIONS, OBSERVATIONS)
                for row in rows_of(by_keys(tables, table, OBSERVATIONS.columns, "dataset_id", [dataset_id]))
            ]
        return sorted(versions, key=lambda row: int(row["revision"]))

    def search(self, query: Query) -> list[Row]:
        """Return one page, in order."""
        with self._session.reading("search observations") as tables:
            return page(tables, query)

    def count(self, where: Filter, *, absent: bool = False) -> int:
        """Return how many observations match."""
        with self._session.reading("count observations") as tables:
            return vast_counts.total(tables, where, absent=absent)

    def totals(self, where: Filter) -> tuple[int, int]:
        """Return the number of matching present files, and the sum of their sizes in bytes."""
        with self._session.reading("sum observations") as tables:
            return vast_counts.totals(tables, where)

    def facets(self, where: Filter, columns: Sequence[str], limit: int = 20) -> dict[str, list[FacetCount]]:
        """Count present files by the values of each column."""
        with self._session.reading("count values of observations") as tables:
            return vast_counts.facets(tables, where, columns, limit)

    def summaries(self, mission_id: str | None = None) -> list[Summary]:
        """Return the summary of one mission, or of all, by mission (null last)."""
        with self._session.reading("summarise missions") as tables:
            return vast_counts.summaries(tables, mission_id)

    def scan(
        self, where: Filter, columns: Sequence[str] = (), *, absent: bool = False
    ) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Yield blocks of matching rows, all of one moment, in the sizes that VAST sends."""
        wanted = columns or OBSERVATIONS.columns
        with self._session.reading("scan observations") as tables:
            found = frames(tables, OBSERVATIONS, wanted, present(where, absent=absent))
            with closing(found):  # the SDK's threads end before the transaction does
                for frame in found:
                    yield frame.rows()

    def scan_table(self, table: Table, first: datetime, last: datetime) -> Iterator[Row]:
        """Yield relationships recorded, or events that occurred, in ``[first, last)``; oldest first."""
        source, time = SCANNED[table]
        window = And((Compare(time, ">=", first), Compare(time, "<", last)))
        with self._session.reading(f"scan {table}") as tables:
            rows = list(rows_of(frames(tables, source, source.columns, window)))
        yield from sorted(rows, key=lambda row: (row[time], row["change_seq"]))

    def edges(
        self,
        dataset_ids: Sequence[str],
        direction: Literal["parents", "children"],
        types: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[Edge]:
        """Return the edges that end in, or leave from, these: by that end, the other one, and type."""
        end = "child_dataset_id" if direction == "parents" else "parent_dataset_id"
        with self._session.reading("get relationships") as tables:
            return vast_graph.edges(tables, dataset_ids, end, types, limit)

    def dangling(self, limit: int = 1000) -> list[Edge]:
        """Return edges of which an end is no observation, or one whose file vanished."""
        with self._session.reading("find relationships that point nowhere") as tables:
            return vast_graph.dangling(tables, limit)

    def events(self, run_id: str) -> list[Row]:
        """Return the events of a run, oldest first."""
        with self._session.reading("get events") as tables:
            rows = list(rows_of(frames(tables, EVENTS, EVENTS.columns, Compare("run_id", "=", run_id))))
        return sorted(rows, key=lambda row: (row["occurred_at"], row["change_seq"]))

    def changed_days(self, table: Table, after_seq: int) -> dict[date | None, int]:
        """Return the days with changes after ``after_seq``, each with its largest ``change_seq``."""
        with self._session.reading("find changed days") as tables:
            return vast_counts.changed_days(tables, table, after_seq)

    def last_seq(self) -> int:
        """Return the largest ``change_seq`` that readers can see; 0 in an empty catalog."""
        with self._session.reading("read the number of the last change") as tables:
            return self._session.last_seq(tables)

    def close(self) -> None:
        """Close connections; the index opens them again when it is asked again."""
        self._session.close()
