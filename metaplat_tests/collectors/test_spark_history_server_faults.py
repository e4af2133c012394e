"""A History Server that is down, slow, throttling, foreign or broken in one place."""

from __future__ import annotations

import socket
from collections import deque
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import PermanentSourceError, SourceError, TransientSourceError, UsageError
from metaplat_tests.standins.small_event_log import event_log
from metaplat_tests.standins.spark_rest import SparkRest
from metaplat_tests.standins.spark_rest_parts import (
    START,
    Collected,
    application,
    attempt,
    collected,
    gather,
    parts,
    zipped,
)

if TYPE_CHECKING:
    from metaplat_tests.standins.spark_rest import Fault

IMPATIENT: dict[str, Any] = {"timeout_seconds": 0.3, "replay_seconds": 0.4}
"""Only where the server never answers: a busy machine must not look like one."""


def log_of(app_id: str) -> bytes:
    """Return the zip of a small event log."""
    return zipped({app_id: event_log(app_id)})


def three(**faults: list[Fault]) -> SparkRest:
    """Return a server of three applications, newest first, with faults in the log of some."""
    names = ("a", "b", "c")
    return SparkRest(
        [application(name, attempt(START + 100 - number)) for number, name in enumerate(names)],
        {f"{name}/logs": log_of(name) for name in names},
        {f"{name}/logs": planned for name, planned in faults.items()},
    )


@pytest.mark.parametrize(
    "fault",
    [500, 502, 503, 429, 408, "dropped", "cut", "no http", "not json", "empty", (503, {"Retry-After": "0"})],
)
def test_a_list_that_stumbles_once_is_asked_again(fault: Fault) -> None:
    with SparkRest([application()], {"app-1/logs": log_of("app-1")}, {"applications": [fault]}) as rest:
        assert collected(rest.url).names == ["app-1"]


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (500, "HTTP 500 Internal Server Error, 2 times"),
        (599, "HTTP 599, 2 times"),
        ("dropped", "no complete answer (RemoteDisconnected), 2 times"),
        ("no http", "no complete answer (BadStatusLine), 2 times"),
        ("not json", "an answer that is not JSON, 2 times"),
        ("cut", "no complete answer (IncompleteRead), 2 times"),
    ],
)
def test_a_list_that_never_comes_is_an_outage(fault: Fault, answer: str) -> None:
    with SparkRest(faults={"applications": [(fault, {}) if fault == 599 else fault] * 2}) as rest:
        with pytest.raises(TransientSourceError) as error:
            collected(rest.url)
        assert error.value.answer == answer
        assert rest.asked("applications") == 2


@pytest.mark.parametrize("fault", ["slow", "drip", "drip headers"])
def test_a_server_that_is_too_slow_is_given_up_however_it_drips(fault: Fault) -> None:
    with (
        SparkRest(faults={"applications": [fault]}) as rest,
        pytest.raises(TransientSourceError, match=r"within 0.3 s.*raise the setting spark.timeout_seconds"),
    ):
        collected(rest.url, retries=0, **IMPATIENT)


def test_a_server_that_is_down_is_an_outage_and_its_login_is_not_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(TransientSourceError) as error:
        collected(f"http://ana:hunter2@127.0.0.1:{port}/spark?key=hunter3", retries=0)
    assert str(error.value) == (
        f"History Server at 127.0.0.1:{port}/spark: list the applications: "
        "no complete answer (Connection refused). Running again may help. "
        "Check that the History Server is up and reachable."
    )


def test_one_application_that_fails_costs_only_itself() -> None:
    with three(b=[500] * 5) as rest:
        found = collected(rest.url)
    assert found.names == ["a", "c"]
    assert list(found.rejected) == ["b"]
    assert "HTTP 500 Internal Server Error, 2 times" in found.rejected["b"]


@pytest.mark.parametrize("fault", ["slow", "drip", "drip headers"])
def test_one_log_that_never_comes_is_waited_for_once_and_costs_only_itself(fault: Fault) -> None:
    with three(b=[fault] * 5) as rest:
        found = collected(rest.url, retries=3, replay_seconds=0.4)
        assert rest.asked("/b/logs") == 1
    assert "within 0.4 s" in found.rejected["b"]
    assert "spark.replay_seconds" in found.rejected["b"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (404, "HTTP 404 Not Found"),
        (403, "HTTP 403 Forbidden"),
        ("html", "a page of HTML"),
        ("empty", "an empty answer"),
        ("no zip", "what is no zip file"),
        ("cut chunks", "IncompleteRead"),
    ],
)
def test_a_log_that_is_refused_is_rejected_and_not_read_in_another_way(fault: Fault, reason: str) -> None:
    with three(b=[fault] * 2) as rest:
        found = collected(rest.url)
        assert rest.asked("/b/stages") == 0
    assert found.names == ["a", "c"]
    assert reason in found.rejected["b"]
    assert ("Try --via rest." in found.rejected["b"]) == (fault != "cut chunks")


def test_a_download_that_breaks_off_is_begun_anew() -> None:
    with three(b=["cut chunks"]) as rest:
        assert collected(rest.url).names == ["a", "b", "c"]


@pytest.mark.parametrize("via", ["logs", "rest"])
def test_a_server_that_goes_down_in_between_is_an_outage_and_what_came_before_is_kept(via: str) -> None:
    part = "logs" if via == "logs" else "environment"
    with three() as rest:
        rest.parts |= parts("a")
        rest.faults = {f"b/{part}": _faults(503, 503), "version": _faults(503, 503)}
        found = Collected()
        with pytest.raises(TransientSourceError, match="ask for its version"):
            gather(found, rest.url, via=via)
    assert found.names == ["a"]
    assert len(found.memory.things) == 1
    assert found.rejected == {}


def test_a_long_retry_after_is_not_waited_for() -> None:
    with SparkRest(faults={"applications": [(429, {"Retry-After": "3600"})]}) as rest:
        with pytest.raises(TransientSourceError, match=r"HTTP 429 Too Many Requests and asks to wait 3600 s"):
            collected(rest.url, retries=9)
        assert rest.asked("applications") == 1


def test_a_retry_after_that_is_a_date_is_read_by_the_clock_of_the_server() -> None:
    headers = {"Date": "Thu, 01 Jan 2015 00:00:00 GMT", "Retry-After": "Thu, 01 Jan 2015 02:00:00 GMT"}
    with SparkRest(faults={"applications": [(503, headers)]}) as rest:
        with pytest.raises(TransientSourceError, match="asks to wait 7200 s"):
            collected(rest.url, retries=9)
        assert rest.asked("applications") == 1


@pytest.mark.parametrize("asked", ["soon", "-5", "Thu, 99 Foo 2015", "\u0663"])
def test_a_retry_after_that_is_none_is_not_heeded(asked: str) -> None:
    fault = (503, {"Retry-After": asked.encode().decode("latin-1")})
    with SparkRest([application()], {"app-1/logs": log_of("app-1")}, {"applications": [fault]}) as rest:
        assert collected(rest.url).names == ["app-1"]


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (400, "HTTP 400 Bad Request"),
        (401, "HTTP 401 Unauthorized"),
        (403, "HTTP 403 Forbidden"),
        (404, "HTTP 404 Not Found"),
        ("html", "a page of HTML"),
    ],
)
def test_a_refusal_is_final(fault: Fault, answer: str) -> None:
    with SparkRest(faults={"applications": [fault]}) as rest:
        with pytest.raises(PermanentSourceError) as error:
            collected(rest.url)
        assert error.value.answer == answer
        assert len(rest.requests) == 1


def test_a_login_in_the_address_is_sent_and_never_told() -> None:
    names = {"app-1/logs": log_of("app-1")}
    with SparkRest([application()], names, login="ana:p%40ss", prefix="/spark") as rest:
        found = collected(f"{rest.url}/api/v1/")
        with pytest.raises(PermanentSourceError, match="HTTP 401") as error:
            collected(rest.url.replace("p%40ss", "wrong"))
    assert found.names == ["app-1"]
    assert "p%40ss" not in str(found)
    assert "p@ss" not in str(found)
    assert "wrong" not in str(error.value)


def test_a_login_that_expires_in_between_ends_the_collection() -> None:
    with three(b=[401]) as rest:
        rest.faults["version"] = rest.faults["b/logs"].copy()
        with pytest.raises(PermanentSourceError, match="HTTP 401"):
            collected(rest.url)


def test_a_redirect_is_followed_on_the_same_server_only() -> None:
    with SparkRest([application()], {"app-1/logs": log_of("app-1")}, login="ana:secret") as rest:
        rest.faults["applications"] = _faults((302, {"Location": "/api/v1/applications?status=completed"}))
        assert collected(rest.url).names == ["app-1"]
        with SparkRest([application()]) as other:
            rest.faults["applications"] = _faults((302, {"Location": f"{other.url}/login?token=t0ps"}))
            with pytest.raises(PermanentSourceError, match="HTTP 302 Found to another server") as error:
                collected(rest.url)
            assert other.requests == []
        assert "t0ps" not in str(error.value)


@pytest.mark.parametrize("location", ["/api/v1/applications", "http://[::1", ""])
def test_a_redirect_that_leads_nowhere_ends(location: str) -> None:
    faults: list[Fault] = [(302, {"Location": location})] * 20
    with SparkRest(faults={"applications": faults}) as rest:
        with pytest.raises(PermanentSourceError):
            collected(rest.url)
        assert len(rest.requests) <= 6


@pytest.mark.parametrize(
    "url",
    ["localhost:18080", "ftp://host/", "http://", "http://host:port", "http://[::1", "http://a b/", "x"],
)
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(UsageError, match=r"looks like http://127.0.0.1:18080"):
        collected(url)


def test_a_way_that_there_is_not_is_told() -> None:
    with pytest.raises(UsageError, match="--via soap: a History Server is read via logs or via rest"):
        collected("http://127.0.0.1:1", via="soap")


def test_a_host_that_does_not_exist_is_an_outage() -> None:
    with pytest.raises(SourceError, match="list the applications: no complete answer"):
        collected("http://history.invalid:18080", retries=0)


def _faults(*planned: Fault) -> deque[Fault]:
    return deque(planned)
