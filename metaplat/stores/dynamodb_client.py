"""The DynamoDB client of a process, and what its failures mean.

Here: time limits and attempts; which failures may pass, and what to do about the others.
Not here: tables (``dynamodb_table``), rows (``dynamodb_hot``).
Endpoint, credentials and profile follow the standard AWS chain (AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_DYNAMODB);
a region or an endpoint in the settings comes first.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import PermanentStoreError, TransientStoreError, shown_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.exceptions import BotoCoreError, ClientError
    from mypy_boto3_dynamodb import DynamoDBClient

    from metaplat.model.errors import StoreError
    from metaplat.settings import HotSettings

CONNECT_SECONDS = 2.0
READ_SECONDS = 10.0
ATTEMPTS = 3
"""An endpoint that cannot be reached is given up after 3 times 2 s and the pauses between: below 10 s."""
CONNECTIONS = 16
"""Requests in flight at once."""

THROTTLED = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "Throttling",
}
PASSING = THROTTLED | {"LimitExceededException", "ResourceInUseException", "TransactionConflictException"}
"""Codes below 500 after which running again may help."""
MISSING = "ResourceNotFoundException"
ADVICE = {
    MISSING: "Create the table, or set hot.create_tables = true.",
    "AccessDeniedException": "Check the DynamoDB permissions of the role in use.",
    "UnrecognizedClientException": "Check the AWS credentials.",
    "InvalidSignatureException": "Check the AWS credentials and the clock.",
    "ExpiredTokenException": "Renew the AWS credentials.",
}

_clients: dict[tuple[str | None, ...], DynamoDBClient] = {}
_opening = threading.Lock()


def dynamodb_client(settings: HotSettings) -> DynamoDBClient:
    """Return the client for ``settings``: one per process and address, safe to use in all threads.

    Raises PermanentStoreError where the AWS configuration cannot be used: a missing profile, a wrong address.
    """
    chain = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID")
    identity = (_region(settings), settings.endpoint_url, *map(os.environ.get, chain))
    with _opening:
        if identity not in _clients:
            _clients[identity] = _open(_region(settings), settings.endpoint_url)
        return _clients[identity]


@contextmanager
def translated(table: str, attempted: str) -> Iterator[None]:
    """Turn failures of boto3 into StoreError.

    Parameters
    ----------
    table : str
        Full table name, for messages.
    attempted : str
        What is being done, for example ``"get a row"``.

    Raises
    ------
    TransientStoreError
        Throttled, unreachable or failing on their side, also after the client's own attempts.
    PermanentStoreError
        Refused: no such table, no permission, no credentials, an invalid request.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _answered(error, _system(table), attempted) from error
    except BotoCoreError as error:
        raise _unanswered(error, _system(table), attempted) from error


def is_throttled(error: ClientError) -> bool:
    """Whether the service asked to come back later."""
    return _code(error) in THROTTLED


def _open(region: str, endpoint_url: str | None) -> DynamoDBClient:
    from boto3.session import Session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        # not "adaptive": once throttled it lets through one request in 2 s, and a batch hangs for minutes
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    try:
        return Session().client("dynamodb", region_name=region, endpoint_url=endpoint_url, config=config)
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        answer = type(error).__name__
        advice = "Check hot.endpoint_url, hot.region and the AWS profile."
        raise PermanentStoreError("DynamoDB", "open a client", answer, advice) from error


def _region(settings: HotSettings) -> str:
    """Region of the settings where they name one, else of the environment, else the default."""
    if "region" in settings.model_fields_set:
        return settings.region
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or settings.region


def _system(table: str) -> str:
    return f"DynamoDB table {table}"


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def _answered(error: ClientError, system: str, attempted: str) -> StoreError:
    """Judge an answer that is an error."""
    code = _code(error)
    status: Any = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
    answer = f"{code} (HTTP {status}): {message}" if message else f"{code} (HTTP {status})"
    if status >= 500 or code in PASSING:
        return TransientStoreError(system, attempted, answer.rstrip("."), "Wait a little first.")
    advice = ADVICE.get(code, "Check the table against hot_table of the domain and the hot settings.")
    return PermanentStoreError(system, attempted, answer.rstrip("."), advice)


def _unanswered(error: BotoCoreError, system: str, attempted: str) -> StoreError:
    """Judge a request without an answer; botocore's text holds whole addresses, so it is not repeated."""
    from botocore.exceptions import ConnectionError as BotoConnectionError
    from botocore.exceptions import HTTPClientError, SSLError

    endpoint = getattr(error, "kwargs", {}).get("endpoint_url")
    where = f" ({shown_address(str(endpoint))})" if endpoint else ""
    answer = f"{type(error).__name__}{where}"
    unreachable = isinstance(error, HTTPClientError | BotoConnectionError)
    if unreachable and not isinstance(error, SSLError):
        advice = "Check the network and hot.endpoint_url."
        return TransientStoreError(system, attempted, answer, advice)
    advice = "Check the AWS credentials, hot.region and hot.endpoint_url."
    return PermanentStoreError(system, attempted, answer, advice)
