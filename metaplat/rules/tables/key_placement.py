"""Every key lies in the bucket that the bucket function gives it.

Here: rows in another bucket than their key's. Not here: which function that is (``monitor`` verifies it).
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

KIND = "misplaced"
UNKNOWN = "Nothing was verified: no bucket function is known or asked for, or the engine reads no keys."
ADVICE = "Queries for one bucket miss such rows: write them into the right bucket, then check again."


def _judge_facts(facts: TableFacts) -> Verdict:
    rows = bucket_figures(facts, "misplaced_keys")
    if not rows.known:
        return none_known(rows, UNKNOWN)
    function = facts.profile.bucket_function
    sentence = f"Every key lies in its bucket{f' by {function.value}' if function else ''}."
    if rows.total:
        belong = agreeing(rows.total, "belongs", "belong")
        expected = sentence.rstrip(".").replace("lies", "should lie")
        sentence = f"{expected}; {counted(rows.total, 'row')} in {rows.where} {belong} elsewhere. {ADVICE}"
    samples = key_samples(facts, KIND)
    return Verdict.judged(
        passed=not rows.total,
        sentence=sentence + rows.unknown_note,
        numbers={"misplaced_keys": rows.total, **rows.counts},
        samples=samples or [{"id_bucket": b, "misplaced_keys": rows.known[b]} for b in rows.failing],
    )


def _judge(facts: TableFacts, row: Mapping[str, Any]) -> Verdict:
    if unknown := bucket_unknown(row, "misplaced_keys", UNKNOWN):
        return unknown
    rows = row["misplaced_keys"]
    sentence = "Every key lies in its bucket."
    if rows:
        belong = agreeing(rows, "belongs", "belong")
        sentence = f"Every key should lie in its bucket; {counted(rows, 'row')} {belong} in another. {ADVICE}"
    return Verdict.judged(
        passed=not rows,
        sentence=sentence,
        numbers={"misplaced_keys": rows},
        samples=key_samples(facts, KIND, row["id_bucket"]) if rows else (),
    )


KEY_PLACEMENT = TableRule(
    "key_placement",
    "Every key lies in the bucket that the verified bucket function gives it.",
    _judge_facts,
    _judge,
    Severity.ERROR,
)
