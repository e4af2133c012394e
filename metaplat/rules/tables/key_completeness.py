"""Every row has a key (Completeness in AWS Glue DQDL).

Here: rows whose key is NULL. Not here: keys that occur twice (``key_uniqueness``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.tables.bucket_figures import bucket_figures, bucket_unknown, none_known
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.model.table_evidence import TableFacts

UNKNOWN = "The rows without a key could not be counted."
ADVICE = "Look at what wrote such rows, correct and load them again."


def _judge_facts(facts: TableFacts) -> Verdict:
    nulls = bucket_figures(facts, "key_nulls")
    if not nulls.known:
        return none_known(nulls, UNKNOWN)
    key = facts.table.key_column
    sentence = f"Every row has a key ({key})."
    if nulls.total:
        sentence = _sentence(key, nulls.total, f" in {nulls.where}")
    return Verdict.judged(
        passed=not nulls.total,
        sentence=sentence + nulls.unknown_note,
        numbers={"null_rows": nulls.total, **nulls.counts},
        samples=[{"id_bucket": bucket, "null_rows": nulls.known[bucket]} for bucket in nulls.failing],
    )


def _judge(facts: TableFacts, row: Mapping[str, Any]) -> Verdict:
    if unknown := bucket_unknown(row, "key_nulls", UNKNOWN):
        return unknown
    key, nulls = facts.table.key_column, row["key_nulls"]
    sentence = f"Every row has a key ({key})."
    if nulls:
        sentence = _sentence(key, nulls)
    return Verdict.judged(passed=not nulls, sentence=sentence, numbers={"null_rows": nulls})


def _sentence(key: str, nulls: int, where: str = "") -> str:
    lack = agreeing(nulls, "lacks", "lack")
    return f"Every row should have {key}; {counted(nulls, 'row')}{where} {lack} it. {ADVICE}"


KEY_COMPLETENESS = TableRule(
    "key_completeness",
    "No row has a NULL key.",
    _judge_facts,
    _judge,
    Severity.ERROR,
)
