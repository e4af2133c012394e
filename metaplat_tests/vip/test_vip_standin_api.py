"""The stand-in vendor: its tokens, and one export an hour."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

from metaplat_tests.standins.vip import CANARY, Scenario, VipServer, VirtualClock
from metaplat_tests.standins.vip.raw_client import RawClient
from metaplat_tests.standins.vip.server import EXPORT_PATH, TOKEN_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

NOW = datetime(2022, 2, 8, 8, 10, tzinfo=UTC)
TEST, PROD = "onDemandExtract1DayTest", "onDemandExtract1DayProd"


def served(*faults: str) -> AbstractContextManager[VipServer]:
    """Return a server whose clock stands at ten past eight."""
    return VipServer(Scenario(faults=faults, files=2, tables=2), lambda: NOW)


@pytest.fixture
def client() -> Iterator[RawClient]:
    with served() as server:
        yield RawClient(server)


def test_a_token_is_given_for_the_right_credentials(client: RawClient) -> None:
    answer = client.token()
    assert (answer.status, answer.json["expires_in"], answer.json["token_type"]) == (200, 3600, "Bearer")
    assert CANARY in answer.json["access_token"]


def test_a_wrong_secret_is_an_invalid_client(client: RawClient) -> None:
    client.server.vendor.client_secret = "rotated"
    answer = client.token()
    assert (answer.status, answer.json) == (400, {"error": "invalid_client"})


def test_invalid_client_refuses_right_credentials() -> None:
    with served("invalid_client") as server:
        assert RawClient(server).token().json == {"error": "invalid_client"}


@pytest.mark.parametrize(
    ("fault", "statuses"), [("token_500", [500, 500, 200]), ("token_500_always", [500] * 3)]
)
def test_the_token_service_may_be_down(fault: str, statuses: list[int]) -> None:
    with served(fault) as server:
        assert [RawClient(server).token().status for _ in range(3)] == statuses


def test_token_short_ends_after_five_seconds() -> None:
    with served("token_short") as server:
        client = RawClient(server)
        assert client.token().json["expires_in"] == 5
        headers = client.bearer()
        server.advance(4)
        assert client.export(TEST, headers).status == 200
        server.advance(2)
        assert client.export(PROD, headers).status == 401


def test_token_oversized_is_two_megabytes() -> None:
    with served("token_oversized") as server:
        assert len(RawClient(server).token().body) > 2 << 20


def test_token_html_is_a_page() -> None:
    with served("token_html") as server:
        answer = RawClient(server).token()
        assert (answer.status, answer.headers["content-type"]) == (200, "text/html")


def test_a_token_ends_after_an_hour(client: RawClient) -> None:
    headers = client.bearer()
    client.server.advance(minutes=61)
    assert client.export(TEST, headers).status == 401


def test_an_export_is_accepted_without_a_content_type(client: RawClient) -> None:
    answer = client.export()
    assert (answer.status, list(answer.json)) == (200, ["JobGuid"])
    assert client.server.jobs == [answer.json["JobGuid"]]


def test_an_export_without_a_token_is_refused(client: RawClient) -> None:
    assert client.export(TEST, {"Authorization": "Bearer nonsense"}).status == 401
    assert client.server.accepted_exports == 0


def test_a_second_export_of_one_configuration_is_too_early(client: RawClient) -> None:
    client.export(TEST)
    client.server.advance(minutes=10)
    refused = client.export(TEST)
    assert (refused.status, "retry-after" in refused.headers) == (429, False)
    assert refused.json == {"Message": "Next job can be triggered at 2022-02-08T09:10:00Z"}
    assert client.export(PROD).status == 200


def test_polling_a_job_to_its_end_does_not_bring_the_next_slot_nearer(client: RawClient) -> None:
    job_guid = client.export(TEST).json["JobGuid"]
    assert [client.status(job_guid).json["JobStatus"] for _ in range(3)] == ["Queued", "Running", "Complete"]
    assert client.export(TEST).json["Message"].endswith("09:10:00Z")


def test_sixty_minutes_later_an_export_is_accepted_again(client: RawClient) -> None:
    client.export(TEST)
    client.server.advance(minutes=60)
    assert client.export(TEST).status == 200
    assert (client.server.export_calls, client.server.accepted_exports) == (2, 2)


def test_slot_clock_hour_allows_one_export_a_clock_hour() -> None:
    with served("slot_clock_hour") as server:
        client = RawClient(server)
        client.export()
        assert client.export().json["Message"].endswith("2022-02-08T09:00:00Z")
        server.advance(minutes=50)
        assert client.export().status == 200


@pytest.mark.parametrize(
    ("fault", "status", "message", "retry_after"),
    [
        ("too_early_429", 429, "Next job can be triggered at 2022-02-08T08:50:00Z", None),
        ("too_early_400", 400, "Next job can be triggered at 2022-02-08T08:50:00Z", None),
        ("too_early_403", 403, "Next job can be triggered at 2022-02-08T08:50:00Z", None),
        ("too_early_us_date", 429, "Next job can be triggered at 2/8/2022 8:50:00 AM", None),
        ("too_early_naive", 429, "Next job can be triggered at 2022-02-08T08:50:00", None),
        ("too_early_other_zone", 429, "Next job can be triggered at 2022-02-08T10:50:00+02:00", None),
        ("too_early_far", 429, "Next job can be triggered at 2022-02-11T08:50:00Z", None),
        ("too_early_no_date", 429, "An export job was already run within the last hour.", None),
        ("too_early_retry_after", 429, "Too many requests.", "2400"),
        ("retry_after_zero", 429, "Too many requests.", "0"),
    ],
)
def test_the_slot_may_be_taken_and_said_so_in_many_ways(
    fault: str, status: int, message: str, retry_after: str | None
) -> None:
    with served(fault) as server:
        client = RawClient(server)
        answer = client.export()
        assert (answer.status, answer.json["Message"]) == (status, message)
        assert answer.headers.get("retry-after") == retry_after
        server.advance(minutes=40)
        assert client.export().status == 200


def test_an_unknown_configuration_is_refused(client: RawClient) -> None:
    assert client.export("anything").status == 400


def test_unknown_config_knows_no_configuration() -> None:
    with served("unknown_config") as server:
        assert (RawClient(server).export().status, server.accepted_exports) == (400, 0)


def test_a_request_that_is_no_json_is_refused(client: RawClient) -> None:
    assert client.ask("POST", EXPORT_PATH, b"configName=x", client.bearer()).status == 400


def test_export_401_wants_a_new_token_once() -> None:
    with served("export_401") as server:
        client = RawClient(server)
        headers = client.bearer()
        assert client.export(TEST, headers).status == 401
        assert client.export(TEST, headers).status == 401
        assert client.export(TEST).status == 200


def test_export_503_accepts_nothing_twice() -> None:
    with served("export_503") as server:
        client = RawClient(server)
        first = client.export()
        assert (first.status, first.headers["retry-after"], server.accepted_exports) == (503, "0", 0)
        assert [client.export().status for _ in range(2)] == [503, 200]


@pytest.mark.parametrize(
    ("fault", "status"), [("export_lost_answer", 0), ("export_502", 502), ("export_html", 200)]
)
def test_an_export_may_be_accepted_without_a_usable_answer(fault: str, status: int) -> None:
    with served(fault) as server:
        client = RawClient(server)
        answer = client.export()
        assert (answer.status, b"JobGuid" in answer.body) == (status, False)
        assert server.accepted_exports == 1
        assert client.export().status == 429


def test_export_stall_accepts_and_never_answers() -> None:
    with served("export_stall") as server:
        client = RawClient(server)
        body = json.dumps({"configName": TEST}).encode()
        assert client.silent_after("POST", EXPORT_PATH, body, client.bearer(), None) == b""
        assert client.export().status == 429  # so it was accepted


def test_clock_skew_is_ten_minutes_everywhere() -> None:
    with served("clock_skew", "too_early_429") as server:
        answer = RawClient(server).export()
        assert parsedate_to_datetime(answer.headers["date"]) == NOW + timedelta(minutes=10)
        assert answer.json["Message"].endswith("09:00:00Z")


def test_api_dropped_ends_every_call_without_an_answer() -> None:
    with served("api_dropped") as server:
        client = RawClient(server)
        assert client.ask("POST", TOKEN_PATH, b"").status == 0
        assert client.ask("POST", EXPORT_PATH, b"").status == 0
        assert client.files("any").status == 0


def test_a_clock_can_start_anywhere_and_be_moved() -> None:
    clock = VirtualClock.starting(NOW)
    with VipServer(Scenario(), clock) as server:
        assert NOW <= server.clock.now() < NOW + timedelta(minutes=5)
        server.advance(minutes=60)
        assert server.clock.now() >= NOW + timedelta(minutes=60)


def test_faults_can_change_while_it_runs(client: RawClient) -> None:
    client.server.set_faults("invalid_client")
    assert client.token().status == 400
    client.server.set_faults()
    assert client.token().status == 200


def test_a_fault_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"no fault is called tokn_500; there are invalid_client, token_500"):
        VipServer(Scenario(faults=["tokn_500"]))
