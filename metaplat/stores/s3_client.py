"""Open an obstore client for a bucket: address, endpoint, credentials, time limits.

Here: what the settings and the standard AWS chain mean for obstore.
Not here: reading and writing (``s3_objects``), the meaning of failures (``s3_errors``).
Settings come first, then the variables that every AWS client reads. Credentials in variables, of a web
identity or of a container are found by obstore itself; profiles, SSO and instances by boto3.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from metaplat.model.errors import PermanentStoreError, SettingsError, shown_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from obstore.auth.boto3 import Boto3CredentialProvider
    from obstore.store import ClientConfig, S3Credential, S3Store
    from pydantic import SecretStr

    from metaplat.settings import S3Settings

CONNECT_SECONDS = 2.0
"""How long one attempt to connect may take; with the retries it stays below ``RETRY_SECONDS``."""

RETRY_SECONDS = 8.0
"""After so long no further attempt is begun: an outage is told within about ten seconds."""

_OWN_CHAIN = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)


@dataclass(frozen=True)
class AccessKeys:
    """Keys that are used in place of the AWS chain; nothing of them shows where they are printed.

    Parameters
    ----------
    access_key, secret_key : SecretStr
        The pair, as AWS gives it to a user.
    """

    access_key: SecretStr
    secret_key: SecretStr


def split_address(root: str) -> tuple[str, str]:
    """Return bucket and prefix (without slashes around it) of ``s3://bucket/prefix``."""
    scheme, _, rest = root.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise SettingsError("root", f"{root!r} is not an address s3://bucket/prefix", "Correct it.")
    return bucket, prefix.strip("/")


def endpoint_of(settings: S3Settings) -> str | None:
    """Address of the S3 service where it is not that of AWS: settings, then the standard variables."""
    return (
        settings.endpoint_url
        or os.environ.get("AWS_ENDPOINT_URL_S3")
        or os.environ.get("AWS_ENDPOINT_URL")
        or None
    )


def region_of(settings: S3Settings) -> str:
    """Region: the settings where they name one, else the standard variables, else the default."""
    if "region" in settings.model_fields_set:
        return settings.region
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or settings.region


def shown_endpoint(settings: S3Settings) -> str:
    """Host of the S3 service, for people."""
    endpoint = endpoint_of(settings)
    return shown_address(endpoint) if endpoint else f"s3.{region_of(settings)}.amazonaws.com"


def open_s3(
    root: str,
    settings: S3Settings,
    *,
    keys: AccessKeys | None = None,
    unsigned_payload: bool = False,
    timeout_seconds: float | None = None,
    retry_seconds: float = RETRY_SECONDS,
) -> S3Store:
    """Return an obstore client of ``root``; no request is made yet.

    Parameters
    ----------
    root : str
        ``s3://bucket/prefix``.
    settings : S3Settings
        Section ``[s3]``.
    keys : AccessKeys or None
        Used in place of the AWS chain.
    unsigned_payload : bool
        Leave the digest of what is sent out of the signature: TLS protects it, and it costs a third of the
        speed.
    timeout_seconds : float or None
        For one request with its body; None takes that of the settings.
    retry_seconds : float
        After so long no further attempt of a request is begun.

    Raises
    ------
    PermanentStoreError
        No credentials are configured anywhere.
    """
    from obstore.store import S3Store

    bucket, prefix = split_address(root)
    endpoint = endpoint_of(settings)
    return S3Store(
        bucket,
        prefix=prefix or None,
        config={
            "region": region_of(settings),
            "unsigned_payload": unsigned_payload,
            **({"endpoint": endpoint} if endpoint else {}),
        },
        client_options={
            "allow_http": bool(endpoint and endpoint.startswith("http://")),
            "connect_timeout": timedelta(seconds=min(CONNECT_SECONDS, settings.timeout_seconds)),
            "timeout": timedelta(seconds=timeout_seconds or settings.timeout_seconds),
            **_own_certificates(),
        },
        retry_config={
            "max_retries": settings.retries,
            "retry_timeout": timedelta(seconds=retry_seconds),
            "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2)},
        },
        credential_provider=_given(keys) if keys else _found_by_boto3(root, settings),
    )


def _given(keys: AccessKeys) -> Callable[[], S3Credential]:
    """Return what gives obstore these keys and nothing else: a token in the environment is not of them."""

    def credential() -> S3Credential:
        return {
            "access_key_id": keys.access_key.get_secret_value(),
            "secret_access_key": keys.secret_key.get_secret_value(),
            "token": None,
            "expires_at": None,
        }

    return credential


def _own_certificates() -> ClientConfig:
    """Return the certificates of a private authority, where the standard variable names a file of them."""
    bundle = os.environ.get("AWS_CA_BUNDLE")
    if not bundle:
        return {}
    try:
        return {"root_certificate": Path(bundle).read_bytes()}
    except OSError as error:
        raise SettingsError("AWS_CA_BUNDLE", f"{bundle}: {error.strerror}", "Correct or unset it.") from error


def _found_by_boto3(root: str, settings: S3Settings) -> Boto3CredentialProvider | None:
    """Credentials of a profile, SSO or the instance; None where obstore finds them in the environment."""
    if any(os.environ.get(name) for name in _OWN_CHAIN):
        return None
    from botocore.exceptions import BotoCoreError
    from obstore.auth.boto3 import Boto3CredentialProvider

    try:  # renewed often: botocore decides itself whether they are about to expire
        return Boto3CredentialProvider(ttl=timedelta(minutes=5))
    except (ValueError, BotoCoreError) as error:
        problem = "no AWS credentials found" if isinstance(error, ValueError) else type(error).__name__
        raise PermanentStoreError(
            f"{root} at {shown_endpoint(settings)}",
            "find credentials",
            problem,
            "Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in (aws sso login).",
        ) from error
