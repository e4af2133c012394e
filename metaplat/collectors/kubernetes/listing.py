"""Complete lists from an API server: page by page, restarted when they expire, retried when it stumbles.

Here: one list call with all that can go wrong, and whether trying again can help.
Not here: what the items mean (``objects``), which lists are wanted (``cluster``).
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from metaplat.collectors.kubernetes.connection import server_name
from metaplat.collectors.kubernetes.objects import Kind
from metaplat.model.errors import PermanentSourceError, SourceError, TransientSourceError

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSES = (0.2, 0.6, 1.8)
"""Seconds before each further attempt at one page."""
LONGEST_PAUSE = 10.0
RESTARTS = 3
RETRIED = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
CALLS = {
    Kind.JOB: ("BatchV1Api", "job", "jobs (apiGroup batch)"),
    Kind.POD: ("CoreV1Api", "pod", "pods"),
    Kind.EVENT: ("CoreV1Api", "event", "events"),
}
SELECTORS = {Kind.EVENT: {"field_selector": "involvedObject.kind=Pod"}}

Kept = TypeVar("Kept")


class DeniedError(PermanentSourceError):
    """The credentials may not list this kind here (403)."""


class _ExpiredError(Exception):
    """The continue token, or the version it stands for, is gone (410)."""


class _StumbleError(Exception):
    """One attempt failed in a way that may pass."""

    def __init__(self, answer: str, pause: float = 0.0) -> None:
        super().__init__(answer, pause)
        self.answer, self.pause = answer, pause


@dataclass(frozen=True)
class Listing:
    """Lists of one API server.

    Parameters
    ----------
    api : kubernetes.client.ApiClient
        An open client.
    page_size : int
        Items asked for at once.
    timeout_seconds : float
        Longest wait for one answer.
    """

    api: Any
    page_size: int
    timeout_seconds: float

    def read(
        self, kind: Kind, namespace: str | None, reduced: Callable[[list[object]], list[Kept]]
    ) -> list[Kept]:
        """Read a whole list, each page passed through ``reduced`` at once.

        Raises
        ------
        DeniedError
            403.
        PermanentSourceError
            401 and other refusals.
        TransientSourceError
            The server stayed unreachable, slow or failing, or the list kept expiring.
        """
        for _ in range(1 + RESTARTS):
            try:
                return self._read_once(kind, namespace, reduced)
            except _ExpiredError:
                continue
        raise TransientSourceError(
            server_name(self.api),
            _attempted(kind, namespace),
            f"the list expired (410) while it was read, {1 + RESTARTS} times",
            "Raise the setting kubernetes.page_size.",
        )

    def _read_once(
        self, kind: Kind, namespace: str | None, reduced: Callable[[list[object]], list[Kept]]
    ) -> list[Kept]:
        kept: list[Kept] = []
        token: str | None = None
        while True:
            items, following = self._page(kind, namespace, token)
            kept.extend(reduced(items))
            if following is None:
                return kept
            if following == token:
                raise PermanentSourceError(
                    server_name(self.api),
                    _attempted(kind, namespace),
                    "it answers every page with the same continue token",
                    "Check that the address is an API server.",
                )
            token = following

    def _page(self, kind: Kind, namespace: str | None, token: str | None) -> tuple[list[object], str | None]:
        """Read one page with bounded attempts."""
        for pause in (*PAUSES, None):
            try:
                return _parsed(self._answer(kind, namespace, token))
            except _StumbleError as stumble:
                if pause is None:
                    raise TransientSourceError(
                        server_name(self.api),
                        _attempted(kind, namespace),
                        f"{stumble.answer}, {1 + len(PAUSES)} times",
                        "Check that the server is up and reachable.",
                    ) from None
                time.sleep(max(pause, stumble.pause))
        raise AssertionError("the last attempt returns or raises")

    def _answer(self, kind: Kind, namespace: str | None, token: str | None) -> bytes:
        from kubernetes.client.exceptions import ApiException
        from kubernetes.config import ConfigException
        from urllib3.exceptions import HTTPError

        try:
            return bytes(self._call(kind, namespace, token).data)
        except ApiException as error:
            raise self._judged(error, kind, namespace) from None
        except (HTTPError, OSError, ConfigException) as error:  # the last two: a token file being renewed
            raise _StumbleError(f"no complete answer ({type(error).__name__})") from None
        except (AttributeError, UnicodeDecodeError) as error:
            # The client fails on an error without a body (TLS) or with one that is not UTF-8.
            if not isinstance(error.__context__, ApiException):
                raise
            raise self._judged(error.__context__, kind, namespace) from None

    def _call(self, kind: Kind, namespace: str | None, token: str | None) -> Any:
        """Ask for undecoded bytes: the client's own models would lose the plain form."""
        from kubernetes import client

        group, noun, _ = CALLS[kind]
        group_api = getattr(client, group)(self.api)
        options: dict[str, Any] = {
            "limit": self.page_size,
            "_preload_content": False,
            "_request_timeout": self.timeout_seconds,
            **SELECTORS.get(kind, {}),
            **({"_continue": token} if token else {}),
        }
        if namespace is None:
            return getattr(group_api, f"list_{noun}_for_all_namespaces")(**options)
        return getattr(group_api, f"list_namespaced_{noun}")(namespace, **options)

    def _judged(self, error: Any, kind: Kind, namespace: str | None) -> Exception:
        """Say what a refusal means; bodies and headers stay out of the message."""
        status = int(error.status or 0)
        if status == HTTPStatus.GONE:
            return _ExpiredError()
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in RETRIED:
            return _StumbleError(_phrase(status), _asked_pause(error.headers))
        if status == 0 and "CERTIFICATE_VERIFY_FAILED" not in str(error.reason):
            return _StumbleError("the TLS connection failed")
        refusal: type[SourceError] = DeniedError if status == HTTPStatus.FORBIDDEN else PermanentSourceError
        return refusal(
            server_name(self.api), _attempted(kind, namespace), _phrase(status), _advice(status, kind)
        )


def _attempted(kind: Kind, namespace: str | None) -> str:
    return f"list {kind}s in {f'namespace {namespace}' if namespace else 'all namespaces'}"


def _phrase(status: int) -> str:
    if status == 0:
        return "its certificate was not accepted"
    known = status in HTTPStatus.__members__.values()
    return f"HTTP {status} {HTTPStatus(status).phrase}" if known else f"HTTP {status}"


def _advice(status: int, kind: Kind) -> str:
    return {
        0: "Check the certificate authority in the kubeconfig.",
        HTTPStatus.UNAUTHORIZED: "Renew the credentials of the kubeconfig or service account.",
        HTTPStatus.FORBIDDEN: f"Grant the verb list on {CALLS[kind][2]}.",
    }.get(status, "Check that the address is a Kubernetes API server.")


def _asked_pause(headers: Any) -> float:
    """Seconds the server asks to wait, within reason."""
    asked = str((headers or {}).get("Retry-After", ""))
    return min(float(asked), LONGEST_PAUSE) if asked.isascii() and asked.isdigit() else 0.0


def _parsed(answer: bytes) -> tuple[list[object], str | None]:
    """Split a page into its items and the token of the next page."""
    try:
        page = json.loads(answer)
    except (ValueError, RecursionError):
        raise _StumbleError("an answer that is not JSON") from None
    items = page.get("items", ()) if isinstance(page, dict) else ()
    if items is None:
        items = []  # as Go writes an empty list
    if not isinstance(items, list):
        raise _StumbleError("an answer that is not a list")
    metadata = page.get("metadata")
    token = metadata.get("continue") if isinstance(metadata, dict) else None
    return items, token if isinstance(token, str) and token else None
