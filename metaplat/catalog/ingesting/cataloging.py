"""From decisions about files to rows in the index, in the order of the listing.

Here: handing files to the extractor ahead, writing batches while others are read, one result for each file.
Not here: deciding (``standing``), reading (``extracting``), where the files come from (``bulk``,
``watching``, ``reconciling``).
A batch is written in one transaction, and only then are its results told: killed anywhere, an ingest that is
run again finds what was written unchanged, and goes on.
"""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from metaplat.catalog.ingesting.extracting import Extractor
from metaplat.catalog.ingesting.reading_files import COLUMNS, Refusal, version_of
from metaplat.catalog.ingesting.results import FileResult, IngestSummary, reason_of, rejected_row
from metaplat.catalog.ingesting.standing import TO_READ, Standing
from metaplat.model.observation import IngestStatus, Row, dataset_id_of, shown_path
from metaplat.stores.catalog.index import Change, Upserted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from metaplat.catalog.ingesting.extracting import Handed
    from metaplat.catalog.ingesting.listing import FileEntry
    from metaplat.catalog.ingesting.reading_files import Reading
    from metaplat.collectors.headers.mappings import Mappings
    from metaplat.settings import Settings
    from metaplat.stores.catalog.index import CatalogIndex, KnownFile

CHUNK = 250
"""Files that a process reads at once: packing them costs little beside reading them."""

STATED = {"processing_status": "raw", "data_quality_score": None}
"""What pipelines state of a dataset, and what a header that says nothing of it gives."""

_STATUS = {
    Upserted.INSERTED: IngestStatus.CATALOGED,
    Upserted.UPDATED: IngestStatus.UPDATED,
    Upserted.UNCHANGED: IngestStatus.UNCHANGED,
}


class Decided(NamedTuple):
    """A listed file, what the catalog remembers of it, and how it stands."""

    entry: FileEntry
    known: KnownFile | None
    standing: Standing


class _Read(NamedTuple):
    """A decided file, and its row (None where it is not read) or why there is none."""

    decided: Decided
    row: Row | None
    refusal: Refusal | None


@dataclass
class _Block:
    """Some files in their order; those to read are handed over."""

    decided: list[Decided]
    handed: Handed


@dataclass
class Cataloging:
    """One ingest on its way.

    Parameters
    ----------
    index : CatalogIndex
        Where rows are written.
    settings : Settings
        Batch size, processes, attempts.
    now : datetime
        The time of the ingest, aware.
    mappings : Mappings
        From keywords to columns.
    summary : IngestSummary
        What is counted.
    on_result : callable or None
        Told of each file once the catalog has it, in the order of the listing.
    progress : callable or None
        Told how many files are done, and how many were listed so far.
    """

    index: CatalogIndex
    settings: Settings
    now: datetime
    mappings: Mappings
    summary: IngestSummary
    on_result: Callable[[FileResult], None] | None = None
    progress: Callable[[int, int], None] | None = None
    _pending: list[_Read] = field(default_factory=list)
    _listed: int = 0

    def run(self, decided: Iterable[Decided]) -> None:
        """Bring every file to its end.

        Raises
        ------
        StoreError
            The index fails.
        SourceError
            The place as a whole cannot be read.
        """
        batch, waiting = self.settings.catalog.batch_size, deque[_Block]()
        ahead = 0
        with Extractor(self.settings, self.mappings) as extractor:
            for block in _blocks(decided):
                self._listed += len(block)
                waiting.append(_Block(block, extractor.hand_over(_to_read(block))))
                ahead += len(block)
                while ahead > batch + 8 * CHUNK:  # so much keeps the others busy while a batch is written
                    ahead -= self._take(waiting.popleft())
            while waiting:
                self._take(waiting.popleft())
        self._write()

    def tell(self, result: FileResult) -> None:
        """Count one file, and tell it to who listens."""
        self.summary.add(result)
        if self.on_result is not None:
            self.on_result(result)

    def _take(self, block: _Block) -> int:
        """Bring a block to its rows; write once there are enough."""
        readings = iter(block.handed.readings())
        self._pending += [self._read(decided, readings) for decided in block.decided]
        if len(self._pending) >= self.settings.catalog.batch_size:
            self._write()
        return len(block.decided)

    def _read(self, decided: Decided, readings: Iterator[Reading]) -> _Read:
        if decided.standing not in TO_READ:
            return _Read(decided, None, None)
        reading = next(readings)
        if not isinstance(reading, Refusal):
            return _Read(decided, dict(zip(COLUMNS, reading, strict=True)), None)
        if reading.is_gone:
            return _Read(decided, None, reading)
        version, settings = version_of(self.mappings), self.settings.catalog
        return _Read(decided, rejected_row(reading, decided.known, version, settings, self.now), reading)

    def _write(self) -> None:
        pending, self._pending = self._pending, []
        rows = [read.row for read in pending if read.row is not None]
        self.summary.read += sum(read.decided.standing in TO_READ for read in pending)
        self._keep_stated(pending)
        written: Sequence[Upserted] = ()
        if rows:
            written = self.index.apply(Change(observations=rows), self.now).observations
        self._tell(pending, iter(written))
        if self.progress is not None:
            self.progress(self.summary.files, self._listed)

    def _keep_stated(self, pending: Sequence[_Read]) -> None:
        """Keep what pipelines stated of a content that is read again."""
        again = {
            read.decided.known.dataset_id: read.row
            for read in pending
            if read.row is not None
            and read.decided.known is not None
            and _is_read_again(read.row, read.decided.known)
        }
        for stored in self.index.get(list(again)) if again else ():
            row = again[stored["dataset_id"]]
            row.update({name: stored[name] for name, unsaid in STATED.items() if row[name] == unsaid})

    def _tell(self, pending: Sequence[_Read], written: Iterator[Upserted]) -> None:
        skipped = [read.decided for read in pending if read.decided.standing not in TO_READ]
        stored = self._stored(skipped)
        for read in pending:
            outcome = next(written) if read.row is not None else None
            self.tell(self._result(read, outcome, stored))

    def _stored(self, skipped: Sequence[Decided]) -> dict[str, Row]:
        """Return stored rows of files that were not read: what a listener, or a rejection, needs of them."""
        ids = [
            each.known.dataset_id
            for each in skipped
            if each.known and (self.on_result is not None or each.standing is not Standing.UNCHANGED)
        ]
        return {row["dataset_id"]: row for row in self.index.get(ids)} if ids else {}

    def _result(self, read: _Read, outcome: Upserted | None, stored: dict[str, Row]) -> FileResult:
        path = shown_path(read.decided.entry.path)
        if read.refusal is not None:
            return FileResult(path, IngestStatus.REJECTED, reason_of(read.refusal), None)
        if outcome is not None:
            return FileResult(path, _STATUS[outcome], None, read.row)
        known = read.decided.known
        row = stored.get(known.dataset_id) if known else None
        if read.decided.standing is Standing.UNCHANGED:
            seen = {name: row[name] for name in COLUMNS} if row else None
            return FileResult(path, IngestStatus.UNCHANGED, None, seen)
        return FileResult(path, IngestStatus.REJECTED, row["extraction_reason"] if row else None, None)


def new_summary(place: str, run_id: str | None) -> IngestSummary:
    """Return an empty summary, under a run of its own where none is given."""
    return IngestSummary(place, run_id or uuid.uuid4().hex)


def decided_by_index(
    entries: Iterable[FileEntry],
    index: CatalogIndex,
    decide: Callable[[FileEntry, KnownFile | None], Standing],
) -> Iterator[Decided]:
    """Yield files with how they stand, asking the index for many at a time.

    Parameters
    ----------
    entries : iterable of FileEntry
        As listed.
    index : CatalogIndex
        Asked for what it knows.
    decide : callable
        From the file and what is known of it to its standing.
    """
    block: list[FileEntry] = []
    for entry in entries:
        block.append(entry)
        if len(block) == CHUNK * 4:
            yield from _decided(block, index, decide)
            block = []
    yield from _decided(block, index, decide)


def _decided(
    block: Sequence[FileEntry],
    index: CatalogIndex,
    decide: Callable[[FileEntry, KnownFile | None], Standing],
) -> Iterator[Decided]:
    ids = [dataset_id_of(entry.path) for entry in block]
    known = index.known(ids) if ids else {}
    for entry, dataset_id in zip(block, ids, strict=True):
        file = known.get(dataset_id)
        yield Decided(entry, file, decide(entry, file))


def _blocks(decided: Iterable[Decided]) -> Iterator[list[Decided]]:
    """Yield blocks with ``CHUNK`` files to read, or with some more that are not read."""
    block: list[Decided] = []
    to_read = 0
    for each in decided:
        block.append(each)
        to_read += each.standing in TO_READ
        if to_read >= CHUNK or len(block) >= 8 * CHUNK:
            yield block
            block, to_read = [], 0
    if block:
        yield block


def _to_read(block: Sequence[Decided]) -> list[FileEntry]:
    return [each.entry for each in block if each.standing in TO_READ]


def _is_read_again(row: Row, known: KnownFile) -> bool:
    """Whether what was read is the content that the catalog had seen."""
    return bool(row["content_tag"] == known.content_tag and row["file_size"] == known.file_size)
