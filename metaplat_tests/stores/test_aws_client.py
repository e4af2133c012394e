"""The clients of Glue, Athena and SNS, and what their failures mean."""

from __future__ import annotations

import json
import uuid

import pytest

from metaplat.model.errors import PermanentStoreError, TransientStoreError
from metaplat.stores import aws_client as module
from metaplat.stores.aws_client import aws_client, aws_failures
from metaplat_tests.standins.sick_s3 import sick_s3


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials, one attempt only, and clients that no other test sees."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_GLUE", "AWS_ENDPOINT_URL_SNS", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"key-{uuid.uuid4().hex}")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(module, "ATTEMPTS", 1)


def ask_glue() -> None:
    with aws_failures("Glue database sales", "read table part_orders", "Check the name."):
        aws_client("glue", "eu-west-1").get_table(DatabaseName="sales", Name="part_orders")


def test_a_client_is_opened_once_per_region_and_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    first = aws_client("glue", "eu-west-1")
    assert aws_client("glue", "eu-west-1") is first
    assert aws_client("glue", "us-east-1") is not first
    assert first.meta.endpoint_url == "http://127.0.0.1:9"
    monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", "http://127.0.0.1:10")
    assert aws_client("glue", "eu-west-1").meta.endpoint_url == "http://127.0.0.1:10"
    assert aws_client("sns", "eu-west-1").meta.endpoint_url == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (400, "ThrottlingException", TransientStoreError, "Wait a little first"),
        (400, "TooManyRequestsException", TransientStoreError, "Running again may help"),
        (400, "OperationTimeoutException", TransientStoreError, "Running again may help"),
        (500, "InternalServiceException", TransientStoreError, "HTTP 500"),
        (503, "Whatever", TransientStoreError, "HTTP 503"),
        (400, "AccessDeniedException", PermanentStoreError, "permission for GetTable"),
        (400, "ExpiredTokenException", PermanentStoreError, "Renew the AWS credentials"),
        (400, "UnrecognizedClientException", PermanentStoreError, "Check the AWS credentials"),
        (400, "EntityNotFoundException", PermanentStoreError, "Check the name."),
    ],
)
def test_an_error_says_who_what_and_whether_to_try_again(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str, kind: type[Exception], words: str
) -> None:
    body = json.dumps({"__type": code, "message": "the\nreason."}).encode()
    with sick_s3(status, body) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", address)
        with pytest.raises(kind) as caught:
            ask_glue()
    text = str(caught.value)
    start = f"Glue database sales: read table part_orders: {code} (HTTP {status}): the reason. Running again"
    assert text.startswith(start)
    assert words in text
    assert "secret" not in text
    assert "\n" not in text


def test_nobody_listening_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(TransientStoreError, match=r"EndpointConnectionError \(127\.0\.0\.1:9\)"):
        ask_glue()


@pytest.mark.parametrize("body", [b"<html>not AWS</html>", b"", b"[]"])
def test_an_answer_that_is_not_of_aws_is_an_error(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    with sick_s3(200, body) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        with (
            pytest.raises(TransientStoreError, match="does not speak the AWS protocol"),
            aws_failures("SNS", "tell"),
        ):
            aws_client("sns", "eu-west-1").publish(TopicArn="arn:x", Message="m")["MessageId"]


def test_a_missing_profile_or_a_wrong_address_is_permanent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "not an address")
    with pytest.raises(PermanentStoreError, match="open a client"):
        aws_client("glue", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    with pytest.raises(PermanentStoreError, match="ProfileNotFound"):
        aws_client("glue", "eu-west-1")


def test_a_request_that_is_none_is_permanent_and_says_why() -> None:
    with (
        pytest.raises(PermanentStoreError, match=r"the request is not valid: .*Name"),
        aws_failures("Glue", "ask"),
    ):
        aws_client("glue", "eu-west-1").get_table(DatabaseName="sales", Name="")
