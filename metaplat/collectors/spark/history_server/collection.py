"""Source ``history-server``: every attempt that a History Server lists.

Here: which attempts are read, which way, and what one that cannot be read costs: itself.
Not here: the list (``listing``), the ways (``zipped_logs``, ``rest``).

An attempt is known by the address of its server and its ids. It is read again when the list shows that its
log changed, or when the settings would give another record.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from metaplat.collectors.spark.conclusions import conclude
from metaplat.collectors.spark.history_server.address import ServerAddress
from metaplat.collectors.spark.history_server.listing import listed_attempts
from metaplat.collectors.spark.history_server.rest import read_rest
from metaplat.collectors.spark.history_server.server import HistoryServer
from metaplat.collectors.spark.history_server.zipped_logs import read_zipped_log
from metaplat.collectors.spark.record_settings import record_settings
from metaplat.model.errors import InvalidInputError, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.collectors.spark.history_server.listing import ListedAttempt

VERSION = "1"
"""Changes where an attempt that did not change would give another record; then all are read again."""
WAYS = {"logs": read_zipped_log, "rest": read_rest}


def collect(request: CollectRequest) -> Iterator[Mapping[str, Any]]:
    """Yield one record per application attempt.

    Parameters
    ----------
    request : CollectRequest
        ``url`` is the address of the server, without it ``spark.history_server`` of the settings; ``via`` is
        ``logs`` (each attempt by its event log, the default) or ``rest`` (by numbers of the server, see
        ``rest``). What cannot be read is rejected, and the others are read.

    Raises
    ------
    UsageError
        There is no address, or no such way.
    TransientSourceError, PermanentSourceError
        The server does not answer, or refuses; what was yielded before stays true.
    """
    via = request.via or "logs"
    if via not in WAYS:
        raise UsageError(f"--via {via}: a History Server is read via logs or via rest")
    url = request.url or request.settings.spark.history_server
    if url is None:
        raise UsageError("say --url: the http address of a History Server; or set spark.history_server")
    return _Collection(request, ServerAddress.parse(url), via).records()


class _Collection:
    """One collection from one server."""

    def __init__(self, request: CollectRequest, address: ServerAddress, via: str) -> None:
        self._request, self._shown = request, address.shown
        self._server = HistoryServer(address, request.settings.spark)
        self._read = WAYS[via]
        self._listed_only = replace(request, tags={})  # tags are in no list
        settings = record_settings(request.settings.spark)
        self._how = (VERSION, via, settings)

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Yield a record of each attempt that is asked for and changed."""
        request = self._request
        limit = request.settings.spark.max_apps
        for listed in listed_attempts(self._server, limit, request.since, request.reject):
            if not self._listed_only.wants(listed.user, listed.name, {}):
                continue
            name, fingerprint = self._name(listed), self._fingerprint(listed)
            if request.memory.fingerprint(name) == fingerprint:
                continue
            attempt = self._attempt(listed)
            if attempt is not None:
                yield attempt.record()
                request.memory.remember(name, fingerprint)

    def _attempt(self, listed: ListedAttempt) -> ApplicationAttempt | None:
        """Read one attempt; where that fails the server as a whole must still answer."""
        try:
            attempt = self._read(self._server, listed, self._request)
        except (SourceError, InvalidInputError) as error:
            if isinstance(error, SourceError):
                self._server.check()
            self._request.reject(listed.shown, str(error))
            return None
        if attempt is not None:
            conclude(attempt, self._request.settings.spark, self._request.now)
        return attempt

    def _name(self, listed: ListedAttempt) -> str:
        return "\n".join(("history-server", self._shown, listed.app_id, listed.attempt_id or ""))

    def _fingerprint(self, listed: ListedAttempt) -> str:
        silent = timedelta(hours=self._request.settings.spark.silent_hours)
        last = listed.last_updated
        is_silent = not listed.completed and last is not None and self._request.now - last > silent
        content = repr((self._how, listed.state, is_silent))
        return hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()[:32]
