"""Any attempt of a Spark application, made up by hypothesis: fields unknown, ordinary or absurd."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from metaplat.collectors.spark.attempt import ApplicationAttempt, Executor, Finding, Job, StageAttempt
from metaplat_tests.reports.spark_report_samples import ATTACK

TEXTS = st.sampled_from(
    [ATTACK, "<q>", "", "\x1b[31mred", "a\nb\tc", "名前" * 30, "\ud800", "x" * 400]
) | st.text(max_size=20)
NUMBERS = st.integers(-5, 5) | st.integers(-(2**62), 2**62)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)) | st.datetimes(  # noqa: DTZ001
    datetime(2025, 1, 1),  # noqa: DTZ001
    datetime(2025, 1, 2),  # noqa: DTZ001
    timezones=st.just(UTC),
)
STATES = st.sampled_from(["RUNNING", "COMPLETED", "FAILED", "COMPLETE", "ACTIVE", "SKIPPED", "SUCCEEDED"])


def _strategy(annotation: str, name: str) -> st.SearchStrategy[Any]:
    kind, _, unknown = annotation.partition(" | ")
    found = STATES if name == "status" else STRATEGIES[kind]
    return st.none() | found if unknown else found


def _any_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    return st.deferred(
        lambda: st.builds(kind, **{each.name: _strategy(str(each.type), each.name) for each in fields(kind)})
    )


STRATEGIES: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXTS,
    "int": NUMBERS,
    "float": NUMBERS | st.floats(-1e30, 1e30),
    "datetime": MOMENTS,
    "dict[str, str]": st.dictionaries(TEXTS, TEXTS, max_size=3),
    "list[str]": st.lists(TEXTS, max_size=3),
    "list[int]": st.lists(NUMBERS, max_size=40),
    "list[Finding]": st.lists(_any_of(Finding), max_size=2),
    "list[Job]": st.lists(_any_of(Job), max_size=3),
    "list[StageAttempt]": st.lists(_any_of(StageAttempt), max_size=3),
    "list[Executor]": st.lists(_any_of(Executor), max_size=3),
}

ATTEMPTS: st.SearchStrategy[ApplicationAttempt] = _any_of(ApplicationAttempt)
