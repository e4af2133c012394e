"""Publishing to SNS: what arrives at a subscriber, the limits, and topics that do not answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.model.errors import PermanentStoreError, TransientStoreError
from metaplat.stores.sns import (
    LEFT_OFF,
    LONGEST_MESSAGE,
    LONGEST_SUBJECT,
    fitting_message,
    fitting_subject,
    publish,
    region_of_topic,
)
from metaplat_tests.standins.sick_s3 import sick_s3
from metaplat_tests.standins.sns_mailbox import open_mailbox

REGION = "eu-west-1"  # not the region of the environment: that of the topic counts
MISSING = f"arn:aws:sns:{REGION}:123456789012:no-such-topic"


@pytest.fixture
def endpoint(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    return moto_endpoint


def test_subject_and_message_arrive_as_they_are(endpoint: str) -> None:
    mailbox = open_mailbox(endpoint, REGION)
    publish(mailbox.topic, "[DATA MONITOR] lake part_* — 2 issue(s)", "first\n\nsecond Δ=1.000000%")
    [message] = mailbox.read()
    assert message["Subject"] == "[DATA MONITOR] lake part_* — 2 issue(s)"
    assert message["Message"] == "first\n\nsecond Δ=1.000000%"


def test_what_is_too_long_or_of_two_lines_arrives_cut(endpoint: str) -> None:
    mailbox = open_mailbox(endpoint, REGION)
    publish(mailbox.topic, "one\ntwo\t" + "x" * 200, "a line of text\n" * 20_000)
    [message] = mailbox.read()
    assert message["Subject"] == "one two " + "x" * 91
    assert len(message["Message"].encode()) <= LONGEST_MESSAGE
    assert message["Message"].endswith(f"a line of text{LEFT_OFF}")


def test_without_a_subject_or_a_text_something_arrives_all_the_same(endpoint: str) -> None:
    mailbox = open_mailbox(endpoint, REGION)
    publish(mailbox.topic, " \n", "")
    [message] = mailbox.read()
    assert message["Message"] == "(no text)"
    assert message.get("Subject") is None


def test_an_ordered_topic_takes_the_same_message_twice(endpoint: str) -> None:
    mailbox = open_mailbox(endpoint, REGION, ".fifo", FifoTopic="true", FifoQueue="true")
    publish(mailbox.topic, "s", "the same")
    publish(mailbox.topic, "s", "the same")
    assert [message["Message"] for message in mailbox.read()] == ["the same", "the same"]


@pytest.mark.usefixtures("endpoint")
def test_a_topic_that_does_not_exist_is_a_permanent_error_that_names_it() -> None:
    with pytest.raises(PermanentStoreError, match=rf"SNS topic {MISSING}: publish a message: NotFound"):
        publish(MISSING, "s", "m")


@pytest.mark.parametrize("topic", ["", "alerts", "arn:aws:s3:::bucket", f"{MISSING}\n", "arn:aws:sns:::x"])
def test_what_is_no_topic_is_refused_before_anything_is_sent(topic: str) -> None:
    with pytest.raises(PermanentStoreError, match="no ARN of a topic"):
        publish(topic, "s", "m")


def test_a_service_that_fails_is_a_transient_error(
    moto_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del moto_endpoint  # its credentials are what is needed
    monkeypatch.setattr("metaplat.stores.aws_client.ATTEMPTS", 1)
    with sick_s3(503) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        with pytest.raises(TransientStoreError, match="HTTP 503"):
            publish(MISSING, "s", "m")


@pytest.mark.parametrize(
    ("topic", "region"),
    [
        (MISSING, REGION),
        ("arn:aws-cn:sns:cn-north-1:123456789012:alerts.fifo", "cn-north-1"),
        ("arn:aws:sns:us-east-1:123:alerts", None),
        ("arn:aws:sqs:us-east-1:123456789012:alerts", None),
    ],
)
def test_the_region_is_that_of_the_topic(topic: str, region: str | None) -> None:
    assert region_of_topic(topic) == region


@given(st.text())
def test_every_subject_fits(text: str) -> None:
    line = fitting_subject(text * 20)
    assert len(line.encode("utf-16-le")) <= 2 * LONGEST_SUBJECT
    assert line.isprintable()
    assert line == line.strip()


@given(st.text(min_size=1), st.integers(1, 60_000))
def test_every_message_fits(text: str, times: int) -> None:
    content = fitting_message(text * times).encode()
    assert 0 < len(content) <= LONGEST_MESSAGE
