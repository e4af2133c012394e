"""Everything a History Server has is listed, though it has a limit and no pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.collectors.spark.history_server.address import ServerAddress
from metaplat.collectors.spark.history_server.listing import ListedAttempt, listed_attempts
from metaplat.collectors.spark.history_server.server import HistoryServer
from metaplat.model.errors import PermanentSourceError
from metaplat.settings import SparkSettings
from metaplat_tests.standins.spark_rest import SparkRest
from metaplat_tests.standins.spark_rest_parts import START, application, attempt


def listed(rest: SparkRest, limit: int = 1000, since: datetime | None = None) -> list[ListedAttempt]:
    """List what a server has; nothing of it may be rejected."""
    server = HistoryServer(ServerAddress.parse(rest.url), SparkSettings(retries=0))
    rejected: dict[str, str] = {}
    found = list(listed_attempts(server, limit, since, rejected.__setitem__))
    assert rejected == {}
    return found


def names(found: list[ListedAttempt]) -> list[str]:
    """Return how messages name them."""
    return [one.shown for one in found]


ENDS = st.lists(st.none() | st.integers(0, 5), max_size=14)
"""Of applications: few different moments, so that many ends fall together; None still runs."""


@settings(max_examples=40, deadline=None)
@given(
    ends=ENDS,
    limit=st.integers(1, 6),
    sorts=st.booleans(),
    knows_dates=st.booleans(),
    keeps_limit=st.booleans(),
)
def test_every_application_is_listed_once_whatever_the_limit_and_the_server(
    ends: list[int | None],
    limit: int,
    sorts: bool,
    knows_dates: bool,
    keeps_limit: bool,
) -> None:
    applications = [
        application(f"app-{number}", attempt(None if end is None else START + end))
        for number, end in enumerate(ends)
    ]
    with SparkRest(applications, sorts=sorts, knows_dates=knows_dates, keeps_limit=keeps_limit) as rest:
        found = names(listed(rest, limit))
    assert sorted(found) == sorted(one["id"] for one in applications)


def test_a_long_list_is_asked_in_pages_of_the_limit() -> None:
    applications = [application(f"app-{number}", attempt(START + number)) for number in range(50)]
    with SparkRest(applications) as rest:
        assert len(listed(rest, 10)) == 50
        limits = {request.partition("limit=")[2] for request in rest.requests}
    assert limits == {"10"}


def test_attempts_of_an_application_at_the_seam_of_two_pages_are_listed_once() -> None:
    """Its older attempt ended long before: it is chosen again by every later page."""
    retried = application("retried", attempt(START + 900, attemptId="2"), attempt(START + 1, attemptId="1"))
    others = [application(f"app-{number}", attempt(START + 100 * number)) for number in range(9)]
    with SparkRest([retried, *others]) as rest:
        found = names(listed(rest, 2))
    assert sorted(found) == sorted(["retried/1", "retried/2", *(one["id"] for one in others)])


def test_since_leaves_out_what_ended_before_and_keeps_what_runs_however_early_it_began() -> None:
    day = 24 * 3600 * 1000
    applications = [
        application("old", attempt(START)),
        application("long", attempt(START + 2 * day, start=START - 30 * day)),
        application("runs", attempt(None, start=START - 30 * day)),
        application("new", attempt(START + day)),
    ]
    since = datetime(2026, 1, 2, tzinfo=UTC)
    with SparkRest(applications) as rest:
        assert names(listed(rest, since=since)) == ["runs", "long", "new"]
        assert names(listed(rest, since=since + timedelta(milliseconds=1))) == ["runs", "long"]
    with SparkRest(applications, knows_dates=False) as rest:
        assert names(listed(rest, since=since)) == ["runs", "long", "new"]


def test_since_leaves_out_an_earlier_attempt_of_an_application_that_ended_later() -> None:
    both = application("retried", attempt(START + 5000, attemptId="2"), attempt(START, attemptId="1"))
    with SparkRest([both]) as rest:
        found = listed(rest, since=datetime.fromtimestamp(START / 1000 + 1, UTC))
    assert names(found) == ["retried/2"]


def test_the_path_of_an_attempt_has_its_id_only_where_there_is_one() -> None:
    with SparkRest([application("app/1"), application("b", attempt(attemptId="2"))]) as rest:
        assert {one.path for one in listed(rest)} == {"/applications/app%2F1", "/applications/b/2"}


def test_what_the_server_says_of_an_attempt_that_runs_is_unknown_not_nothing() -> None:
    with SparkRest([application("runs", attempt(None, appSparkVersion="", sparkUser=""))]) as rest:
        [found] = listed(rest)
    assert (found.end, found.duration_ms, found.spark_version, found.user) == (None, None, None, None)
    assert not found.completed
    assert found.start == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "start"),
    [
        ({"startTimeEpoch": None}, datetime(2026, 1, 1, tzinfo=UTC)),
        ({"startTimeEpoch": None, "startTime": "yesterday"}, None),
        ({"startTimeEpoch": None, "startTime": "2026-13-41T25:00:00.000GMT"}, None),
        ({"startTimeEpoch": None, "startTime": "2026-01-01T08:00:00.000CST"}, None),
        ({"startTimeEpoch": 10**18}, None),
        ({"startTimeEpoch": True, "startTime": 7}, None),
        ({"startTimeEpoch": -1}, None),
    ],
)
def test_a_date_that_is_none_is_unknown(fields: dict[str, Any], start: datetime | None) -> None:
    with SparkRest([application("a", attempt(**fields))]) as rest:
        assert [one.start for one in listed(rest)] == [start]


def test_ends_that_cannot_be_read_lose_nothing() -> None:
    broken = [application(f"app-{number}", attempt(endTimeEpoch=None, endTime="?")) for number in range(7)]
    with SparkRest(broken, knows_dates=False) as rest:
        assert len(listed(rest, 2)) == 7


def test_what_is_listed_and_no_attempt_is_rejected_and_the_rest_is_listed() -> None:
    odd = [
        {"name": "no id"},
        "text",
        {"id": "bare"},
        application("half", attempt(), 7),
        {"id": "n", "attempts": []},
    ]
    rejected: list[tuple[str, str]] = []
    with SparkRest(odd, sorts=False, knows_dates=False) as rest:
        server = HistoryServer(ServerAddress.parse(rest.url), SparkSettings())
        found = names(
            list(listed_attempts(server, 10, None, lambda name, reason: rejected.append((name, reason))))
        )
    assert found == ["half"]
    assert [name for name, _ in rejected] == [
        "an application of the list",
        "an application of the list",
        "bare",
        "half",
        "n",
    ]


def test_a_list_that_is_none_is_an_error() -> None:
    with (
        SparkRest(faults={"applications": ["object"]}) as rest,
        pytest.raises(PermanentSourceError, match="JSON that is no list"),
    ):
        listed(rest)
