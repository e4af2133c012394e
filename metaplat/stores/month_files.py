"""Days in files of a month: how the lake keeps what is partitioned by ``DailyOrUnknown``.

Here: which files hold which days, and the rows of some days only.
Not here: files of one partition each (``lake``), which rows there are (``catalog.lake``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from metaplat.model.partitioning import DailyOrUnknown


def one_key_per_file(partitions: DailyOrUnknown, wanted: Sequence[str]) -> list[str]:
    """Return one key of each file that holds any of the wanted days, in order, the unknown left out."""
    by_month: dict[str, str] = {}
    for key in wanted:
        if key != partitions.unknown:
            by_month.setdefault(partitions.segment(key), key)
    return list(by_month.values())


def only_days(frame: pl.DataFrame, partitions: DailyOrUnknown, wanted: Sequence[str]) -> pl.DataFrame:
    """Return the rows of the wanted days out of files of whole months."""
    import polars as pl

    days = [window[0].date() for key in wanted if (window := partitions.window(key)) is not None]
    return frame.filter(pl.col(partitions.by).dt.date().is_in(days))
