"""Rules about relationships and about the runs of pipelines."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.verdict import Outcome, Severity
from metaplat.rules.catalog.edges import dangling_edges, self_edges, unreadable_ends
from metaplat.rules.catalog.runs import failed_runs, unfinished_runs
from metaplat_tests.rules.catalog.catalog_evidence import (
    DAY,
    EDGES,
    EVENTS,
    NOON_AFTER,
    ONE_DAY,
    PARTITION,
    judged,
    rows_of,
    table_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from metaplat.model.rule import Rule
    from metaplat.model.verdict import Verdict

HOUR = timedelta(hours=1)


def edges(rule: Rule, *rows: Mapping[str, Any]) -> Verdict:
    return judged(rule, rows_of(EDGES, *rows), EDGES)


def test_an_edge_to_what_is_not_cataloged_or_gone_is_an_error() -> None:
    verdict = edges(
        dangling_edges(),
        {},
        {"parent_state": "missing"},
        {"child_state": "vanished", "parent_state": "vanished"},
        {"parent_state": "rejected"},
    )
    assert (dangling_edges().severity, verdict.outcome) == (Severity.ERROR, Outcome.FAILED)
    assert verdict.numbers == {
        "edges": 4,
        "dangling": 2,
        "missing_parent": 1,
        "missing_child": 0,
        "vanished_parent": 1,
        "vanished_child": 1,
    }
    assert [sample["parent_dataset_id"] for sample in verdict.samples] == ["p0001", "p0002"]
    assert verdict.sentence.startswith(
        "2 of 4 relationships point to a dataset that is not there; none expected."
    )


def test_an_edge_to_an_unreadable_file_is_a_warning() -> None:
    verdict = edges(unreadable_ends(), {}, {"parent_state": "rejected"}, {"child_state": "missing"})
    assert (unreadable_ends().severity, verdict.outcome) == (Severity.WARN, Outcome.FAILED)
    assert verdict.numbers == {"edges": 3, "unreadable": 1}
    assert verdict.sentence.startswith("1 of 3 relationships points to a file that cannot be read")


def test_a_dataset_related_to_itself_is_an_error() -> None:
    verdict = edges(self_edges(), {}, {"parent_dataset_id": "x", "child_dataset_id": "x"})
    assert (self_edges().severity, verdict.outcome) == (Severity.ERROR, Outcome.FAILED)
    assert verdict.numbers == {"edges": 2, "self_edges": 1}
    assert "`metaplat materialize dataset_relationships --partition 2026-03-20`" in verdict.sentence


@pytest.mark.parametrize(
    "rule", [dangling_edges(), unreadable_ends(), self_edges()], ids=lambda rule: rule.name
)
def test_good_edges_pass_and_none_are_not_evaluated(rule: Rule) -> None:
    assert edges(rule, {}, {}).outcome is Outcome.PASSED
    assert edges(rule).outcome is Outcome.NOT_EVALUATED


def event(run: str, action: str, at: datetime = DAY + 3 * HOUR, **more: Any) -> dict[str, Any]:
    return {"event_id": f"{run}-{action}-{at}", "run_id": run, "action": action, "occurred_at": at, **more}


def events(*rows: Mapping[str, Any]) -> pl.DataFrame:
    return rows_of(EVENTS, *rows)


@pytest.mark.parametrize(("finished", "outcome"), [(9, Outcome.PASSED), (8, Outcome.FAILED)])
def test_exactly_the_lawful_share_of_failed_runs_passes(finished: int, outcome: Outcome) -> None:
    rows = [event(f"good{number}", "finish") for number in range(finished)]
    rows += [event("bad", "fail", message="no room"), event("other", "preflight"), event("other", "start")]
    verdict = judged(failed_runs(0.1), events(*rows), EVENTS)
    assert (verdict.outcome, failed_runs().severity) == (outcome, Severity.WARN)
    assert (verdict.numbers["ended"], verdict.numbers["failed"]) == (finished + 1, 1)
    (sample,) = verdict.samples
    assert (sample["run_id"], sample["message"]) == ("bad", "no room")


def test_a_partition_in_which_no_run_ended_has_no_share() -> None:
    assert judged(failed_runs(), events(event("a", "ingest")), EVENTS).outcome is Outcome.NOT_EVALUATED


def unfinished(
    today: Sequence[Mapping[str, Any]], earlier: Sequence[Mapping[str, Any]] = (), **facts: Any
) -> Verdict:
    return judged(unfinished_runs(), events(*today), EVENTS, **({"history": events(*earlier)} | facts))


@pytest.mark.parametrize(("age", "outcome"), [(24, Outcome.PASSED), (24.01, Outcome.FAILED)])
def test_a_run_may_be_silent_for_a_day(age: float, outcome: Outcome) -> None:
    verdict = unfinished([event("a", "start", NOON_AFTER - age * HOUR)])
    assert (verdict.outcome, verdict.numbers["open"]) == (outcome, 1)


def test_a_silent_run_is_told_with_its_last_word() -> None:
    earlier = [event("a", "start", DAY - 5 * ONE_DAY), event("b", "start", DAY - 3 * ONE_DAY)]
    earlier += [event("a", "progress", DAY - 2 * ONE_DAY), event("b", "finish", DAY - 2 * ONE_DAY)]
    verdict = unfinished([event("c", "start", NOON_AFTER - HOUR)], earlier)
    assert verdict.numbers == {"started": 3, "open": 2, "silent": 1}
    assert verdict.samples[0] == {
        "run_id": "a",
        "pipeline": "mosaic",
        "started": DAY - 5 * ONE_DAY,
        "last_word": DAY - 2 * ONE_DAY,
        "silent_hours": 84.0,
    }
    assert verdict.sentence.startswith(
        "As of 2026-03-21 12:00 UTC, 2 runs had not ended, 1 of them silent for more than 24 h; "
        "none expected."
    )


def test_a_run_that_tells_its_progress_is_not_silent() -> None:
    earlier = [event("a", "start", DAY - 5 * ONE_DAY)]
    assert unfinished([event("a", "progress", NOON_AFTER - HOUR)], earlier).outcome is Outcome.PASSED


@pytest.mark.parametrize("end", ["finish", "fail"])
def test_a_run_that_ended_is_not_open(end: str) -> None:
    earlier = [event("a", "start", DAY - 5 * ONE_DAY)]
    verdict = unfinished([event("a", end)], earlier)
    assert (verdict.outcome, verdict.numbers["open"]) == (Outcome.PASSED, 0)


def test_events_without_a_start_are_of_no_open_run() -> None:
    rows = [event("a", "preflight"), event("b", "ingest"), event("c", "progress", DAY - 9 * ONE_DAY)]
    assert unfinished(rows).outcome is Outcome.NOT_EVALUATED
    assert unfinished([*rows, event("d", "start"), event("d", "finish")]).outcome is Outcome.PASSED


def test_a_partition_of_the_past_is_judged_as_of_its_end_and_the_table_by_its_newest() -> None:
    rule, start = unfinished_runs(), [event("a", "start", DAY + 10 * HOUR)]
    later = {PARTITION: 1, "2026-03-21": 4}
    assert unfinished(start, row_history=later, now=NOON_AFTER + 9 * ONE_DAY).outcome is Outcome.PASSED
    assert unfinished(start, now=NOON_AFTER + 9 * ONE_DAY).outcome is Outcome.FAILED
    outcomes = {"2026-03-19": Outcome.FAILED, PARTITION: Outcome.PASSED}
    assert rule.summarize(table_of(EVENTS, outcomes)).outcome is Outcome.PASSED


def test_limits_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        failed_runs(2)
    with pytest.raises(ValueError, match="after"):
        unfinished_runs(after=timedelta(days=31))
