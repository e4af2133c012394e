"""The model of the report: outcomes, counts, since when, trends, what is missing."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat.model.partitioning import Hourly, IdBuckets
from metaplat.model.verdict import Outcome, Severity
from metaplat.reports.check_report import build_report
from metaplat.reports.wording import headline, summary_line, verdict_table
from metaplat_tests.reports.report_samples import (
    FRESHNESS,
    LAST_MONTH,
    NOW,
    PRIMARY_KEY,
    VOLUME,
    days,
    domain,
    receipt,
    record,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.rule import Rule
    from metaplat.reports.check_report import DomainReport
    from metaplat.reports.verdict_log import VerdictRecord

PASSED, FAILED, NOT_EVALUATED = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_EVALUATED


def report_of(records: Sequence[VerdictRecord], rules: Sequence[Rule] = (PRIMARY_KEY,)) -> DomainReport:
    [found] = build_report([domain(rules=rules)], {"jobs": records}, {}, NOW).domains
    return found


def test_a_rule_fails_since_its_earliest_standing_failure() -> None:
    keys = days(4)
    records = [
        record(keys[0], since=LAST_MONTH - timedelta(days=30)),
        record(keys[1], FAILED, since=LAST_MONTH),
        record(keys[2], FAILED, since=LAST_MONTH - timedelta(days=1), sentence="Newest.", samples=[{"a": 1}]),
        record(keys[3]),
    ]
    [rule] = report_of(records).rules
    assert (rule.outcome, rule.passed, rule.failed) == (FAILED, 2, 2)
    assert rule.since == LAST_MONTH - timedelta(days=1)
    assert (rule.first_failing, rule.last_failing) == (keys[1], keys[2])
    assert (rule.sentence, rule.samples) == ("Newest.", ({"a": 1},))
    assert [failing.partition for failing in rule.failing] == [keys[2], keys[1]]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([PASSED, FAILED, NOT_EVALUATED], FAILED),
        ([PASSED, NOT_EVALUATED], PASSED),
        ([NOT_EVALUATED, NOT_EVALUATED], NOT_EVALUATED),
        ([], NOT_EVALUATED),
    ],
)
def test_a_rule_is_not_evaluated_only_where_nothing_could_be_judged(
    outcomes: list[Outcome], expected: Outcome
) -> None:
    records = [record(key, outcome) for key, outcome in zip(days(3), outcomes, strict=False)]
    assert report_of(records).rules[0].outcome is expected


def test_a_domain_fails_with_any_rule_and_passes_though_one_has_nothing_to_judge_yet() -> None:
    key = days(1)[0]
    good, unknown = record(key), record(key, NOT_EVALUATED, "volume")
    rules = (PRIMARY_KEY, VOLUME)
    assert report_of([good], (PRIMARY_KEY,)).outcome is PASSED
    assert report_of([good, unknown], rules).outcome is PASSED
    assert report_of([unknown], rules).outcome is NOT_EVALUATED
    warned = report_of([good, record(key, FAILED, "volume", severity=Severity.WARN)], rules)
    assert (warned.outcome, warned.severity) == (FAILED, Severity.WARN)


def test_a_verdict_about_the_table_counts_under_either_name_of_the_check() -> None:
    for name in ("primary_key", "primary_key__summary"):
        [rule] = report_of([record(None, FAILED, name, sentence="All of it.")]).rules
        assert rule.summary is not None
        assert (rule.outcome, rule.failed, rule.since) == (FAILED, 0, LAST_MONTH)
        assert rule.sentence == "All of it."


def test_days_without_data_between_the_first_and_the_last_are_missing() -> None:
    keys = days(5)
    records = [record(keys[0]), record(keys[3])]
    found = report_of(records)
    assert found.missing == (keys[1], keys[2])
    assert [cell.outcome for cell in found.rules[0].cells] == [PASSED, None, None, PASSED]


def test_a_judged_day_that_was_never_ingested_is_missing_where_receipts_are_known() -> None:
    keys = days(3)
    records = {"jobs": [record(key, FAILED if key == keys[1] else PASSED) for key in keys]}
    receipts = {"jobs": {key: receipt(key) for key in (keys[0], keys[2])}}
    [found] = build_report([domain()], records, receipts, NOW).domains
    assert found.missing == (keys[1],)


def test_hours_and_buckets_come_in_their_own_order() -> None:
    hours = domain(partitions=Hourly("2025-12-03-00:00"))
    records = [record("2025-12-03-11:00"), record("2025-12-03-09:00")]
    [found] = build_report([hours], {"jobs": records}, {}, NOW).domains
    assert [mark.key for mark in found.partitions] == [f"2025-12-03-{hour}:00" for hour in ("09", "10", "11")]
    [found] = build_report(
        [domain(partitions=IdBuckets(16))], {"jobs": [record("10"), record("9")]}, {}, NOW
    ).domains
    assert [mark.key for mark in found.partitions] == [str(bucket) for bucket in range(16)]
    assert [verdict.partition for verdict in found.verdicts] == ["9", "10"]


def test_verdicts_of_partitions_before_the_start_of_the_domain_stay_in_the_report() -> None:
    found = report_of([record("2020-02-29"), record(days(1)[0], FAILED)])
    assert found.partitions[0].key == "2020-02-29"
    assert found.rules[0].passed == 1


def test_a_rule_that_is_no_longer_declared_is_left_out() -> None:
    found = report_of([record(days(1)[0], FAILED, "retired"), record(days(1)[0])])
    assert (found.outcome, len(found.verdicts)) == (PASSED, 1)


def test_main_numbers_are_followed_over_partitions_without_what_is_no_number() -> None:
    keys = days(3)
    numbers: list[dict[str, float]] = [{"rows": 1}, {"rows": math.nan}, {"rows": 3, "b": 1, "c": 1, "d": 1}]
    records = [record(key, numbers=said) for key, said in zip(keys, numbers, strict=True)]
    [rule] = report_of(records).rules
    assert rule.trends == {"rows": {keys[0]: 1, keys[2]: 3}, "b": {keys[2]: 1}, "c": {keys[2]: 1}}


def test_rows_and_quarantine_come_from_the_receipts() -> None:
    keys = days(3)
    receipts = {
        keys[0]: receipt(keys[0], 5, unknown_status=2, naive_time=1),
        keys[1]: receipt(keys[1], 7),
        keys[2]: receipt(keys[2], 0, naive_time=3),
    }
    [found] = build_report([domain()], {}, {"jobs": receipts}, NOW).domains
    assert found.rows == dict(zip(keys, (5, 7, 0), strict=True))
    assert found.quarantine.records == 6
    assert found.quarantine.partitions == {keys[0]: 3, keys[2]: 3}
    assert list(found.quarantine.reasons.items()) == [("naive_time", 4), ("unknown_status", 2)]


def test_one_line_says_what_is_wrong_and_since_when() -> None:
    keys = days(28)
    records = [record(key, FAILED if key == keys[3] else PASSED) for key in keys]
    found = report_of(records)
    assert summary_line(found, NOW) == "primary_key fails on 1 of 28 partitions since 2025-11-12"
    stale = report_of([record(None, FAILED, "freshness", since=NOW - timedelta(hours=3))], (FRESHNESS,))
    assert summary_line(stale, NOW) == "freshness fails since 2025-12-03 11:05 UTC"


def test_errors_are_named_before_warnings_and_many_failures_are_counted() -> None:
    key = days(1)[0]
    records = [record(key, FAILED, "volume", severity=Severity.WARN), record(key, FAILED)]
    line = summary_line(report_of(records, (VOLUME, PRIMARY_KEY)), NOW)
    assert line.startswith("primary_key fails on 1 of 1 partition since 2025-11-12; volume fails")


def test_a_calm_domain_says_what_passes_and_what_could_not_be_judged() -> None:
    key = days(1)[0]
    assert summary_line(report_of([record(key)]), NOW) == "1 rule on 1 partition: all pass"
    waiting = report_of([record(key), record(key, NOT_EVALUATED, "volume")], (PRIMARY_KEY, VOLUME))
    assert summary_line(waiting, NOW) == "1 rule passes; not evaluated: volume"
    assert summary_line(report_of([]), NOW) == "No verdict yet: materialize or check it."


def test_the_verdict_table_has_one_row_per_rule() -> None:
    key = days(1)[0]
    records = [record(key), record(key, FAILED, "volume", severity=Severity.WARN)]
    report = build_report([domain()], {"jobs": records}, {}, NOW)
    assert [(row.rule, row.state, row.failing_partitions, row.since) for row in verdict_table(report)] == [
        ("primary_key", "passed", 0, None),
        ("volume", "warning", 1, LAST_MONTH),
        ("freshness", "not evaluated", 0, None),
    ]


def test_the_headline_counts_domains_that_fail() -> None:
    bad = {"jobs": [record(days(1)[0], FAILED)]}
    two = [domain(), domain("tables")]
    assert headline(build_report([], {}, {}, NOW)) == "No domain is declared"
    assert headline(build_report(two, {}, {}, NOW)) == "Nothing has been judged yet"
    assert headline(build_report(two, bad, {}, NOW)) == "1 of 2 domains fails"
    assert headline(build_report(two[:1], bad, {}, NOW)) == "jobs fails"
    assert headline(build_report(two, {"jobs": [record(days(1)[0])]}, {}, NOW)) == "Nothing fails"
