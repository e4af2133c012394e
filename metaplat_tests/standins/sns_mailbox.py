"""A topic with a queue behind it, on an AWS that moto plays: what was published can be read."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import boto3


@dataclass(frozen=True)
class Mailbox:
    """A topic, and the queue that subscribes to it.

    Parameters
    ----------
    topic : str
        ARN of the topic.
    queue : str
        Address of the queue.
    client : object
        Of SQS.
    """

    topic: str
    queue: str
    client: Any

    def read(self) -> list[dict[str, Any]]:
        """Return what has arrived since the last reading, with ``Subject`` and ``Message``."""
        answer = self.client.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def open_mailbox(endpoint: str, region: str, ending: str = "", **attributes: str) -> Mailbox:
    """Make a topic and a queue of a name that nobody else uses."""
    sns: Any = boto3.client("sns", region_name=region, endpoint_url=endpoint)
    sqs: Any = boto3.client("sqs", region_name=region, endpoint_url=endpoint)
    name = f"alerts-{uuid.uuid4().hex}{ending}"
    topic = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    queue = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return Mailbox(topic, queue, sqs)
