"""Stages and applications with very many tasks: what is kept of them stays small, and figures stay true."""

from __future__ import annotations

import pytest

from metaplat.collectors.spark.events.replay import LogReplay
from metaplat.collectors.spark.events.samples import EXACT
from metaplat.collectors.spark.events.task_marks import PAGE
from metaplat_tests.standins.spark_event_lines import (
    START,
    line,
    log,
    replayed,
    stage_completed,
    stage_submitted,
    task_end,
    task_metrics,
    task_start,
)

TEMPLATE = line(task_end(7_777_777, lasted=1234, metrics=task_metrics(input=5_555_555)))


def ended(task: int, lasted: int, read: int = 0) -> bytes:
    """Return the line of a task that ended, quickly made."""
    text = TEMPLATE.replace(b"7777777", b"%d" % task).replace(b"5555555", b"%d" % read)
    return text.replace(b"%d" % (START + 1234), b"%d" % (START + lasted))


@pytest.fixture(scope="module")
def huge() -> LogReplay:
    """Return a replay of one stage with more tasks than are kept one by one."""
    replay = LogReplay()
    for start in range(0, EXACT + 10_000, 1000):
        tasks = range(start, start + 1000)
        replay.feed(b"".join(ended(task, (task * 7919) % 60_000 + 3, task) for task in tasks))
        replay.feed(b"".join(line(task_start(task)) for task in tasks))
    return replay


def test_quantiles_of_very_many_tasks_are_within_one_percent(huge: LogReplay) -> None:
    [stage] = huge.attempt("event-logs").stages
    assert stage.tasks == EXACT + 10_000
    assert (stage.task_ms_min, stage.task_ms_max) == (3, 60_002)
    assert stage.task_ms_median == pytest.approx(30_002.5, rel=0.01)
    assert stage.task_ms_p95 == pytest.approx(57_002, rel=0.01)
    assert stage.input_bytes_median == pytest.approx(30_000, rel=0.01)
    assert stage.input_bytes_max == 59_999
    assert stage.task_ms_histogram is not None
    assert sum(stage.task_ms_histogram) == stage.tasks
    assert stage.task_ms_histogram[-1] == 60_003 - 32_768


def test_what_is_kept_of_very_many_tasks_is_small_and_can_be_read_on(huge: LogReplay) -> None:
    snapshot = huge.snapshot()
    assert len(snapshot) < EXACT
    replay = LogReplay.restore(snapshot)
    assert replay.attempt("event-logs") == huge.attempt("event-logs")
    replay.feed(ended(5, 9) + ended(EXACT + 10_000, 9))
    assert replay.attempt("event-logs").total_tasks == EXACT + 10_001


def test_quantiles_of_a_few_tasks_are_exact() -> None:
    tasks = (ended(task, lasted) for task, lasted in enumerate((0, 1, 3, 10, 1000)))
    [stage] = replayed(b"".join(tasks)).stages
    assert (stage.task_ms_min, stage.task_ms_median, stage.task_ms_max) == (0, 3, 1000)
    assert stage.task_ms_p95 == pytest.approx(802)
    assert stage.task_ms_histogram == [1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1]


def test_tasks_that_end_after_their_stage_are_summed_but_tell_nothing_of_its_spread() -> None:
    late = task_end(2, lasted=9000, metrics=task_metrics(50, disk=4))
    attempt = replayed(
        log(stage_submitted(0), task_end(1, lasted=10), stage_completed(0), late, stage_completed(0))
    )
    [stage] = attempt.stages
    assert (stage.tasks, stage.run_time_ms, stage.disk_spilled_bytes) == (2, 60, 4)
    assert (stage.task_ms_max, stage.task_ms_histogram) == (10, [0, 0, 0, 0, 1])


def test_ids_far_apart_and_ends_without_order_are_each_counted_once() -> None:
    ids = [3 * PAGE, 1, 2**40, 1, PAGE, 2**40, 0]
    assert replayed(b"".join(ended(task, 5) for task in ids)).total_tasks == 5


def test_a_stage_without_tasks_has_counts_of_nothing_and_no_spread() -> None:
    [stage] = replayed(log(stage_submitted(0))).stages
    assert (stage.tasks, stage.failed_tasks, stage.run_time_ms, stage.input_bytes) == (0, 0, 0, 0)
    assert (stage.task_ms_median, stage.task_ms_histogram, stage.input_bytes_max) == (None, None, None)
