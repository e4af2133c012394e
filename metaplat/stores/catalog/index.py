"""The catalog index protocol: what every store of the catalog promises.

Here: the questions and changes, and their results. Implementations: ``sqlite_index`` (default),
``postgres_index``, ``vast_index``.
Not here: which change to make (``catalog``), how filters are compiled (``sql_filter``, ``vast_filter``).

Rows are dicts with every column of ``model.observation``; times are aware UTC with microseconds, a NaN is
stored as null. All methods raise TransientStoreError or PermanentStoreError where the store fails. All is
exact under many writers and readers at once: readers see whole changes only, ``change_seq`` grows in the
order in which changes become visible, and nothing is counted twice or lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from metaplat.model.filters import EVERYTHING, Filter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from metaplat.model.observation import Row

Table = Literal["observations", "dataset_relationships", "processing_events"]


class Upserted(StrEnum):
    """What an upsert did with one row."""

    INSERTED = "inserted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class KnownFile(NamedTuple):
    """What the catalog remembers of a file, to tell whether it must be read again."""

    dataset_id: str
    file_path: str
    file_size: int
    content_tag: str
    extractor_version: str
    extraction_status: str
    file_state: str
    attempts: int
    next_attempt: datetime | None


@dataclass(frozen=True)
class Change:
    """Everything that one transaction writes.

    Parameters
    ----------
    observations : sequence of Row
        Whole rows, inserted or replaced by ``dataset_id``. One that differs from the stored row in nothing
        but ``SET_BY_INDEX``, ``attempts``, ``next_attempt`` and ``extractor_version`` is unchanged (the last
        three are stored all the same); else the stored one is kept as a revision. The same id twice: the
        last one stands.
    patches : mapping of str to mapping
        Columns to set in rows that exist, by dataset_id: ``{"processing_status": "processed"}``; a row that
        does not exist raises InvalidInputError, and nothing at all is written.
    relationships : sequence of Row
        Edges; ``recorded_at`` and ``change_seq`` are filled. One that exists is left as it is. One that would
        close a circle of derivations (all types but ``supersedes``, which may form no circle of its own),
        or leads from a dataset to itself, raises InvalidInputError, and nothing at all is written. The
        datasets need not exist.
    events : sequence of Row
        Events; one whose ``event_id`` exists is left as it is.
    """

    observations: Sequence[Row] = ()
    patches: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    relationships: Sequence[Row] = ()
    events: Sequence[Row] = ()


@dataclass(frozen=True)
class Applied:
    """What a change did: per observation in its order, and how many edges, events and patches were new."""

    observations: Sequence[Upserted] = ()
    patched: int = 0
    relationships: int = 0
    events: int = 0


@dataclass(frozen=True)
class Sort:
    """One column to sort by. Nulls come last, whatever the direction."""

    column: str
    descending: bool = False


@dataclass(frozen=True)
class Query:
    """One page of a search.

    Parameters
    ----------
    where : Filter
        Checked already (``catalog.queryables``).
    sort : sequence of Sort
        ``dataset_id``, in the direction of the last one, is always added as the last, so that the order is
        total.
    columns : sequence of str
        Wanted ones; empty means all.
    limit : int
        At most so many rows.
    after : sequence or None
        Values of the sort columns (``dataset_id`` included, nulls allowed) of the last row seen; rows
        after it.
    absent : bool
        Also rows whose file is vanished or rejected; else only ``file_state`` present.
    """

    where: Filter = EVERYTHING
    sort: Sequence[Sort] = (Sort("observation_timestamp", descending=True),)
    columns: Sequence[str] = ()
    limit: int = 1000
    after: Sequence[Any] | None = None
    absent: bool = False


@dataclass(frozen=True)
class Summary:
    """What a mission holds, files that are present only.

    Parameters
    ----------
    mission_id : str or None
        None for files without one.
    datasets, bytes : int
        How many, and their size.
    mean_quality : float or None
        Of those that state one.
    calibrated : int
        Those whose ``calibration_status`` is COMPLETE.
    first, last : datetime or None
        Observation times.
    """

    mission_id: str | None
    datasets: int
    bytes: int
    mean_quality: float | None
    calibrated: int
    first: datetime | None
    last: datetime | None


class FacetCount(NamedTuple):
    """A value of a column, and how many present files have it."""

    value: str | None
    datasets: int


FACET_COLUMNS = (
    "mission_id",
    "satellite_name",
    "instrument_type",
    "target_object",
    "processing_status",
    "calibration_status",
    "extraction_status",
    "file_format",
)


class Edge(NamedTuple):
    """One relationship as a graph shows it."""

    parent_dataset_id: str
    child_dataset_id: str
    relationship_type: str
    relationship_metadata: str | None
    run_id: str | None
    recorded_at: datetime
    change_seq: int


class CatalogIndex(Protocol):
    """The catalog in one store."""

    @property
    def address(self) -> str:
        """Where it is, for people, without any secret."""

    def apply(self, change: Change, now: datetime) -> Applied:
        """Write everything of ``change`` in one transaction, or nothing.

        Raises
        ------
        InvalidInputError
            As ``Change`` says.
        """

    def known(self, dataset_ids: Sequence[str]) -> dict[str, KnownFile]:
        """Return what is remembered of files, by dataset_id; unknown ones are absent. Any number of ids."""

    def known_below(self, prefix: str, now: datetime | None = None) -> Iterator[KnownFile]:
        """Yield the known files whose ``file_path`` starts with ``prefix``, by path in code-point order.

        With ``now``, only those whose ``next_attempt`` has come (failed files that are due).
        """

    def get(self, dataset_ids: Sequence[str]) -> list[Row]:
        """Return observations in any file state, in the order asked; unknown ones are left out."""

    def revisions(self, dataset_id: str) -> list[Row]:
        """Return all versions of an observation as they were stored, oldest first, the current one last."""

    def search(self, query: Query) -> list[Row]:
        """Return one page, in order; rows hold the wanted columns only."""

    def count(self, where: Filter, *, absent: bool = False) -> int:
        """Return how many observations match."""

    def totals(self, where: Filter) -> tuple[int, int]:
        """Return the number of matching present files, and the sum of their sizes in bytes."""

    def facets(self, where: Filter, columns: Sequence[str], limit: int = 20) -> dict[str, list[FacetCount]]:
        """Count present files by the values of each column: most frequent first, then by value, null last.

        ``columns`` are of ``FACET_COLUMNS``. Instant without a filter, and with one on mission and time only;
        else counted.
        """

    def summaries(self, mission_id: str | None = None) -> list[Summary]:
        """Return the summary of one mission (a list of one, or empty), or of all, by mission (null last)."""

    def scan(
        self, where: Filter, columns: Sequence[str] = (), *, absent: bool = False
    ) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Yield blocks of matching rows as tuples of ``columns`` (empty: all declared), in any order."""

    def scan_table(self, table: Table, first: datetime, last: datetime) -> Iterator[Row]:
        """Yield relationships recorded, or events that occurred, in ``[first, last)``; oldest first."""

    def edges(
        self,
        dataset_ids: Sequence[str],
        direction: Literal["parents", "children"],
        types: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[Edge]:
        """Return the edges that end in (``parents``) or leave from (``children``) these, in stable order."""

    def dangling(self, limit: int = 1000) -> list[Edge]:
        """Return edges of which an end is no observation, or one whose file vanished."""

    def events(self, run_id: str) -> list[Row]:
        """Return the events of a run, oldest first."""

    def changed_days(self, table: Table, after_seq: int) -> dict[date | None, int]:
        """Return the days with changes after ``after_seq``, each with its largest ``change_seq``.

        Days of ``observation_timestamp`` (None: without a time), also days that rows moved away from;
        of ``recorded_at``; of ``occurred_at``. All days with ``after_seq`` 0.
        """

    def last_seq(self) -> int:
        """Return the largest ``change_seq`` that readers can see; 0 in an empty catalog."""

    def close(self) -> None:
        """Close connections; the index opens them again when it is asked again."""
