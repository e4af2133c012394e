"""The snapshot that the table was made from is recent (DataFreshness in AWS Glue DQDL).

Here: the date in the snapshot file. Not here: reading it (``monitor``), the raw input of it (``raw_input``).
Where ``strict_snapshot`` is off, the date is only told: nothing about it fails.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.samples import shown_value
from metaplat.rules.wording import counted

if TYPE_CHECKING:
    from metaplat.model.table_evidence import SnapshotFacts, TableFacts

TOO_OLD, MISSING, NO_DATE, FUTURE = "too old", "missing", "not a date", "in the future"
ADVICE = {
    TOO_OLD: "Run the job that makes the table.",
    MISSING: "Look at the job that should write it.",
    NO_DATE: "Correct it: YYYY-MM-DD.",
    FUTURE: "Correct it, or the clock of what wrote it.",
}


def _judge_facts(facts: TableFacts) -> Verdict:
    snapshot, window = facts.snapshot, facts.limits.freshness_window_days
    if snapshot is None:
        return Verdict.not_evaluated("There is no place where the table's snapshot file could be.")
    numbers = {"window_days": window}
    if snapshot.day is not None:
        numbers["age_days"] = (facts.now.astimezone(UTC).date() - snapshot.day).days
    problem = _problem(snapshot, numbers.get("age_days", 0), window)
    shown = shown_value(snapshot.text)
    if problem is None:
        sentence = f"Snapshot {shown}; at most {counted(window, 'day')} old expected."
        return Verdict.judged(passed=True, sentence=sentence, numbers=numbers)
    found = f"it is {problem}" if shown is None else f"{shown!r} is {problem}"
    expected = f"{snapshot.address} should hold a date of the last {counted(window, 'day')}"
    sentence = f"{expected}; {found}. {ADVICE[problem]}"
    if not facts.limits.strict_snapshot:
        return Verdict.not_evaluated(f"Not judged, strict_snapshot is off. {sentence}", numbers)
    sample = {"snapshot": shown, "problem": problem, "address": shown_value(snapshot.address)}
    return Verdict.judged(passed=False, sentence=sentence, numbers=numbers, samples=[sample])


def _problem(snapshot: SnapshotFacts, age_days: int, window_days: int) -> str | None:
    """Say what is wrong; a snapshot of exactly ``window_days`` is still good."""
    if snapshot.day is None:
        return NO_DATE if snapshot.text else MISSING
    if age_days < 0:
        return FUTURE
    return TOO_OLD if age_days > window_days else None


DATA_FRESHNESS = TableRule(
    "data_freshness",
    "The snapshot file holds a date at most freshness_window_days before today (UTC), and not after it.",
    _judge_facts,
    severity=Severity.WARN,
)
