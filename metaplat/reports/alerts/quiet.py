"""Keeps the addresses of sinks out of every log.

Apprise, and the HTTP library below it, log the paths they post to, at level DEBUG; for many services the path
is the secret. So nothing of it reaches any handler; what Apprise warns of is read by the sink alone.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

THREAD_NAME = "metaplat-alert-sink"
"""Threads that deliver have names that begin so."""
TALKATIVE = ("urllib3.connectionpool", "urllib3.util.retry", "urllib3.poolmanager", "requests", "asyncio")

_of_this_thread = threading.local()


class _ToTheSinkOnly(logging.Filter):
    """Hands what Apprise warns of to the sink that sends in this thread, and to nobody else."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let nothing through."""
        warned: list[str] | None = getattr(_of_this_thread, "warned", None)
        if warned is not None and record.levelno >= logging.WARNING:
            warned.append(record.getMessage())
        return False


class _NothingOfSinks(logging.Filter):
    """Drops what a delivering thread logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let through what other threads log."""
        return not (record.threadName or "").startswith(THREAD_NAME)


_TO_THE_SINK_ONLY = _ToTheSinkOnly()
_NOTHING_OF_SINKS = _NothingOfSinks()


def keep_quiet() -> None:
    """Make Apprise log to nobody, and its HTTP library to nobody while it delivers alerts."""
    logging.getLogger("apprise").addFilter(_TO_THE_SINK_ONLY)  # adding it again changes nothing
    for name in TALKATIVE:
        logging.getLogger(name).addFilter(_NOTHING_OF_SINKS)


@contextmanager
def warnings_of_apprise() -> Iterator[list[str]]:
    """Collect what Apprise warns of in this thread; it may hold secrets."""
    warned: list[str] = []
    _of_this_thread.warned = warned
    try:
        yield warned
    finally:
        del _of_this_thread.warned
