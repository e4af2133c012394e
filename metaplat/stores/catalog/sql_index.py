"""The catalog index in a database that speaks SQL.

Here: ``SqlIndex``: every question of ``CatalogIndex`` as one transaction of a ``SqlStore``.
Not here: the statements (``sql_search``, ``sql_counting``, ``sql_writing``, ...), connections and what their
failures mean (``sqlite_index``, ``postgres_index``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from metaplat.stores.catalog.index import Applied, Edge, FacetCount, KnownFile, Query, Summary, Table
from metaplat.stores.catalog.sql_counting import Counting
from metaplat.stores.catalog.sql_graph import GraphWriter, dangling_edges, edges_of, events_of
from metaplat.stores.catalog.sql_scanning import KNOWN, files_below, known_file, scan_blocks, timed_rows
from metaplat.stores.catalog.sql_search import page_of
from metaplat.stores.catalog.sql_sequence import Changes, changed_days, last_change
from metaplat.stores.catalog.sql_values import COLUMNS, decoded_rows, microseconds
from metaplat.stores.catalog.sql_writing import ObservationWriter, stored_observations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from metaplat.model.filters import Filter
    from metaplat.model.observation import Row
    from metaplat.stores.catalog.index import Change
    from metaplat.stores.catalog.sql_dialect import Dialect, SqlStore

AT_ONCE = 20_000
BY_ID = "SELECT {columns} FROM observations WHERE {found}"
VERSIONS = """
SELECT {columns} FROM observation_revisions WHERE dataset_id = ?
UNION ALL SELECT {columns} FROM observations WHERE dataset_id = ? ORDER BY revision
"""


class SqlIndex:
    """See ``CatalogIndex``.

    Parameters
    ----------
    store : SqlStore
        Lends transactions.
    dialect : Dialect
        What its statements are written in.
    """

    def __init__(self, store: SqlStore, dialect: Dialect) -> None:
        self._store, self._dialect = store, dialect

    def apply(self, change: Change, now: datetime) -> Applied:
        """Write everything of ``change`` in one transaction, or nothing."""
        incoming = stored_observations(change.observations)  # before others have to wait
        at = microseconds(now)
        with self._store.writing("write to the catalog") as session:
            changes = Changes(session, self._dialect)
            writer = ObservationWriter(session, self._dialect, changes, at)
            outcomes, patched = writer.write(incoming, change.patches)
            graph = GraphWriter(session, self._dialect, changes, at)
            edges = graph.write_edges(change.relationships) if change.relationships else 0
            events = graph.write_events(change.events) if change.events else 0
            changes.keep()
        return Applied([outcomes[row["dataset_id"]] for row in change.observations], patched, edges, events)

    def known(self, dataset_ids: Sequence[str]) -> dict[str, KnownFile]:
        """Return what is remembered of files, by dataset_id."""
        files = (known_file(values) for values in self._by_id(dataset_ids, KNOWN))
        return {file.dataset_id: file for file in files}

    def known_below(self, prefix: str, now: datetime | None = None) -> Iterator[KnownFile]:
        """Yield the known files whose ``file_path`` starts with ``prefix``, by path."""
        return files_below(self._store, self._dialect, prefix, now)

    def get(self, dataset_ids: Sequence[str]) -> list[Row]:
        """Return observations in any file state, in the order asked."""
        found = decoded_rows(COLUMNS, self._by_id(dataset_ids, ", ".join(COLUMNS)))
        by_id = {row["dataset_id"]: row for row in found}
        return [by_id[key] for key in dataset_ids if key in by_id]

    def revisions(self, dataset_id: str) -> list[Row]:
        """Return all versions of an observation, oldest first."""
        statement = self._dialect.filled(VERSIONS.format(columns=", ".join(COLUMNS)))
        with self._store.reading("read the versions of an observation") as session:
            return decoded_rows(COLUMNS, session.rows(statement, [dataset_id, dataset_id]))

    def search(self, query: Query) -> list[Row]:
        """Return one page, in order."""
        with self._store.reading("search the catalog") as session:
            return page_of(session, self._dialect, query)

    def count(self, where: Filter, *, absent: bool = False) -> int:
        """Return how many observations match."""
        with self._store.reading("count observations") as session:
            return Counting(session, self._dialect).totals(where, absent=absent)[0]

    def totals(self, where: Filter) -> tuple[int, int]:
        """Return the number of matching present files, and the sum of their sizes in bytes."""
        with self._store.reading("add up observations") as session:
            return Counting(session, self._dialect).totals(where)

    def facets(self, where: Filter, columns: Sequence[str], limit: int = 20) -> dict[str, list[FacetCount]]:
        """Count present files by the values of each column.

        Targets in a window of time are counted from the rows of that time; the other columns are kept by day.
        """
        with self._store.reading("count values") as session:
            return Counting(session, self._dialect).facets(where, columns, limit)

    def summaries(self, mission_id: str | None = None) -> list[Summary]:
        """Return the summary of one mission, or of all."""
        with self._store.reading("summarise missions") as session:
            return Counting(session, self._dialect).summaries(mission_id)

    def scan(
        self, where: Filter, columns: Sequence[str] = (), *, absent: bool = False
    ) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Yield blocks of matching rows, in any order; ``scan_blocks`` says what holds beside writers."""
        return scan_blocks(self._store, self._dialect, where, columns, absent=absent)

    def scan_table(self, table: Table, first: datetime, last: datetime) -> Iterator[Row]:
        """Yield relationships recorded, or events that occurred, in ``[first, last)``; oldest first."""
        return timed_rows(self._store, self._dialect, table, first, last)

    def edges(
        self,
        dataset_ids: Sequence[str],
        direction: Literal["parents", "children"],
        types: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[Edge]:
        """Return the edges that end in (``parents``) or leave from (``children``) these."""
        if not dataset_ids:
            return []
        with self._store.reading("read relationships") as session:
            return edges_of(session, self._dialect, dataset_ids, direction, types, limit)

    def dangling(self, limit: int = 1000) -> list[Edge]:
        """Return edges of which an end is no observation, or one whose file vanished."""
        with self._store.reading("read relationships") as session:
            return dangling_edges(session, self._dialect, limit)

    def events(self, run_id: str) -> list[Row]:
        """Return the events of a run, oldest first."""
        with self._store.reading("read the events of a run") as session:
            return events_of(session, self._dialect, run_id)

    def changed_days(self, table: Table, after_seq: int) -> dict[date | None, int]:
        """Return the days with changes after ``after_seq``, each with its largest ``change_seq``."""
        with self._store.reading("look for changes") as session:
            return changed_days(session, self._dialect, table, after_seq)

    def last_seq(self) -> int:
        """Return the largest ``change_seq`` that readers can see."""
        with self._store.reading("look for changes") as session:
            return last_change(session, self._dialect)

    def close(self) -> None:
        """Close connections; they open again when the index is asked again."""
        self._store.close()

    def _by_id(self, dataset_ids: Sequence[str], columns: str) -> list[tuple[Any, ...]]:
        found = self._dialect.among.format(column="dataset_id", values=self._dialect.mark)
        statement = BY_ID.format(columns=columns, found=found)
        keys = list(dict.fromkeys(dataset_ids))
        rows: list[tuple[Any, ...]] = []
        with self._store.reading("look up observations") as session:
            for start in range(0, len(keys), AT_ONCE):
                rows += session.rows(statement, [self._dialect.pack(keys[start : start + AT_ONCE])])
        return rows
