"""The nightly comparison of a place with the catalog, which sets right whatever differs.

Here: missing, changed, returned and due files are read, vanished ones marked, gzip files checked to their
end, and a report of all that.
Not here: looking for new files all day (``watching``), the comparison itself (``comparing``).
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from metaplat.catalog.ingesting.bulk import tell_unlisted
from metaplat.catalog.ingesting.cataloging import Cataloging, Decided, new_summary
from metaplat.catalog.ingesting.comparing import compared, ensure_listed, is_gone
from metaplat.catalog.ingesting.extracting import file_reader
from metaplat.catalog.ingesting.listing import Listing, open_listing
from metaplat.catalog.ingesting.reading_files import modified_time, version_of
from metaplat.catalog.ingesting.results import FileResult, IngestSummary, audit_event
from metaplat.catalog.ingesting.standing import Standing, standing_of
from metaplat.catalog.ingesting.watching import mark_vanished
from metaplat.catalog.ingesting.whole_streams import check_gzip_files
from metaplat.collectors.headers.mappings import load_mappings
from metaplat.model.filters import And, Compare, Filter, Prefix
from metaplat.model.observation import ExtractionStatus, FileState, Row, shown_path
from metaplat.stores.catalog.index import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from metaplat.catalog.ingesting.listing import FileEntry
    from metaplat.collectors.headers.mappings import Mappings
    from metaplat.settings import Settings
    from metaplat.stores.catalog.index import CatalogIndex, KnownFile

NAMED = 1000
"""Files that a report names of each kind; the counts are exact."""


class Difference(StrEnum):
    """How a file and the catalog differed; beside these, every ``Standing`` is counted, too."""

    VANISHED = "vanished"
    """Known, and no longer there; marked."""
    UNSETTLED = "unsettled"
    """Being delivered; the next look takes it."""
    UNLISTED = "unlisted"
    """A folder that could not be looked into; nothing is concluded of what lies below."""
    CUT = "cut"
    """A gzip file that does not inflate to its end."""


@dataclass
class Reconciliation:
    """What a reconciliation found and did.

    Parameters
    ----------
    place, run_id : str
        What was compared, and under which run the audit trail has it.
    counts : mapping of str to int
        Files by ``Standing`` and ``Difference``, as they were found.
    files : mapping of str to list of str
        The first ``NAMED`` of each, but ``unchanged``.
    ingest : IngestSummary
        What came of the files that were read.
    in_quarantine : int
        Files of the place that are in quarantine after this.
    gzip_checked : int
        Gzip files that were inflated to their end.
    seconds : float
        Wall time.
    """

    place: str
    run_id: str
    ingest: IngestSummary
    counts: Counter[str] = field(default_factory=Counter)
    files: dict[str, list[str]] = field(default_factory=dict)
    in_quarantine: int = 0
    gzip_checked: int = 0
    seconds: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether catalog and place were the same."""
        return set(self.counts) <= {Standing.UNCHANGED.value}

    def add(self, kind: str, path: str) -> None:
        """Count a file, and name it where there is room."""
        self.counts[kind] += 1
        named = self.files.setdefault(kind, [])
        if kind != Standing.UNCHANGED and len(named) < NAMED:
            named.append(path)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        return {
            "place": self.place,
            "run_id": self.run_id,
            "agrees": self.agrees,
            "counts": dict(sorted(self.counts.items())),
            "results": self.ingest.counts,
            "rejections": [{"path": path, "error": error} for path, error in self.ingest.rejections],
            "in_quarantine": self.in_quarantine,
            "gzip_checked": self.gzip_checked,
            "seconds": round(self.seconds, 3),
            "files": {kind: named for kind, named in sorted(self.files.items()) if named},
        }


def reconcile(
    place: str,
    index: CatalogIndex,
    settings: Settings,
    now: datetime,
    *,
    mappings: Mappings | None = None,
    run_id: str | None = None,
    allow_empty: bool = False,
    on_result: Callable[[FileResult], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Reconciliation:
    """Compare all files of a place with the catalog, and set the catalog right.

    Parameters
    ----------
    place : str
        A folder, a file, or ``s3://bucket/prefix``.
    index : CatalogIndex
        The catalog.
    settings : Settings
        As for ``ingest_place``; ``settle_seconds`` says which files are still being delivered.
    now : datetime
        Aware.
    mappings : Mappings or None
        None loads those that the settings name.
    run_id : str or None
        Of the audit event; None makes one up.
    allow_empty : bool
        Mark all files as vanished where the place is empty; else that is an error.
    on_result, progress : callable or None
        As for ``ingest_place``.

    Raises
    ------
    UsageError, SourceError, StoreError
        As ``ingest_place``; also SourceError where the place is empty and the catalog knows files there.
    """
    started, listing = time.monotonic(), open_listing(place, settings)
    chosen = mappings or load_mappings(settings.catalog.mappings)
    summary = new_summary(listing.address, run_id)
    report = Reconciliation(listing.address, summary.run_id, summary)
    found = _Comparison(listing, index, settings, now, version_of(chosen), report, allow_empty)
    cataloging = Cataloging(index, settings, now, chosen, summary, on_result, progress)
    cataloging.run(found.decided())
    if found.vanished and not allow_empty:
        ensure_listed(open_listing(place, settings))  # a mount that was lost meanwhile looks like files gone
    mark_vanished(index, found.vanished, now)
    tell_unlisted(cataloging, listing)
    for folder in listing.unlisted:
        report.add(Difference.UNLISTED.value, folder.path)
    if (below := listing.below) is not None:
        report.gzip_checked, cut = check_gzip_files(below, index, file_reader(settings, chosen), now)
        for path in cut:
            report.add(Difference.CUT.value, path)
        report.in_quarantine = index.count(_quarantined(below), absent=True)
    report.seconds = time.monotonic() - started
    index.apply(Change(events=[_event(report, now)]), now)
    return report


@dataclass
class _Comparison:
    """The files of a place beside what is known of them."""

    listing: Listing
    index: CatalogIndex
    settings: Settings
    now: datetime
    version: str
    report: Reconciliation
    allow_empty: bool
    vanished: list[str] = field(default_factory=list)

    def decided(self) -> Iterator[Decided]:
        """Yield every listed file that is settled, with how it stands; note the vanished ones."""
        done = self.settings.catalog.done_suffix
        for entry, known in compared(self.listing, self.index, allow_empty=self.allow_empty):
            if entry is None:
                if known is not None and is_gone(known, self.listing):
                    self.vanished.append(known.dataset_id)
                    self.report.add(Difference.VANISHED.value, known.file_path)
            elif done is None or not entry.path.endswith(done):
                yield from self._settled(entry, known)

    def _settled(self, entry: FileEntry, known: KnownFile | None) -> Iterator[Decided]:
        standing = standing_of(entry, known, self.version, self.now)
        is_young = abs(self.now - modified_time(entry)).total_seconds() < self.settings.catalog.settle_seconds
        if is_young and standing in {Standing.NEW, Standing.CHANGED}:
            self.report.add(Difference.UNSETTLED.value, shown_path(entry.path))
            return
        self.report.add(standing.value, shown_path(entry.path))
        yield Decided(entry, known, standing)


def _quarantined(below: str) -> Filter:
    return And(
        (
            Prefix("file_path", below),
            Compare("extraction_status", "=", ExtractionStatus.QUARANTINED.value),
            Compare("file_state", "=", FileState.REJECTED.value),
        )
    )


def _event(report: Reconciliation, now: datetime) -> Row:
    counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(report.counts.items()))
    detail = report.as_dict()
    detail.pop("files")
    detail["rejections"] = detail["rejections"][:20]
    return audit_event(
        "reconcile",
        report.run_id,
        now,
        f"{report.place}: {counts or 'no files'}",
        sum(report.counts.values()),
        detail,
    )
