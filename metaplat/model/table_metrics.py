"""What is measured of a monitored table: one row a bucket, and the facts of each file behind it.

Here: the columns of the metrics frame, the inventory of a listing, the profile.
Not here: measuring (``monitor``), judging (``rules.tables``).

A key that lies in several buckets is counted by ``distinct_keys`` and ``duplicate_keys`` in the lowest of
them only, so that sums over the buckets are exact for the table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from metaplat.model.field import Field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from metaplat.model.landed import ObjectInfo
    from metaplat.model.table import BucketFunction, Engine, MonitoredTable

TABLE_PROFILES = "table_profiles"
"""Name of the lake folder and of the SQL view that hold the metrics frames of all runs."""

METRICS: tuple[Field, ...] = (
    Field("table", str, key=True, doc="Identity of the table: its name, @, and its database or a digest."),
    Field("id_bucket", int, key=True, minimum=0, doc="Number of the bucket."),
    Field("files", int, minimum=0, doc="Data files in the bucket's folder, on any level."),
    Field("bytes", int, unit="B", minimum=0, doc="Size of the data files."),
    Field(
        "smallest_file_bytes", int, unit="B", nullable=True, minimum=0, doc="Size of the smallest data file."
    ),
    Field(
        "largest_file_bytes", int, unit="B", nullable=True, minimum=0, doc="Size of the largest data file."
    ),
    Field("newest_modified", datetime, nullable=True, doc="Newest time of writing of a data file."),
    Field("object_fingerprint", str, doc="Digest of key, size and etag of every data file."),
    Field(
        "schema_fingerprint", str, nullable=True, doc="Digest of the schemas that occur; null without files."
    ),
    Field("schemas", int, minimum=0, doc="Different schemas among the readable data files."),
    Field("unreadable_files", int, minimum=0, doc="Data files whose footer or key column cannot be read."),
    Field("keyless_files", int, minimum=0, doc="Readable data files without the key column."),
    Field("rows", int, nullable=True, minimum=0, doc="Rows; null where a file is unreadable."),
    Field("key_nulls", int, nullable=True, minimum=0, doc="Rows without a key."),
    Field("distinct_keys", int, nullable=True, minimum=0, doc="Keys whose lowest bucket this is."),
    Field(
        "duplicate_rows",
        int,
        nullable=True,
        minimum=0,
        doc="Rows whose key occurs again in the table, NULL apart.",
    ),
    Field(
        "duplicate_keys",
        int,
        nullable=True,
        minimum=0,
        doc="Keys that occur more than once, whose lowest bucket this is.",
    ),
    Field(
        "surplus_rows",
        int,
        nullable=True,
        doc="Rows that removing repeats would remove: keyed rows less distinct_keys.",
    ),
    Field(
        "misplaced_keys",
        int,
        nullable=True,
        minimum=0,
        doc="Rows whose key belongs in another bucket; null unverified.",
    ),
    Field(
        "in_glue", bool, nullable=True, doc="Registered in Glue; null where Glue was not asked or projects."
    ),
    Field("glue_location", str, nullable=True, doc="Location of the registered partition."),
    Field("engine", str, nullable=True, doc="What counted the keys; null where nothing was counted."),
    Field(
        "bucket_function", str, nullable=True, doc="The function verified on every key; null where none was."
    ),
    Field("measured_by", str, nullable=True, doc="Run that read the data; null for a bucket without files."),
    Field("run_id", str, doc="Run that wrote this row."),
    Field("profiled_at", datetime, doc="Time of that run."),
)
"""Columns of the metrics frame. With engine ``footer`` the key figures after ``key_nulls`` are null."""


class Strange(StrEnum):
    """Why a folder below a table is not one of its partitions."""

    UNKNOWN = "unknown"
    """A bucket number outside 0..bucket_count-1."""
    PADDED = "padded"
    """A bucket number not written as the table writes it: ``id_bucket=007``."""
    DEFAULT = "default"
    """``__HIVE_DEFAULT_PARTITION__``: rows whose bucket was NULL."""
    NOT_A_NUMBER = "not a number"
    """``id_bucket=abc``."""
    OTHER = "other"
    """Data files in a folder of another name, or directly below the table."""


@dataclass(frozen=True)
class StrangeFolder:
    """A folder with data files that belongs to no bucket: ``name`` is relative to the table."""

    name: str
    kind: Strange
    files: int
    bytes: int


@dataclass(frozen=True)
class Inventory:
    """What one listing of a table found.

    Parameters
    ----------
    buckets : mapping of int to sequence of ObjectInfo
        Data files of each expected bucket by key, every bucket present, possibly empty. Hidden objects (a
        path part starting with ``_`` or ``.``) and objects of 0 bytes are no data files.
    strange : sequence of StrangeFolder
        By name.
    empty_files : sequence of ObjectInfo
        Objects of 0 bytes whose name ends in ``.parquet``.
    """

    buckets: Mapping[int, Sequence[ObjectInfo]]
    strange: Sequence[StrangeFolder] = ()
    empty_files: Sequence[ObjectInfo] = ()

    @property
    def present(self) -> list[int]:
        """Buckets that hold at least one data file."""
        return [bucket for bucket, files in self.buckets.items() if files]


@dataclass(frozen=True)
class FileFacts:
    """What is known of one data file.

    Parameters
    ----------
    key : str
        Path below the table.
    identity : str
        ``ObjectInfo.identity`` of what was read.
    bucket : int
        Where it lies.
    size : int
        Bytes.
    rows : int or None
        From the footer; None where it is unreadable.
    key_nulls : int or None
        Rows without a key; None where it is unreadable or has no key column.
    schema : str or None
        Fingerprint; None where it is unreadable.
    problem : str or None
        Why it is unreadable, in one sentence.
    """

    key: str
    identity: str
    bucket: int
    size: int
    rows: int | None = None
    key_nulls: int | None = None
    schema: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class KeySample:
    """One failing key: ``kind`` is ``duplicate`` or ``misplaced``; ``rows`` in the table with that key.

    ``key`` is what may be shown: a digest, unless settings allow clear text.
    """

    bucket: int
    kind: str
    key: str
    rows: int
    belongs_in: int | None = None


@dataclass(frozen=True)
class TableProfile:
    """All that one run measured, and what it took over from earlier runs.

    Parameters
    ----------
    table : MonitoredTable
        Of which table.
    frame : polars.DataFrame, shape (bucket_count, columns)
        The metrics frame, columns of ``METRICS``, by ``id_bucket``.
    inventory : Inventory
        The listing.
    files : sequence of FileFacts
        Every data file of the inventory, by key.
    schemas : mapping of str to mapping of str to str
        Columns and types by schema fingerprint.
    engine : Engine
        What counted the keys in the end (``bucket`` falls back to ``global``).
    bucket_function : BucketFunction or None
        Verified on every key; None where none was.
    samples : sequence of KeySample
        At most 20 per bucket and kind.
    files_read : int
        Files of which anything was read now; 0 for an unchanged table.
    notes : sequence of str
        What a person should know: why it fell back, for example.
    """

    table: MonitoredTable
    frame: pl.DataFrame
    inventory: Inventory
    files: Sequence[FileFacts]
    schemas: Mapping[str, Mapping[str, str]]
    engine: Engine
    bucket_function: BucketFunction | None = None
    samples: Sequence[KeySample] = ()
    files_read: int = 0
    notes: Sequence[str] = field(default_factory=tuple)
