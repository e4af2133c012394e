"""The moment a partition is judged as of, where time goes by without rows.

Here: that moment, and the verdict of a table that follows from its last partitions.
Not here: the judgements (``freshness_per_mission``, ``runs``).

The newest partition is judged as of now, since nothing newer can tell that nothing came. Any other one is
judged as of its end: a gap of the past stays one of the past, and the table is as its last partitions are.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from metaplat.model.verdict import Outcome, Verdict
from metaplat.rules.wording import agreeing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from metaplat.model.rule import JudgeTable, PartitionEvidence, TableEvidence


def judged_as_of(evidence: PartitionEvidence) -> datetime | None:
    """Return the moment; None for a partition that is no window."""
    window = evidence.domain.partitions.window(evidence.partition)
    if window is None:
        return None
    newest = _newest_with_rows(evidence.row_history)
    is_newest = newest is None or newest <= evidence.partition
    return evidence.now if is_newest else min(window[1], evidence.now)


def by_last_partitions(rule: str, count: int = 1) -> JudgeTable:
    """Return the judgement of a table: that none of its last judged partitions fails.

    Parameters
    ----------
    rule : str
        Name of the check of partitions.
    count : int
        How many are looked at; what failed before is past, and cannot be mended.
    """
    return partial(_judge_table, rule=rule, count=count)


def _judge_table(evidence: TableEvidence, *, rule: str, count: int) -> Verdict:
    outcomes = evidence.outcomes
    judged = [key for key, outcome in outcomes.items() if outcome is not Outcome.NOT_EVALUATED]
    last = judged[-count:]
    failed = [key for key in last if outcomes[key] is Outcome.FAILED]
    numbers = {
        "failed_partitions": len(failed),
        "judged_partitions": len(last),
        "failed_before": sum(outcomes[key] is Outcome.FAILED for key in judged[:-count]),
        "partitions": len(outcomes),
    }
    if not judged:
        return Verdict.not_evaluated("No partition has been judged yet.", numbers)
    if len(last) == 1:
        sentence = f"The newest judged partition, {last[0]}, {'fails' if failed else 'passes'}."
    else:
        fail = agreeing(len(failed), "fails", "fail")
        sentence = f"{len(failed)} of the last {len(last)} judged partitions, to {last[-1]}, {fail}."
    if failed:
        sentence += f" See what {rule} says of {failed[-1]}."
    samples = [{"partition": key} for key in reversed(failed)]
    return Verdict.judged(passed=not failed, sentence=sentence, numbers=numbers, samples=samples)


def _newest_with_rows(rows: Mapping[str, int]) -> str | None:
    """Return the last partition that has rows; keys of days sort as the days do."""
    return next((key for key in reversed(list(rows)) if rows[key]), None)
