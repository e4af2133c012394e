"""Everything in a place is cataloged at once: a folder, a file, a prefix on S3, or listed files.

Here: listing, leaving out what the catalog knows, the summary and its event.
Not here: the steps of one batch (``cataloging``).
Running it again changes nothing, and goes on where a killed one stopped; several at once do no harm.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from metaplat.catalog.ingesting.cataloging import Cataloging, decided_by_index, new_summary
from metaplat.catalog.ingesting.listing import open_listing
from metaplat.catalog.ingesting.reading_files import version_of
from metaplat.catalog.ingesting.results import FileResult, IngestSummary, audit_event
from metaplat.catalog.ingesting.standing import Standing, standing_of
from metaplat.collectors.headers.mappings import load_mappings
from metaplat.model.observation import IngestStatus, Row
from metaplat.stores.catalog.index import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from metaplat.catalog.ingesting.listing import FileEntry, Listing
    from metaplat.collectors.headers.mappings import Mappings
    from metaplat.settings import Settings
    from metaplat.stores.catalog.index import CatalogIndex, KnownFile

_NAMED = 20
"""Rejected files that the audit trail names."""


def ingest_place(
    place: str,
    index: CatalogIndex,
    settings: Settings,
    now: datetime,
    *,
    mappings: Mappings | None = None,
    run_id: str | None = None,
    on_result: Callable[[FileResult], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
    force: bool = False,
) -> IngestSummary:
    """Catalog every file of a place that the catalog does not know as it is now.

    Parameters
    ----------
    place : str
        A folder, a file, or ``s3://bucket/prefix``.
    index : CatalogIndex
        Where to.
    settings : Settings
        Sections ``[catalog]`` and ``[s3]``.
    now : datetime
        Aware; decides which failed files are due, and is what the index records.
    mappings : Mappings or None
        None loads those that the settings name.
    run_id : str or None
        Of the audit event; None makes one up.
    on_result : callable or None
        Told of each file, in the order of the listing, once the catalog has it; folders that cannot be
        looked into come last.
    progress : callable or None
        Told the number of files done, and of files listed so far.
    force : bool
        Read also what is unchanged, waiting or quarantined.

    Raises
    ------
    UsageError
        There is no such place.
    SourceError
        The place as a whole cannot be listed or read.
    StoreError
        The index fails. What was written before stays.
    """
    listing = open_listing(place, settings)
    chosen = mappings or load_mappings(settings.catalog.mappings)
    summary = new_summary(listing.address, run_id)
    cataloging = Cataloging(index, settings, now, chosen, summary, on_result, progress)
    files = without_marks(listing, settings.catalog.done_suffix)
    return _ingest(cataloging, files, listing, force=force)


def ingest_entries(
    entries: Iterable[FileEntry],
    place: str,
    index: CatalogIndex,
    settings: Settings,
    now: datetime,
    *,
    mappings: Mappings | None = None,
    run_id: str | None = None,
    on_result: Callable[[FileResult], None] | None = None,
    force: bool = False,
) -> IngestSummary:
    """Catalog listed files, as ``ingest_place`` does.

    Parameters
    ----------
    entries : iterable of FileEntry
        What a tick found.
    place : str
        Where they lie, for the audit trail.
    """
    chosen = mappings or load_mappings(settings.catalog.mappings)
    cataloging = Cataloging(index, settings, now, chosen, new_summary(place, run_id), on_result)
    return _ingest(cataloging, entries, None, force=force)


def _ingest(
    cataloging: Cataloging, entries: Iterable[FileEntry], listing: Listing | None, *, force: bool
) -> IngestSummary:
    started, version = time.monotonic(), version_of(cataloging.mappings)
    index, now, summary = cataloging.index, cataloging.now, cataloging.summary

    def decide(entry: FileEntry, known: KnownFile | None) -> Standing:
        return standing_of(entry, known, version, now, force=force)

    cataloging.run(decided_by_index(entries, index, decide))
    if listing is not None:
        tell_unlisted(cataloging, listing)
    if summary.read:  # an ingest that found nothing to do leaves no trace
        index.apply(Change(events=[ingest_event(summary, now)]), now)
    summary.seconds = time.monotonic() - started
    return summary


def tell_unlisted(cataloging: Cataloging, listing: Listing) -> None:
    """Count what a listing left out, and reject each folder that it could not look into."""
    cataloging.summary.left_out = listing.left_out
    for folder in listing.unlisted:
        cataloging.tell(FileResult(folder.path, IngestStatus.REJECTED, folder.reason, None))


def ingest_event(summary: IngestSummary, now: datetime) -> Row:
    """Return the audit event of an ingest."""
    counts = ", ".join(f"{count:,} {status}" for status, count in summary.counts.items())
    detail = {
        "place": summary.place,
        **summary.counts,
        "left_out": summary.left_out,
        "rejections": [f"{path}: {reason}" for path, reason in summary.rejections[:_NAMED]],
    }
    return audit_event("ingest", summary.run_id, now, f"{summary.place}: {counts}", summary.files, detail)


def without_marks(listing: Listing, done_suffix: str | None) -> Iterator[FileEntry]:
    """Yield the files of a listing, without the marks that say that another one is complete."""
    for entry in listing:
        if done_suffix is None or not entry.path.endswith(done_suffix):
            yield entry
