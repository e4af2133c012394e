"""A monitored table: a bucketed Parquet table, and the source it was made from.

Here: what is known of a table before anything of it is read, and the choices a person makes about it.
Not here: what Glue says of it (``glue_table``), what was measured (``table_metrics``).
"""

from __future__ import annotations

import hashlib
import os.path
from dataclasses import dataclass
from enum import StrEnum


class Engine(StrEnum):
    """What counts keys; listing and footers are the same for all of them."""

    FOOTER = "footer"
    """Rows and nulls from Parquet footers; no key is read, so duplicates stay unknown."""
    BUCKET = "bucket"
    """The key column, one bucket at a time; exact because each bucket function is verified."""
    GLOBAL = "global"
    """Exact over the whole table, whatever decides the bucket."""
    ATHENA = "athena"
    """One query in Athena."""
    SPARK = "spark"
    """One job in Spark."""


class BucketFunction(StrEnum):
    """How a key finds its bucket: a hash of the key, modulo the number of buckets."""

    SPARK_MURMUR3 = "spark_murmur3"
    CRC32 = "crc32"
    MD5 = "md5"
    NONE = "none"
    """Not verified: the partitioning is taken at its word."""
    INFER = "infer"
    """The function that a sample of the keys proves; where none is proved, the whole table is compared."""


class CompareSource(StrEnum):
    """Which table the row count is compared with."""

    EXT = "ext"
    """``part_x`` with ``ext_x``."""
    PART = "part"
    """``part_x`` with ``part_x`` of another database."""


class RepairMode(StrEnum):
    """How missing partitions are registered."""

    OFF = "off"
    GLUE = "glue"
    ATHENA = "athena"
    MSCK = "msck"


@dataclass(frozen=True)
class SourceTable:
    """The table a monitored one was made from.

    Parameters
    ----------
    name : str
        Its name.
    database : str or None
        Its Glue database; None where it is a folder or prefix only.
    location : str or None
        Folder or ``s3://bucket/prefix``; None where only Glue knows it.
    kind : CompareSource
        ``part`` is bucketed like the monitored table, ``ext`` is not.
    """

    name: str
    database: str | None = None
    location: str | None = None
    kind: CompareSource = CompareSource.EXT


@dataclass(frozen=True)
class MonitoredTable:
    """One table to watch.

    Parameters
    ----------
    name : str
        As in Glue; any text.
    location : str
        Local folder or ``s3://bucket/prefix``, without a slash at the end.
    key_column : str
        The primary key, one column.
    bucket_count : int
        Buckets are ``id_bucket=0`` to ``id_bucket=<bucket_count - 1>``.
    bucket_digits : int
        Zero-padded width of the bucket number in folder names; 0 means not padded.
    bucket_function : BucketFunction
        How a key finds its bucket.
    engine : Engine
        What counts keys.
    database : str or None
        Glue database; None where the table is a folder or prefix only.
    source : SourceTable or None
        What its rows are counted against; None where they are not.
    """

    name: str
    location: str
    key_column: str
    bucket_count: int = 256
    bucket_digits: int = 0
    bucket_function: BucketFunction = BucketFunction.INFER
    engine: Engine = Engine.BUCKET
    database: str | None = None
    source: SourceTable | None = None

    @property
    def identity(self) -> str:
        """What tells the table from others of its name: ``<name>@<database>``, else a digest of its place.

        Under it its profile, history, verdicts and alerts are kept.
        """
        return f"{self.name}@{self.database or self._place}"

    @property
    def _place(self) -> str:
        place = self.location if "://" in self.location else os.path.abspath(self.location)  # noqa: PTH100
        return hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:8]

    @property
    def subject(self) -> str:
        """Name of the table in the verdict log and in alerts: ``table_profile/<identity>``."""
        return f"table_profile/{self.identity}"

    def folder(self, bucket: int) -> str:
        """Name of a bucket's folder, for example ``id_bucket=7``."""
        return f"id_bucket={bucket:0{self.bucket_digits}d}"

    @property
    def dataset(self) -> str:
        """The name without the prefix up to its first underscore: ``customers`` of ``part_customers``."""
        return self.name.partition("_")[2] or self.name
