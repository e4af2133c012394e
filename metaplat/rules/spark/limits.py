"""What the columns of one row must be to each other, in the three Spark domains.

Here: every such limit in words and as a Polars expression.
Not here: limits of one column (``Field.minimum``), the rule that judges them (``ranges``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.rules.spark.expected_executors import COLUMNS, expects_executors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

TOLERANCE = 1.02
"""Quantiles of very large stages are sketched, so that two of them may cross by so much."""
UNIT_ERROR = 2
"""CPU time beyond so many times the run time is in another unit; a little more is lawful."""
SLACK_MS = 1000


@dataclass(frozen=True)
class Limit:
    """One limit across columns.

    Parameters
    ----------
    words : str
        What must hold.
    columns : sequence of str
        Those that show it.
    broken : callable
        Makes the expression that is true where the limit is broken; null, where a part is unknown, is not.
    also : sequence of str
        Further columns that the expression needs.
    """

    words: str
    columns: Sequence[str]
    broken: Callable[[], pl.Expr]
    also: Sequence[str] = ()


def at_most(smaller: str, larger: str) -> Limit:
    """Return the limit that one column is at most another."""

    def broken() -> pl.Expr:
        import polars as pl

        return pl.col(smaller) > pl.col(larger)

    return Limit(f"{smaller} at most {larger}", (smaller, larger), broken)


def nearly_at_most(smaller: str, larger: str) -> Limit:
    """Return the limit that one figure is at most another, but for what a sketch may be off."""

    def broken() -> pl.Expr:
        import polars as pl

        return pl.col(smaller) > pl.col(larger) * TOLERANCE

    return Limit(f"{smaller} at most {larger}", (smaller, larger), broken)


def _cpu_in_ms() -> pl.Expr:
    import polars as pl

    return pl.col("cpu_time_ms") > UNIT_ERROR * pl.col("run_time_ms") + SLACK_MS


def _no_executor() -> pl.Expr:
    import polars as pl

    return (pl.col("num_executors") < 1) & expects_executors()


CPU_TIME = Limit(
    f"cpu_time_ms at most {UNIT_ERROR} times run_time_ms", ("cpu_time_ms", "run_time_ms"), _cpu_in_ms
)
APPLICATION_LIMITS = (
    at_most("failed_tasks", "total_tasks"),
    at_most("killed_tasks", "total_tasks"),
    at_most("failed_stages", "total_stages"),
    at_most("failed_jobs", "jobs"),
    at_most("start_time", "end_time"),
    at_most("observed_start", "observed_end"),
    at_most("num_executors", "num_executors_added"),
    Limit(
        "num_executors at least 1 where tasks ran on a cluster",
        ("num_executors", "master", "total_tasks"),
        _no_executor,
        also=COLUMNS,
    ),
    CPU_TIME,
)
STAGE_LIMITS = (
    at_most("failed_tasks", "tasks"),
    at_most("killed_tasks", "tasks"),
    at_most("submission_time", "completion_time"),
    nearly_at_most("task_ms_min", "task_ms_median"),
    nearly_at_most("task_ms_median", "task_ms_p95"),
    nearly_at_most("task_ms_p95", "task_ms_max"),
    nearly_at_most("input_bytes_median", "input_bytes_max"),
    nearly_at_most("shuffle_read_bytes_median", "shuffle_read_bytes_max"),
    CPU_TIME,
)
EXECUTOR_LIMITS = (
    at_most("failed_tasks", "tasks"),
    at_most("add_time", "remove_time"),
)
