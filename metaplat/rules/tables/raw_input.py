"""The raw input of the table's snapshot is there.

Here: whether its prefix holds objects. Not here: how old the snapshot is (``data_freshness``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.samples import shown_value
from metaplat.rules.wording import counted

if TYPE_CHECKING:
    from metaplat.model.table_evidence import TableFacts


def _judge_facts(facts: TableFacts) -> Verdict:
    raw = facts.raw_input
    if raw is None:
        return Verdict.not_evaluated("No data bucket is set (data_bucket), or no snapshot is known.")
    if raw.objects is None:
        return Verdict.not_evaluated(f"{raw.address} could not be listed.")
    sentence = f"{counted(raw.objects, 'object')} below {raw.address}; at least 1 expected."
    if not raw.objects:
        sentence += " Look at the snapshot's date, and at what delivers the raw input."
    return Verdict.judged(
        passed=raw.objects > 0,
        sentence=sentence,
        numbers={"objects": raw.objects},
        samples=[] if raw.objects else [{"address": shown_value(raw.address)}],
    )


RAW_INPUT = TableRule(
    "raw_input",
    "The prefix of the snapshot's raw input holds at least one object.",
    _judge_facts,
    severity=Severity.WARN,
)
