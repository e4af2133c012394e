"""What a failure of S3 means: gone, refused for good, or worth another try.

Here: the one table from status and error code to our errors.
Not here: requests (``s3_objects``).
obstore tells failures as text only. That text holds addresses with queries, so nothing of it is repeated
but the status, the error code and the kind of a network failure.
Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import re

from metaplat.model.errors import PermanentStoreError, StoreError, TransientStoreError

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_NETWORK = re.compile(r"kind: (Connect|Timeout|Interrupted|Decode|Request)\b")

_WORDS = {
    "Connect": "no connection",
    "Timeout": "no answer in time",
    "Interrupted": "the answer broke off",
    "Decode": "the answer broke off",
    "Request": "no connection",
}
_PASSING_CODES = frozenset(
    {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "OperationAborted"}
)
_PASSING_STATUS = frozenset({408, 409, 425, 429})
_ADVICE = {
    "NoSuchBucket": "Create the bucket, or correct the address.",
    "AccessDenied": "Grant this identity ListBucket, GetObject, PutObject and DeleteObject.",
    "ExpiredToken": "Renew the credentials (aws sso login).",
    "InvalidAccessKeyId": "Check the AWS credentials.",
    "SignatureDoesNotMatch": "Check the AWS credentials.",
    "RequestTimeTooSkewed": "Set the clock of this machine.",
    "PermanentRedirect": "Set region in section [s3].",
    "AuthorizationHeaderMalformed": "Set region in section [s3].",
}


def obstore_failures() -> tuple[type[Exception], ...]:
    """Return everything that a request of obstore raises."""
    from obstore.exceptions import BaseError

    return (BaseError, OSError)


def is_missing_object(error: Exception) -> bool:
    """Whether S3 itself said that there is no such object; a bare 404 may come from anybody."""
    return isinstance(error, FileNotFoundError) and "<Code>NoSuchKey</Code>" in str(error)


def s3_error(system: str, attempted: str, error: Exception) -> StoreError:
    """Return the error that says what failed, and whether to run again.

    Parameters
    ----------
    system : str
        Address and endpoint of the store, without a query.
    attempted : str
        What was done, as a verb.
    error : Exception
        As obstore raised it.
    """
    text = str(error)
    status, code, network = _STATUS.search(text), _CODE.search(text), _NETWORK.search(text)
    if "169.254.169.254" in text or type(error).__name__ == "UnauthenticatedError":
        advice = "Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        return PermanentStoreError(system, attempted, "no valid AWS credentials", advice)
    if "redirect" in text and not status:
        return PermanentStoreError(system, attempted, "redirected", _ADVICE["PermanentRedirect"])
    if status or code:  # S3 ends an upload with HTTP 200 before it knows how that ends
        return error_of_status(system, attempted, int(status[1]) if status else 200, code[1] if code else "")
    words = _WORDS[network[1]] if network else "not an answer of S3"
    advice = "Check that the endpoint is up and reachable, and endpoint_url in section [s3]."
    return TransientStoreError(system, attempted, words, advice)


def error_of_status(system: str, attempted: str, status: int, code: str) -> StoreError:
    """Return the error of an HTTP status and an S3 error code (empty where there is none)."""
    passing = code in _PASSING_CODES or status in _PASSING_STATUS or (status >= 500 and status != 501)
    if passing:
        advice = "Wait a little; lower parallel_requests in section [s3] if it stays."
        return TransientStoreError(system, attempted, f"HTTP {status} {code}".rstrip(), advice)
    fallback = "AccessDenied" if status in {401, 403} else ""
    advice = _ADVICE.get(code) or _ADVICE.get(fallback, "Check root and section [s3] of the settings.")
    return PermanentStoreError(system, attempted, f"HTTP {status} {code}".rstrip(), advice)
