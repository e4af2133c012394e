"""A small lake in moto: bucketed tables on S3, registered in Glue, as healthy or broken as a test wants."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEY = "customer_user_id"
COUNT = 4
INPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
OUTPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
COLUMNS = [{"Name": KEY, "Type": "string"}, {"Name": "age", "Type": "int"}]

Buckets = dict[str, bytes]
"""Content of each object below the table, by key: ``id_bucket=0/part-0.parquet``."""


def rows(bucket: int, count: int = 5) -> pl.DataFrame:
    """Return rows whose keys occur nowhere else."""
    keys = [f"user-{bucket}-{number}" for number in range(count)]
    return pl.DataFrame({KEY: keys, "age": list(range(count))}, schema={KEY: pl.String, "age": pl.Int32})


def parquet(frame: pl.DataFrame) -> bytes:
    """Return a frame as Parquet."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def healthy(count: int = COUNT) -> Buckets:
    """Return a table without a fault."""
    return {f"id_bucket={bucket}/part-0.parquet": parquet(rows(bucket)) for bucket in range(count)}


@dataclass
class GlueLake:
    """One Glue database and one S3 bucket for its tables.

    Parameters
    ----------
    endpoint : str
        Address of moto.
    bucket : str
        Where the tables lie.
    database : str
        Its name; it is created.
    """

    endpoint: str
    bucket: str
    database: str
    region: str = "us-east-1"
    clients: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client("glue").create_database(DatabaseInput={"Name": self.database})

    def client(self, service: str) -> Any:
        """Return a boto3 client: what others than metaplat would use."""
        import boto3

        if service not in self.clients:
            opened = boto3.client(service, self.region, endpoint_url=self.endpoint)  # type: ignore[call-overload]
            self.clients[service] = opened
        return self.clients[service]

    def location(self, table: str) -> str:
        """Return where a table lies; its snapshot file has a folder of its own beside it."""
        return f"s3://{self.bucket}/{table}/data"

    def put(self, key: str, content: bytes) -> None:
        """Write an object."""
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)

    def delete(self, key: str) -> None:
        """Remove an object."""
        self.client("s3").delete_object(Bucket=self.bucket, Key=key)

    def add_table(
        self,
        name: str,
        objects: Mapping[str, bytes],
        *,
        registered: Sequence[int | str] | None = None,
        snapshot: str | None = "today",
        source_rows: int | None = -1,
        **other: Any,
    ) -> None:
        """Write a table, register it, and make its source ``ext_<name without part_>``.

        Parameters
        ----------
        name : str
            Of the table.
        objects : mapping of str to bytes
            What lies below it.
        registered : sequence or None
            Partitions in Glue; None means every bucket.
        snapshot : str or None
            Content of its snapshot file; ``today`` is the present day, None means no file.
        source_rows : int or None
            Rows of the source; -1 as many as the healthy table has, None no source at all.
        **other
            Entries of Glue's TableInput that differ.
        """
        for key, content in objects.items():
            self.put(f"{name}/data/{key}", content)
        if snapshot is not None:
            day = datetime.now(UTC).date().isoformat() if snapshot == "today" else snapshot
            self.put(f"{name}/metadata/snapshot_dt.txt", day.encode())
        self.create(name, self.location(name), **other)
        self.register(name, range(COUNT) if registered is None else registered)
        if source_rows is not None:
            source = name.replace("part_", "ext_", 1)
            count = 5 * COUNT if source_rows == -1 else source_rows
            self.put(f"{source}/data/all.parquet", parquet(rows(99, count)))
            self.create(source, self.location(source), PartitionKeys=[])

    def create(self, name: str, location: str, **other: Any) -> None:
        """Create a table in Glue; entries of ``StorageDescriptor`` in ``other`` are merged."""
        descriptor = self.descriptor(location) | other.pop("StorageDescriptor", {})
        table = {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": "id_bucket", "Type": "int"}],
            "StorageDescriptor": descriptor,
            **other,
        }
        self.client("glue").create_table(DatabaseName=self.database, TableInput=table)

    def descriptor(self, location: str) -> dict[str, Any]:
        """Return the storage descriptor of a Parquet table."""
        return {
            "Columns": COLUMNS,
            "Location": f"{location}/",
            "InputFormat": INPUT,
            "OutputFormat": OUTPUT,
            "SerdeInfo": {"SerializationLibrary": SERDE},
        }

    def register(
        self,
        name: str,
        partitions: Sequence[int | str],
        at: str | None = None,
        columns: Sequence[Mapping[str, str]] = COLUMNS,
    ) -> None:
        """Register partitions where the table's folders would be, or somewhere else."""
        inputs = [
            {
                "Values": [str(value)],
                "StorageDescriptor": self.descriptor(at or f"{self.location(name)}/id_bucket={value}")
                | {"Columns": columns},
            }
            for value in partitions
        ]
        if inputs:
            self.client("glue").batch_create_partition(
                DatabaseName=self.database, TableName=name, PartitionInputList=inputs
            )

    def registered(self, name: str) -> list[int]:
        """Return the buckets that Glue lists."""
        answer = self.client("glue").get_partitions(DatabaseName=self.database, TableName=name)
        return sorted(int(partition["Values"][0]) for partition in answer["Partitions"])
