"""What an ingest did: file by file, and summed up.

Here: the results, the row of a rejected file, the event of the audit trail.
Not here: doing it (``cataloging``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from metaplat.catalog.ingesting.reading_files import COLUMNS, modified_time
from metaplat.catalog.ingesting.standing import is_same_content
from metaplat.model.observation import (
    ExtractionStatus,
    FileState,
    IngestStatus,
    Row,
    dataset_id_of,
    shown_path,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from metaplat.catalog.ingesting.reading_files import Refusal
    from metaplat.settings.sections import CatalogSettings
    from metaplat.stores.catalog.index import KnownFile

SAMPLE = 100
"""Rejected files that a summary names."""

_LONGEST_WAIT = timedelta(days=30)


class FileResult(NamedTuple):
    """What an ingest did with one file.

    Parameters
    ----------
    path : str
        As it can be shown.
    status : IngestStatus
        A rejected one is in the catalog all the same, unless it is gone or a folder.
    error : str or None
        Why it is rejected: a code, and a text for a person.
    observation : Row or None
        Every column but ``SET_BY_INDEX``; None for a rejected file.
    """

    path: str
    status: IngestStatus
    error: str | None
    observation: Row | None


@dataclass
class IngestSummary:
    """What an ingest did.

    Parameters
    ----------
    place : str
        What was ingested.
    run_id : str
        Under which the audit trail has it.
    cataloged, updated, unchanged, rejected : int
        Files by status; a folder that cannot be looked into counts as one rejected file.
    read : int
        Files that were new, changed or due, so that they were opened.
    left_out : int
        Names passed over: hidden, on delivery, links to folders.
    seconds : float
        Wall time.
    rejections : list of (str, str)
        Path and reason of the first ``SAMPLE`` rejected ones; ``rejected`` says how many there are.
    """

    place: str
    run_id: str
    cataloged: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    read: int = 0
    left_out: int = 0
    seconds: float = 0.0
    rejections: list[tuple[str, str]] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many results there are."""
        return self.cataloged + self.updated + self.unchanged + self.rejected

    @property
    def counts(self) -> dict[str, int]:
        """Files by status."""
        return {status.value: getattr(self, status.value) for status in IngestStatus}

    def add(self, result: FileResult) -> None:
        """Count one file."""
        setattr(self, result.status, getattr(self, result.status) + 1)
        if result.status is IngestStatus.REJECTED and len(self.rejections) < SAMPLE:
            self.rejections.append((result.path, result.error or ""))


def rejected_row(
    refusal: Refusal, known: KnownFile | None, version: str, settings: CatalogSettings, now: datetime
) -> Row:
    """Return the row of a file that could not be read; values of earlier contents stay in revisions only.

    Parameters
    ----------
    refusal : Refusal
        Why.
    known : KnownFile or None
        What the catalog remembers of it: tries of the same content by the same extractors are counted on.
    version : str
        Of the extractors.
    settings : CatalogSettings
        How often and when it is tried again.
    now : datetime
        Aware.
    """
    entry = refusal.entry
    attempts = 1
    if known is not None and known.extractor_version == version and is_same_content(entry, known):
        attempts += known.attempts
    is_last = attempts >= settings.max_attempts
    status = ExtractionStatus.QUARANTINED if is_last else ExtractionStatus.FAILED
    row: Row = dict.fromkeys(COLUMNS)
    row.update(
        dataset_id=dataset_id_of(entry.path),
        processing_status="raw",
        file_path=shown_path(entry.path),
        file_size=entry.size,
        modified_time=modified_time(entry),
        content_tag=entry.content_tag,
        extraction_status=status.value,
        extraction_reason=reason_of(refusal),
        extractor_version=version,
        attempts=attempts,
        next_attempt=None if is_last else now + _wait(attempts, settings.retry_seconds),
        file_state=FileState.REJECTED.value,
    )
    return row


def reason_of(refusal: Refusal) -> str:
    """Return why a file could not be read: code and text, storable as they are."""
    return shown_path(f"{refusal.code}: {refusal.text}").replace("\0", "\\x00")


def _wait(attempts: int, seconds: float) -> timedelta:
    doubled = seconds * 2.0 ** min(attempts - 1, 60)
    return min(timedelta(seconds=min(doubled, _LONGEST_WAIT.total_seconds())), _LONGEST_WAIT)


def audit_event(
    action: str, run_id: str, now: datetime, message: str, datasets: int, detail: Mapping[str, Any]
) -> Row:
    """Return the event that the audit trail keeps of a run: written twice, it is the same one.

    Parameters
    ----------
    action : str
        ``ingest`` or ``reconcile``.
    run_id : str
        Of the run.
    now : datetime
        When.
    message : str
        One sentence.
    datasets : int
        How many it is about.
    detail : mapping
        Everything else.
    """
    return {
        "event_id": hashlib.blake2b(f"{action}\0{run_id}".encode(), digest_size=16).hexdigest(),
        "occurred_at": now,
        "action": action,
        "run_id": run_id,
        "pipeline": None,
        "status": "ok",
        "message": message,
        "datasets": datasets,
        "detail": orjson.dumps(dict(detail)).decode(),
    }
