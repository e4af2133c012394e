"""A client for one API server, from the kubeconfig, the surrounding cluster or a plain address.

Here: which of the three, and errors that never repeat the kubeconfig (its messages can hold tokens).
Not here: requests (``listing``).
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from metaplat.model.errors import PermanentSourceError, UsageError, shown_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.collector import CollectRequest

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
DEFAULT_KUBECONFIG = "~/.kube/config"


@contextmanager
def connection(request: CollectRequest) -> Iterator[Any]:
    """Open an ``ApiClient`` and close its sockets afterwards.

    Raises
    ------
    UsageError
        ``request.url`` is not an http address.
    PermanentSourceError
        Neither a usable kubeconfig nor a surrounding cluster was found.
    """
    from kubernetes.client import ApiClient

    api = ApiClient(_configuration(request))
    try:
        yield api
    finally:
        api.close()
        api.rest_client.pool_manager.clear()


def _configuration(request: CollectRequest) -> Any:
    from kubernetes.client import Configuration

    configuration = Configuration()
    if request.url is not None:
        configuration.host = _checked(request.url)
    else:
        _load(configuration, request.settings.kubernetes.context)
    if urlsplit(configuration.host).hostname in LOOPBACK:
        configuration.proxy = None  # as kubectl does
    configuration.retries = False  # ``listing`` retries; both together would multiply
    return configuration


def _checked(url: str) -> str:
    """Return scheme, host and path of ``url``; user names and queries are not sent on."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        is_address = False
    if not is_address:
        raise UsageError("the address of an API server looks like http://127.0.0.1:8001")
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}".rstrip("/")


def _load(configuration: Any, context: str | None) -> None:
    """Prefer the kubeconfig, as kubectl does; the file is never written to."""
    from kubernetes import config

    files = os.environ.get("KUBECONFIG") or DEFAULT_KUBECONFIG
    has_file = any(Path(name).expanduser().exists() for name in files.split(os.pathsep) if name)
    attempted = "read the kubeconfig" if has_file or context else "find a kubeconfig or a surrounding cluster"
    try:
        if has_file or context:
            config.load_kube_config(files, context, configuration, persist_config=False)
        else:
            config.load_incluster_config(configuration)
    except Exception as error:  # noqa: BLE001  # whatever the file provokes; its text can hold tokens
        raise PermanentSourceError(
            "Kubernetes",
            attempted,
            f"not usable ({type(error).__name__})",
            "Check KUBECONFIG (else ~/.kube/config) and the setting kubernetes.context.",
        ) from None


def server_name(api: Any) -> str:
    """How messages name the server."""
    return f"Kubernetes API at {shown_address(api.configuration.host)}"
