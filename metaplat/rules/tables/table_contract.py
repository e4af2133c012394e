"""The tables in Glue have the columns and keys that were agreed on.

Here: the key is a data column, ``id_bucket`` of type int is the only partition key, the source has the key
(and is partitioned alike where it is of type ``part``).
Not here: whether each file has the columns of the others (``file_schema``), formats (``table_format``).
A column that no file has yet is no fault: tables grow that way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.table import CompareSource
from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.samples import shown_value
from metaplat.rules.tables.column_comparison import glue_columns
from metaplat.rules.tables.folders import PARTITION_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.model.glue_table import GlueTable
    from metaplat.model.table_evidence import TableFacts

INTEGERS = ("int", "integer")


def _judge_facts(facts: TableFacts) -> Verdict:
    if facts.glue is None:
        return Verdict.not_evaluated("The table is not in Glue.")
    issues = [*_table_issues(facts, facts.glue), *_source_issues(facts)]
    key = facts.table.key_column
    sentence = f"{key} is a data column, and {PARTITION_KEY} int the only partition key."
    if issues:
        expected = f"{key} should be a data column, and {PARTITION_KEY} int the only partition key"
        sentence = f"{expected}; {'; '.join(issues)}. Correct the table in Glue."
    return Verdict.judged(
        passed=not issues,
        sentence=sentence,
        numbers={"issues": len(issues)},
        samples=[{"problem": shown_value(issue)} for issue in issues],
    )


def _table_issues(facts: TableFacts, glue: GlueTable) -> Iterator[str]:
    key = facts.table.key_column
    keys = glue_columns(glue.partition_keys)
    if key.lower() not in glue_columns(glue.columns):
        yield f"{key} is {'a partition key, not' if key.lower() in keys else 'not'} a data column"
    if list(keys) != [PARTITION_KEY] or keys[PARTITION_KEY] not in INTEGERS:
        yield f"partition keys are {_shown_keys(glue)}, not {PARTITION_KEY} int"


def _source_issues(facts: TableFacts) -> Iterator[str]:
    """Yield what the source lacks; that it is missing altogether is told by ``row_count_match``."""
    source = facts.source.glue if facts.source else None
    if source is None:
        return
    key = facts.table.key_column
    if key.lower() not in glue_columns(source.columns):
        yield f"source {source.name} has no data column {key}"
    bucketed = facts.table.source is not None and facts.table.source.kind is CompareSource.PART
    if bucketed and list(glue_columns(source.partition_keys)) != [PARTITION_KEY]:
        yield f"partition keys of source {source.name} are {_shown_keys(source)}, not {PARTITION_KEY}"


def _shown_keys(glue: GlueTable) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in glue.partition_keys) or "none"


TABLE_CONTRACT = TableRule(
    "table_contract",
    "In Glue the key is a data column and id_bucket int the only partition key; the source has the key, "
    "and the same partition key where it is of type part.",
    _judge_facts,
    severity=Severity.WARN,
)
