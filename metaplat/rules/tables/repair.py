"""A repair did all it planned.

Here: what a repair of registered partitions left undone, as Glue itself says afterwards.
Not here: what is missing in Glue now (``glue_partition``), repairing (``monitor``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Outcome, Severity, Verdict
from metaplat.rules.samples import shown_value
from metaplat.rules.tables.bucket_figures import named
from metaplat.rules.tables.glue_partition import GLUE_PARTITION
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    from metaplat.model.table_evidence import RepairOutcome, TableFacts


def _judge_facts(facts: TableFacts) -> Verdict:
    repair = facts.repair
    if repair is None:
        return _unrepaired(facts)
    planned = counted(len(repair.plan.add), "partition")
    sentence = f"Repair by {repair.plan.mode.value}: {planned} registered, as planned."
    if repair.failed:
        sentence = (
            f"Repair by {repair.plan.mode.value} should register {planned}; {_reason(repair)}. "
            "Remove the cause and repair again."
        )
    return Verdict.judged(
        passed=not repair.failed,
        sentence=sentence,
        numbers={
            "planned": len(repair.plan.add),
            "before": repair.before,
            "after": repair.after,
            "still_missing": len(repair.still_missing),
            "drop_list": len(repair.plan.drop_list),
        },
        samples=[{"mode": repair.plan.mode.value, "reason": shown_value(_reason(repair))}]
        if repair.failed
        else [],
    )


def _unrepaired(facts: TableFacts) -> Verdict:
    """Pass where nothing is left to repair: else the alert of a repair that failed would never end."""
    now = GLUE_PARTITION.judge_facts(facts)
    if now.outcome is Outcome.NOT_EVALUATED or now.numbers["missing_in_glue"]:
        return Verdict.not_evaluated("Nothing was repaired.")
    registered = now.numbers["registered"]
    return Verdict.judged(
        passed=True,
        sentence="Nothing was to be repaired: Glue lists every bucket that S3 has.",
        numbers={
            "planned": 0,
            "before": registered,
            "after": registered,
            "still_missing": 0,
            "drop_list": now.numbers["dangling"],
        },
    )


def _reason(repair: RepairOutcome) -> str:
    if repair.problem is not None:
        return repair.problem.rstrip(".")
    count = len(repair.still_missing)
    left = f"{count} {agreeing(count, 'partition', 'partitions')}"  # plain digits: alerts repeat it
    return f"Glue still lacks {left} ({named(repair.still_missing)})"


REPAIR = TableRule(
    "repair",
    "Where partitions were repaired, Glue lists all of them afterwards.",
    _judge_facts,
    severity=Severity.WARN,
)
