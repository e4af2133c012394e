"""No table is delivered that nobody expects (SchemaMatch in AWS Glue DQDL, of the set of tables).

Here: delivered tables that are not expected, in hours in which any table is.
Not here: tables that are new in the schema (``schema_drift``), what is expected (``vip.history``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.samples import shown_value
from metaplat.rules.vip.closed_hours import Excuses, closed_hours, shown_hours
from metaplat.rules.vip.recent import recent
from metaplat.rules.vip.table_rows import by_table, hour_has, table_samples
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    import polars as pl

NAME = "unexpected_tables"


def unexpected_tables(excuses: Excuses) -> Rule:
    """Return the rule that every delivered table is expected; a warning.

    Parameters
    ----------
    excuses : callable
        See ``Excuses``: those hours are not judged.
    """
    doc = "Every table that is delivered is expected, in every closed hour that is not excused."
    return Rule(NAME, doc, partial(_judge, excuses=excuses), recent(NAME), severity=Severity.WARN)


def _judge(evidence: PartitionEvidence, *, excuses: Excuses) -> Verdict:
    import polars as pl

    hours = closed_hours(evidence, ["table", "expected", "delivered"], NAME, excuses)
    delivered = hours.rows.filter(hour_has("expected"), "delivered")
    unexpected = delivered.filter(~pl.col("expected"))
    numbers = {"delivered": delivered.height, "unexpected": unexpected.height, "excused": hours.excused}
    if delivered.is_empty():
        return hours.nothing(numbers, "No closed hour with a delivery and expected tables.")
    return Verdict.judged(
        passed=unexpected.is_empty(),
        sentence=_sentence(delivered.height, unexpected),
        numbers=numbers,
        samples=table_samples(unexpected, evidence),
    )


def _sentence(delivered: int, unexpected: pl.DataFrame) -> str:
    if unexpected.is_empty():
        return f"{counted(delivered, 'delivered table')} of all hours, all of them expected."
    tables = by_table(unexpected)
    first = tables.row(0, named=True)
    return (
        f"{unexpected.height:,} of {counted(delivered, 'delivered table')} of all hours "
        f"{agreeing(unexpected.height, 'is', 'are')} not expected: {counted(tables.height, 'table')}, most "
        f"of all {shown_value(first['table'])}, {shown_hours(first['all_hours'])}. Where it is wanted, add "
        "it to vip.reference_tables or ask the vendor for its entry in the schema file."
    )
