"""The figures of a chart as CSV: what is drawn, and nothing that is not.

Here: the one form of those files.
Not here: the old CSV form of the histories (``vip.history.csv_files``), the figures (``series``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def chart_csv(figures: pl.DataFrame) -> bytes:
    """Write the figures of a chart: UTF-8, comma, header; times as ``2022-02-08T08:00:00Z``, null empty."""
    return figures.write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ").encode()
