"""Extracts of a vendor's lake: one job an hour, what it promises, and what became of that.

Here: the nouns that client, pull, history, rules and charts share, and the columns of the four domains.
Not here: the domains themselves (``domains``), the API (``collectors.vip``), the pull (``vip.pulling``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from metaplat.model.field import Field, ListOf, Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

PROMISE_FILE = "_PresignedUrls.json"
"""The saved promise of a job, in the folder of its hour, without any query string."""
MANIFEST_FILE = "_manifest.json"
"""What was promised and delivered, file by file; ours, and never counted as delivered."""
OWN_FILES = frozenset({PROMISE_FILE, MANIFEST_FILE})


class ExtractStatus(StrEnum):
    """How the extract of an hour stands."""

    RUNNING = "running"
    """Its job is accepted and has not come to an end; pulling again goes on with the same job."""
    OK = "ok"
    """Everything promised is delivered, name by name and byte by byte."""
    LATE = "late"
    """As ok, but after ``late_minutes``. Only the history says so; a pull says ok."""
    INCOMPLETE = "incomplete"
    """Some of it is not; pulling again fetches the rest."""
    FAILED = "failed"
    """The vendor's job ended badly, or did not end in time."""
    MISSING = "missing"
    """There is no job and no file, and there never will be: the API exports the present only."""
    SKIPPED = "skipped"
    """Nothing was asked for yet: the vendor names a later time."""


class FileOutcome(StrEnum):
    """What became of one promised file."""

    PROMISED = "promised"
    """Not fetched yet."""
    DELIVERED = "delivered"
    """It lies in the folder, with the promised size."""
    MISMATCHED = "mismatched"
    """What came was longer, shorter or other than promised; nothing of it became visible."""
    FAILED = "failed"
    """It could not be fetched."""
    REFUSED = "refused"
    """Its name, address or size is not safe, so it was never asked for."""


@dataclass(frozen=True)
class PromisedFile:
    """One file as the vendor lists it.

    Parameters
    ----------
    key : str
        The vendor's key, unchanged: remote text.
    size : int or None
        Bytes; None where none is told.
    checksum : str or None
        Hexadecimal MD5 (32 digits) or SHA-256 (64), where one is told.
    """

    key: str
    size: int | None = None
    checksum: str | None = None

    @property
    def name(self) -> str:
        """What follows the last slash of the key."""
        return self.key.rpartition("/")[2]


@dataclass(frozen=True)
class ExtractFile:
    """One promised file, and what became of it.

    Parameters
    ----------
    promised : PromisedFile
        As it was listed.
    outcome : FileOutcome
        What became of it.
    delivered_size : int or None
        Bytes in the folder; None where it is not there.
    etag : str or None
        As the file host told it.
    sha256 : str or None
        Of the delivered bytes; None where an earlier pull delivered them.
    problem : str or None
        Why it is not delivered, in one sentence without any address.
    """

    promised: PromisedFile
    outcome: FileOutcome = FileOutcome.PROMISED
    delivered_size: int | None = None
    etag: str | None = None
    sha256: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Extract:
    """All that is known of the extract of one configuration and hour; kept in the state store while it runs.

    Parameters
    ----------
    config_name : str
        The vendor's configuration.
    environment : str
        Test or Prod.
    hour : datetime
        Start of its hour, aware UTC: that of the accepted export call.
    folder : str
        Where its files go, below the target, with a slash at the end; decided once.
    status : ExtractStatus
        How it stands.
    job_guid : str or None
        The vendor's job; None where none was accepted.
    job_status : str or None
        The vendor's last word on the job.
    asked_at, accepted_at : datetime or None
        When the export was last asked for, and accepted.
    completed_at : datetime or None
        When the vendor's job was first seen complete.
    finished_at : datetime or None
        When the last file was verified.
    next_slot : datetime or None
        When the vendor allows the next export, where it said so.
    export_calls : int
        Export calls made for it, refused ones included.
    transferred_files, transferred_bytes : int
        Fetched by the last pull.
    seconds : float or None
        From the first call of the last pull to its end.
    reason : str or None
        Why it stands as it does, in one sentence for a person.
    files : sequence of ExtractFile
        The promise; empty until it is known.
    """

    config_name: str
    environment: str
    hour: datetime
    folder: str
    status: ExtractStatus
    job_guid: str | None = None
    job_status: str | None = None
    asked_at: datetime | None = None
    accepted_at: datetime | None = None
    completed_at: datetime | None = None
    finished_at: datetime | None = None
    next_slot: datetime | None = None
    export_calls: int = 0
    transferred_files: int = 0
    transferred_bytes: int = 0
    seconds: float | None = None
    reason: str | None = None
    files: Sequence[ExtractFile] = field(default_factory=tuple)

    @property
    def files_promised(self) -> int:
        """Files the vendor listed."""
        return len(self.files)

    @property
    def delivered(self) -> list[ExtractFile]:
        """The files that are there as promised."""
        return [each for each in self.files if each.outcome is FileOutcome.DELIVERED]

    @property
    def mismatches(self) -> list[ExtractFile]:
        """The promised files that are not there as promised, refused ones among them."""
        return [each for each in self.files if each.outcome is not FileOutcome.DELIVERED]

    @property
    def bytes_delivered(self) -> int:
        """Bytes of the delivered files."""
        return sum(each.delivered_size or 0 for each in self.delivered)

    def with_status(self, status: ExtractStatus, reason: str | None = None) -> Extract:
        """Return it with another status and reason."""
        return replace(self, status=status, reason=reason)


@dataclass(frozen=True)
class ExcusedHours:
    """Hours whose loss is known and explained.

    Parameters
    ----------
    first, last : datetime
        First and last such hour, both included, aware UTC.
    reason : str
        Why.
    """

    first: datetime
    last: datetime
    reason: str

    def holds(self, hour: datetime) -> bool:
        """Whether ``hour`` is one of them."""
        return self.first <= hour <= self.last


def hour_start(moment: datetime) -> datetime:
    """Return the start of the hour of an aware UTC time."""
    return moment.replace(minute=0, second=0, microsecond=0)


def hours_between(first: datetime, last: datetime) -> list[datetime]:
    """Return every hour from ``first`` to ``last``, both included."""
    count = int((last - first) / timedelta(hours=1)) + 1
    return [first + timedelta(hours=number) for number in range(count)]


STATUSES = tuple(status for status in ExtractStatus if status is not ExtractStatus.SKIPPED)
"""The words of column ``status``: what was never begun has no row."""
HISTORY_STATUSES = tuple(status for status in STATUSES if status is not ExtractStatus.RUNNING)

_KEY = (
    Field("config_name", str, key=True, doc="The vendor's configuration; series of two are never mixed."),
    Field("hour_utc", datetime, key=True, doc="Start of the hour, UTC."),
)


def _count(name: str, doc: str, *, nullable: bool = False, unit: str | None = None) -> Field:
    return Field(name, int, nullable=nullable, minimum=0, unit=unit, doc=doc)


def _time(name: str, doc: str) -> Field:
    return Field(name, datetime, nullable=True, doc=doc)


def _text(name: str, doc: str) -> Field:
    return Field(name, str, nullable=True, doc=doc)


EXTRACT_FIELDS = (
    *_KEY,
    Field("environment", str, doc="Test or Prod, as the vendor calls it."),
    Field("status", str, choices=STATUSES, doc="How the extract stands."),
    _text("reason", "Why it stands so."),
    _text("job_guid", "The vendor's job."),
    _text("job_status", "The vendor's last word on the job."),
    Field("folder", str, doc="Folder of its files, below the target."),
    _time("asked_at", "When the export was last asked for."),
    _time("accepted_at", "When it was accepted."),
    _time("completed_at", "When the vendor's job was first seen complete."),
    _time("finished_at", "When the last file was verified."),
    _count("export_calls", "Export calls made for it, refused ones included."),
    _count("files_promised", "Files the vendor listed."),
    _count("files_delivered", "Of those, in the folder with the promised size."),
    _count("files_mismatched", "Of those, not there as promised."),
    _count("bytes_delivered", "Bytes of the delivered files.", unit="bytes"),
    Field("seconds", float, nullable=True, minimum=0, unit="s", doc="Duration of the last pull."),
    Field(
        "problems",
        ListOf(Struct((
            Field("name", str, doc="Name of the file, at most 200 characters."),
            Field("problem", str, doc="Why it is not delivered."),
        ))),
        doc="The files that are not there as promised, at most 100.",
    ),
)  # fmt: skip
"""Of ``vip_extracts``: what a pull lands."""

JOB_METRICS_FIELDS = (
    *_KEY,
    _text("job_guid", "The vendor's job; null where nobody noted it."),
    Field("status", str, choices=HISTORY_STATUSES, doc="ok, late, incomplete, failed or missing."),
    Field("excused", bool, doc="Whether the hour is on the list of excused hours."),
    _text("excuse", "The reason on that list."),
    _time("started_at", "When the export was accepted."),
    _time("completed_at", "When the last file was verified."),
    Field("duration_s", float, nullable=True, minimum=0, unit="s", doc="Between the two."),
    Field("lag_min", float, nullable=True, minimum=0, unit="min", doc="From the start of the hour to then."),
    _count("n_tables_expected", "Expected tables; null where nothing says which.", nullable=True),
    _count("n_tables_delivered", "Of those, with a file in the folder."),
    Field("expected_source", str, nullable=True, choices=("reference", "schema", "jobs"),
          doc="Where the expectation comes from: the settings, the schema file, or earlier jobs."),
    _count("n_files_promised", "Files of the saved promise; null where there is none.", nullable=True),
    _count("n_files_delivered", "Of those in the folder, as promised; without a promise, data files."),
    _count("n_files_size_mismatch", "Of those in the folder with another size.", nullable=True),
    _count("n_files_schema", "Schema files in the folder."),
    _count("n_files_script", "Script files in the folder."),
    Field("completeness", float, nullable=True, minimum=0, maximum=1,
          doc="Delivered over expected tables; 0 for a missing hour, null where nothing is expected."),
    Field("file_completeness", float, nullable=True, minimum=0, maximum=1,
          doc="Files as promised over files promised; 0 for a missing hour, null without a promise."),
    Field("missing_tables", ListOf(str), doc="Expected tables without a file, sorted."),
    Field("unexpected_tables", ListOf(str), doc="Tables with a file that are not expected, sorted."),
)  # fmt: skip
"""Of ``historical_job_metrics``: a row per configuration and hour of the calendar, missing hours included."""

TABLE_METRICS_FIELDS = (
    *_KEY,
    Field("table", str, key=True, doc="Name of the table."),
    Field("expected", bool, doc="Whether it is expected in this hour."),
    Field("delivered", bool, doc="Whether a file of it lies in the folder."),
    Field("failure", bool, doc="Expected and not delivered."),
    _count("n_partitions_promised", "Files of it in the saved promise.", nullable=True),
    _count("n_partitions_delivered", "Files of it in the folder."),
    _count("bytes", "Bytes of those.", unit="bytes"),
    _text("schema_hash", "Digest of its entry in the schema file; null where that has none."),
    Field("fields_added", ListOf(str), doc="New since the last delivered hour."),
    Field("fields_removed", ListOf(str), doc="Gone since then."),
    Field("fields_changed", ListOf(str), doc="With another type or nullability, as name: from -> to."),
    Field("fields_reordered", bool, doc="Whether fields that stayed are in another order."),
)  # fmt: skip
"""Of ``historical_table_metrics``: a row per configuration, hour and table that is expected or delivered."""

JOB_SIZE_FIELDS = (
    *_KEY,
    _count("n_files", "All objects in the folder, but for our manifest."),
    _count("bytes_total", "Bytes of those.", unit="bytes"),
    _count("bytes_data", "Bytes of the tables' files.", unit="bytes"),
    _count("bytes_schema", "Bytes of schema files and the promise.", unit="bytes"),
    _count("bytes_script", "Bytes of scripts.", unit="bytes"),
    Field("excused", bool, doc="Whether the hour is on the list of excused hours."),
    Field("baseline", str, nullable=True, choices=("hour of week", "hour of day", "level"),
          doc="What bytes_data is compared with; all but hour of week means warming up; null: nothing."),
    Field("band_lo", float, nullable=True, unit="bytes", doc="Least that was to be expected of bytes_data."),
    Field("band_hi", float, nullable=True, unit="bytes", doc="Most that was to be expected."),
    Field("score", float, nullable=True, doc="Distance from the middle, in robust standard deviations."),
    Field("anomaly", str, nullable=True, choices=("low", "high", "none"),
          doc="Whether bytes_data lies outside the band; null where it was not judged."),
)  # fmt: skip
"""Of ``historical_job_size``: one row per configuration and hour of the calendar."""
