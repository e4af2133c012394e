"""What ``metaplat spark compare`` prints: figures side by side, settings that differ, stages that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.cli.text_page import BOLD, DIM, Cells, Line, columns_of, fitted, printable, wrapped
from metaplat.reports.spark import units, wording
from metaplat.reports.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.reports.spark.comparison import Comparison, Measure, Setting, StagePair

STAGES = 15
VALUE = 60
"""Letters of a value that is set beside another one."""
STYLES = {"worse": "red", "better": "green"}


def comparison_lines(
    first: ApplicationAttempt, second: ApplicationAttempt, found: Comparison, width: int
) -> Iterator[Line]:
    """Yield two attempts side by side, at most ``width`` columns wide."""
    for letter, attempt in (("A", first), ("B", second)):
        yield from _who(letter, attempt, width)
    yield from _measures(found.measures)
    yield from _settings(found.settings, width)
    yield from _stages(found.stages, width)


def comparison_entry(
    first: ApplicationAttempt, second: ApplicationAttempt, found: Comparison
) -> dict[str, Any]:
    """Return the comparison as JSON values."""
    return {
        "a": _identity(first),
        "b": _identity(second),
        "figures": [
            {
                "name": each.field,
                "a": each.first,
                "b": each.second,
                "ratio": each.ratio,
                "mark": each.mark or None,
            }
            for each in found.measures
        ],
        "settings": [{"name": each.name, "a": each.first, "b": each.second} for each in found.settings],
        "stages": [_stage_entry(pair) for pair in found.stages],
    }


def _identity(attempt: ApplicationAttempt) -> dict[str, Any]:
    names = ("source", "app_id", "attempt_id", "app_name", "status", "start_time", "end_time")
    record = attempt.record()
    return {name: record[name] for name in names}


def _stage_entry(pair: StagePair) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": pair.name, "change_ms": pair.change_ms}
    for letter, stage in (("a", pair.first), ("b", pair.second)):
        entry[letter] = stage and {
            "stage_id": stage.stage_id,
            "stage_attempt_id": stage.stage_attempt_id,
            "duration_ms": stage.duration_ms,
            "tasks": stage.tasks,
            "disk_spilled_bytes": stage.disk_spilled_bytes,
        }
    return entry


def _who(letter: str, attempt: ApplicationAttempt, width: int) -> Iterator[Line]:
    told = (
        wording.title(attempt),
        attempt.app_id + (f", attempt {attempt.attempt_id}" if attempt.attempt_id else ""),
        attempt.status.lower(),
        f"started {units.moment_text(attempt.start_time)} UTC",
    )
    first, *rest = wrapped(printable(" · ".join(told)), width - 3)
    yield [(f"{letter}  ", BOLD), (first, "")]
    for line in rest:
        yield [(f"   {line}", "")]


def _measures(measures: Sequence[Measure]) -> Iterator[Line]:
    known = [each for each in measures if each.first is not None or each.second is not None]
    rows: list[Cells] = [["", "A", "B", "B/A", ""]]
    rows += [
        [each.name, each.write(each.first), each.write(each.second), _ratio(each.ratio), each.mark]
        for each in known
    ]
    widths = columns_of(rows)
    yield []
    yield [(_aligned(rows[0], widths), DIM)]
    for row, each in zip(rows[1:], known, strict=True):
        yield [(_aligned(row[:4], widths[:4]), ""), (f"  {each.mark}", STYLES.get(each.mark, ""))]
    if len(known) < len(measures):
        left_out = ", ".join(each.name for each in measures if each not in known)
        yield [(f" not known of either: {left_out}", DIM)]


def _ratio(ratio: float | None) -> str:
    return (
        "" if ratio is None else f"{ratio:.2f}" if ratio < 100 else f"{ratio:,.0f}"
    )  # more digits tell nothing


def _aligned(cells: Cells, widths: Sequence[int]) -> str:
    first, *rest = (
        fitted(cell, width, right=place > 0)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f" {'  '.join([first, *rest])}"


def _settings(settings: Sequence[Setting], width: int) -> Iterator[Line]:
    yield []
    if not settings:
        yield [("No setting differs", BOLD)]
        return
    yield [(f"{counted(len(settings), 'different setting')}", BOLD)]
    for each in settings:
        yield [(fitted(f" {printable(each.name)}", width).rstrip(), "")]
        for letter, value in (("A", each.first), ("B", each.second)):
            text = (
                "not set" if value is None else printable(wording.shortened(value, 10 * VALUE)) or "(empty)"
            )
            for place, line in enumerate(wrapped(text, width - 6)):
                yield [(f"   {letter if place == 0 else ' '}  ", DIM), (line, DIM if value is None else "")]


def _stages(pairs: Sequence[StagePair], width: int) -> Iterator[Line]:
    if not pairs:
        return
    shown = pairs[:STAGES]
    yield []
    some = wording.capped(len(shown), len(pairs), "stage", "most changed")
    yield [(f"Stages, the largest change first{f': {some}' if some else ''}", BOLD)]
    rows: list[Cells] = [["A", "B", "A", "B", "change", "spill A", "spill B"]]
    rows += [_stage_cells(pair) for pair in shown]
    widths = columns_of(rows)
    for place, row in enumerate(rows):
        line = " " + "  ".join(fitted(cell, each, right=True) for cell, each in zip(row, widths, strict=True))
        name = "name" if place == 0 else printable(shown[place - 1].name)
        change = shown[place - 1].change_ms if place else None
        style = (
            DIM
            if not place
            else ""
            if not change or abs(change) < 1000
            else STYLES["worse" if change > 0 else "better"]
        )
        yield [(line, style), (f"  {fitted(name, max(width - len(line) - 2, 8)).rstrip()}", DIM)]


def _stage_cells(pair: StagePair) -> Cells:
    times = [units.duration_text(each.duration_ms) if each else "none" for each in (pair.first, pair.second)]
    spills = [units.bytes_text(each.disk_spilled_bytes) if each else "" for each in (pair.first, pair.second)]
    change = pair.change_ms
    sign = "+" if change is not None and change > 0 else ""
    said = "" if change is None else f"{sign}{units.duration_text(change)}"
    cells = [*pair.labels, *times, said, *spills]
    return ["?" if cell == units.NOT_KNOWN else cell for cell in cells]
