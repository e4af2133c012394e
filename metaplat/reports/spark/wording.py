"""What is said of an attempt, the same on the page and in the terminal.

Here: its title, facts and figures as pairs of a name and a text, what flags mean, findings in order.
Not here: layout (templates, ``cli``), how quantities are written (``units``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import RUNNING
from metaplat.reports.spark import units
from metaplat.reports.spark.units import NOT_KNOWN
from metaplat.reports.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.collectors.spark.attempt import ApplicationAttempt, Finding

Pairs = list[tuple[str, str]]

SEVERITIES = ("high", "medium", "low")
FLAGS = {
    "app_id_from_file_name": "The log does not name the application; its id is that of the file.",
    "application_start_missing": "The log starts in the middle: all figures lack what came before.",
    "broken_lines": "Some lines of the log are no events; what they told is missing.",
    "cluster_gone": "The platform has forgotten its cluster: what the cluster says is not known.",
    "cluster_unknown": "It is not known on which cluster it ran.",
    "clock_skew": "Times in the log run backwards; durations may be wrong.",
    "compacted": "A History Server compacted the log: tasks of finished jobs are missing from all sums.",
    "event_loss": "Something never ended, or a file is missing: events are lost, so sums are too low.",
    "hs_truncated": "The History Server had cut its list of stages or jobs: sums over stages are not known.",
    "implausible_values": "Some values of the log cannot be, negative ones for example, and are not counted.",
    "incomplete": "It had not ended when it was read; figures are those up to then.",
    "no_event_log": "No event log could be read: figures of tasks and stages are not known.",
    "job_times": "Its times are those of a job that started several applications.",
    "repeated_application_start": "The log begins more than once; the first beginning counts.",
    "shared_cluster": "Several runs shared one application; its log tells of all of them together.",
    "silent": "It has logged nothing for long, and may be dead.",
    "submit_time_missing": "The log does not say when it was submitted (Spark before 3.3).",
    "superseded": "It was told before its log could be read; the record of the log counts.",
    "truncated": "The log is cut or damaged: what follows the damage is missing.",
}
"""What the flags of ``data_quality`` mean for a reader of the figures."""


def title(attempt: ApplicationAttempt) -> str:
    """Return the name of the application, where it has none its id."""
    return attempt.app_name or attempt.app_id


def flag_meaning(flag: str) -> str:
    """Say what a flag means; one that is not known here is spelled out."""
    return FLAGS.get(flag, f"{flag.replace('_', ' ').capitalize()}.")


def ordered_findings(attempt: ApplicationAttempt) -> list[Finding]:
    """Return the findings, the worst first, otherwise in their order."""
    order = {name: place for place, name in enumerate(SEVERITIES)}
    return sorted(attempt.findings, key=lambda finding: order.get(finding.severity, len(order)))


def findings_summary(attempt: ApplicationAttempt) -> str:
    """Say in one line how many findings there are, or why there is none."""
    if attempt.findings:
        known = [
            f"{count} {severity}"
            for severity in SEVERITIES
            if (count := sum(each.severity == severity for each in attempt.findings))
        ]
        return f"{counted(len(attempt.findings), 'finding')}: {', '.join(known) or 'of no severity'}"
    if attempt.total_tasks is None:
        return "No finding: nothing is known of its tasks"
    return "Nothing stands out"


def duration_sentence(attempt: ApplicationAttempt) -> str:
    """Say how long it took; of a running one how long it has been seen to run."""
    if attempt.duration_ms is not None:
        return units.duration_text(attempt.duration_ms)
    start = attempt.start_time or attempt.observed_start
    seen = units.milliseconds_between(start, attempt.observed_end)
    if seen is None:
        return NOT_KNOWN
    return f"{'running' if attempt.status == RUNNING else 'seen'} for {units.duration_text(seen)}"


def facts(attempt: ApplicationAttempt) -> Pairs:
    """Return who and what the attempt is; what is not known is said so, what does not apply is left out."""
    always: Pairs = [
        ("application", attempt.app_id),
        ("attempt", attempt.attempt_id or "none: client mode"),
        ("source", attempt.source),
        ("user", attempt.user or NOT_KNOWN),
        ("started", units.moment_text(attempt.start_time)),
        ("ended", _end(attempt)),
        ("Spark", attempt.spark_version or NOT_KNOWN),
        ("executors", executors_sentence(attempt)),
        ("driver memory", units.memory_text(attempt.driver_memory_mb)),
    ]
    return always + [(name, text) for name, text in _rarer(attempt) if text is not None]


def _end(attempt: ApplicationAttempt) -> str:
    if attempt.end_time is not None or attempt.observed_end is None:
        return units.moment_text(attempt.end_time)
    return f"{NOT_KNOWN}; last seen {units.moment_text(attempt.observed_end)}"


def _rarer(attempt: ApplicationAttempt) -> list[tuple[str, str | None]]:
    submitted = attempt.submit_time
    return [
        ("submitted", None if submitted is None else units.moment_text(submitted)),
        ("master", attempt.master),
        ("exit code", None if attempt.exit_code is None else str(attempt.exit_code)),
        ("cluster", attempt.cluster_name or attempt.cluster_id),
        ("run", attempt.run_id),
        ("state there", attempt.platform_state),
        ("log", attempt.log_address),
    ]


def executors_sentence(attempt: ApplicationAttempt) -> str:
    """Say how many executors there were, and how large each was."""
    if attempt.num_executors is None:
        return NOT_KNOWN
    if attempt.num_executors == 0 and (attempt.master or "").startswith("local"):
        return "none: local mode"
    added = attempt.num_executors_added
    more = f" of {added:,} added" if added is not None and added != attempt.num_executors else ""
    size = ", ".join(
        text
        for text, value in (
            (counted(attempt.executor_cores or 0, "core"), attempt.executor_cores),
            (units.memory_text(attempt.executor_memory_mb), attempt.executor_memory_mb),
        )
        if value is not None
    )
    return f"{attempt.num_executors:,} at once{more}" + (f", each {size}" if size else "")


def figures(attempt: ApplicationAttempt) -> list[tuple[str, str, str]]:
    """Return the main figures: name, text, and a note in small (may be empty)."""
    return [
        ("duration", duration_sentence(attempt), _driver_only(attempt)),
        ("tasks", units.count_text(attempt.total_tasks), _failures(attempt)),
        ("stages", units.count_text(attempt.total_stages), _stages(attempt)),
        ("task time", units.duration_text(attempt.run_time_ms), _gc(attempt)),
        ("input", units.bytes_text(attempt.input_bytes), _output(attempt)),
        ("shuffle read", units.bytes_text(attempt.shuffle_read_bytes), _written(attempt)),
        ("spilled to disk", units.bytes_text(attempt.disk_spilled_bytes), _spilled(attempt)),
        ("wasted", units.seconds_text(attempt.wasted_executor_seconds), _reserved(attempt)),
        ("estimated cost", units.cost_text(attempt.estimated_cost, attempt.cost_currency), ""),
    ]


def _driver_only(attempt: ApplicationAttempt) -> str:
    alone = attempt.driver_only_ms
    return "" if alone is None else f"{units.duration_text(alone)} without any stage"


def _failures(attempt: ApplicationAttempt) -> str:
    counts = ((attempt.failed_tasks, "failed"), (attempt.killed_tasks, "killed"))
    return ", ".join(f"{count:,} {word}" for count, word in counts if count is not None)


def _stages(attempt: ApplicationAttempt) -> str:
    counts = ((attempt.failed_stages, "failed"), (attempt.skipped_stages, "skipped"))
    return ", ".join(f"{count:,} {word}" for count, word in counts if count is not None)


def _gc(attempt: ApplicationAttempt) -> str:
    return "" if attempt.gc_ratio is None else f"{units.share_text(attempt.gc_ratio)} in garbage collection"


def _output(attempt: ApplicationAttempt) -> str:
    return "" if attempt.output_bytes is None else f"{units.bytes_text(attempt.output_bytes)} output"


def _written(attempt: ApplicationAttempt) -> str:
    written = attempt.shuffle_write_bytes
    return "" if written is None else f"{units.bytes_text(written)} written"


def _spilled(attempt: ApplicationAttempt) -> str:
    spilled = attempt.memory_spilled_bytes
    return "" if spilled is None else f"{units.bytes_text(spilled)} in memory"


def _reserved(attempt: ApplicationAttempt) -> str:
    reserved = attempt.executor_seconds
    if reserved is None or attempt.wasted_executor_seconds is None:
        return ""
    return (
        f"of {units.seconds_text(reserved)} of executors"
        if reserved
        else "of the driver, which does the work"
    )


def shortened(text: str, most: int) -> str:
    """Return ``text`` cut to ``most`` characters; the cut shows."""
    return text if len(text) <= most else f"{text[: max(most - 1, 0)]}…"


def capped(shown: int, total: int, noun: str, which: str = "longest") -> str:
    """Say how many of how many are shown; empty where all are."""
    return "" if shown >= total else f"the {shown:,} {which} of {counted(total, noun)}"


def listed_sources(attempts: Sequence[ApplicationAttempt]) -> str:
    """Name attempts by what tells them apart."""
    return ", ".join(f"{each.source}/{each.app_id}/{each.attempt_id or ''}" for each in attempts)
