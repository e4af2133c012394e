"""Every expected table is delivered (Completeness, of tables).

Here: expected tables without a file, in hours in which anything was delivered.
Not here: hours in which nothing was (``missing_hours``, ``incomplete_jobs``), what is expected
(``vip.history``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import Verdict
from metaplat.rules.samples import shown_value
from metaplat.rules.vip.closed_hours import Excuses, closed_hours, shown_hours
from metaplat.rules.vip.recent import recent
from metaplat.rules.vip.table_rows import by_table, hour_has, table_samples
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    import polars as pl

NAME = "missing_tables"


def missing_tables(excuses: Excuses) -> Rule:
    """Return the rule that no expected table is missing.

    Parameters
    ----------
    excuses : callable
        See ``Excuses``: those hours are not judged.
    """
    doc = "Every expected table is delivered in every closed hour that has a delivery and is not excused."
    return Rule(NAME, doc, partial(_judge, excuses=excuses), recent(NAME))


def _judge(evidence: PartitionEvidence, *, excuses: Excuses) -> Verdict:
    import polars as pl

    hours = closed_hours(evidence, ["table", "expected", "delivered"], NAME, excuses)
    delivered = hours.rows.filter(hour_has("delivered"))
    expected = delivered.filter("expected")
    missing = expected.filter(~pl.col("delivered"))
    numbers: dict[str, int | float] = {
        "expected": expected.height,
        "delivered": expected.height - missing.height,
        "missing": missing.height,
        "excused": hours.excused,
    }
    if expected.is_empty():
        return hours.nothing(numbers, "No closed hour with a delivery and expected tables.")
    numbers["ratio"] = numbers["delivered"] / expected.height
    return Verdict.judged(
        passed=missing.is_empty(),
        sentence=_sentence(expected.height, missing),
        numbers=numbers,
        samples=table_samples(missing, evidence),
    )


def _sentence(expected: int, missing: pl.DataFrame) -> str:
    if missing.is_empty():
        return f"{counted(expected, 'expected table')} of all hours, none of them missing."
    tables = by_table(missing)
    first = tables.row(0, named=True)
    return (
        f"{missing.height:,} of {counted(expected, 'expected table')} of all hours "
        f"{agreeing(missing.height, 'is', 'are')} missing: {counted(tables.height, 'table')}, most of all "
        f"{shown_value(first['table'])}, {shown_hours(first['all_hours'])}; none expected. Run `metaplat vip "
        "repair` for those hours; where a table is no longer delivered on purpose, name it in "
        "vip.out_of_scope."
    )
