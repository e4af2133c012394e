"""No secret leaves the client, whatever goes wrong: not in errors, not in logs, not in what is printed."""

from __future__ import annotations

import logging
import pickle
import traceback
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from pydantic import SecretStr

from metaplat.collectors.vip.client import VipClient
from metaplat.collectors.vip.credentials import VipCredentials
from metaplat.model.errors import MetaplatError
from metaplat_tests.collectors.vip.vip_api import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, Reply, VipApi
from metaplat_tests.collectors.vip.vip_asking import NOW, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

SIGNATURE = "canary-signature"
PROXY_PASSWORD = "canary-proxy-password"
FORBIDDEN = (
    ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, quote(CLIENT_SECRET), quote(CLIENT_SECRET, safe=""),
    quote_plus(CLIENT_SECRET), CLIENT_SECRET[:12], SIGNATURE, PROXY_PASSWORD, "canary",
)  # fmt: skip
ECHO = (
    f"refused: client {CLIENT_ID} with {CLIENT_SECRET}, GET /x?apiToken={quote(CLIENT_SECRET, safe='')}&a=1, "
    f"Authorization: Bearer {ACCESS_TOKEN}, {quote(CLIENT_SECRET)}, https://x/a?X-Amz-Signature={SIGNATURE}"
)
ENTRY = {"key": "a/T.csv", "presignedDownloadURL": f"https://x/a?X-Amz-Signature={SIGNATURE}", "size": 5}
SICK = [
    *(Reply(status, {"Message": ECHO}) for status in (301, 400, 401, 403, 404, 405, 408, 409, 429, 500, 503)),
    Reply(400, {"error": "invalid_client", "error_description": ECHO}),
    Reply(302, b"", {"Location": f"https://x/?apiToken={quote(CLIENT_SECRET)}"}),
    Reply(500, ECHO.encode()),
    Reply(429, {"Message": ECHO}, {"Retry-After": ECHO.replace("\n", "")}),
    Reply(body=ECHO.encode()),
    Reply(body={"x": ECHO}),
    Reply(body={"Message": ECHO}),
    Reply(body=[ENTRY, {"presignedDownloadURL": ENTRY["presignedDownloadURL"]}]),
    Reply(body=b"[" + b'{"key": "%s"' % ECHO.encode()),
    Reply(body={"access_token": f"{ACCESS_TOKEN}\r\nx: y", "JobGuid": [ECHO], "JobStatus": {"a": ECHO}}),
    Reply(body={"x": ECHO * 100}),
    Reply(body={"JobStatus": f"Running for {ACCESS_TOKEN}", "access_token": "t"}),
    Reply(body={"x": ECHO}, fault="cut"),
    Reply(fault="dropped"),
    Reply(fault="garbage"),
    Reply(fault="silent"),
]
CALLS: dict[str, Callable[[VipClient], Coroutine[object, object, object]]] = {
    "export": lambda client: client.export(),
    "status": lambda client: client.job_status("job-1"),
    "files": lambda client: client.files("job-1"),
}


def leaked(text: str) -> list[str]:
    """Return the secrets in a text."""
    return [secret for secret in FORBIDDEN if secret in text]


def family(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error with all that hang on it, hidden ones too."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("at", ["same call", "token"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("number", range(len(SICK)))
def test_no_failure_tells_a_secret(call: str, number: int, at: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sick = SICK[number]
    where = {"token": sick} if at == "token" else {call: sick}
    with VipApi(**where) as api:
        settings = api.settings(
            retries=1,
            read_seconds=0.2 if sick.fault == "silent" else 30,
            max_answer_kb=4,
            api_token="access_token",
        )
        shown = ""
        try:
            shown = repr(ask(settings, CALLS[call]))
        except MetaplatError as error:
            for each in family(error):
                shown += f"{each} {each!r} {each.__dict__} {getattr(each, '__notes__', '')}"
            shown += "".join(traceback.format_exception(error)) + str(pickle.loads(pickle.dumps(error)))
    assert shown
    assert leaked(shown + caplog.text) == []
    assert "apiToken=" not in (shown + caplog.text).replace("apiToken=[hidden]", "")


@pytest.mark.parametrize("field", ["auth_url", "api_url", "files_url", "proxy"])
def test_no_lost_connection_tells_a_secret(field: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    address = "http://127.0.0.1:1"
    changed = SecretStr(f"http://user:{PROXY_PASSWORD}@127.0.0.1:1") if field == "proxy" else address
    with VipApi() as api, pytest.raises(MetaplatError) as caught:
        ask(api.settings(**{field: changed}), CALLS["files" if field == "files_url" else "export"])
    shown = "".join(map(repr, family(caught.value))) + "".join(traceback.format_exception(caught.value))
    assert leaked(shown + caplog.text) == []


def test_nothing_that_is_printed_tells_a_secret() -> None:
    with VipApi(files=Reply(body=[ENTRY])) as api:
        settings = api.settings(proxy=None)
        credentials = VipCredentials(settings)
        pair = credentials.client()
        client = VipClient(settings, credentials, lambda: NOW)
        files = ask(settings, CALLS["files"])
    assert pair.client_secret.get_secret_value() == CLIENT_SECRET
    for each in (settings, credentials, pair, client, files):
        assert leaked(f"{each} {each!r}") == []
    assert repr(credentials) == "VipCredentials(from METAPLAT_VIP__CLIENT_ID and METAPLAT_VIP__CLIENT_SECRET)"
