"""The calls of the API of the lake, and the token they are made with."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from metaplat.collectors.vip.client import JobPhase, VipClient
from metaplat.collectors.vip.credentials import VipCredentials
from metaplat.collectors.vip.errors import UnknownJobError
from metaplat.model.errors import PermanentSourceError, SettingsError, TransientSourceError
from metaplat.settings import VipSettings
from metaplat_tests.collectors.vip.vip_api import (
    ACCESS_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    EXPORT,
    FILES,
    STATUS,
    TOKEN,
    Reply,
    VipApi,
    token_reply,
)
from metaplat_tests.collectors.vip.vip_asking import NOW, ask

if TYPE_CHECKING:
    from metaplat.collectors.vip.client import JobState

RUNNING = Reply(body={"JobStatus": "Running"})


def states(api: VipApi, count: int, minutes: float = 0, **changes: object) -> list[JobState]:
    """Ask ``count`` times for the status of a job, with ``minutes`` between."""
    now = [NOW]

    async def asking(client: VipClient) -> list[JobState]:
        answers = []
        for _ in range(count):
            answers.append(await client.job_status("job-1"))
            now[0] += timedelta(minutes=minutes)
        return answers

    return ask(api.settings(**changes), asking, lambda: now[0])


def test_the_four_calls_send_what_the_contract_says() -> None:
    entry = {"key": "a/Voyages_0.csv", "presignedDownloadURL": "https://x.amazonaws.com/a?X-Amz-Signature=1"}

    async def all_calls(client: VipClient) -> str:
        accepted = await client.export()
        await client.job_status(accepted.job_guid)
        await client.files(accepted.job_guid)
        return accepted.job_guid

    with VipApi(export=Reply(body={"JobGuid": "g-1"}), status=RUNNING, files=Reply(body=[entry])) as api:
        assert ask(api.settings(), all_calls) == "g-1"
        token, export, status, files = api.asked
    assert (token.method, token.path) == ("POST", TOKEN)
    assert token.form == {
        "grant_type": "client_credentials", "scope": "datalake", "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }  # fmt: skip
    assert (export.method, export.path) == ("POST", EXPORT)
    assert json.loads(export.body) == {"configName": "onDemandExtract1DayTest"}
    assert (status.method, status.path) == ("POST", STATUS)
    assert json.loads(status.body) == {"jobGuid": "g-1"}
    for call in (export, status):
        assert call.headers["Authorization"] == f"Bearer {ACCESS_TOKEN}"
        assert call.headers["Content-Type"] == "application/json"
    assert (files.method, files.path) == ("GET", FILES)
    assert files.query == {
        "apiToken": CLIENT_SECRET, "environmentType": "Test", "jobGuid": "g-1", "fileFilter": "*",
        "hideMetaData": "False", "expirationInMinutes": "60",
    }  # fmt: skip
    assert "Authorization" not in files.headers


def test_every_name_of_the_contract_is_a_setting() -> None:
    changes = {
        "scope": "lake", "access_token_field": "tok", "config_name_field": "cfg", "config_name": "mine",
        "job_guid_field": "id", "status_request_field": "which", "status_field": "state",
        "complete_words": ["fertig"], "api_token": "access_token", "api_token_parameter": "t",
        "environment": "Prod", "environment_parameter": "env", "job_parameter": "job", "url_minutes": 5,
        "expiration_parameter": "ttl", "file_filter": "*.csv", "hide_metadata": "True", "key_field": "k",
    }  # fmt: skip

    async def all_calls(client: VipClient) -> tuple[str, JobPhase, str]:
        guid = (await client.export()).job_guid
        return guid, (await client.job_status(guid)).phase, (await client.files(guid))[0].promised.key

    with VipApi(
        token=Reply(body={"tok": "other"}), export=Reply(body={"id": "7"}),
        status=Reply(body={"state": "FERTIG"}), files=Reply(body=[{"k": "x"}]),
    ) as api:  # fmt: skip
        assert ask(api.settings(**changes), all_calls) == ("7", JobPhase.COMPLETE, "x")
        token, export, status, files = api.asked
    assert token.form["scope"] == "lake"
    assert json.loads(export.body) == {"cfg": "mine"}
    assert json.loads(status.body) == {"which": "7"}
    assert files.query == {
        "t": "other", "env": "Prod", "job": "7", "fileFilter": "*.csv", "hideMetaData": "True", "ttl": "5",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("base", "path"), [("/", "connect/token"), ("", "/connect/token"), ("//", "//connect/token")]
)
def test_base_and_path_are_joined_by_one_slash(base: str, path: str) -> None:
    with VipApi(status=RUNNING) as api:
        states(api, 1, auth_url=f"{api.url}{base}", token_path=path)
        assert len(api.calls(TOKEN)) == 1


def test_a_base_address_may_have_a_path_and_a_company_any_name() -> None:
    with VipApi() as api, pytest.raises(PermanentSourceError):
        ask(api.settings(files_url=f"{api.url}/gate", company="A/B & C"), lambda client: client.files("j"))
    assert api.asked[-1].path == "/gate/v1/datalake/presignedUrls/A%2FB%20&%20C"


@pytest.mark.parametrize(
    ("word", "phase"),
    [
        ("Complete", JobPhase.COMPLETE), ("COMPLETED", JobPhase.COMPLETE), (" completed ", JobPhase.COMPLETE),
        ("Failed", JobPhase.FAILED), ("timed out", JobPhase.FAILED), ("Cancelled", JobPhase.FAILED),
        ("Queued", JobPhase.RUNNING), ("Replicating", JobPhase.RUNNING), ("Incomplete", JobPhase.RUNNING),
    ],
)  # fmt: skip
def test_a_status_word_says_whether_the_job_has_ended(word: str, phase: JobPhase) -> None:
    with VipApi(status=Reply(body={"JobStatus": word})) as api:
        state = states(api, 1)[0]
    assert (state.word, state.phase) == (word.strip(), phase)


def test_a_field_is_found_whatever_its_case() -> None:
    with VipApi(status=Reply(body={"jobStatus": "Complete"})) as api:
        assert states(api, 1)[0].phase is JobPhase.COMPLETE


def test_a_job_that_the_vendor_does_not_know_is_told_apart() -> None:
    with (
        VipApi(status=Reply(404, {"Message": "no such job"})) as api,
        pytest.raises(UnknownJobError) as caught,
    ):
        states(api, 1)
    assert "HTTP 404: no such job" in str(caught.value)
    assert len(api.calls(STATUS)) == 1


def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    with VipApi(status=RUNNING) as api:
        states(api, 3, minutes=29)
        assert len(api.calls(TOKEN)) == 1
    with VipApi(status=RUNNING) as api:
        states(api, 3, minutes=59.6)  # 24 s before its end
        assert len(api.calls(TOKEN)) == 3


@pytest.mark.parametrize("told", [{}, {"expires_in": None}, {"expires_in": "soon"}, {"expires_in": -1}])
def test_a_token_without_an_end_is_kept_until_it_is_refused(told: dict[str, object]) -> None:
    token = Reply(body={"access_token": "a", **told})
    with VipApi(token=token, status=[RUNNING, RUNNING, Reply(401), RUNNING]) as api:
        assert len(states(api, 3, minutes=600)) == 3
        assert len(api.calls(TOKEN)) == 2


def test_a_token_that_is_shorter_than_the_margin_is_used_all_the_same() -> None:
    with VipApi(token=token_reply(expires_in="5"), status=RUNNING) as api:
        assert len(states(api, 2)) == 2
        assert len(api.calls(TOKEN)) == 2


def test_a_refused_token_is_renewed_and_the_call_made_once_more() -> None:
    with VipApi(token=[token_reply("old"), token_reply("new")], status=[Reply(401), RUNNING]) as api:
        assert states(api, 2)[0].word == "Running"
        used = [call.headers["Authorization"] for call in api.calls(STATUS)]
    assert used == ["Bearer old", "Bearer new", "Bearer new"]


def test_a_token_that_is_refused_twice_ends_the_call() -> None:
    with (
        VipApi(status=Reply(401)) as api,
        pytest.raises(PermanentSourceError, match="A new token was refused"),
    ):
        states(api, 1)
    assert len(api.calls(STATUS)) == 2


def test_wrong_credentials_say_where_they_come_from() -> None:
    refused = Reply(400, {"error": "invalid_client"})
    with VipApi(token=refused) as api, pytest.raises(PermanentSourceError) as caught:
        states(api, 1)
    assert "HTTP 400: invalid_client" in str(caught.value)
    assert "METAPLAT_VIP__CLIENT_ID and METAPLAT_VIP__CLIENT_SECRET" in str(caught.value)
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    "body", [{}, {"access_token": 5}, {"access_token": "two words"}, [], None, "text", b"<html>"]
)
def test_an_answer_without_a_token_is_none(body: object) -> None:
    with VipApi(token=Reply(body=body)) as api, pytest.raises(TransientSourceError, match=r"vip\.token_path"):
        states(api, 1)
    assert len(api.calls(TOKEN)) == 3


def test_missing_credentials_name_the_variables_before_anything_is_asked() -> None:
    with VipApi() as api, pytest.raises(SettingsError) as caught:
        states(api, 1, client_id=None, client_secret=SecretStr(""))
    assert api.asked == []
    for name in ("METAPLAT_VIP__CLIENT_ID", "METAPLAT_VIP__CLIENT_SECRET", "METAPLAT_VIP__SECRET_ID"):
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"auth_url": "http://auth.example.com"}, "vip.auth_url"),
        ({"api_url": "http://api.example.com", "allow_insecure": True}, "vip.api_url"),
        ({"api_url": "http://127.0.0.1:8080"}, "vip.api_url"),
        ({"api_url": "ftp://api.example.com"}, "vip.api_url"),
        ({"api_url": "api.example.com"}, "vip.api_url"),
        ({"api_url": "https://user:pw@api.example.com"}, "vip.api_url"),
        ({"files_url": "https://api.example.com?apiToken=x"}, "vip.files_url"),
        ({"files_url": "https://[::1"}, "vip.files_url"),
        ({"export_path": "/export?x=1"}, "vip.api_url"),
        ({"company": " "}, "vip.company"),
    ],
)
def test_a_wrong_address_is_named_by_its_key(changes: dict[str, object], key: str) -> None:
    settings = VipSettings(**{"company": "acme", **changes})
    with pytest.raises(SettingsError) as caught:
        VipClient(settings, VipCredentials(settings), lambda: datetime.now(UTC))
    assert caught.value.key == key
    assert "pw" not in str(caught.value)
