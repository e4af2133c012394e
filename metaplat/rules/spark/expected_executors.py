"""Which applications must have had executors.

Here: the expression for it. Not here: what follows from it (``executors_known``, ``limits``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("master", "total_tasks", "data_quality")
PARTS_LOST = ("compacted", "event_loss", "hs_truncated", "truncated", "broken_lines", "no_event_log")
"""Flags of records in which an executor may be missing."""
LOCAL = r"^local(\[.*\])?$"


def expects_executors() -> pl.Expr:
    """Return true for whole records of applications that ran tasks on a cluster; false where that is unknown.

    In local mode the driver does the work: an application without executors is lawful then, as is one that
    ran no task. ``local-cluster`` has executors.
    """
    import polars as pl

    lost = pl.any_horizontal(pl.col("data_quality").list.contains(flag) for flag in PARTS_LOST)
    on_cluster = ~pl.col("master").str.contains(LOCAL)
    return (on_cluster & (pl.col("total_tasks") > 0) & ~lost).fill_null(value=False)
