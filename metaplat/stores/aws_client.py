"""The clients of Glue, Athena, SNS, EMR and Secrets Manager, and what their failures mean.

Here: time limits and attempts; which failures may pass, and what to do about the others.
Not here: what is asked (``tables.glue``, ``tables.athena``, ``collectors.spark.emr``); DynamoDB and S3 have
clients of their own.
Endpoint, credentials and profile follow the AWS chain: AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_GLUE, and so on.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, overload

from metaplat.model.errors import PermanentStoreError, TransientStoreError, shown_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.exceptions import BotoCoreError, ClientError
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_emr import EMRClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient

    from metaplat.model.errors import StoreError

CONNECT_SECONDS = 2.0
READ_SECONDS = 30.0
ATTEMPTS = 4
"""Refused connections and throttling are tried again, with pauses of up to 1, 2 and 4 s between."""
CONNECTIONS = 16
"""Requests in flight at once."""

THROTTLED = {
    "KMSThrottling",
    "KMSThrottlingException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
PASSING = THROTTLED | {
    "ConcurrentModificationException",
    "ConcurrentRunsExceededException",
    "FederationSourceRetryableException",
    "InternalServiceException",
    "InternalServerException",
    "OperationTimeoutException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ResourceNotReadyException",
    "ServiceUnavailable",
}
"""Codes below 500 after which running again may help."""
DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "KMSAccessDenied",
    "UnauthorizedOperation",
}
CREDENTIALS = {
    "ExpiredToken": "Renew the AWS credentials.",
    "ExpiredTokenException": "Renew the AWS credentials.",
    "IncompleteSignature": "Check the AWS credentials.",
    "InvalidClientTokenId": "Check the AWS credentials.",
    "InvalidSignatureException": "Check the AWS credentials and the clock.",
    "SignatureDoesNotMatch": "Check the AWS credentials and the clock.",
    "UnrecognizedClientException": "Check the AWS credentials.",
}

ENDPOINT_NAMES = {"secretsmanager": "SECRETS_MANAGER"}
"""Services whose variable of an endpoint is not called like their client."""

_clients: dict[tuple[str | None, ...], Any] = {}
_opening = threading.Lock()


@overload
def aws_client(service: Literal["glue"], region: str) -> GlueClient: ...
@overload
def aws_client(service: Literal["athena"], region: str) -> AthenaClient: ...
@overload
def aws_client(service: Literal["sns"], region: str) -> SNSClient: ...
@overload
def aws_client(service: Literal["emr"], region: str) -> EMRClient: ...
@overload
def aws_client(service: Literal["secretsmanager"], region: str) -> SecretsManagerClient: ...
def aws_client(service: str, region: str) -> Any:
    """Return the client of ``service``: one per process, region and address, safe to use in all threads.

    Raises PermanentStoreError where the AWS configuration cannot be used: a missing profile, a wrong address.
    """
    own_endpoint = f"AWS_ENDPOINT_URL_{ENDPOINT_NAMES.get(service, service.upper())}"
    chain = (own_endpoint, "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID")
    identity = (service, region, *map(os.environ.get, chain))
    with _opening:
        if identity not in _clients:
            _clients[identity] = _open(service, region)
        return _clients[identity]


@contextmanager
def aws_failures(system: str, attempted: str, advice: str = "") -> Iterator[None]:
    """Turn failures of boto3 into StoreError.

    Parameters
    ----------
    system : str
        Who was asked, for example ``"Glue database sales"``.
    attempted : str
        What is being done, for example ``"read table part_orders"``.
    advice : str
        What to do where the request is refused for a reason other than permission, credentials or network.

    Raises
    ------
    TransientStoreError
        Throttled, unreachable or failing on their side, also after the client's own attempts.
    PermanentStoreError
        Refused: no permission, no credentials, no such thing, an invalid request.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise _answered(error, system, attempted, advice) from error
    except BotoCoreError as error:
        raise _unanswered(error, system, attempted) from error
    except (ResponseParserError, KeyError) as error:  # KeyError: a required part of the answer is not there
        answer = "what answered does not speak the AWS protocol"
        raise TransientStoreError(system, attempted, answer, "Check AWS_ENDPOINT_URL and proxies.") from error


def aws_error_code(error: ClientError) -> str:
    """Return the code of an answer that is an error, for example ``EntityNotFoundException``."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def _open(service: str, region: str) -> Any:
    from boto3.session import Session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        # not "adaptive": once throttled it lets through one request in 2 s
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    try:
        return Session().client(service, region_name=region, config=config)  # type: ignore[call-overload]
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        advice = "Check the region, AWS_ENDPOINT_URL and the AWS profile."
        answer = type(error).__name__
        raise PermanentStoreError(f"AWS {service}", "open a client", answer, advice) from error


def _answered(error: ClientError, system: str, attempted: str, advice: str) -> StoreError:
    """Judge an answer that is an error."""
    code = aws_error_code(error)
    status: Any = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
    answer = f"{code} (HTTP {status}): {message}" if message else f"{code} (HTTP {status})"
    answer = answer.rstrip(".")
    if code in DENIED:
        needed = f"Give the role in use the permission for {error.operation_name}."
        return PermanentStoreError(system, attempted, answer, needed)
    if code in CREDENTIALS:
        return PermanentStoreError(system, attempted, answer, CREDENTIALS[code])
    if status >= 500 or status == 429 or code in PASSING:
        return TransientStoreError(system, attempted, answer, "Wait a little first.")
    return PermanentStoreError(system, attempted, answer, advice or "Check names and settings.")


def _unanswered(error: BotoCoreError, system: str, attempted: str) -> StoreError:
    """Judge a request without an answer; botocore's text holds whole addresses, so it is not repeated."""
    from botocore.exceptions import ConnectionError as BotoConnectionError
    from botocore.exceptions import HTTPClientError, ParamValidationError, SSLError

    facts = getattr(error, "kwargs", {})
    if isinstance(error, ParamValidationError):
        answer = f"the request is not valid: {' '.join(str(facts.get('report')).split())[:300]}"
        return PermanentStoreError(system, attempted, answer.rstrip("."), "Check names and settings.")
    endpoint = facts.get("endpoint_url")
    where = f" ({shown_address(str(endpoint))})" if endpoint else ""
    answer = f"{type(error).__name__}{where}"
    unreachable = isinstance(error, HTTPClientError | BotoConnectionError)
    if unreachable and not isinstance(error, SSLError):
        advice = "Check the network and AWS_ENDPOINT_URL."
        return TransientStoreError(system, attempted, answer, advice)
    advice = "Check the AWS credentials, the region and AWS_ENDPOINT_URL."
    return PermanentStoreError(system, attempted, answer, advice)
