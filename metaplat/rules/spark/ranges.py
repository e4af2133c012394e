"""No row contradicts itself: parts are at most their whole, ends are not before starts.

Here: judging the limits across columns. Not here: the limits (``limits``), limits of one column (``schema``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Verdict
from metaplat.rules.samples import require_columns, shown_rows
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from metaplat.rules.spark.limits import Limit


def ranges(limits: Sequence[Limit]) -> Rule:
    """Return the rule that the columns of a row fit each other."""
    doc = f"In every row: {'; '.join(limit.words for limit in limits)}."
    return Rule("ranges", doc, partial(_judge, limits=limits))


def _judge(evidence: PartitionEvidence, *, limits: Sequence[Limit]) -> Verdict:
    frame, domain = evidence.frame, evidence.domain
    needed = [name for limit in limits for name in (*limit.columns, *limit.also)]
    require_columns(frame, [*needed, *domain.keys], "ranges")
    if frame.is_empty():
        return Verdict.not_evaluated("No rows.", {"rows": 0, "invalid_rows": 0, "failure_cases": 0})
    broken = frame.select(limit.broken().fill_null(value=False).alias(limit.words) for limit in limits)
    invalid = broken.select(invalid=_any(broken))["invalid"]
    numbers = {
        "rows": frame.height,
        "invalid_rows": int(invalid.sum()),
        "failure_cases": sum(int(broken[name].sum()) for name in broken.columns),
    }
    sentence = (
        f"{numbers['invalid_rows']:,} of {counted(frame.height, 'row')} "
        f"{agreeing(numbers['invalid_rows'], 'contradicts itself', 'contradict themselves')}."
    )
    if numbers["invalid_rows"]:
        sentence += " Their source counts otherwise, or is damaged: collect them again from the event log."
    return Verdict.judged(
        passed=not numbers["invalid_rows"],
        sentence=sentence,
        numbers=numbers,
        samples=shown_rows(_samples(frame, broken, limits, domain.keys), domain.columns),
    )


def _any(broken: pl.DataFrame) -> pl.Expr:
    import polars as pl

    return pl.any_horizontal(pl.col(name) for name in broken.columns)


def _samples(
    frame: pl.DataFrame, broken: pl.DataFrame, limits: Sequence[Limit], keys: Sequence[str]
) -> list[dict[str, object]]:
    """Return broken limits, each with the key of its row and the values that break it."""
    found: list[dict[str, object]] = []
    for limit in limits:
        rows = frame.filter(broken[limit.words]).head(MAX_SAMPLES - len(found))
        for row in rows.select(*dict.fromkeys([*keys, *limit.columns])).iter_rows(named=True):
            values = ", ".join(f"{name} {row[name]}" for name in limit.columns)
            found.append({key: row[key] for key in keys} | {"expected": limit.words, "found": values})
    return found
