"""How far a run in this process has come, for whoever watches it.

Here: the one callback slot between steps and the command line. Nobody watching costs nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    OnProgress = Callable[[str, int, int], None]

T = TypeVar("T")
_watcher: ContextVar[OnProgress | None] = ContextVar("watcher", default=None)


@contextmanager
def watching(on_progress: OnProgress) -> Iterator[None]:
    """Call ``on_progress(what, done, total)`` while the block runs."""
    token = _watcher.set(on_progress)
    try:
        yield
    finally:
        _watcher.reset(token)


def tracked(what: str, items: Sequence[T]) -> Iterable[T]:
    """Yield the items, telling the watcher after each that one more is done."""
    watcher = _watcher.get()
    for done, item in enumerate(items, 1):
        yield item
        if watcher:
            watcher(what, done, len(items))
