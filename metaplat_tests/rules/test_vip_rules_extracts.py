"""Rules about extracts as the pull left them, and about volumes of hours."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.extract import ExcusedHours
from metaplat.model.verdict import Outcome, Severity, Verdict
from metaplat.rules.vip.all_rules import EXTRACT_RULES, extract_rules
from metaplat.rules.vip.volume_anomalies import volume_anomalies
from metaplat_tests.rules.vip_evidence import DAY, EXTRACTS, HOUR, NIGHT, PROD, SIZES, TEST, judged, summary

if TYPE_CHECKING:
    from metaplat.model.rule import Rule

ENDED, PROMISE = EXTRACT_RULES
MISSING: dict[str, Any] = {
    "status": "missing",
    "reason": "hour can no longer be pulled: the API exports the present only",
    "files_promised": 0,
    "files_delivered": 0,
}


def extracts(rule: Rule, *rows: dict[str, Any], **facts: Any) -> Verdict:
    same_hour = [{"hour_utc": DAY} | row for row in rows]
    return judged(rule, EXTRACTS, same_hour, **({"partition": "2026-03-20-00:00"} | facts))


def test_an_extract_that_holds_its_promise_passes_both_rules() -> None:
    assert [rule.name for rule in EXTRACT_RULES] == ["extract_ended_well", "promise_kept"]
    assert {rule.severity for rule in EXTRACT_RULES} == {Severity.ERROR}
    ended, promise = extracts(ENDED, {}), extracts(PROMISE, {})
    assert (ended.outcome, ended.sentence) == (Outcome.PASSED, "1 extract, ended well.")
    assert (promise.outcome, promise.sentence) == (Outcome.PASSED, "10 of 10 promised files delivered.")
    assert promise.numbers == {
        "expected": 10,
        "delivered": 10,
        "mismatched": 0,
        "running": 0,
        "excused": 0,
        "ratio": 1.0,
    }


def test_files_that_are_not_there_as_promised_are_named_with_their_problem() -> None:
    problems = [{"name": "Voyages_0.csv.gz", "problem": "shorter than promised"}]
    broken = {"status": "incomplete", "files_delivered": 9, "files_mismatched": 1, "problems": problems}
    verdict = extracts(PROMISE, broken)
    assert (verdict.outcome, verdict.numbers["mismatched"]) == (Outcome.FAILED, 1)
    assert verdict.numbers["ratio"] == 0.9
    assert verdict.samples == ({"config_name": PROD, "hour_utc": DAY, **problems[0]},)
    assert verdict.sentence.startswith("9 of 10 promised files delivered. Run `metaplat vip repair`")
    assert extracts(ENDED, broken).outcome is Outcome.PASSED


def test_a_missing_hour_says_that_it_cannot_be_pulled_again() -> None:
    verdict = extracts(ENDED, MISSING)
    assert (verdict.outcome, verdict.numbers["missing"]) == (Outcome.FAILED, 1)
    assert verdict.sentence.startswith(
        "1 of 1 extract has not ended well: hour can no longer be pulled: the API exports the present only "
        "(onDemandExtract1DayProd). The hour can no longer be pulled"
    )
    promise = extracts(PROMISE, MISSING)
    assert (promise.outcome, promise.sentence) == (Outcome.NOT_EVALUATED, "No promise is known.")


def test_a_failed_extract_is_told_with_its_reason() -> None:
    verdict = extracts(ENDED, {}, {"status": "failed", "reason": "timed out", "config_name": TEST})
    assert (verdict.outcome, verdict.numbers["failed"]) == (Outcome.FAILED, 1)
    assert "1 of 2 extracts has not ended well: timed out (onDemandExtract1DayTest)." in verdict.sentence
    nameless = extracts(ENDED, {"status": "failed", "reason": None})
    assert "not ended well: it is failed" in nameless.sentence


@pytest.mark.parametrize("rule", EXTRACT_RULES, ids=lambda rule: rule.name)
def test_an_extract_that_still_runs_is_not_evaluated(rule: Rule) -> None:
    verdict = extracts(rule, {"status": "running", "files_delivered": 3})
    assert (verdict.outcome, verdict.numbers["running"]) == (Outcome.NOT_EVALUATED, 1)
    assert verdict.sentence == "1 extract not ended yet: `metaplat vip pull` goes on with it."


@pytest.mark.parametrize("rule", extract_rules(lambda: [NIGHT]), ids=lambda rule: rule.name)
def test_an_excused_hour_is_not_evaluated(rule: Rule) -> None:
    verdict = extracts(rule, MISSING)
    assert (verdict.outcome, verdict.sentence) == (Outcome.NOT_EVALUATED, "The hour is excused.")
    assert extracts(rule, {}, MISSING | {"hour_utc": DAY + 4 * HOUR}).numbers["excused"] == 1


@pytest.mark.parametrize("rule", EXTRACT_RULES, ids=lambda rule: rule.name)
def test_an_hour_without_rows_is_not_evaluated(rule: Rule) -> None:
    assert extracts(rule).outcome is Outcome.NOT_EVALUATED


def test_an_extract_lost_on_friday_night_is_red_over_the_weekend_and_no_longer() -> None:
    keys = [f"{DAY + number * HOUR:%Y-%m-%d-%H:%M}" for number in range(100)]
    outcomes = dict.fromkeys(keys, Outcome.PASSED)
    assert summary(ENDED, EXTRACTS, outcomes | {keys[28]: Outcome.FAILED}).outcome is Outcome.FAILED
    verdict = summary(ENDED, EXTRACTS, outcomes | {keys[27]: Outcome.FAILED})
    assert (verdict.outcome, verdict.numbers["judged_partitions"]) == (Outcome.PASSED, 72)


VOLUME = volume_anomalies()
LOW: dict[str, Any] = {"bytes_data": 400, "score": -7.1, "anomaly": "low"}
HIGH: dict[str, Any] = {"bytes_data": 2500, "score": 11.0, "anomaly": "high"}
NOTHING_YET: dict[str, Any] = {
    "baseline": None,
    "band_lo": None,
    "band_hi": None,
    "score": None,
    "anomaly": None,
}


def volumes(*rows: dict[str, Any], **facts: Any) -> Verdict:
    return judged(VOLUME, SIZES, rows, **facts)


def test_unusual_volumes_are_a_warning_with_band_score_and_baseline() -> None:
    verdict = volumes({}, LOW, HIGH, {}, NOTHING_YET)
    assert (VOLUME.severity, verdict.outcome) == (Severity.WARN, Outcome.FAILED)
    assert verdict.numbers == {
        "judged": 4,
        "anomalies": 2,
        "low": 1,
        "high": 1,
        "warming_up": 0,
        "not_judged": 1,
        "excused": 0,
        "score": 11.0,
    }
    assert verdict.sentence.startswith(
        "2 of 4 judged hours are unusual, most of all 2026-03-20 02:00 UTC (onDemandExtract1DayProd): 2,500 "
        "bytes, 800 to 1,250 usual by hour of week (score +11.0). Look for tables delivered twice"
    )
    assert [sample["anomaly"] for sample in verdict.samples] == ["high", "low"]
    assert verdict.samples[1] == {
        "config_name": PROD,
        "hour_utc": DAY + HOUR,
        "bytes_data": 400,
        "band_lo": 800.0,
        "band_hi": 1250.0,
        "score": -7.1,
        "anomaly": "low",
        "baseline": "hour of week",
    }


def test_usual_volumes_pass() -> None:
    verdict = volumes({}, {"score": -2.5}, {})
    assert (verdict.outcome, verdict.numbers["score"]) == (Outcome.PASSED, -2.5)
    assert verdict.sentence == "3 judged hours, all of a usual volume."


def test_hours_that_are_compared_with_less_than_a_week_are_said_to_warm_up() -> None:
    verdict = volumes({"baseline": "hour of day"}, {"baseline": "level"}, {})
    assert (verdict.outcome, verdict.numbers["warming_up"]) == (Outcome.PASSED, 2)
    assert "Warming up: 2 hours were compared without the same hour of earlier weeks" in verdict.sentence


def test_an_excused_anomaly_is_none() -> None:
    verdict = volumes({}, LOW | {"excused": True})
    assert (verdict.outcome, verdict.numbers["excused"]) == (Outcome.PASSED, 1)
    everything = volumes(LOW | {"excused": True})
    assert everything.sentence == "No hour to judge: 1 hour is excused."


def test_hours_that_cannot_be_judged_are_not_evaluated() -> None:
    verdict = volumes(NOTHING_YET, NOTHING_YET)
    assert (verdict.outcome, verdict.numbers["not_judged"]) == (Outcome.NOT_EVALUATED, 2)
    assert volumes().outcome is Outcome.NOT_EVALUATED


def test_anomalies_of_two_configurations_say_whose_they_are() -> None:
    verdict = volumes({}, LOW | {"config_name": TEST, "hour_utc": DAY})
    assert [sample["config_name"] for sample in verdict.samples] == [TEST]
    assert "(onDemandExtract1DayTest): 400 bytes" in verdict.sentence


def test_excuses_hold_for_their_hours_alone() -> None:
    late = ExcusedHours(DAY + timedelta(hours=5), DAY + timedelta(hours=5), "known")
    ended = extract_rules(lambda: [late, NIGHT])[0]
    rows = [MISSING | {"hour_utc": DAY + number * HOUR} for number in range(7)]
    assert extracts(ended, *rows).numbers == {
        "extracts": 2, "failed": 0, "missing": 2, "running": 0, "excused": 5,
    }  # fmt: skip
