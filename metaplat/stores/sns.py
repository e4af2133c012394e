"""Publish to an SNS topic.

Here: what SNS accepts, and the region a topic is in. Not here: what is said (``reports``), the client and its
failures (``aws_client``).
Limits: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from metaplat.model.errors import PermanentStoreError
from metaplat.stores.aws_client import aws_client, aws_failures

if TYPE_CHECKING:
    from mypy_boto3_sns.type_defs import PublishInputTypeDef

TOPIC = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]+):\d{12}:[\w-]{1,256}(\.fifo)?", re.ASCII)
LONGEST_SUBJECT = 99
"""Fewer than 100 characters; counted in UTF-16 units, to be safe."""
LONGEST_MESSAGE = 256 * 1024
"""Bytes of UTF-8."""
LEFT_OFF = "\n... the rest was left off"
ADVICE = "Check that the topic exists in this account and region, and that it may be published to."


def region_of_topic(topic_arn: str) -> str | None:
    """Return the region of a topic; None where the text is no ARN of a topic."""
    found = TOPIC.fullmatch(topic_arn)
    return found[1] if found else None


def publish(topic_arn: str, subject: str, message: str) -> None:
    """Publish one message, cut to what SNS accepts.

    Parameters
    ----------
    topic_arn : str
        Of a standard or FIFO topic; it says the region.
    subject : str
        One line: what is no printable character becomes a blank, what is beyond 99 characters is cut.
    message : str
        Beyond 256 KiB it is cut at the end of a line.

    Raises
    ------
    TransientStoreError
        Throttled, unreachable or failing on their side, also after further attempts.
    PermanentStoreError
        No ARN of a topic, no such topic, no permission, no credentials.
    """
    region = region_of_topic(topic_arn)
    if region is None:
        answer = "that is no ARN of a topic, such as arn:aws:sns:us-east-1:123456789012:alerts"
        raise PermanentStoreError("SNS", "publish to a topic", answer, "Correct the ARN.")
    request: PublishInputTypeDef = {"TopicArn": topic_arn, "Message": fitting_message(message)}
    if line := fitting_subject(subject):
        request["Subject"] = line
    if topic_arn.endswith(".fifo"):
        request |= {"MessageGroupId": "metaplat", "MessageDeduplicationId": uuid.uuid4().hex}
    with aws_failures(f"SNS topic {topic_arn}", "publish a message", ADVICE):
        aws_client("sns", region).publish(**request)


def fitting_subject(subject: str) -> str:
    """Return ``subject`` as one line that SNS accepts; empty where nothing printable is in it."""
    printable = "".join(sign if sign.isprintable() else " " for sign in subject).strip()
    units = printable.encode("utf-16-le", "replace")[: 2 * LONGEST_SUBJECT]
    return units.decode("utf-16-le", "ignore").rstrip()  # a pair cut in the middle goes as a whole


def fitting_message(message: str) -> str:
    """Return ``message`` as SNS accepts it: cut at a line, never empty, without what XML cannot hold."""
    text = "".join(sign if sign.isprintable() or sign in "\n\t" else " " for sign in message)
    content = text.encode("utf-8", "replace")
    if len(content) <= LONGEST_MESSAGE:
        return content.decode() if text.strip() else "(no text)"
    kept = content[: LONGEST_MESSAGE - len(LEFT_OFF)]
    end = kept.rfind(b"\n")
    return kept[: end if end > 0 else None].decode("utf-8", "ignore") + LEFT_OFF
