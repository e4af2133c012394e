"""Hours that are known from old history files only: kept apart, and used where the bucket holds nothing.

Here: keeping what was read from CSV, and what it says of some hours.
Not here: the form of those files (``csv_files``).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from metaplat.model.extract import ExtractStatus
from metaplat.vip.history.histories import Histories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.stores.objects import ObjectStore

PARTS = ("jobs", "tables", "sizes")


@dataclass(frozen=True)
class Imported:
    """What old files say of one configuration."""

    histories: Histories

    def span(self) -> tuple[datetime, datetime] | None:
        """Return the first and the last hour; None where nothing was imported."""
        hours = self.histories.jobs["hour_utc"]
        first, last = hours.min(), hours.max()
        return (first, last) if isinstance(first, datetime) and isinstance(last, datetime) else None

    def at(self, hours: Sequence[datetime]) -> Histories:
        """Return what is known of some hours: rows that say of an hour that it is missing say nothing."""
        import polars as pl

        known = self.histories.at(hours)
        lost = known.jobs.filter(pl.col("status") == ExtractStatus.MISSING)["hour_utc"].to_list()
        return known.without(lost)


def save_imported(state: ObjectStore, config_name: str, histories: Histories) -> None:
    """Keep imported histories beside those kept before; newer rows replace older ones of the same hour.

    Raises
    ------
    StoreError
        The state store fails.
    """
    both = load_imported(state, config_name).histories.merged(histories)
    for part in PARTS:
        buffer = io.BytesIO()
        getattr(both, part).write_parquet(buffer, compression="zstd")
        state.put(_key(config_name, part), buffer.getvalue())


def load_imported(state: ObjectStore, config_name: str) -> Imported:
    """Return what was imported for a configuration; raises StoreError."""
    import polars as pl

    found, empty = {}, Histories.empty()
    for part in PARTS:
        try:
            found[part] = pl.read_parquet(io.BytesIO(state.get(_key(config_name, part))))
        except KeyError:
            found[part] = getattr(empty, part)
    return Imported(Histories(**found))


def _key(config_name: str, part: str) -> str:
    return f"vip/imported/{config_name}/{part}.parquet"
