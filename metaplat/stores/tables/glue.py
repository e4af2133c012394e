"""The Glue Data Catalog: tables and partitions of a database, and registering partitions.

Here: paging, batches, and Glue's answers as nouns of ``model.glue_table``.
Not here: the client and what its failures mean (``stores.aws_client``), what should be registered
(``monitor.repair``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.model.glue_table import GluePartition, GlueTable
from metaplat.stores.aws_client import aws_client, aws_error_code, aws_failures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_glue import GlueClient

NewPartition = tuple[tuple[str, ...], str]
"""Values of the partition keys, and the location."""

BATCH = 100
"""BatchCreatePartition takes no more."""
MISSING = "EntityNotFoundException"
EXISTS = "AlreadyExistsException"
ADVICE = "Check that the database and the table exist in this account and region."


@dataclass(frozen=True)
class GlueCatalog:
    """The catalog of one region; safe to use in many threads, opened by the first request.

    Every method raises TransientStoreError (throttled, unreachable, also after further attempts) or
    PermanentStoreError (no permission, no such database), naming the table.

    Parameters
    ----------
    region : str
        AWS region.
    """

    region: str

    def tables(self, database: str, prefix: str = "") -> list[GlueTable]:
        """Return the tables whose names start with ``prefix``, by name."""
        found: dict[str, GlueTable] = {}
        with aws_failures(f"Glue database {database}", "list tables", ADVICE):
            pages = self._client.get_paginator("get_tables").paginate(DatabaseName=database)
            for page in pages:
                tables = (_table(database, entry) for entry in page.get("TableList", ()))
                found |= {table.name: table for table in tables if table.name.startswith(prefix)}
        return [found[name] for name in sorted(found)]

    def table(self, database: str, name: str) -> GlueTable | None:
        """Return one table; None where the database has none of this name."""
        from botocore.exceptions import ClientError

        with aws_failures(_system(database, name), "read the table", ADVICE):
            try:
                answer = self._client.get_table(DatabaseName=database, Name=name)
            except ClientError as error:
                if aws_error_code(error) == MISSING and not _is_about_database(error):
                    return None
                raise
        return _table(database, answer.get("Table", {}))

    def partitions(self, table: GlueTable, *, columns: bool = False) -> list[GluePartition]:
        """Return the registered partitions, each once, in Glue's order.

        Parameters
        ----------
        table : GlueTable
            Of which table.
        columns : bool
            Whether to ask for each partition's own copy of the columns; answers are several times larger.
        """
        found: dict[tuple[str, ...], GluePartition] = {}
        with aws_failures(_system(table.database, table.name), "list partitions", ADVICE):
            pages = self._client.get_paginator("get_partitions").paginate(
                DatabaseName=table.database, TableName=table.name, ExcludeColumnSchema=not columns
            )
            for page in pages:
                for entry in page.get("Partitions", ()):
                    partition = _partition(entry, columns=columns)
                    found.setdefault(partition.values, partition)
        return list(found.values())

    def add_partitions(
        self, table: GlueTable, partitions: Sequence[NewPartition]
    ) -> dict[tuple[str, ...], str]:
        """Register partitions, each with the table's descriptor and its own location.

        Parameters
        ----------
        table : GlueTable
            The table as ``table`` returned it.
        partitions : sequence of (values, location)
            Those that exist already count as done.

        Returns
        -------
        dict of tuple of str to str
            Why Glue refused, by values of the partition; empty where all are registered now.
        """
        refused: dict[tuple[str, ...], str] = {}
        for batch in _batches(partitions):
            refused |= self._add_batch(table, batch)
        return refused

    @property
    def _client(self) -> GlueClient:
        return aws_client("glue", self.region)

    def _add_batch(self, table: GlueTable, batch: Sequence[NewPartition]) -> dict[tuple[str, ...], str]:
        inputs: Any = [
            {"Values": list(values), "StorageDescriptor": {**table.descriptor, "Location": location}}
            for values, location in batch
        ]
        with aws_failures(_system(table.database, table.name), "register partitions", ADVICE):
            answer = self._client.batch_create_partition(
                DatabaseName=table.database, TableName=table.name, PartitionInputList=inputs
            )
        refused = {}
        for failure in answer.get("Errors", ()):
            detail = failure.get("ErrorDetail", {})
            code, message = detail.get("ErrorCode", "unknown error"), detail.get("ErrorMessage", "")
            if code != EXISTS:
                reason = " ".join(f"{code}: {message}".split()).rstrip(" .:")
                refused[tuple(failure.get("PartitionValues", ()))] = reason
        return refused


def _batches(partitions: Sequence[NewPartition]) -> Iterator[Sequence[NewPartition]]:
    for start in range(0, len(partitions), BATCH):
        yield partitions[start : start + BATCH]


def _system(database: str, table: str) -> str:
    return f"Glue table {database}.{table}"


def _is_about_database(error: Any) -> bool:
    """Whether the database is missing: Glue tells a missing table by the same code."""
    return str(error.response.get("Error", {}).get("Message", "")).startswith("Database ")


def _table(database: str, entry: Mapping[str, Any]) -> GlueTable:
    descriptor = entry.get("StorageDescriptor") or {}
    return GlueTable(
        database=database,
        name=entry.get("Name", ""),
        location=descriptor.get("Location") or None,
        table_type=entry.get("TableType"),
        input_format=descriptor.get("InputFormat"),
        output_format=descriptor.get("OutputFormat"),
        serde=(descriptor.get("SerdeInfo") or {}).get("SerializationLibrary"),
        columns=_columns(descriptor.get("Columns")),
        partition_keys=_columns(entry.get("PartitionKeys")),
        parameters=entry.get("Parameters") or {},
        descriptor=descriptor,
    )


def _partition(entry: Mapping[str, Any], *, columns: bool) -> GluePartition:
    descriptor = entry.get("StorageDescriptor") or {}
    own = _columns(descriptor.get("Columns")) if columns else ()
    return GluePartition(tuple(entry.get("Values", ())), descriptor.get("Location") or None, own)


def _columns(entries: Sequence[Mapping[str, str]] | None) -> tuple[tuple[str, str], ...]:
    return tuple((entry["Name"], entry.get("Type", "")) for entry in entries or ())
