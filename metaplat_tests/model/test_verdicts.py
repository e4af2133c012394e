"""Verdicts carry exact numbers and few samples; the roll-up of partitions never hides one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from metaplat.model.rule import Rule, TableEvidence
from metaplat.model.verdict import Outcome, Verdict
from metaplat_tests.ingest.small_domain import NOW, RUNS

RULE = Rule("some", "Doc.", judge=lambda evidence: Verdict.not_evaluated(evidence.partition))
TABLE_RULE = Rule("all", "Doc.", judge_table=lambda _: Verdict.not_evaluated("Nothing to judge."))


def summary(outcomes: dict[str, Outcome]) -> Verdict:
    return RULE.summarize(TableEvidence(RUNS, outcomes, {}, list(outcomes), NOW))


def test_samples_are_capped_and_numbers_are_not() -> None:
    samples = [{"row": number} for number in range(50)]
    verdict = Verdict.judged(passed=False, sentence="50 rows.", numbers={"rows": 50}, samples=samples)
    assert (verdict.outcome, len(verdict.samples), verdict.numbers) == (Outcome.FAILED, 20, {"rows": 50})


@given(st.lists(st.sampled_from(list(Outcome))))
def test_a_table_fails_where_a_partition_fails_and_is_not_judged_where_none_is(found: list[Outcome]) -> None:
    verdict = summary({f"{number:04}": outcome for number, outcome in enumerate(found)})
    failed, judged = found.count(Outcome.FAILED), len(found) - found.count(Outcome.NOT_EVALUATED)
    expected = Outcome.FAILED if failed else Outcome.PASSED if judged else Outcome.NOT_EVALUATED
    assert verdict.outcome is expected
    assert verdict.numbers == {
        "failed_partitions": failed,
        "judged_partitions": judged,
        "partitions": len(found),
    }
    assert len(verdict.samples) == min(failed, 20)


def test_the_newest_failing_partitions_are_the_samples_and_the_sentence_names_first_and_last() -> None:
    verdict = summary({f"2025-01-{day:02}": Outcome.FAILED for day in range(1, 31)})
    assert verdict.samples[0] == {"partition": "2025-01-30"}
    assert "First 2025-01-01, last 2025-01-30" in verdict.sentence


def test_a_rule_of_the_table_has_one_check_and_one_of_partitions_a_summary_beside_it() -> None:
    assert (RULE.summary_name, TABLE_RULE.summary_name) == ("some__summary", "all")
    assert TABLE_RULE.summarize(TableEvidence(RUNS, {}, {}, [], NOW)).sentence == "Nothing to judge."
