"""One look at a place: which files are complete and not cataloged as they are now, and which are gone.

Here: the tick that a sensor or ``watch`` makes, and when a file has settled.
Not here: reading the files (``bulk.ingest_entries``), looking again and again (``watch_loop``).
Every tick compares the whole listing with the catalog, so that nothing depends on events or on times of
modification: moved and copied files keep old ones. A file is complete when nothing wrote to it for
``settle_seconds`` (so a renamed one at once, where it was written before that), when it looks the same in
two ticks, or when the file that marks it (``done_suffix``) is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from metaplat.catalog.ingesting.comparing import compared, is_gone
from metaplat.catalog.ingesting.cursor import Cursor, digest_of, read_cursor, remember
from metaplat.catalog.ingesting.listing import FileEntry, Listing, Unlisted, open_listing
from metaplat.catalog.ingesting.reading_files import version_of
from metaplat.catalog.ingesting.standing import TO_READ, Standing, standing_of
from metaplat.collectors.headers.mappings import load_mappings
from metaplat.model.observation import FileState
from metaplat.stores.catalog.index import Change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.collectors.headers.mappings import Mappings
    from metaplat.settings import Settings
    from metaplat.settings.sections import CatalogSettings
    from metaplat.stores.catalog.index import CatalogIndex, KnownFile

READY_BATCHES = 4
"""Batches of files that one tick finds at most; the next tick finds the others."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GONE_CHUNK = 5000


@dataclass
class Tick:
    """What one look found.

    Parameters
    ----------
    place : str
        The place.
    ready : list of FileEntry
        Complete files to catalog, in order; hand them to ``ingest_entries``.
    vanished : list of str
        Datasets whose file was missing in two ticks; hand them to ``mark_vanished``.
    unsettled : int
        Files that are not complete yet.
    more : bool
        There are more than ``ready`` holds: look again at once.
    unlisted : list of Unlisted
        Folders that could not be looked into.
    cursor : str
        For the next tick.
    """

    place: str
    ready: list[FileEntry] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    unsettled: int = 0
    more: bool = False
    unlisted: list[Unlisted] = field(default_factory=list)
    cursor: str = ""


def tick(
    place: str,
    index: CatalogIndex,
    settings: Settings,
    cursor: str | None,
    now: datetime,
    *,
    mappings: Mappings | None = None,
) -> Tick:
    """Look at a place once; nothing is read and nothing written.

    Parameters
    ----------
    place : str
        A folder, a file, or ``s3://bucket/prefix``.
    index : CatalogIndex
        What is known.
    settings : Settings
        ``settle_seconds``, ``done_suffix``, ``batch_size``.
    cursor : str or None
        Of the last tick; None at the first one.
    now : datetime
        Aware.
    mappings : Mappings or None
        None loads those that the settings name.

    Raises
    ------
    UsageError
        There is no such place.
    SourceError
        It cannot be listed, or is empty though files are known there: nothing is concluded.
    """
    listing = open_listing(place, settings)
    version = version_of(mappings or load_mappings(settings.catalog.mappings))
    look = _Look(listing, settings.catalog, read_cursor(cursor), now, version, Tick(listing.address))
    for entry, known in compared(listing, index):
        if entry is not None:
            look.at_file(entry, known)
        elif known is not None:
            look.at_missing(known)
    return look.end()


def mark_vanished(index: CatalogIndex, dataset_ids: Sequence[str], now: datetime) -> None:
    """Record that files are gone; what is known of them stays.

    Parameters
    ----------
    index : CatalogIndex
        Where.
    dataset_ids : sequence of str
        Which; all are cataloged.
    now : datetime
        Aware.
    """
    gone = {"file_state": FileState.VANISHED.value, "next_attempt": None}
    for start in range(0, len(dataset_ids), _GONE_CHUNK):
        index.apply(Change(patches=dict.fromkeys(dataset_ids[start : start + _GONE_CHUNK], gone)), now)


@dataclass
class _Look:
    """A tick on its way."""

    listing: Listing
    settings: CatalogSettings
    before: Cursor
    now: datetime
    version: str
    found: Tick
    after: Cursor = field(default_factory=Cursor)
    unmarked: dict[str, FileEntry] = field(default_factory=dict)

    def at_file(self, entry: FileEntry, known: KnownFile | None) -> None:
        """Look at a listed file."""
        done = self.settings.done_suffix
        if done is not None and entry.path.endswith(done):
            self._at_mark(entry, entry.path.removesuffix(done))
            return
        standing = standing_of(entry, known, self.version, self.now)
        if standing is Standing.OUTDATED and known is not None and known.file_state == FileState.PRESENT:
            return  # it is read well enough; an ingest or a reconcile reads it again
        if standing not in TO_READ:
            return
        if done is not None:
            self.unmarked[entry.path] = entry  # its mark comes later, having the longer name
        elif self.is_settled(entry) or standing is Standing.RETRIED:
            self._take(entry)
        else:
            self._wait(entry)

    def at_missing(self, known: KnownFile) -> None:
        """Look at a known file that is not listed: gone where the last look missed it, too."""
        if not is_gone(known, self.listing):
            return
        digest = digest_of(known.dataset_id)
        if digest in self.before.absent:
            self.found.vanished.append(known.dataset_id)
        remember(self.after.absent, digest)

    def end(self) -> Tick:
        """Return what was found."""
        for entry in self.unmarked.values():
            self._wait(entry)
        self.found.unlisted = self.listing.unlisted
        self.found.cursor = self.after.text()
        return self.found

    def is_settled(self, entry: FileEntry) -> bool:
        """Whether nothing seems to write to a file any more."""
        age = self.now - _EPOCH - timedelta(microseconds=entry.mtime_ns // 1000)
        return age >= timedelta(seconds=self.settings.settle_seconds) or _seen(entry) in self.before.unsettled

    def _at_mark(self, mark: FileEntry, path: str) -> None:
        """Take the file of a mark; where it was written after its mark, once it has settled."""
        entry = self.unmarked.pop(path, None)
        if entry is None:
            return
        if mark.mtime_ns >= entry.mtime_ns or self.is_settled(entry):
            self._take(entry)
        else:
            self._wait(entry)

    def _take(self, entry: FileEntry) -> None:
        if len(self.found.ready) < READY_BATCHES * self.settings.batch_size:
            self.found.ready.append(entry)
        else:
            self.found.more = True
        remember(self.after.unsettled, _seen(entry))  # should cataloging it fail, it is ready at once again

    def _wait(self, entry: FileEntry) -> None:
        self.found.unsettled += 1
        remember(self.after.unsettled, _seen(entry))


def _seen(entry: FileEntry) -> str:
    return digest_of(entry.path, str(entry.size), entry.content_tag)
