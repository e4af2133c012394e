"""The tables of stages and executors of a page: which rows, which columns, and what each cell says.

Here: cells as a text and a value to sort by.
Not here: drawing them (the template), the terminal's narrower tables (``cli``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.reports.spark import units
from metaplat.reports.spark.histogram import Axis, Histogram, common_axis, histogram
from metaplat.reports.spark.timeline import stage_anchor, stage_label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from metaplat.collectors.spark.attempt import ApplicationAttempt, Executor, StageAttempt

MOST_ROWS = 300
SKEWED, SKEWED_MS = 5.0, 30_000
"""A slowest task of so many times the median, and so long, stands out; findings have their own limits."""


@dataclass(frozen=True)
class Cell:
    """A text, what it is sorted by (empty where it is not known), and whether it stands out."""

    text: str
    value: float | str
    bad: bool = False


@dataclass(frozen=True)
class Column:
    """A heading, and how a cell is made of a row.

    ``number`` columns are on the right; ``rare`` ones are left out without a word where nothing is in them.
    """

    name: str
    cell: Callable[[Any], Cell]
    number: bool = True
    rare: bool = False


@dataclass(frozen=True)
class TableRow:
    """One row: its cells, and of a stage its place on the page, the drawing of its tasks, why it failed."""

    cells: Sequence[Cell]
    anchor: str = ""
    histogram: Histogram | None = None
    failure: str = ""


@dataclass(frozen=True)
class Table:
    """What a table shows.

    Parameters
    ----------
    columns : sequence of Column
        Those of which anything is known.
    unknown : sequence of str
        Names of the other columns.
    rows : sequence of TableRow
        In order.
    total : int
        Rows, with those that are not shown.
    axis : Axis or None
        Of the drawings; None where there is none.
    """

    columns: Sequence[Column]
    unknown: Sequence[str]
    rows: Sequence[TableRow]
    total: int
    axis: Axis | None = None


def stage_table(attempt: ApplicationAttempt, most: int = MOST_ROWS) -> Table:
    """Return the stages that ran, the longest first.

    Where there are too many, failed ones and those with findings come before longer ones.
    """
    found = {(each.stage_id, each.stage_attempt_id or 0) for each in attempt.findings}

    def importance(stage: StageAttempt) -> tuple[bool, float]:
        told = stage.status == "FAILED" or (stage.stage_id, stage.stage_attempt_id) in found
        return told, _length(stage)

    ran = longest_stages(attempt)
    shown = sorted(sorted(ran, key=importance, reverse=True)[:most], key=_length, reverse=True)
    columns, unknown = _known_columns(STAGE_COLUMNS, shown)
    axis = common_axis(shown)
    rows = [
        TableRow(
            [column.cell(stage) for column in columns],
            stage_anchor(stage),
            histogram(stage, axis),
            stage.failure_reason or "",
        )
        for stage in shown
    ]
    return Table(columns, unknown, rows, len(ran), axis)


def longest_stages(attempt: ApplicationAttempt) -> list[StageAttempt]:
    """Return the stages that ran, the longest first."""
    return sorted((each for each in attempt.stages if each.status != "SKIPPED"), key=_length, reverse=True)


def executor_table(attempt: ApplicationAttempt, most: int = MOST_ROWS) -> Table:
    """Return the executors, those with most task time first."""
    shown = sorted(attempt.executors, key=lambda each: each.run_time_ms or 0, reverse=True)[:most]
    columns, unknown = _known_columns(EXECUTOR_COLUMNS, shown)
    rows = [TableRow([column.cell(each) for column in columns]) for each in shown]
    return Table(columns, unknown, rows, len(attempt.executors))


def _known_columns(
    columns: Sequence[Column], rows: Iterable[StageAttempt | Executor]
) -> tuple[list[Column], list[str]]:
    """Part the columns by whether any row says something in them."""
    rows = list(rows)
    known = [column for column in columns if any(column.cell(row).value != "" for row in rows)]
    return known, [column.name for column in columns if column not in known and not column.rare]


def _length(stage: StageAttempt) -> float:
    return -1 if stage.duration_ms is None else stage.duration_ms


def _cell(value: float | None, write: Callable[[float | None], str], *, bad: bool = False) -> Cell:
    return Cell(write(value), "" if value is None else value, bad)


def _amount(name: str, field: str, write: Callable[[float | None], str]) -> Column:
    return Column(name, lambda row: _cell(getattr(row, field), write))


def _trouble(name: str, field: str, write: Callable[[float | None], str]) -> Column:
    """Return a column whose cells stand out where there is anything."""

    def cell(row: StageAttempt | Executor) -> Cell:
        value = getattr(row, field)
        return _cell(value, write, bad=bool(value and value > 0))

    return Column(name, cell)


def _stage_name(stage: StageAttempt) -> Cell:
    return Cell(stage.name or units.NOT_KNOWN, (stage.name or "").lower())


def _stage_id(stage: StageAttempt) -> Cell:
    return Cell(
        stage_label(stage.stage_id, stage.stage_attempt_id), stage.stage_id + stage.stage_attempt_id / 1e3
    )


def _skew(stage: StageAttempt) -> Cell:
    skew, slowest = stage.task_time_skew, stage.task_ms_max
    bad = skew is not None and slowest is not None and skew >= SKEWED and slowest >= SKEWED_MS
    return _cell(skew, units.times_text, bad=bad)


def _executor_id(executor: Executor) -> Cell:
    known = executor.executor_id
    return Cell(known, int(known) if known.isascii() and known.isdigit() and len(known) < 16 else -1)


def _host(executor: Executor) -> Cell:
    return Cell(executor.host or units.NOT_KNOWN, (executor.host or "").lower())


def _removed(executor: Executor) -> Cell:
    if executor.remove_time is None:
        return Cell("", "")
    reason = f": {executor.removed_reason}" if executor.removed_reason else ""
    return Cell(f"{units.moment_text(executor.remove_time)}{reason}", executor.remove_time.timestamp())


STAGE_COLUMNS = (
    Column("stage", _stage_id),
    Column("name", _stage_name, number=False),
    _amount("duration", "duration_ms", units.duration_text),
    _amount("tasks", "tasks", units.count_text),
    _trouble("failed", "failed_tasks", units.count_text),
    _amount("p50", "task_ms_median", units.duration_text),
    _amount("p95", "task_ms_p95", units.duration_text),
    _amount("max", "task_ms_max", units.duration_text),
    Column("skew", _skew),
    _amount("input", "input_bytes", units.bytes_text),
    _amount("shuffle read", "shuffle_read_bytes", units.bytes_text),
    _amount("shuffle write", "shuffle_write_bytes", units.bytes_text),
    _trouble("spill", "disk_spilled_bytes", units.bytes_text),
    _amount("GC", "gc_ratio", units.share_text),
)
EXECUTOR_COLUMNS = (
    Column("executor", _executor_id),
    Column("host", _host, number=False),
    _amount("lifetime", "lifetime_ms", units.duration_text),
    _amount("cores", "cores", units.count_text),
    _amount("heap", "memory_mb", units.memory_text),
    _amount("tasks", "tasks", units.count_text),
    _trouble("failed", "failed_tasks", units.count_text),
    _amount("task time", "run_time_ms", units.duration_text),
    _amount("GC", "gc_time_ms", units.duration_text),
    _amount("shuffle read", "shuffle_read_bytes", units.bytes_text),
    _amount("peak heap", "peak_heap_bytes", units.bytes_text),
    _amount("peak memory", "peak_memory_bytes", units.bytes_text),
    Column("removed", _removed, number=False, rare=True),
)
