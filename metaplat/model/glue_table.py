"""What the Glue Data Catalog says of a table and its partitions (source: Glue API, Table and Partition)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class GlueTable:
    """A table of the Data Catalog.

    Parameters
    ----------
    database, name : str
        Where it is.
    location : str or None
        As registered, slash at the end included.
    table_type, input_format, output_format, serde : str or None
        ``EXTERNAL_TABLE``, class names of the formats and of the SerDe.
    columns, partition_keys : tuple of (str, str)
        Name and type, in order.
    parameters : mapping of str to str
        Table parameters, those of partition projection among them.
    descriptor : mapping
        The storage descriptor as Glue gave it: what a new partition copies.
    """

    database: str
    name: str
    location: str | None
    table_type: str | None = None
    input_format: str | None = None
    output_format: str | None = None
    serde: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    partition_keys: tuple[tuple[str, str], ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    descriptor: Mapping[str, Any] = field(default_factory=dict)

    @property
    def projected(self) -> bool:
        """Whether Athena computes the partitions, so that none need be registered."""
        return self.parameters.get("projection.enabled", "").strip().lower() == "true"


@dataclass(frozen=True)
class GluePartition:
    """A registered partition.

    Parameters
    ----------
    values : tuple of str
        One value per partition key.
    location : str or None
        As registered.
    columns : tuple of (str, str)
        The partition's own copy of the columns; empty where Glue was asked to leave them out.
    """

    values: tuple[str, ...]
    location: str | None
    columns: tuple[tuple[str, str], ...] = ()
