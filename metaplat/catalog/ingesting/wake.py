"""The system says when something happens in a folder, so that the next look comes sooner.

Here: being woken, where the system and its library can.
Not here: looking (``watching``): no conclusion is drawn from an event, since events get lost.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def woken(place: str) -> Iterator[threading.Event]:
    """Yield an event that is set whenever something happens below a local folder.

    Where nobody says so (S3, network file systems, too many folders, no watchdog installed) it is never set.

    Parameters
    ----------
    place : str
        As ``watch`` has it.
    """
    event = threading.Event()
    stop = _observe(place, event)
    try:
        yield event
    finally:
        stop()


def _observe(place: str, event: threading.Event) -> Callable[[], None]:
    if not os.path.isdir(place):  # noqa: PTH112  # a name that is not UTF-8 stays a string
        return _nothing
    try:
        from watchdog.events import FileSystemEvent, FileSystemEventHandler
        from watchdog.observers import Observer
    except ModuleNotFoundError:
        return _nothing

    class Waker(FileSystemEventHandler):
        def on_any_event(self, happened: FileSystemEvent) -> None:
            if happened.event_type not in {"opened", "closed_no_write"}:  # reading is no news
                event.set()

    observer = Observer()
    observer.daemon = True
    try:
        observer.schedule(Waker(), place, recursive=True)
        observer.start()
    except OSError:  # a limit of the kernel: looking at intervals goes on
        return _nothing

    def stop() -> None:
        observer.stop()
        observer.join()

    return stop


def _nothing() -> None:
    """Stop nothing."""
