"""A Databricks workspace, asked through the vendor's SDK.

Here: its address and credentials, how long it is waited for, and what its refusals mean.
Not here: which questions are asked (``collecting``), what the answers mean (``runs``, ``clusters``).

The SDK authenticates, retries and follows ``Retry-After``; answers are read as plain JSON, so that one odd
run costs one run, and a state that is newer than the SDK keeps its name. Texts of the server and of the SDK
stay out of every message: they can repeat the configuration.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from metaplat.model.errors import (
    MissingExtraError,
    PermanentSourceError,
    SettingsError,
    TransientSourceError,
    UsageError,
    shown_address,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from databricks.sdk.core import Config

    from metaplat.collectors.collector import CollectRequest
    from metaplat.model.errors import SourceError

LONGEST_PAUSE = 30.0
"""Seconds before a further attempt, whatever ``Retry-After`` asks for."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
CREDENTIALS = "spark.databricks_token, else DATABRICKS_TOKEN or the profile in ~/.databrickscfg"


class DeniedError(PermanentSourceError):
    """The credentials may not see this (403)."""


class MissingError(PermanentSourceError):
    """There is no such thing, or not any more (404, 400)."""


class FailingError(TransientSourceError):
    """The workspace answered, but kept failing at this (429, 500 and above)."""


class _GaveUpError(Exception):
    """The attempts at one request are used up; the last failure is its context."""


class _Patience:
    """The clock of the SDK: so many pauses a request, none too long."""

    def __init__(self, retries: int) -> None:
        self.retries = self.left = retries

    def time(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        if self.left <= 0:
            raise _GaveUpError
        self.left -= 1
        time.sleep(min(seconds, LONGEST_PAUSE))


class Workspace:
    """One workspace.

    Parameters
    ----------
    request : CollectRequest
        ``url`` (http) comes before ``spark.databricks_host``, and both before the SDK's own chain.

    Raises
    ------
    MissingExtraError
        The SDK is not installed.
    UsageError, SettingsError
        The address is none, or there is none.
    PermanentSourceError
        No credentials were found.
    """

    def __init__(self, request: CollectRequest) -> None:
        settings = request.settings.spark
        self._patience = _Patience(settings.retries)
        self._seconds = settings.timeout_seconds
        config = _config(request, self._patience)
        self.name = f"Databricks at {shown_address(str(config.host))}"
        self._headers = {"Accept": "application/json"}
        if number := getattr(config, "workspace_id", None):
            self._headers["X-Databricks-Workspace-Id"] = str(number)
        from databricks.sdk.core import ApiClient

        self._api = ApiClient(config)

    def get(self, path: str, attempted: str, query: Mapping[str, Any]) -> dict[str, Any]:
        """Ask one question, with bounded attempts.

        Raises
        ------
        DeniedError, MissingError, FailingError
            This question is refused; another may be answered.
        PermanentSourceError, TransientSourceError
            The credentials are refused, the workspace cannot be reached, or it is none.
        """
        self._patience.left = self._patience.retries
        try:
            answer = self._api.do("GET", path, query=dict(query), headers=self._headers)
        except _GaveUpError as error:
            raise self._judged(error.__context__, attempted) from None
        except (OSError, RuntimeError, TypeError, ValueError) as error:  # all that SDK and requests raise
            raise self._judged(error, attempted) from None
        if not isinstance(answer, dict):
            raise self._no_workspace(attempted)
        return answer

    def pages(self, path: str, attempted: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Ask page by page, by ``next_page_token``; raises as ``get``."""
        token: object = None
        while True:
            page = self.get(path, attempted, {**query, **({"page_token": token} if token else {})})
            yield page
            following = page.get("next_page_token")
            if not following:
                return
            if following == token:
                raise PermanentSourceError(
                    self.name,
                    attempted,
                    "it answers every page with the same token",
                    "Check that the address is a Databricks workspace.",
                )
            token = following

    def _no_workspace(self, attempted: str) -> SourceError:
        return PermanentSourceError(
            self.name,
            attempted,
            "an answer that is not JSON",
            "Check that spark.databricks_host is a workspace, with no login page before it.",
        )

    def _judged(self, error: BaseException | None, attempted: str) -> SourceError:
        """Say what a failure means."""
        from databricks.sdk.errors.base import DatabricksError

        if isinstance(error, DatabricksError):
            return self._refused(error, attempted)
        from requests import exceptions

        kind, answer = TransientSourceError, "the connection failed"
        advice = "Check that spark.databricks_host is reachable from here."
        if isinstance(error, exceptions.JSONDecodeError):
            return self._no_workspace(attempted)
        if isinstance(error, exceptions.Timeout):
            answer = f"no answer within {self._seconds:g} s, {1 + self._patience.retries} times"
        elif isinstance(error, exceptions.SSLError):
            return PermanentSourceError(self.name, attempted, "its certificate was not accepted", advice)
        elif not isinstance(error, exceptions.RequestException):  # a refused refresh of credentials
            return PermanentSourceError(
                self.name, attempted, "the credentials could not be used", f"Renew them: {CREDENTIALS}."
            )
        return kind(self.name, attempted, answer, advice)

    def _refused(self, error: Any, attempted: str) -> SourceError:
        from databricks.sdk import errors
        from databricks.sdk.errors.base import DatabricksError

        tried = f"HTTP 429 in {1 + self._patience.retries} attempts"
        table: tuple[tuple[type, type[SourceError], str, str], ...] = (
            (errors.Unauthenticated, PermanentSourceError, "HTTP 401", f"Renew the token: {CREDENTIALS}."),
            (
                errors.PermissionDenied,
                DeniedError,
                "HTTP 403",
                f"Check that the token is valid and may view jobs and clusters: {CREDENTIALS}.",
            ),
            (errors.NotFound, MissingError, "HTTP 404", "Check spark.databricks_host."),
            (errors.BadRequest, MissingError, "HTTP 400", "Check spark.databricks_host."),
            (errors.TooManyRequests, FailingError, tried, "Collect less often, or narrow it by --since."),
            (DatabricksError, FailingError, "it failed (HTTP 5xx)", "Check its status page."),
        )
        kind, answer, advice = next(row[1:] for row in table if isinstance(error, row[0]))
        return kind(self.name, attempted, answer, advice)


def _config(request: CollectRequest, patience: _Patience) -> Config:
    try:
        from databricks.sdk.core import Config
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "databricks":
            raise
        raise MissingExtraError("collecting from Databricks", "databricks-sdk", "databricks") from error

    class QuietConfig(Config):
        """A token needs no discovery, which would be asked for with pauses that nobody bounds."""

        def _resolve_host_metadata(self) -> None:
            if not self.token:
                super()._resolve_host_metadata()

    Config.attributes()  # it keeps them on the class that is asked first, and only Config has them
    settings = request.settings.spark
    secret = settings.databricks_token
    options: dict[str, Any] = {
        "host": _checked(_named_address(request)),
        "http_timeout_seconds": settings.timeout_seconds,
        "retry_timeout_seconds": 1 + int((settings.timeout_seconds + LONGEST_PAUSE) * (1 + settings.retries)),
        "clock": patience,
    }
    if secret is not None:
        options |= {"token": secret.get_secret_value(), "auth_type": "pat"}
    try:
        config = QuietConfig(**options)
    except (OSError, RuntimeError, ValueError):  # its text repeats the configuration
        missing = (
            "" if options["host"] else "spark.databricks_host, else DATABRICKS_HOST or the profile; and "
        )
        raise PermanentSourceError(
            "Databricks", "find address and credentials", "none can be used", f"Set {missing}{CREDENTIALS}."
        ) from None
    if not config.host:
        raise SettingsError("spark.databricks_host", "is not set", "Set it to the address of the workspace.")
    _checked(str(config.host))
    return config


def _named_address(request: CollectRequest) -> str | None:
    if request.url is not None and not request.url.startswith("s3"):
        return request.url
    return request.settings.spark.databricks_host


def _checked(url: str | None) -> str | None:
    """Return scheme and host of ``url``; a token is sent over plain http to this machine only."""
    if url is None:
        return None
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is no number, half an IPv6 address
        host = port = None
    if not host or port == 0 or (parts.scheme != "https" and host not in LOOPBACK):
        raise UsageError("the address of a Databricks workspace looks like https://NAME.cloud.databricks.com")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
