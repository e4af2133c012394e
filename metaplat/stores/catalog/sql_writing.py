"""Observations and patches of a change: what differs from what is stored, and writing it.

Here: ``ObservationWriter``: new rows, new versions, quiet updates, revisions; the counts are told of them.
Not here: relationships and events (``sql_graph``), the counts (``sql_rollup``), transactions (``sql_index``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from metaplat.model.errors import InvalidInputError
from metaplat.model.observation import SET_BY_INDEX
from metaplat.stores.catalog.index import Upserted
from metaplat.stores.catalog.sql_rollup import RollupChange
from metaplat.stores.catalog.sql_values import (
    AT,
    COLUMNS,
    CONTENT,
    QUIET,
    UNIT,
    patched_content,
    stored_content,
    unit_vector,
    versioned,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from metaplat.model.observation import Row
    from metaplat.stores.catalog.sql_dialect import Dialect, SqlSession, Stored
    from metaplat.stores.catalog.sql_sequence import Changes

Content = tuple[Any, ...]
STORED_COLUMNS = (*CONTENT, *SET_BY_INDEX, *UNIT)
OF_VERSION = ("updated_at", "revision", "change_seq")
LOOK_UP = "SELECT {columns} FROM observations WHERE {found}"
KEEP_VERSION = (
    "INSERT INTO observation_revisions ({columns}) SELECT {columns} FROM observations WHERE {found}"
)
UPDATE = "UPDATE observations SET {settings} WHERE dataset_id = ?"
LOOKED_UP_AT_ONCE = 20_000
TIME = AT["observation_timestamp"]
SEQUENCE = STORED_COLUMNS.index("change_seq")


class StoredRow(NamedTuple):
    """What a table holds of an observation."""

    content: Content
    revision: int


class Update(NamedTuple):
    """A new version of a stored row."""

    before: StoredRow
    content: Content


def stored_observations(rows: Iterable[Row]) -> dict[str, Content]:
    """Return rows as they are stored, by dataset_id; of two with the same id the last one."""
    return {str(content[0]): content for content in map(stored_content, rows)}


class ObservationWriter:
    """Writes the observations of one transaction.

    Parameters
    ----------
    session : SqlSession
        The transaction.
    dialect : Dialect
        Its database.
    changes : Changes
        Where numbers of changes come from.
    now : int
        When, microseconds since 1970.
    """

    def __init__(self, session: SqlSession, dialect: Dialect, changes: Changes, now: int) -> None:
        self._session, self._dialect, self._changes, self._now = session, dialect, changes, now
        self._rollup = RollupChange()

    def write(
        self, incoming: dict[str, Content], patches: Mapping[str, Mapping[str, Any]]
    ) -> tuple[dict[str, Upserted], int]:
        """Write rows and patches; returns what was done with each row, and how many patches differed.

        Raises
        ------
        InvalidInputError
            A patch is of a row that does not exist, or sets what cannot be set.
        """
        stored = self._look_up([*incoming, *(key for key in patches if key not in incoming)])
        wanted = dict(incoming)
        patched = self._patch(wanted, patches, stored)
        inserts = [content for key, content in wanted.items() if key not in stored]
        outcomes = dict.fromkeys(incoming, Upserted.INSERTED)
        updates, quiet = [], []
        for key, before in stored.items():
            content = wanted[key]
            outcomes[key] = Upserted.UNCHANGED
            if versioned(content) != versioned(before.content):
                outcomes[key] = Upserted.UPDATED
                updates.append(Update(before, content))
            elif content != before.content:
                quiet.append(content)
        self._insert(inserts)
        self._update(updates)
        self._update_quietly(quiet)
        self._rollup.write(self._session, self._dialect)
        return outcomes, patched

    def _look_up(self, keys: Sequence[str]) -> dict[str, StoredRow]:
        statement = LOOK_UP.format(columns=", ".join((*CONTENT, "revision")), found=self._found())
        stored = {}
        for start in range(0, len(keys), LOOKED_UP_AT_ONCE):
            part = self._dialect.pack(keys[start : start + LOOKED_UP_AT_ONCE])
            for *content, revision in self._session.rows(statement, [part]):
                stored[content[0]] = StoredRow(tuple(content), revision)
        return stored

    def _patch(
        self,
        wanted: dict[str, Content],
        patches: Mapping[str, Mapping[str, Any]],
        stored: Mapping[str, StoredRow],
    ) -> int:
        """Set the columns of patches in what is wanted; returns how many made a difference."""
        patched = 0
        for key, columns in patches.items():
            before = wanted.get(key) or (stored[key].content if key in stored else None)
            if before is None:
                raise InvalidInputError(f"no observation {key} to set {', '.join(columns)} of")
            wanted[key] = patched_content(before, columns)
            patched += wanted[key] != before
        return patched

    def _insert(self, contents: Sequence[Content]) -> None:
        rows = [
            (*content, self._now, self._now, 1, self._changes.next(), *unit_vector(content))
            for content in contents
        ]
        if rows:
            self._session.insert("observations", STORED_COLUMNS, rows)
        for row in rows:  # counted once the table has taken them
            self._rollup.add(row, 1)
            self._changes.touch("observations", row[TIME], row[SEQUENCE])

    def _update(self, updates: Sequence[Update]) -> None:
        if not updates:
            return
        kept = KEEP_VERSION.format(columns=", ".join(COLUMNS), found=self._found())
        self._session.run(kept, [self._dialect.pack([update.content[0] for update in updates])])
        numbers = [self._changes.next() for _ in updates]
        self._run_update(
            (*CONTENT[1:], *OF_VERSION, *UNIT),
            [
                (*new[1:], self._now, before.revision + 1, number, *unit_vector(new), new[0])
                for (before, new), number in zip(updates, numbers, strict=True)
            ],
        )
        for (before, new), number in zip(updates, numbers, strict=True):
            self._rollup.add(before.content, -1)
            self._rollup.add(new, 1)
            self._changes.touch("observations", before.content[TIME], number)
            self._changes.touch("observations", new[TIME], number)

    def _update_quietly(self, contents: Sequence[Content]) -> None:
        rows = [(*(content[AT[name]] for name in QUIET), content[0]) for content in contents]
        if rows:
            self._run_update(QUIET, rows)

    def _run_update(self, columns: Sequence[str], rows: Sequence[Sequence[Stored]]) -> None:
        settings = ", ".join(f"{name} = {self._dialect.mark}" for name in columns)
        self._session.run_many(self._dialect.filled(UPDATE).format(settings=settings), rows)

    def _found(self) -> str:
        return self._dialect.among.format(column="dataset_id", values=self._dialect.mark)
