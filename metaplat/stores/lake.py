"""The lake: one Parquet object per partition, under hive paths, replaced whole.

Here: paths ``lake/<table>/<column>=<segment>/data.parquet``, writing and reading frames.
Not here: which rows a partition holds (``ingest``), types (``model.polars_schema``), SQL over it (``sql``).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError, PermanentStoreError, UnknownNameError
from metaplat.model.partitioning import DailyOrUnknown
from metaplat.model.polars_schema import polars_schema
from metaplat.stores.month_files import one_key_per_file, only_days

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.landed import ObjectInfo
    from metaplat.stores.objects import ObjectStore

FILE = "data.parquet"


@dataclass(frozen=True)
class Lake:
    """Tables of Parquet objects in any object store.

    Parameters
    ----------
    objects : ObjectStore
        Its root holds the folder ``lake/``.
    """

    objects: ObjectStore

    def key(self, domain: MetadataDomain, partition: str) -> str:
        """Key of a partition's object."""
        segment = f"{domain.partitions.column}={domain.partitions.segment(partition)}"
        return f"lake/{domain.name}/{segment}/{FILE}"

    def address(self, domain: MetadataDomain, partition: str | None = None) -> str:
        """Folder or ``s3://`` address of a table or of one partition's object."""
        key = f"lake/{domain.name}" if partition is None else self.key(domain, partition)
        return f"{self.objects.address}/{key}"

    def holds(self, domain: MetadataDomain, partition: str) -> bool:
        """Return whether the partition is stored."""
        return self.objects.info(self.key(domain, partition)) is not None

    def write(self, domain: MetadataDomain, partition: str, frame: pl.DataFrame) -> ObjectInfo:
        """Replace a partition in one step; equal rows give equal bytes, and those are not written again.

        Parameters
        ----------
        domain : MetadataDomain
            The declaration.
        partition : str
            Partition key.
        frame : polars.DataFrame, shape (rows, columns)
            All rows of the partition, with exactly the domain's ``columns``, in any order of columns; where
            files hold a month, all rows of the month.

        Returns
        -------
        ObjectInfo
            The object as it is now in the store.

        Raises
        ------
        InvalidInputError
            A column is missing, undeclared or of another type.
        """
        key = self.key(domain, partition)
        content = _parquet(_declared(domain, frame))
        stored = self.objects.info(key)
        if stored and stored.size == len(content) and self._holds(key, content):
            return stored
        return self.objects.put(key, content)

    def read(
        self,
        domain: MetadataDomain,
        partitions: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """Read one, many or all partitions.

        Parameters
        ----------
        domain : MetadataDomain
            The declaration; a column that a file lacks is null, one that is no longer declared is left out.
        partitions : sequence of str or None
            Partition keys, in the wanted order; missing ones are absent. None means all.
        columns : sequence of str or None
            Names, in the wanted order. None means all.

        Returns
        -------
        polars.DataFrame, shape (rows, columns)
            With the declared types, also where there is no row.

        Raises
        ------
        PermanentStoreError
            An object is not Parquet, is cut off, or holds a column of another type.
        """
        schema = polars_schema(domain.columns)
        if unknown := [name for name in columns or () if name not in schema]:
            raise UnknownNameError("column", unknown[0], schema)
        if isinstance(domain.partitions, DailyOrUnknown):
            frame = self._read_days(domain, domain.partitions, partitions)
        else:
            wanted = self.partitions(domain) if partitions is None else partitions
            frame = self._read_files([self.key(domain, partition) for partition in wanted], schema)
        return frame.select(columns or list(schema))

    def partitions(self, domain: MetadataDomain) -> list[str]:
        """Keys of the stored partitions, in partition order, from one listing."""
        start, end = f"lake/{domain.name}/{domain.partitions.column}=", f"/{FILE}"
        segments = (
            item.key[len(start) : -len(end)]
            for item in self.objects.list_objects(f"lake/{domain.name}/")
            if item.key.startswith(start) and item.key.endswith(end)
        )
        keys = (domain.partitions.key_of_segment(segment) for segment in segments)
        return sorted((key for key in keys if key is not None), key=_order)

    def files(self, domain: MetadataDomain) -> list[str]:
        """Keys of all objects of a table, from one listing."""
        listed = self.objects.list_objects(f"lake/{domain.name}/{domain.partitions.column}=")
        return [item.key for item in listed if item.key.endswith(f"/{FILE}")]

    def delete(self, domain: MetadataDomain, partition: str) -> None:
        """Remove a partition; nothing happens where it does not exist."""
        self.objects.delete(self.key(domain, partition))

    def _read_days(
        self, domain: MetadataDomain, days: DailyOrUnknown, wanted: Sequence[str] | None
    ) -> pl.DataFrame:
        import polars as pl

        schema = polars_schema(domain.columns)
        if wanted is None:
            return self._read_files(self.files(domain), schema)
        months = [self.key(domain, key) for key in one_key_per_file(days, wanted)]
        frame = only_days(self._read_files(months, schema), days, wanted)
        if days.unknown in wanted:
            frame = pl.concat([self._read_files([self.key(domain, days.unknown)], schema), frame])
        return frame

    def _read_files(self, keys: Sequence[str], schema: dict[str, pl.DataType]) -> pl.DataFrame:
        contents = {key: content for key, content in self.objects.get_many(keys) if content is not None}
        return self._frame(contents, schema)

    def _holds(self, key: str, content: bytes) -> bool:
        try:
            return self.objects.get(key) == content
        except KeyError:  # removed meanwhile
            return False

    def _frame(self, contents: dict[str, bytes], schema: dict[str, pl.DataType]) -> pl.DataFrame:
        """Read many objects in one scan; only where that fails, one by one to find the broken one."""
        import polars as pl

        failures = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
        try:
            return _scan(list(contents.values()), schema)
        except failures:
            for key, content in contents.items():
                try:
                    _scan([content], schema)
                except failures as error:
                    raise self._broken(key, error) from None
            raise

    def _broken(self, key: str, error: BaseException) -> PermanentStoreError:
        return PermanentStoreError(
            f"{self.objects.address}/{key}",
            "read Parquet",
            str(error).partition("\n")[0].rstrip("."),
            "Materialize the partition again; it is built anew from its landing objects.",
        )


def _order(key: str) -> tuple[int, str]:
    """Buckets by number; dates as they are written."""
    return (int(key), "") if key.isdigit() else (0, key)


def _declared(domain: MetadataDomain, frame: pl.DataFrame) -> pl.DataFrame:
    schema = polars_schema(domain.columns)
    for name, dtype in schema.items():
        found = frame.schema.get(name)
        if found != dtype:
            raise InvalidInputError(f"lake table {domain.name}: column {name} must be {dtype}, not {found}")
    if extra := sorted(set(frame.columns) - set(schema)):
        raise InvalidInputError(f"lake table {domain.name}: columns {extra} are not declared")
    return frame.select(list(schema))


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    # One chunk and fixed sizes: however the frame was put together, the bytes are the same.
    frame.rechunk().write_parquet(buffer, compression="zstd", row_group_size=100_000)
    return buffer.getvalue()


def _scan(contents: list[bytes], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    import polars as pl

    if not contents:
        return pl.DataFrame(schema=schema)
    casts = pl.ScanCastOptions(
        integer_cast=["upcast", "allow-float"],
        float_cast="upcast",
        datetime_cast=["upcast", "nanosecond-downcast"],
        missing_struct_fields="insert",
        extra_struct_fields="ignore",
    )
    return pl.scan_parquet(
        contents, schema=schema, missing_columns="insert", extra_columns="ignore", cast_options=casts
    ).collect()
