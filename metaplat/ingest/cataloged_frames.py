"""Frames of what the catalog index holds, as the lake keeps them.

Here: rows of the index as typed frames in a fixed order, and how many rows each day of one has.
Not here: which rows (``cataloged``), the index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from metaplat.model.partitioning import DailyOrUnknown
from metaplat.model.polars_schema import polars_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    import polars as pl

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.filters import Filter
    from metaplat.model.observation import Row
    from metaplat.stores.catalog.index import CatalogIndex

MISSING = "missing"
"""State of an end of an edge that is no observation."""
LOOKED_UP = 5000


class DayCount(NamedTuple):
    """Rows of one partition, and the oldest and newest time they count from."""

    rows: int
    oldest: datetime | None
    newest: datetime | None


def observations_frame(domain: MetadataDomain, index: CatalogIndex, where: Filter) -> pl.DataFrame:
    """Return the matching observations, whatever the state of their file, by time and id."""
    import polars as pl

    schema = polars_schema(domain.columns)
    blocks = [_frame(block, schema) for block in index.scan(where, list(schema), absent=True)]
    frame = pl.concat(blocks) if blocks else pl.DataFrame(schema=schema)
    return frame.sort(domain.partitions.by, "dataset_id", nulls_last=True)


def edges_frame(domain: MetadataDomain, index: CatalogIndex, rows: Iterable[Row]) -> pl.DataFrame:
    """Return relationships with the state of both of their ends as it is now."""
    import polars as pl

    schema = polars_schema(domain.columns)
    found = with_states(index, list(rows))
    frame = pl.DataFrame(found, schema=schema) if found else pl.DataFrame(schema=schema)
    return frame.sort(domain.partitions.by, *domain.keys)


def events_frame(domain: MetadataDomain, rows: Iterable[Row]) -> pl.DataFrame:
    """Return events by time and id."""
    import polars as pl

    schema = polars_schema(domain.columns)
    return pl.DataFrame(list(rows), schema=schema).sort(domain.partitions.by, *domain.keys)


def with_states(index: CatalogIndex, edges: Sequence[Row]) -> list[Row]:
    """Return relationships with ``parent_state`` and ``child_state``: of the file, or ``missing``."""
    ids = sorted({edge[end] for edge in edges for end in ("parent_dataset_id", "child_dataset_id")})
    states: dict[str, str] = {}
    for some in _portions(ids):
        states |= {key: known.file_state for key, known in index.known(some).items()}
    return [
        {
            **edge,
            "parent_state": states.get(edge["parent_dataset_id"], MISSING),
            "child_state": states.get(edge["child_dataset_id"], MISSING),
        }
        for edge in edges
    ]


def day_counts(frame: pl.DataFrame, domain: MetadataDomain, keys: Sequence[str]) -> dict[str, DayCount]:
    """Count the rows of each of ``keys`` in the frame of one file.

    The unknown has no newest row, which would make the table look fresh; its oldest one is the first that
    lies ahead of now, since a partition of its own is waiting for that.
    """
    import polars as pl

    days, by = domain.partitions, domain.partitions.by
    if isinstance(days, DailyOrUnknown) and keys == [days.unknown]:
        ahead = frame.filter(pl.col(by) >= days.first_time)[by].min()
        return {keys[0]: DayCount(frame.height, ahead, None)}  # type: ignore[arg-type]  # a time or None
    counted = frame.group_by(day=pl.col(by).dt.date()).agg(
        rows=pl.len(), oldest=pl.col(by).min(), newest=pl.col(by).max()
    )
    found = {day.isoformat(): DayCount(*rest) for day, *rest in counted.iter_rows() if day is not None}
    return {key: found.get(key, DayCount(0, None, None)) for key in keys}


def _frame(block: Sequence[tuple[object, ...]], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    import polars as pl

    columns = zip(*block, strict=True)
    return pl.DataFrame(
        [
            pl.Series(name, values, dtype)
            for (name, dtype), values in zip(schema.items(), columns, strict=True)
        ]
    )


def _portions(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), LOOKED_UP):
        yield ids[start : start + LOOKED_UP]
