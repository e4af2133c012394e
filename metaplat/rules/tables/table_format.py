"""Glue describes an external table of Parquet files.

Here: table type, input and output format, SerDe. Not here: columns and keys (``table_contract``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.samples import shown_value

if TYPE_CHECKING:
    from metaplat.model.table_evidence import TableFacts

EXTERNAL = "EXTERNAL_TABLE"
INPUT_FORMAT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
OUTPUT_FORMAT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


def _judge_facts(facts: TableFacts) -> Verdict:
    if facts.glue is None:
        return Verdict.not_evaluated("The table is not in Glue.")
    parts = [
        ("table_type", EXTERNAL, facts.glue.table_type),
        ("input_format", INPUT_FORMAT, facts.glue.input_format),
        ("output_format", OUTPUT_FORMAT, facts.glue.output_format),
        ("serde", SERDE, facts.glue.serde),
    ]
    wrong = [(part, expected, found) for part, expected, found in parts if not _fits(expected, found)]
    sentence = "The table is external, of Parquet format, with a Parquet SerDe."
    if wrong:
        said = [
            f"{part} should be {expected}, is {shown_value(found) or 'not set'}"
            for part, expected, found in wrong
        ]
        sentence = f"{'; '.join(said)}. Correct the table in Glue."
    return Verdict.judged(
        passed=not wrong,
        sentence=sentence,
        numbers={"issues": len(wrong)},
        samples=[
            {"part": part, "expected": expected, "found": shown_value(found)}
            for part, expected, found in wrong
        ],
    )


def _fits(expected: str, found: str | None) -> bool:
    """Whether the table says what is expected; older Parquet classes have other packages, and are as good."""
    if expected == EXTERNAL:
        return (found or "").strip().upper() == EXTERNAL
    return "parquet" in (found or "").lower()


TABLE_FORMAT = TableRule(
    "table_format",
    "The table in Glue is EXTERNAL_TABLE, with Parquet input and output formats and a Parquet SerDe.",
    _judge_facts,
    severity=Severity.WARN,
)
