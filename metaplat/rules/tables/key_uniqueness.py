"""Every key occurs once (Uniqueness in AWS Glue DQDL).

Here: four figures of duplicates, one definition each; NULL is no key and never a duplicate.
Not here: NULL keys (``key_completeness``), keys in the wrong bucket (``key_placement``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.tables.bucket_figures import bucket_figures, bucket_unknown, none_known
from metaplat.rules.tables.key_samples import key_samples
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.model.table_evidence import TableFacts

KIND = "duplicate"
UNKNOWN = "Duplicates were not counted: the engine footer reads no keys; engine bucket does."
ADVICE = "Find out what loaded rows twice, remove the surplus ones, then check again."


def _judge_facts(facts: TableFacts) -> Verdict:
    rows = bucket_figures(facts, "duplicate_rows")
    if not rows.known:
        return none_known(rows, UNKNOWN)
    key, keys = facts.table.key_column, bucket_figures(facts, "duplicate_keys").total
    nulls = bucket_figures(facts, "key_nulls").total
    sentence = f"Every key ({key}) occurs once."
    if rows.total:
        occur = agreeing(keys, "occurs", "occur")
        sentence = (
            f"Every {key} should occur once; {counted(keys, 'key')} in {counted(rows.total, 'row')} "
            f"of {rows.where} {occur} more often. {ADVICE}"
        )
    samples = key_samples(facts, KIND)
    return Verdict.judged(
        passed=not rows.total,
        sentence=sentence + rows.unknown_note,
        numbers={**_figures(rows.total, keys, nulls), **rows.counts},
        samples=samples or [{"id_bucket": b, "duplicate_rows": rows.known[b]} for b in rows.failing],
    )


def _judge(facts: TableFacts, row: Mapping[str, Any]) -> Verdict:
    if unknown := bucket_unknown(row, "duplicate_rows", UNKNOWN):
        return unknown
    key, rows = facts.table.key_column, row["duplicate_rows"]
    sentence = f"Every key ({key}) occurs once."
    if rows:
        have = agreeing(rows, "has", "have")
        sentence = (
            f"Every {key} should occur once; {counted(rows, 'row')} {have} one that occurs again. {ADVICE}"
        )
    return Verdict.judged(
        passed=not rows,
        sentence=sentence,
        numbers=_figures(rows, row["duplicate_keys"] or 0, row["key_nulls"] or 0),
        samples=key_samples(facts, KIND, row["id_bucket"]) if rows else (),
    )


def _figures(rows: int, keys: int, nulls: int) -> dict[str, int]:
    """Return the four figures; the one of the classic SQL takes two or more NULLs for one repeated key."""
    return {
        "duplicate_rows": rows,
        "duplicate_keys": keys,
        "surplus_rows": rows - keys,
        "duplicate_rows_sql": rows + (nulls if nulls > 1 else 0),
    }


KEY_UNIQUENESS = TableRule(
    "key_uniqueness",
    "No key occurs in more than one row; NULL is not a key.",
    _judge_facts,
    _judge,
    Severity.ERROR,
)
