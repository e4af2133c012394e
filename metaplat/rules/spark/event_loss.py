"""Records know all that happened: no event, line, or stage list was lost on the way.

Here: records flagged as knowing less than their application did, and what keeps that from happening again.
Not here: a running application, whose record grows (flag ``incomplete``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Severity, Verdict
from metaplat.rules.samples import require_columns, shown_rows
from metaplat.rules.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOSSES = {
    "event_loss": (
        "Spark dropped events, or lines of the log are gone: where the driver's log speaks of dropped "
        "events, raise spark.scheduler.listenerbus.eventqueue.eventLog.capacity."
    ),
    "compacted": (
        "The server compacted rolled logs before they were collected: collect more often, or raise "
        "spark.history.fs.eventLog.rolling.maxFilesToRetain."
    ),
    "hs_truncated": (
        "The History Server shows no more stages or jobs: collect with --via logs, or raise "
        "spark.ui.retainedStages and spark.ui.retainedJobs."
    ),
    "truncated": "A log is cut off: look whether it was copied whole, and collect it again.",
    "broken_lines": "A log has lines that are no events: look for what else writes to it.",
}
"""Flags of lost parts, worst first, with what to do."""
COUNTS = {
    "dropped_events": "dropped event",
    "broken_lines": "broken line",
    "jobs_without_end": "job without an end",
    "stages_without_end": "stage without an end",
    "tasks_without_end": "task without an end",
}
NEEDED = ("source", "app_id", "attempt_id", "app_name", "data_quality", *COUNTS)


def event_loss() -> Rule:
    """Return the rule that no record lost a part of what its application did."""
    doc = f"No application lost events or lines: none is flagged {', '.join(LOSSES)}."
    return Rule("event_loss", doc, _judge, severity=Severity.WARN)


def _judge(evidence: PartitionEvidence) -> Verdict:
    import polars as pl

    frame = evidence.frame
    require_columns(frame, NEEDED, "event_loss")
    if frame.is_empty():
        return Verdict.not_evaluated("No applications.", {"rows": 0, "lossy_rows": 0})
    flags = [pl.col("data_quality").list.contains(flag).fill_null(value=False) for flag in LOSSES]
    lossy = frame.filter(pl.any_horizontal(flags))
    counts = frame.select(flag.sum().alias(name) for name, flag in zip(LOSSES, flags, strict=True)).row(0)
    numbers = {"rows": frame.height, "lossy_rows": lossy.height, **dict(zip(LOSSES, counts, strict=True))}
    sentence = f"{lossy.height:,} of {counted(frame.height, 'application')} lost a part of what was logged."
    advice = [advice for flag, advice in LOSSES.items() if numbers[flag]]
    samples = [_sample(row) for row in lossy.head(MAX_SAMPLES).select(NEEDED).iter_rows(named=True)]
    return Verdict.judged(
        passed=lossy.is_empty(),
        sentence=" ".join([sentence, *advice]),
        numbers=numbers,
        samples=shown_rows(samples, evidence.domain.columns),
    )


def _sample(row: Mapping[str, object]) -> dict[str, object]:
    named = {name: row[name] for name in ("source", "app_id", "attempt_id", "app_name")}
    flags = row["data_quality"]
    shown = [flag for flag in LOSSES if isinstance(flags, list) and flag in flags]
    return named | {"flags": ", ".join(shown), "lost": ", ".join(_lost(row)) or "not known how much"}


def _lost(row: Mapping[str, object]) -> Iterator[str]:
    for name, noun in COUNTS.items():
        number = row[name]
        if isinstance(number, int) and number > 0:
            words, _, end = noun.partition(" without ")
            yield counted(number, words) + (f" without {end}" if end else "")
