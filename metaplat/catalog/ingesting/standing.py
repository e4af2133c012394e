"""What is to be done with a listed file, given what the catalog remembers of it.

Here: the one decision that bulk ingest, watching and reconciling share.
Not here: acting on it (``cataloging``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from metaplat.model.observation import ExtractionStatus, FileState

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.catalog.ingesting.listing import FileEntry
    from metaplat.stores.catalog.index import KnownFile


class Standing(StrEnum):
    """How a file stands to the catalog."""

    NEW = "new"
    CHANGED = "changed"
    BACK = "back"
    """It had vanished."""
    OUTDATED = "outdated"
    """Read by other extractors, or with other mappings."""
    RETRIED = "retried"
    """It failed, and the time for another try has come."""
    FORCED = "forced"
    """Nothing is new; it is read all the same, since that was asked for."""
    UNCHANGED = "unchanged"
    WAITING = "waiting"
    """It failed, and the next try is later."""
    QUARANTINED = "quarantined"


TO_READ = frozenset(
    {Standing.NEW, Standing.CHANGED, Standing.BACK, Standing.OUTDATED, Standing.RETRIED, Standing.FORCED}
)
"""Those that are read now."""


def is_same_content(entry: FileEntry, known: KnownFile) -> bool:
    """Whether the catalog has seen this content of the file."""
    return entry.size == known.file_size and entry.content_tag == known.content_tag


def standing_of(
    entry: FileEntry, known: KnownFile | None, version: str, now: datetime, *, force: bool = False
) -> Standing:
    """Return how a file stands.

    Parameters
    ----------
    entry : FileEntry
        As it is listed.
    known : KnownFile or None
        What the catalog remembers of it.
    version : str
        Of the extractors that would read it.
    now : datetime
        Aware; failed files whose ``next_attempt`` has come are due.
    force : bool
        Read it whatever is known.
    """
    if known is None:
        return Standing.NEW
    if not is_same_content(entry, known):
        return Standing.CHANGED
    if known.file_state == FileState.VANISHED:
        return Standing.BACK
    if known.extractor_version != version:
        return Standing.OUTDATED
    if force:
        return Standing.FORCED
    if known.file_state == FileState.PRESENT:
        return Standing.UNCHANGED
    if known.extraction_status == ExtractionStatus.QUARANTINED:
        return Standing.QUARANTINED
    is_due = known.next_attempt is None or known.next_attempt <= now
    return Standing.RETRIED if is_due else Standing.WAITING
