"""What is hidden in texts and log records, and what stays."""

from __future__ import annotations

import io
import json
import logging
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.vip.redaction import HIDDEN, redacted, redacting_logs

CANARY = "c4nary-Secret"


@pytest.mark.parametrize(
    "text",
    [
        f"https://x.amazonaws.com/a?X-Amz-Algorithm=A&X-Amz-Signature={CANARY}&X-Amz-Expires=3600",
        f"https://x/a?X-Amz-Credential={CANARY}%2F20220208&x-amz-security-token={CANARY}",
        f"https://x/a?AWSAccessKeyId={CANARY}&Signature={CANARY}%3D&Expires=1",
        f"GET /v1/datalake/presignedUrls/acme?apiToken={CANARY}&jobGuid=1 HTTP/1.1",
        f"grant_type=client_credentials&client_id={CANARY}&client_secret={CANARY}",
        f"next=https%3A%2F%2Fx%3FapiToken%3D{CANARY}",
        f'{{"access_token": "{CANARY}", "expires_in": 3600}}',
        f"{{'Veson_client_secret': '{CANARY}'}}",
        f"{{'X-Amz-Security-Token': b'{CANARY}'}}",
        json.dumps({"SecretString": json.dumps({"anything": CANARY, "AWS_secret_key_id": CANARY})}),
        str(json.dumps({"SecretString": json.dumps({"Veson_client_id": CANARY})}).encode()),
        json.dumps({"body": json.dumps({"inner": json.dumps({"client_secret": f'{CANARY}"\\x'})})}),
        json.dumps({"client_secret": f'"quoted" {CANARY}'}),
        f'cut off: {{"client_secret": "abc {CANARY}',
        f"Authorization: Bearer {CANARY}.x_y-z~=",
        f"Proxy-Authorization: Basic {CANARY}==",
        f"AWS4-HMAC-SHA256 Credential={CANARY}/20220208/us-east-1, SignedHeaders=host, Signature={CANARY}",
        f"http://user:{CANARY}@proxy.example.com:3128/x",
    ],
)
def test_a_secret_is_hidden_in_every_form_it_occurs_in(text: str) -> None:
    hidden = redacted(text)
    assert CANARY not in hidden
    assert HIDDEN in hidden
    assert redacted(hidden) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "a signature is missing", "Basic authentication is not accepted", "the bearer of news",
        "https://x.amazonaws.com/a/b.csv?jobGuid=1&X-Amz-Expires=3600", '{"JobStatus": "Complete"}', "",
        "ops@example.com", "apiToken is not set",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


NAMES = st.sampled_from(["apiToken", "access_token", "client_secret", "X-Amz-Signature", "AWS_secret_key_id"])


@given(NAMES, st.text(min_size=1), st.text())
def test_a_quoted_parameter_is_hidden_whatever_its_value(name: str, value: str, after: str) -> None:
    plain = f"{CANARY}{value}"
    hidden = redacted(f"https://x/a?{name}={quote(plain, safe='')}&z={after}")
    assert CANARY not in hidden
    assert f"{name}={HIDDEN}" in hidden


@given(NAMES, st.text(), st.integers(0, 3))
def test_a_field_of_json_within_json_is_hidden_whatever_its_value(name: str, value: str, depth: int) -> None:
    text = json.dumps({name: f"{value}{CANARY}"})
    for _ in range(depth):
        text = json.dumps({"body": text})
    assert CANARY not in redacted(text)


def test_log_records_are_redacted_whoever_writes_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    own = logging.getLogger("urllib3.connectionpool.test")
    with redacting_logs():
        logging.getLogger("somebody.else").info("GET https://x/?apiToken=%s", CANARY)
        own.debug('"%s %s"', "GET", f"/a?X-Amz-Signature={CANARY}")
        logging.getLogger("a").error(
            "failed", exc_info=ValueError(f"client_secret={CANARY}"), stack_info=True
        )
    assert len(caplog.records) == 3
    assert CANARY not in caplog.text
    assert CANARY not in str([record.__dict__ for record in caplog.records])
    assert "ValueError" in caplog.text


def test_a_handler_that_a_library_logger_gets_later_is_served_too() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logger = logging.getLogger("httpx")
    with redacting_logs():
        logger.addHandler(handler)
        logger.warning("HTTP Request: GET https://x/?apiToken=%s", CANARY)
        logger.removeHandler(handler)
    assert f"apiToken={HIDDEN}" in written.getvalue()


def test_records_without_secrets_keep_their_parts(caplog: pytest.LogCaptureFixture) -> None:
    with redacting_logs():
        logging.getLogger("a").warning("%d files in %s", 5, "folder")
        logging.getLogger("a").error("failed", exc_info=ValueError("plain"))
    assert caplog.records[0].args == (5, "folder")
    assert caplog.records[1].exc_info is not None


def test_arguments_that_do_not_fit_are_left_to_logging() -> None:
    record = logging.LogRecord("a", logging.INFO, "x", 1, "%d %d", (CANARY,), None)
    handler = logging.NullHandler()
    logging.root.addHandler(handler)
    try:
        with redacting_logs():
            assert handler.filter(record)
    finally:
        logging.root.removeHandler(handler)
    assert record.getMessage() == "%d %d"


def test_nothing_is_filtered_after_the_block() -> None:
    before = [list(handler.filters) for handler in logging.root.handlers]
    with redacting_logs(), redacting_logs():
        assert all(handler.filters for handler in logging.root.handlers)
    assert [list(handler.filters) for handler in logging.root.handlers] == before
    assert logging.getLogger("httpx").filters == []
