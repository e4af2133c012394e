"""What ``metaplat spark show`` prints: findings, figures, a timeline, the longest stages, the executors."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from metaplat.cli.text_page import (
    BOLD,
    DIM,
    Cells,
    Line,
    bar,
    columns_of,
    fitted,
    heights,
    printable,
    wrapped,
)
from metaplat.reports.spark import units, wording
from metaplat.reports.spark.tables import longest_stages
from metaplat.reports.spark.timeline import Lanes, build_timeline, stage_label
from metaplat.reports.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from metaplat.collectors.spark.attempt import ApplicationAttempt, Executor, StageAttempt
    from metaplat.reports.spark.timeline import Alive, Bar

BARS, STAGES, REASONS = 12, 15, 3
"""How many bars of each kind, stages and reasons of removal are shown."""
WIDE = 120
"""Columns from which on a stage's name fits beside its figures."""
LABEL, WIDEST_LABEL, TOOK = 30, 50, 11
STATE_STYLES = {"COMPLETED": "green", "FAILED": "red bold", "KILLED": "yellow"}
SEVERITY_STYLES = {"high": "red bold", "medium": "yellow", "low": "cyan"}
BAR_STYLES = {"ok": "blue", "failed": "red", "running": "yellow"}
STAGE_FIGURES: tuple[tuple[str, Callable[[StageAttempt], str]], ...] = (
    ("stage", lambda stage: stage_label(stage.stage_id, stage.stage_attempt_id)),
    ("duration", lambda stage: units.duration_text(stage.duration_ms)),
    ("tasks", lambda stage: units.count_text(stage.tasks)),
    ("failed", lambda stage: units.count_text(stage.failed_tasks)),
    ("skew", lambda stage: units.times_text(stage.task_time_skew)),
    ("spill", lambda stage: units.bytes_text(stage.disk_spilled_bytes)),
    ("GC", lambda stage: units.share_text(stage.gc_ratio)),
    ("p50", lambda stage: units.duration_text(stage.task_ms_median)),
    ("p95", lambda stage: units.duration_text(stage.task_ms_p95)),
    ("max", lambda stage: units.duration_text(stage.task_ms_max)),
)


def application_lines(attempt: ApplicationAttempt, width: int) -> Iterator[Line]:
    """Yield the page of an attempt, at most ``width`` columns wide."""
    yield from _heading(attempt, width)
    yield from finding_lines(attempt, width)
    yield from _figures(attempt, width)
    yield from _timeline(attempt, width)
    yield from _stages(attempt, width)
    yield from _executors(attempt, width)


def _heading(attempt: ApplicationAttempt, width: int) -> Iterator[Line]:
    state = attempt.status.lower()
    took = wording.duration_sentence(attempt)
    said = f"{state}, {'duration ' if took == units.NOT_KNOWN else ''}{took}"
    name = printable(wording.title(attempt))
    yield [(fitted(name, min(len(name), width)), BOLD)]
    yield [(fitted(printable(said), width).rstrip(), STATE_STYLES.get(attempt.status, ""))]
    for flag in attempt.data_quality:
        for line in wrapped(printable(f"{flag}: {wording.flag_meaning(flag)}"), width):
            yield [(line, "yellow")]


def _title(text: str) -> list[Line]:
    return [[], [(text, BOLD)]]


def finding_lines(attempt: ApplicationAttempt, width: int) -> Iterator[Line]:
    """Yield the findings of an attempt, worst first, each with what to try."""
    yield from _title(wording.findings_summary(attempt))
    for finding in wording.ordered_findings(attempt):
        severity, kind = printable(finding.severity), printable(finding.kind.replace("_", " "))
        yield [(f" {severity}", SEVERITY_STYLES.get(severity, "")), (f" {kind}", BOLD)]
        for line in wrapped(printable(finding.evidence), width, "   "):
            yield [(line, "")]
        for line in wrapped(f"Try: {printable(finding.advice)}", width, "   "):
            yield [(line, DIM)]


def _figures(attempt: ApplicationAttempt, width: int) -> Iterator[Line]:
    yield from _title("Figures")
    figures = [(name, text + (f" ({note})" if note else "")) for name, text, note in wording.figures(attempt)]
    pairs = [(name, printable(text)) for name, text in (*figures, *wording.facts(attempt))]
    known = [(name, text) for name, text in pairs if text != units.NOT_KNOWN]
    names = columns_of([[name] for name, _ in pairs])[0]
    if len(known) < len(pairs):
        known.append((units.NOT_KNOWN, ", ".join(name for name, text in pairs if text == units.NOT_KNOWN)))
    for name, text in known:
        first, *rest = wrapped(text, width - names - 3)
        yield [(f" {name:<{names}}  ", DIM), (first, "")]
        for line in rest:
            yield [(" " * (names + 3) + line, "")]


def _timeline(attempt: ApplicationAttempt, width: int) -> Iterator[Line]:
    timeline = build_timeline(attempt, BARS)
    if timeline is None or not (timeline.jobs.bars or timeline.stages.bars or timeline.alive):
        return
    begin, end = units.moment_text(timeline.start), units.moment_text(timeline.end)
    yield from _title(fitted(f"From {begin} to {end} UTC", width).rstrip())
    label = max(LABEL, min(width // 3, WIDEST_LABEL))
    room = max(width - label - TOOK - 4, 10)
    for noun, lanes in (("job", timeline.jobs), ("stage", timeline.stages)):
        if lanes.bars:
            yield _counted(noun, lanes)
            yield from (_bar_line(noun, each, label, room) for each in lanes.bars)
    if timeline.alive:
        yield _alive(timeline.alive, label, room)


def _counted(noun: str, lanes: Lanes) -> Line:
    return [(f" {wording.capped(len(lanes.bars), lanes.total, noun) or counted(lanes.total, noun)}", DIM)]


def _bar_line(noun: str, each: Bar, label: int, room: int) -> Line:
    before, blocks, behind = bar(each.start, each.length, room)
    named = fitted(printable(f"{noun} {each.label} {each.name}"), label)
    style = BAR_STYLES[each.state]
    took = fitted(units.duration_text(each.milliseconds), TOOK)
    state = {"failed": "!", "running": ">"}.get(each.state, " ")  # told without colours, too
    return [
        (f" {named}", ""),
        ("▕", DIM),
        (f"{before}{blocks}{behind}", style),
        ("▏", DIM),
        (f"{state}{took}", ""),
    ]


def _alive(alive: Alive, label: int, room: int) -> Line:
    points = list(alive.points)
    values, place = [], 0
    for column in range(room):
        while place + 1 < len(points) and points[place + 1][0] <= (column + 0.5) / room:
            place += 1
        values.append(points[place][1])
    return [
        (f" {fitted('executors alive', label)}", ""),
        ("▕", DIM),
        (heights(values, alive.most), "green"),
        ("▏", DIM),
        (f" most {alive.most:,}", ""),
    ]


def _stages(attempt: ApplicationAttempt, width: int) -> Iterator[Line]:
    ran = longest_stages(attempt)
    if not ran:
        return
    shown = ran[:STAGES]
    yield from _title(
        wording.capped(len(shown), len(ran), "stage") or f"{counted(len(ran), 'stage')}, the longest first"
    )
    rows: list[Cells] = [[name for name, _ in STAGE_FIGURES]]
    rows += [[_shorter(write(stage)) for _, write in STAGE_FIGURES] for stage in shown]
    widths = columns_of(rows)
    gap = "  " if sum(widths) + 2 * len(widths) <= width else " "
    lines = [
        " " + gap.join(fitted(cell, each, right=True) for cell, each in zip(row, widths, strict=True))
        for row in rows
    ]
    beside = width >= WIDE and width - len(lines[0]) > LABEL
    yield [(lines[0] + ("  name" if beside else ""), DIM)]
    for line, stage in zip(lines[1:], shown, strict=True):
        yield from _stage_lines(line, stage, width, beside=beside)


def _shorter(text: str) -> str:
    """Write what is not known in one letter: a table says it too often for three words."""
    return "?" if text == units.NOT_KNOWN else text


def _stage_lines(line: str, stage: StageAttempt, width: int, *, beside: bool) -> Iterator[Line]:
    style = "red" if stage.status == "FAILED" else ""
    name = printable(stage.name or units.NOT_KNOWN)
    if beside:
        yield [(line, style), (f"  {fitted(name, width - len(line) - 2).rstrip()}", "")]
    else:
        yield [(line, style)]
        yield [(f"        {fitted(name, width - 8).rstrip()}", DIM)]
    if stage.failure_reason:
        for each in wrapped(printable(wording.shortened(stage.failure_reason, 300)), width, "        "):
            yield [(each, "red")]


def _executors(attempt: ApplicationAttempt, width: int) -> Iterator[Line]:
    if not attempt.executors:
        return
    yield from _title(f"Executors: {wording.executors_sentence(attempt)}")
    sentences = [_busiest(attempt.executors), *_removals(attempt.executors)]
    for sentence in sentences:
        for line in wrapped(printable(sentence), width, " "):
            yield [(line, "")]


def _busiest(executors: Sequence[Executor]) -> str:
    busiest = max(executors, key=lambda each: each.run_time_ms or 0)
    idle = sum(each.tasks == 0 for each in executors)
    said = (
        f"busiest: {busiest.executor_id} on {busiest.host or 'a host not known'}, "
        f"tasks {units.count_text(busiest.tasks)}, task time {units.duration_text(busiest.run_time_ms)}"
    )
    return f"{said}; {counted(idle, 'executor')} ran no task" if idle else said


def _removals(executors: Sequence[Executor]) -> Iterator[str]:
    """Yield the most frequent reasons for which executors were removed."""
    removed = [each for each in executors if each.remove_time is not None]
    reasons = Counter(each.removed_reason or "for a reason not known" for each in removed)
    for reason, count in reasons.most_common(REASONS):
        yield f"removed: {count:,} {units.TIMES} {wording.shortened(reason, 300)}"
    if len(reasons) > REASONS:
        yield f"removed: {counted(len(reasons) - REASONS, 'further reason')}; --json has all"
