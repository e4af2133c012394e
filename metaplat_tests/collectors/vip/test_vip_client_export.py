"""Asking for an export: the one call that must not be made twice."""

from __future__ import annotations

import pickle
import socket
from datetime import UTC, datetime

import pytest

from metaplat.collectors.vip.errors import TooEarlyError
from metaplat.model.errors import PermanentSourceError, TransientSourceError
from metaplat_tests.collectors.vip.vip_api import EXPORT, TOKEN, Reply, VipApi
from metaplat_tests.collectors.vip.vip_asking import NOW, ask

NINE = datetime(2022, 2, 8, 9, tzinfo=UTC)
ACCEPTED = Reply(body={"JobGuid": "g-1"})


def refusal(api: VipApi, **changes: object) -> Exception:
    """Return what an export ends with."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  # each test says which
        ask(api.settings(**changes), lambda client: client.export())
    return caught.value


def test_an_accepted_export_tells_its_job_and_the_vendors_clock() -> None:
    with VipApi(export=ACCEPTED) as api:
        accepted = ask(api.settings(), lambda client: client.export())
    assert accepted.job_guid == "g-1"
    assert accepted.server_time is not None
    assert abs((datetime.now(UTC) - accepted.server_time).total_seconds()) < 600


@pytest.mark.parametrize(
    ("reply", "slot"),
    [
        (Reply(429, {"Message": "Next job can be triggered at 2022-02-08T09:00:00Z"}), NINE),
        (Reply(400, {"Message": "Next job can be triggered at 2022-02-08T09:00:00Z"}), NINE),
        (Reply(403, {"Message": "next export: 2/8/2022 9:00:00 AM"}), NINE),
        (Reply(400, {"message": "wait until 2022-02-08 10:00 +01:00"}), NINE),
        (Reply(429, None, {"Retry-After": "1800"}), NINE),
        (Reply(429, b"Try again in 30 minutes."), NINE),
        (Reply(429, b"", {"Retry-After": "Tue, 08 Feb 2022 09:00:00 GMT"}), NINE),
        (Reply(429, {"Message": "slow down"}, {"Retry-After": "0"}), None),
        (Reply(429, b"<html>Too Many Requests 2022-02-08T09:00:00Z</html>"), None),
        (Reply(403, {"Message": "The export was already triggered in this hour"}), None),
        (Reply(200, {"Message": "Next job can be triggered at 2022-02-08T09:00:00Z"}), NINE),
    ],
)
def test_too_early_is_told_with_the_next_slot(reply: Reply, slot: datetime | None) -> None:
    with VipApi(export=reply) as api:
        error = refusal(api)
        assert len(api.calls(EXPORT)) == 1
    assert isinstance(error, TooEarlyError)
    assert error.next_slot == slot
    assert ("2022-02-08 09:00:00 UTC" in error.advice) is (slot is not None)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.next_slot) == (str(error), slot)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(400, {"Message": "Unknown configName"}), "vip.config_name"),
        (Reply(403, {"Message": "This client has no access"}), "what this client may do"),
        (Reply(403), "what this client may do"),
        (Reply(404, b"<html>"), "vip.export_path"),
        (
            Reply(302, None, {"Location": "https://login.example.com/?apiToken=x"}),
            "Redirects are not followed",
        ),
        (Reply(418), "section [vip]"),
    ],
)
def test_a_refusal_for_good_says_what_to_do(reply: Reply, words: str) -> None:
    with VipApi(export=reply) as api:
        error = refusal(api)
        assert len(api.calls(EXPORT)) == 1
    assert isinstance(error, PermanentSourceError)
    assert words in str(error)
    assert "start the export of onDemandExtract1DayTest (POST /api/datalake/v1/export)" in str(error)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, {"Message": "oops"}),
        Reply(502, b"<html>bad gateway</html>"),
        Reply(503, None, {"Retry-After": "1"}),
        Reply(504),
        Reply(408),
        Reply(body=ACCEPTED.body, fault="cut"),
        Reply(fault="dropped"),
        Reply(fault="garbage"),
        Reply(fault="silent"),
        Reply(body=b"<html>welcome</html>"),
        Reply(body={"Id": "g-1"}),
        Reply(body={"JobGuid": ""}),
        Reply(body={"JobGuid": "x" * 500}),
        Reply(body={"JobGuid": "g", "more": "x" * 2048}),
        Reply(body=b"[" * 200),
        Reply(204, b""),
    ],
    ids=lambda reply: f"{reply.status}-{reply.fault or str(reply.body)[:20]}",
)
def test_an_export_whose_answer_is_lost_is_not_asked_for_again(reply: Reply) -> None:
    with VipApi(export=[reply, ACCEPTED]) as api:
        error = refusal(api, read_seconds=0.5 if reply.fault == "silent" else 30, max_answer_kb=1)
        assert len(api.calls(EXPORT)) == 1
    assert type(error) is TransientSourceError
    assert "whether the job was accepted is not known" in error.answer
    assert error.__context__ is None


def test_an_export_that_cannot_have_arrived_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with VipApi(export=ACCEPTED) as api:
        error = refusal(api, api_url=f"http://127.0.0.1:{port}")
        assert api.calls(EXPORT) == []
    assert type(error) is TransientSourceError
    assert "it refuses connections, after 3 attempts" in str(error)
    assert "not known" not in str(error)


def test_an_export_with_an_old_token_is_asked_for_once_more() -> None:
    with VipApi(export=[Reply(401), ACCEPTED]) as api:
        assert ask(api.settings(), lambda client: client.export()).job_guid == "g-1"
        assert (len(api.calls(TOKEN)), len(api.calls(EXPORT))) == (2, 2)


def test_an_export_without_a_token_is_not_said_to_have_arrived() -> None:
    with VipApi(token=Reply(503), export=ACCEPTED) as api:
        error = refusal(api)
        assert (len(api.calls(TOKEN)), len(api.calls(EXPORT))) == (3, 0)
    assert type(error) is TransientSourceError
    assert "ask for a token" in str(error)
    assert "not known" not in str(error)


def test_the_next_slot_is_judged_by_the_clock_of_the_caller() -> None:
    reply = Reply(429, {"Message": "Next job can be triggered at 2022-02-08T09:00:00Z"})
    with VipApi(export=reply) as api, pytest.raises(TooEarlyError) as caught:
        ask(api.settings(), lambda client: client.export(), lambda: NOW.replace(hour=12))
    assert caught.value.next_slot is None
