"""The replay against a plain reference: json.loads, dicts, one line after the other."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.collectors.spark.events.replay import LogReplay
from metaplat_tests.collectors.spark_replay_reference import Reference, told_by
from metaplat_tests.standins.spark_event_lines import (
    START,
    application_end,
    application_start,
    executor_added,
    line,
    named,
    replayed,
    stage_completed,
    stage_submitted,
    task_end,
    task_metrics,
    task_start,
)

REASONS = ("Success", "TaskKilled", "TaskCommitDenied", "Resubmitted", "ExceptionFailure", "Fetch [Failed]")
amounts = st.integers(0, 2**40) | st.integers(-5, 5)
metrics_of_tasks = st.builds(
    task_metrics,
    st.integers(-2, 100_000),
    st.integers(0, 10**12),
    **dict.fromkeys(("gc", "memory", "disk", "remote", "local", "written", "input", "output"), amounts),
)
ends = st.builds(
    task_end,
    st.integers(0, 12) | st.integers(4090, 4100),
    st.integers(0, 2),
    st.integers(0, 1),
    reason=st.sampled_from(REASONS),
    at=st.integers(START, START + 10_000),
    lasted=st.integers(-3, 5000),
    executor=st.sampled_from(("1", "2", "driver", 'odd "]},[{ name')),
    speculative=st.booleans(),
    metrics=metrics_of_tasks,
    peaks=st.sampled_from((None, {"JVMHeapMemory": -1}, {"JVMHeapMemory": 5, "TotalGCTime": 9})),
    lost=st.booleans(),
)
others = st.one_of(
    st.builds(task_start, st.integers(0, 12), st.integers(0, 2)),
    st.builds(stage_submitted, st.integers(0, 2), st.integers(0, 1)),
    st.builds(stage_completed, st.integers(0, 2), st.integers(0, 1)),
    st.builds(executor_added, st.sampled_from(("1", "2", "3"))),
    st.just({"Event": "com.vendor.Odd", "Task Metrics": {"x": []}}),
    st.just({"Event": "org.apache.spark.sql.execution.ui.SparkListenerDriverAccumUpdates", "x": [1]}),
    st.just(named("BlockUpdated")),
)
forms = st.sampled_from(("whole",) * 12 + ("spaced", "shuffled", "cut", "glued"))


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    """Draw the bytes of a log."""
    written = [line(application_start())]
    for event in draw(st.lists(ends | ends | ends | others, max_size=40)):
        form = draw(forms)
        if form == "shuffled":
            written.append(line(event, shuffled=Random(draw(st.integers(0, 99)))))
            continue
        text = line(event, spaced=form == "spaced")
        if form in ("cut", "glued"):
            event = draw(ends)
            text = line(event)[: draw(st.integers(1, len(line(event)) - 2))]
            text += b"\n" if form == "cut" else line(draw(ends))
        written.append(text)
    return b"".join(written) + draw(st.sampled_from((b"", line(application_end()))))


def chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    """Return the data, cut at some places."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:stop] for start, stop in pairwise(places)]


@settings(max_examples=150, deadline=None)
@given(logs())
def test_a_replay_tells_what_the_reference_tells(data: bytes) -> None:
    told_by(replayed(data), Reference(data))


@settings(max_examples=60, deadline=None)
@given(logs(), st.lists(st.integers(0, 10**9), max_size=12), st.integers(0, 12))
def test_chunks_and_snapshots_at_any_byte_change_nothing(data: bytes, cuts: list[int], saved: int) -> None:
    whole = replayed(data)
    replay = LogReplay()
    for number, chunk in enumerate(chunks(data, cuts)):
        replay.feed(chunk)
        if number == saved:
            replay = LogReplay.restore(replay.snapshot())
    assert replay.position == len(data)
    replay.end_file(cut=False)
    assert replay.attempt("event-logs") == whole
