"""Writing a change to VAST DB: upserts by reading first, because it has no unique keys.

Here: ``apply_change``, inside a transaction in which no other writer is.
Not here: taking turns (``vast_session``), circles of derivations (``vast_graph``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.model.errors import InvalidInputError
from metaplat.model.observation import OBSERVATION_FIELDS, SET_BY_INDEX
from metaplat.stores.catalog.index import Applied, Upserted
from metaplat.stores.catalog.vast_graph import refuse_circles
from metaplat.stores.catalog.vast_reading import by_keys, rows_of
from metaplat.stores.catalog.vast_session import ROW_ID
from metaplat.stores.catalog.vast_tables import (
    EVENTS,
    LONG_TEXT,
    LONG_TEXTS,
    OBSERVATIONS,
    RELATIONSHIPS,
    REPLACED_SEQ,
    REVISIONS,
    stored_row,
    text_parts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from metaplat.model.observation import Row
    from metaplat.stores.catalog.index import Change
    from metaplat.stores.catalog.vast_session import VastTables
    from metaplat.stores.catalog.vast_tables import VastTable

QUIET = ("attempts", "next_attempt", "extractor_version")
"""Columns that are stored without making a new version."""
GIVEN = [field.name for field in OBSERVATION_FIELDS if field.name not in SET_BY_INDEX]
PATCHABLE = frozenset(GIVEN) - {"dataset_id"}
COMPARED = [name for name in (*GIVEN, LONG_TEXT) if name not in QUIET]


def apply_change(tables: VastTables, last_seq: int, change: Change, now: datetime) -> tuple[Applied, int]:
    """Write everything of a change.

    Parameters
    ----------
    tables : VastTables
        Of the transaction.
    last_seq : int
        Number of the last change before.
    change : Change
        What to write.
    now : datetime
        When it is, UTC.

    Returns
    -------
    tuple of Applied and int
        What it did, and the number of the last change now: each new or changed row has its own.

    Raises
    ------
    InvalidInputError
        As ``Change`` says; the transaction must not be committed.
    """
    texts: dict[str, str] = {}
    versions = _Versions(tables, last_seq, now)
    said, patched = versions.take(change, texts)
    edges = _new_edges(tables, change.relationships, texts)
    events = _new_rows(tables, EVENTS, "event_id", change.events, texts)
    for row in edges:
        row |= {"recorded_at": now, "change_seq": versions.next()}
    for row in events:
        row |= {"occurred_at": row["occurred_at"] or now, "change_seq": versions.next()}
    versions.write()
    tables.insert(RELATIONSHIPS, edges)
    tables.insert(EVENTS, events)
    _insert_texts(tables, texts)
    told = [said[row["dataset_id"]] for row in change.observations]
    return Applied(told, patched, len(edges), len(events)), versions.seq


def _whole(row: Row) -> Row:
    if missing := [name for name in GIVEN if name not in row]:
        raise InvalidInputError(f"an observation without the columns {', '.join(missing)}")
    return row


def _patched(before: Row, columns: Mapping[str, Any], texts: dict[str, str]) -> Row:
    if unknown := set(columns) - PATCHABLE:
        raise InvalidInputError(f"a patch cannot set {sorted(unknown)}; there are: {sorted(PATCHABLE)}")
    row = stored_row(OBSERVATIONS, {**before, **columns}, texts)
    if OBSERVATIONS.long not in columns:
        row[LONG_TEXT] = before[LONG_TEXT]
    return row


class _Versions:
    """Observations of a change: as they are stored, as they become, and the versions they leave behind."""

    def __init__(self, tables: VastTables, seq: int, now: datetime) -> None:
        self._tables, self.seq, self._now = tables, seq, now
        self._rows: dict[str, Row] = {}
        self._touched: dict[str, None] = {}
        self._left: list[Row] = []

    def take(self, change: Change, texts: dict[str, str]) -> tuple[dict[str, Upserted], int]:
        """Take rows and patches; returns what becomes of each dataset, and how many patches did anything."""
        wanted = {
            row["dataset_id"]: stored_row(OBSERVATIONS, _whole(row), texts) for row in change.observations
        }
        self._load([*wanted, *change.patches])
        patched = 0
        for key, columns in change.patches.items():
            before = wanted.get(key) or self._rows.get(key)
            if before is None:
                raise InvalidInputError(f"no dataset {key!r} to patch; nothing was written")
            wanted[key] = _patched(before, columns, texts)
            patched += any(before[name] != wanted[key][name] for name in (*COMPARED, *QUIET))
        return {key: self._put(row) for key, row in wanted.items()}, patched

    def next(self) -> int:
        """Return the next number."""
        self.seq += 1
        return self.seq

    def _load(self, keys: Sequence[str]) -> None:
        columns = [*OBSERVATIONS.stored_columns, ROW_ID]
        found = by_keys(self._tables, OBSERVATIONS, columns, "dataset_id", keys, as_stored=True)
        for row in rows_of(found):
            if row["dataset_id"] in self._rows:
                raise InvalidInputError(
                    f"dataset {row['dataset_id']} is stored twice; remove one of its rows"
                )
            self._rows[row["dataset_id"]] = row

    def _put(self, incoming: Row) -> Upserted:
        key = incoming["dataset_id"]
        before = self._rows.get(key)
        if before is not None and all(before[name] == incoming[name] for name in COMPARED):
            if any(before[name] != incoming[name] for name in QUIET):
                self._keep(before | {name: incoming[name] for name in QUIET})
            return Upserted.UNCHANGED
        row = incoming | {"updated_at": self._now, "change_seq": self.next(), ROW_ID: None}
        if before is None:
            self._keep(row | {"first_seen": self._now, "revision": 1})
            return Upserted.INSERTED
        self._left.append(before | {REPLACED_SEQ: self.seq})
        kept = {
            "first_seen": before["first_seen"],
            "revision": before["revision"] + 1,
            ROW_ID: before[ROW_ID],
        }
        self._keep(row | kept)
        return Upserted.UPDATED

    def _keep(self, row: Row) -> None:
        self._rows[row["dataset_id"]] = row
        self._touched[row["dataset_id"]] = None

    def write(self) -> None:
        """Write what was touched, and what it replaced."""
        touched = [self._rows[key] for key in self._touched]
        self._tables.insert(REVISIONS, self._left)
        self._tables.insert(OBSERVATIONS, [row for row in touched if row[ROW_ID] is None])
        replaced = [row for row in touched if row[ROW_ID] is not None]
        self._tables.update(OBSERVATIONS, replaced, OBSERVATIONS.stored_columns)


def _new_edges(tables: VastTables, edges: Sequence[Row], texts: dict[str, str]) -> list[Row]:
    """Return the edges that are not stored yet, each once."""
    if not edges:
        return []
    for edge in edges:
        if edge["parent_dataset_id"] == edge["child_dataset_id"]:
            raise InvalidInputError(
                f"a relationship leads from dataset {edge['child_dataset_id']} to itself; nothing was written"
            )
    unique: dict[tuple[str, ...], Row] = {}
    for edge in edges:
        unique.setdefault(_edge_key(edge), edge)
    columns = ["parent_dataset_id", "child_dataset_id", "relationship_type"]
    parents = [edge["parent_dataset_id"] for edge in unique.values()]
    stored = rows_of(by_keys(tables, RELATIONSHIPS, columns, "parent_dataset_id", parents))
    there = {_edge_key(row) for row in stored}
    fresh = [edge for key, edge in unique.items() if key not in there]
    refuse_circles(tables, fresh)
    return [stored_row(RELATIONSHIPS, edge, texts) for edge in fresh]


def _edge_key(edge: Mapping[str, Any]) -> tuple[str, ...]:
    return edge["parent_dataset_id"], edge["child_dataset_id"], edge["relationship_type"]


def _new_rows(
    tables: VastTables, table: VastTable, key: str, rows: Sequence[Row], texts: dict[str, str]
) -> list[Row]:
    """Return the rows whose key is not stored yet, each once."""
    unique: dict[str, Row] = {}
    for row in rows:
        unique.setdefault(row[key], row)
    there = {row[key] for row in rows_of(by_keys(tables, table, [key], key, list(unique)))}
    return [stored_row(table, row, texts) for name, row in unique.items() if name not in there]


def _insert_texts(tables: VastTables, texts: Mapping[str, str]) -> None:
    """Store the long texts that are not stored yet; no text is ever removed, older versions hold them."""
    stored = by_keys(tables, LONG_TEXTS, ["text_id"], "text_id", list(texts))
    there = {row["text_id"] for row in rows_of(stored)}
    fresh = {key: text for key, text in texts.items() if key not in there}
    tables.insert(LONG_TEXTS, list(text_parts(fresh)))
