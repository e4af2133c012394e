"""Each registered partition has the columns of its table.

Here: the partition's own copy of the columns against the table's, where Glue was asked for them.
Not here: the columns of the files (``file_schema``, ``table_contract``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.samples import shown_value
from metaplat.rules.tables.bucket_figures import named
from metaplat.rules.tables.column_comparison import difference, glue_columns
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.model.table_evidence import TableFacts


def _judge_facts(facts: TableFacts) -> Verdict:
    if facts.glue is None or facts.partitions is None:
        return Verdict.not_evaluated("The table is not in Glue.")
    if facts.glue.projected:
        return Verdict.not_evaluated("Partitions are virtual: they have no columns of their own.")
    told = [partition for partition in facts.partitions if partition.columns]
    if not told:
        return Verdict.not_evaluated("Glue was not asked for the columns of partitions, or has no partition.")
    usual, key = glue_columns(facts.glue.columns), facts.table.key_column.lower()
    untold = set() if key in usual else {key}  # that the table lacks its key is told by table_contract
    differences = [
        ("/".join(part.values), difference(_without(untold, glue_columns(part.columns)), usual))
        for part in told
    ]
    differing = [(name, text) for name, text in differences if text]
    sentence = f"{counted(len(told), 'partition')} with the columns of the table."
    if differing:
        first, text = differing[0]
        differ = agreeing(len(differing), "differs", "differ")
        sentence = (
            f"Every partition should have the columns of the table; {len(differing):,} of {len(told):,} "
            f"{differ} ({named([name for name, _ in differing])}). First {first}: {text}. "
            "Drop such partitions and register them anew."
        )
    return Verdict.judged(
        passed=not differing,
        sentence=sentence,
        numbers={"judged_partitions": len(told), "differing_partitions": len(differing)},
        samples=[{"partition": shown_value(n), "difference": shown_value(text)} for n, text in differing],
    )


def _without(names: set[str], columns: Mapping[str, str]) -> dict[str, str]:
    return {name: kind for name, kind in columns.items() if name not in names}


PARTITION_SCHEMA = TableRule(
    "partition_schema",
    "Every partition registered in Glue has the columns and types of the table.",
    _judge_facts,
    severity=Severity.INFO,  # Parquet is read by name,
)
