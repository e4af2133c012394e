"""The columns of the observation catalog: what every store, query and page calls them.

Here: the fields of observations, relationships and processing events, and the few words they are built from.
Not here: the domains made of them (``domains``), where they are kept (``stores.catalog``), reading headers
(``collectors.headers``).
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from enum import StrEnum
from typing import Any

from metaplat.model.field import Field

Row = dict[str, Any]
"""One observation, relationship or event: a value or None under every column name."""


class FileState(StrEnum):
    """Whether the file of an observation can be used."""

    PRESENT = "present"
    """It is there and its header was read."""
    VANISHED = "vanished"
    """It was there, and a full listing did not find it."""
    REJECTED = "rejected"
    """It is there, and its header cannot be read as it is now."""


class ExtractionStatus(StrEnum):
    """How reading the header of a file ended."""

    OK = "ok"
    INCOMPLETE = "incomplete"
    """The header is read, but the file is shorter than its header says."""
    FAILED = "failed"
    """It cannot be read; it will be tried again."""
    QUARANTINED = "quarantined"
    """It was tried as often as the settings allow; another content or another extractor releases it."""


class IngestStatus(StrEnum):
    """What one ingest did with one file."""

    CATALOGED = "cataloged"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


PROCESSING_STATES = ("raw", "processed", "archived")
FORMATS = ("fits", "hdf5", "hdf-eos5", "netcdf3", "netcdf4", "csv")


def values_of(words: type[StrEnum]) -> tuple[str, ...]:
    """Return the plain values: Polars takes members of an enumeration for a type of their own."""
    return tuple(word.value for word in words)


def dataset_id_of(address: str) -> str:
    """Return the identity of the file at an address: the same file, the same id.

    Parameters
    ----------
    address : str
        Absolute path, or ``s3://bucket/key``; a local name that is not UTF-8 holds surrogates.
    """
    return hashlib.blake2b(address.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def shown_path(path: str) -> str:
    """Return a path as text that can be stored and printed anywhere: a name need not be UTF-8."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def path_on_disk(shown: str) -> str:
    """Return the path that ``shown_path`` made text of; where its bytes are no UTF-8, with surrogates."""
    raw = re.sub(rb"\\x([89a-f][0-9a-f])", lambda found: bytes.fromhex(found[1].decode()), shown.encode())
    return raw.decode("utf-8", "surrogateescape")


def _text(name: str, doc: str, *, choices: tuple[str, ...] = (), nullable: bool = True) -> Field:
    return Field(name, str, nullable=nullable, choices=choices, doc=doc)


OBSERVATION_FIELDS = (
    Field("dataset_id", str, key=True, doc="Identity of the dataset: a digest of its address."),
    _text("mission_id", "Mission: from the header, else by its telescope, else by its path."),
    _text("satellite_name", "Satellite or telescope, as the file names it."),
    _text("instrument_type", "Instrument, as the file names it."),
    Field("observation_timestamp", datetime, nullable=True, doc="Begin of the observation, UTC."),
    Field("observation_end", datetime, nullable=True, doc="End of the observation, UTC."),
    _text("target_object", "What was observed."),
    Field("ra_deg", float, nullable=True, minimum=0, maximum=360, unit="deg", doc="Right ascension, ICRS."),
    Field("dec_deg", float, nullable=True, minimum=-90, maximum=90, unit="deg", doc="Declination, ICRS."),
    Field(
        "data_quality_score",
        float,
        nullable=True,
        minimum=0,
        maximum=1,
        doc="Quality that the file or its processing states; null until something states it.",
    ),
    Field(
        "header_completeness",
        float,
        nullable=True,
        minimum=0,
        maximum=1,
        doc="Share of the expected keywords: 1, less 0.2 for each missing, plus 0.1 where calibrated.",
    ),
    _text("calibration_status", "Calibration, as the file states it; COMPLETE counts as calibrated."),
    Field(
        "processing_status",
        str,
        choices=PROCESSING_STATES,
        doc="How far it is processed; raw where nothing says more.",
    ),
    _text("version", "Version of the data, as the file states it."),
    _text("file_path", "Absolute path, or s3:// address.", nullable=False),
    _text("file_format", "Format, by content; null where none was recognised.", choices=FORMATS),
    Field("file_size", int, minimum=0, unit="bytes", doc="Size of the file."),
    Field("modified_time", datetime, doc="Last modification of the file, UTC."),
    _text("content_tag", "Version of the content: mtime in ns and size, or the ETag.", nullable=False),
    _text("content_digest", "Digest of size and header: equal where two files are likely the same."),
    _text("observation_time_raw", "The text or number the observation time was read from."),
    _text("time_rule", "How it was read: the keywords, and the time scale where it is not UTC."),
    _text("flags", "What was odd, as codes with commas between: date_ambiguous,truncated."),
    _text("mission_specific", "Everything else the header says, as a JSON object."),
    Field(
        "extraction_status",
        str,
        choices=values_of(ExtractionStatus),
        doc="How reading the header of it ended.",
    ),
    _text("extraction_reason", "Why it is not ok, in one sentence."),
    Field("extractor_version", str, doc="Version of the extractors that read it."),
    Field("attempts", int, minimum=0, doc="How often the content as it is now was tried without success."),
    Field("next_attempt", datetime, nullable=True, doc="When a failed file is tried again, UTC."),
    Field("file_state", str, choices=values_of(FileState), doc="Whether the file is there and readable."),
    Field("first_seen", datetime, doc="When it was cataloged first, UTC."),
    Field("updated_at", datetime, doc="When this row changed last, UTC."),
    Field("revision", int, minimum=1, doc="Counts the changes of this row, from 1."),
    Field("change_seq", int, minimum=1, doc="Number of the change in the whole catalog; later is larger."),
)

SET_BY_INDEX = ("first_seen", "updated_at", "revision", "change_seq")
"""Columns of an observation that the index fills; what an upsert brings for them is not looked at."""

RELATIONSHIP_FIELDS = (
    Field("parent_dataset_id", str, key=True, doc="What it was made from, or is described by."),
    Field("child_dataset_id", str, key=True, doc="What was made."),
    Field("relationship_type", str, key=True, doc="raw_to_processed, calibration, derived, supersedes, ..."),
    _text("relationship_metadata", "What is known of it, as a JSON object."),
    _text("run_id", "The pipeline run that made it."),
    Field("recorded_at", datetime, doc="When it was recorded, UTC."),
    Field("change_seq", int, minimum=1, doc="Number of the change in the whole catalog."),
)

EVENT_ACTIONS = ("preflight", "start", "progress", "finish", "fail", "ingest", "reconcile")

EVENT_FIELDS = (
    Field("event_id", str, key=True, doc="Identity of the event: said again, it is the same one."),
    Field("occurred_at", datetime, doc="When it was recorded first, UTC."),
    Field("action", str, choices=EVENT_ACTIONS, doc="What was done."),
    _text("run_id", "The pipeline run, or the ingest."),
    _text("pipeline", "Name of the pipeline."),
    _text("status", "How it stands after this: ok, refused, running, succeeded, failed."),
    _text("message", "One sentence for a person."),
    Field("datasets", int, nullable=True, minimum=0, doc="How many datasets it is about."),
    _text("detail", "Everything else, as a JSON object."),
    Field("change_seq", int, minimum=1, doc="Number of the change in the whole catalog."),
)
