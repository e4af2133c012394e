"""Which alerts the verdict log gives."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat.model.verdict import Severity, Verdict
from metaplat.reports.alerts.alert import alert_id, level_of
from metaplat.reports.alerts.standing import Standing, default_texts, standing_alerts
from metaplat.reports.verdict_log import VerdictLog
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.reports.alert_samples import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.reports.verdict_log import VerdictRecord

PASSED = Verdict.judged(passed=True, sentence="Fine.", numbers={})
FAILED = Verdict.judged(passed=False, sentence="3 of 9 rows are bad.", numbers={"bad": 3})
UNKNOWN = Verdict.not_evaluated("Nothing to judge.")


@pytest.fixture
def log(tmp_path: Path) -> VerdictLog:
    return VerdictLog(LocalObjects(tmp_path / "state"))


def judge(log: VerdictLog, hours: int = 0, partition: str | None = None, **verdicts: Verdict) -> None:
    judged = {rule: (verdict, Severity.WARN) for rule, verdict in verdicts.items()}
    log.record("jobs", partition, judged, now=NOW + timedelta(hours=hours), run_id=None)


def test_a_failing_verdict_about_the_table_is_an_alert_in_its_own_words(log: VerdictLog) -> None:
    judge(log, key=FAILED, volume=PASSED)
    judge(log, hours=3, key=FAILED)
    [alert] = standing_alerts("jobs", log.load("jobs")).alerts
    assert (alert.subject, alert.rule, alert.partition, alert.level) == ("jobs", "key", None, "medium")
    assert alert.texts == ("jobs: key: 3 of 9 rows are bad.",)
    assert alert.since == NOW


def test_a_single_partition_raises_no_alert(log: VerdictLog) -> None:
    judge(log, partition="2025-12-01", key=FAILED)
    assert standing_alerts("jobs", log.load("jobs")) == Standing()


def test_what_was_not_evaluated_is_undecided(log: VerdictLog) -> None:
    judge(log, key=UNKNOWN, volume=PASSED)
    standing = standing_alerts("jobs", log.load("jobs"))
    assert standing == Standing((), frozenset({alert_id("jobs", "key")}))


def test_a_rule_that_is_declared_no_more_stands_no_more(log: VerdictLog) -> None:
    judge(log, key=FAILED, old=FAILED)
    standing = standing_alerts("jobs", log.load("jobs"), rules={"key"})
    assert [alert.rule for alert in standing.alerts] == ["key"]
    assert standing.undecided == frozenset()


def test_a_declared_rule_without_a_verdict_is_undecided(log: VerdictLog) -> None:
    judge(log, key=PASSED)
    standing = standing_alerts("jobs", log.load("jobs"), rules={"key", "volume"})
    assert standing == Standing((), frozenset({alert_id("jobs", "volume")}))


def test_a_capability_words_its_own_alerts_and_none_is_without_words(log: VerdictLog) -> None:
    judge(log, key=FAILED, volume=FAILED)

    def texts(record: VerdictRecord) -> list[str]:
        return ["[KEY] jobs", f"{record.numbers['bad']} bad"] if record.rule == "key" else []

    alerts = {alert.rule: alert.texts for alert in standing_alerts("jobs", log.load("jobs"), texts).alerts}
    [volume] = [record for record in log.load("jobs") if record.rule == "volume"]
    assert alerts == {"key": ("[KEY] jobs", "3 bad"), "volume": tuple(default_texts(volume))}


def test_severities_have_a_level_each() -> None:
    assert [level_of(severity) for severity in Severity] == ["low", "medium", "high"]
