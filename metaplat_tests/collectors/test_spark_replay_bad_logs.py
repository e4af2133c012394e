"""Logs that are damaged, foreign or huge: one bad line costs that line, and nothing is lost in silence."""

from __future__ import annotations

import pytest
from msgspec import msgpack

from metaplat.collectors.spark.events.replay import LONGEST_LINE, LogReplay
from metaplat.model.errors import InvalidInputError
from metaplat_tests.standins.spark_event_lines import (
    START,
    application_end,
    application_start,
    environment,
    executor_added,
    job_start,
    line,
    log,
    named,
    replayed,
    stage_submitted,
    task_end,
    task_metrics,
    task_start,
)

GOOD = [line(task_end(task)) for task in range(1, 6)]


@pytest.mark.parametrize(
    "bad",
    [
        b"not an event\n",
        b"\x00\xff\xfe\n",
        b"[]\n",
        b"null\n",
        b'{"Timestamp":1}\n',
        b'{"Event":7}\n',
        b'{"Event":"SparkListenerTaskEnd"}\n',
        b'{"Event":"SparkListenerTask\n',
        b'{"Event":"SparkListenerTaskEnd","x":' + b"[" * 100_000 + b"\n",
        b'{"Event":"com.vendor.Cut","x":\n',
        line(task_end(9)).replace(b'"Task ID":9', b'"Task ID":99999999999999999999'),
        line(task_end(9)).replace(b'"Task ID":9', b'"Task ID":-9'),
        line(task_end(9)).replace(b'"Task ID":9', b'"Task ID":"9"'),
        line(task_end(9)).replace(b'"Task ID":9', b'"Task ID":9.5'),
        line(task_end(9)).replace(b'"Executor Run Time":10', b'"Executor Run Time":1e400'),
        line(task_end(9)).replace(b'"Task End Reason":{"Reason":"Success"}', b'"Task End Reason":[]'),
        line(task_start(9)).replace(b'"Task ID":9', b'"Task ID":null'),
        line(stage_submitted(9)).replace(b'"Stage ID":9', b'"Stage ID":"nine"'),
        line(job_start(9, [1]))[:-9] + b"\n",
        line(task_end(9))[:300] + line(task_end(10)),
        line(task_end(9))[:700] + line(task_end(10)),
    ],
)
def test_a_broken_line_costs_that_line_and_is_flagged(bad: bytes) -> None:
    attempt = replayed(b"".join([*GOOD[:3], bad, *GOOD[3:]]))
    assert (attempt.total_tasks, attempt.broken_lines) == (5, 1)
    assert (attempt.run_time_ms, attempt.unknown_events) == (50, 0)
    assert "broken_lines" in attempt.data_quality


@pytest.mark.parametrize("size", range(1, len(GOOD[0]), 37))
def test_a_line_cut_anywhere_costs_one_line_and_the_rest_of_it_another(size: int) -> None:
    parts = [GOOD[0][:size], b"\n", GOOD[0][size:]] if size < len(GOOD[0]) - 1 else [GOOD[0]]
    attempt = replayed(b"".join([*parts, *GOOD[1:]]))
    assert attempt.total_tasks == 5 - (len(parts) > 1)
    assert attempt.broken_lines == 2 * (len(parts) > 1)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"hello\nworld\n", b'{"Event":"com.vendor.Only"}\n'])
def test_what_has_no_event_of_spark_is_no_event_log(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match="no event log"):
        replayed(data)


def test_events_of_vendors_are_skipped_and_counted() -> None:
    attempt = replayed(log(application_start(), {"Event": "com.vendor.A", "x": {}}, named("OfTheFuture")))
    assert (attempt.unknown_events, attempt.broken_lines) == (2, 0)
    assert "broken_lines" not in attempt.data_quality


def test_empty_lines_and_carriage_returns_are_no_harm() -> None:
    data = b"\n" + log(application_start(), task_end(1), task_end(2)).replace(b"\n", b"\r\n\r\n")
    attempt = replayed(data)
    assert (attempt.total_tasks, attempt.broken_lines) == (2, 0)


def test_values_that_cannot_be_are_left_out_and_flagged() -> None:
    attempt = replayed(
        log(
            task_end(1, metrics=task_metrics(5, input=-1, remote=2**60)),
            task_end(2, metrics=task_metrics(6, input=9, remote=3)),
            task_end(3, at=-5, lasted=1, metrics=task_metrics(0)),
        )
    )
    assert (attempt.run_time_ms, attempt.input_bytes, attempt.shuffle_read_bytes) == (11, 9, 3)
    assert attempt.data_quality.count("implausible_values") == 1
    assert attempt.stages[0].task_ms_histogram == [0] * 7 + [2], "the time of the third is unknown"


def test_times_that_no_calendar_has_are_unknown() -> None:
    attempt = replayed(log(application_start(at=2**62), executor_added("1", at=-1), application_end(0)))
    assert (attempt.start_time, attempt.end_time, attempt.observed_end) == (None, None, None)
    assert (attempt.status, attempt.executors[0].add_time) == ("COMPLETED", None)


def test_a_partial_last_line_is_read_at_the_end_of_a_file_but_not_of_a_growing_one() -> None:
    data = b"".join(GOOD)
    assert replayed(data[:-1]).total_tasks == 5
    cut = replayed(data[:-40])
    assert (cut.total_tasks, cut.broken_lines) == (4, 1)
    growing = replayed(data[:-40], cut=True)
    assert (growing.total_tasks, growing.broken_lines) == (4, 0)


def test_the_position_is_that_of_the_last_whole_line_of_the_current_file() -> None:
    replay = LogReplay()
    replay.feed(b"".join(GOOD) + GOOD[0][:50])
    assert replay.position == len(b"".join(GOOD))
    replay.feed(GOOD[0][50:])
    assert replay.position == len(b"".join(GOOD) + GOOD[0])
    replay.end_file(cut=False)
    assert replay.position == 0


def test_lines_do_not_run_on_from_one_file_into_the_next() -> None:
    replay = LogReplay()
    replay.feed(GOOD[0] + GOOD[1][:-1])
    replay.end_file(cut=False)
    replay.feed(GOOD[2])
    replay.end_file(cut=False)
    assert replay.attempt("event-logs").total_tasks == 3


def test_an_attempt_may_be_asked_for_again_and_again() -> None:
    replay, tasks = LogReplay(), []
    for part in GOOD:
        replay.feed(part + part[:9])
        tasks.append(replay.attempt("event-logs").total_tasks)
        replay.feed(b"\n")
    assert tasks == [1, 2, 3, 4, 5]
    assert replay.attempt("event-logs").broken_lines == 5


def test_a_line_of_50_megabytes_is_read() -> None:
    event = task_end(1)
    event["Task Info"]["Accumulables"] = [{"ID": 1, "Name": "x" * 1000, "Value": "[{" * 50}] * 45_000
    data = line(event)
    assert len(data) > 50_000_000
    chunks = [data[start : start + (1 << 20)] for start in range(0, len(data), 1 << 20)]
    attempt = replayed([*chunks, *GOOD[1:]])
    assert (attempt.total_tasks, attempt.broken_lines, attempt.run_time_ms) == (5, 0, 50)


def test_a_line_without_an_end_is_given_up_and_what_follows_is_read() -> None:
    replay = LogReplay()
    chunk = b"x" * (16 << 20)
    replay.feed(GOOD[0])
    for _ in range(LONGEST_LINE // len(chunk) + 1):
        replay.feed(chunk)
    replay = LogReplay.restore(replay.snapshot())
    replay.feed(b"still the same line")
    replay.feed(b"\n" + GOOD[1])
    assert replay.position == len(GOOD[0]) + LONGEST_LINE + len(chunk) + 20 + len(GOOD[1])
    replay.end_file(cut=False)
    attempt = replay.attempt("event-logs")
    assert (attempt.total_tasks, attempt.broken_lines) == (2, 1)


def test_a_huge_line_that_comes_at_once_is_given_up_and_its_neighbours_are_read() -> None:
    attempt = replayed([GOOD[0] + b"x" * (LONGEST_LINE + 1), b"x\n" + GOOD[1]])
    assert (attempt.total_tasks, attempt.broken_lines) == (2, 1)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"\xc1", msgpack.encode(["metaplat spark replay 0", [], {}, b"", 0, None])],
)
def test_a_foreign_or_old_snapshot_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match="state of a replay"):
        LogReplay.restore(data)


def test_a_damaged_snapshot_is_refused() -> None:
    replay = LogReplay()
    replay.feed(log(application_start(), environment(app_id="x"), *(task_end(task) for task in range(9))))
    snapshot = replay.snapshot()
    with pytest.raises(InvalidInputError):
        LogReplay.restore(snapshot[:-3])
    with pytest.raises(InvalidInputError):
        LogReplay.restore(snapshot.replace(b"\x78\x01", b"\x00\x00"))


def test_times_of_all_events_bound_what_was_observed() -> None:
    attempt = replayed(log(task_start(1, at=START - 7), task_end(1, at=START, lasted=9)))
    assert attempt.observed_start is not None
    assert attempt.observed_end is not None
    assert (attempt.observed_end - attempt.observed_start).total_seconds() == 0.016
