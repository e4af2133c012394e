"""The main numbers of a table over its runs.

Here: sums per run from the history of metrics frames, and their lines.
Not here: keeping history (``monitor``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.reports.sparklines import Sparkline, sparkline
from metaplat.reports.wording import minute_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl


@dataclass(frozen=True)
class Trend:
    """One number over the runs; ``is_present`` where the present run knows it."""

    line: Sparkline
    is_present: bool


NUMBERS = ("rows", "key_nulls", "duplicate_rows", "misplaced_keys", "files", "bytes")


def run_totals(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Sum up metrics frames run by run, oldest first.

    Parameters
    ----------
    frame : polars.DataFrame
        Metrics frames of any number of runs of one table, one below the other.

    Returns
    -------
    list of dict
        ``run_id``, ``profiled_at``, ``buckets`` with files, and the ``NUMBERS``: None where a number is
        unknown for any bucket of the run.
    """
    import polars as pl

    if frame.is_empty():
        return []
    sums = [pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name) for name in NUMBERS]
    runs = frame.group_by("run_id", maintain_order=True).agg(
        pl.col("profiled_at").max(), (pl.col("files") > 0).sum().alias("buckets"), *sums
    )
    return runs.sort("profiled_at", maintain_order=True).to_dicts()


def trend_lines(history: pl.DataFrame, frame: pl.DataFrame) -> list[Trend]:
    """Draw each number that is known for two runs or more, the present run being the last."""
    runs = run_totals(history) + run_totals(frame)
    keys = _run_names(runs)
    lines = []
    for name in NUMBERS:
        values = {key: run[name] for key, run in zip(keys, runs, strict=True) if run[name] is not None}
        if len(values) > 1:
            line = sparkline("", name, values, keys)
            lines.append(Trend(line, line.last_key == keys[-1]))
    return lines


def _run_names(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name runs by their minute; of several in one minute, each by its place."""
    minutes = [minute_text(run["profiled_at"]) for run in runs]
    return [
        minute if minutes.count(minute) == 1 else f"{minute} (run {place})"
        for place, minute in enumerate(minutes, 1)
    ]
