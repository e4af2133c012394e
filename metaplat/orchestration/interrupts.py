"""Whether somebody wants this process to end. The signal is remembered: what it raises can get lost.

Dagster retries an interrupted step as it does a failed one, and forgets an interrupt that comes after the
last step; Python drops what is raised in a callback of the garbage collector.

Here: the memory, raising again what Python drops, and the hook by which a run asks after each step.
Not here: the exit code (``cli.main``).
"""

from __future__ import annotations

import _thread
import signal
import socket
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import dagster as dg

WISHES = {signal.SIGINT, signal.SIGTERM}
"""While it runs a job, Dagster takes the second for the first."""

AGAIN_SECONDS = 0.05

_arrived: list[socket.socket] = []
"""Where the numbers of signals can be read while they are remembered; they are left there."""


@contextmanager
def remembering_interrupts() -> Iterator[None]:
    """Remember the interrupts that arrive while the block runs, whichever handler gets them.

    An error that comes out of the block after one becomes a KeyboardInterrupt: it may be what broke. Within
    another such block, that one remembers; in a thread other than the main one nothing is remembered, nor
    does Dagster react to signals there.
    """
    with _memory():
        try:
            yield
        except Exception:
            end_if_interrupted()
            raise


@contextmanager
def _memory() -> Iterator[None]:
    if _arrived or threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.settimeout(0)
        writer.settimeout(0)
        before, hook = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False), sys.unraisablehook
        _arrived.append(reader)
        sys.unraisablehook = _raising_again(hook)
        try:
            yield
        finally:
            sys.unraisablehook = hook
            _arrived.clear()
            signal.set_wakeup_fd(before)


def end_if_interrupted() -> None:
    """Raise KeyboardInterrupt where an interrupt is remembered."""
    if _interrupted():
        raise KeyboardInterrupt


def _interrupted() -> bool:
    try:
        return any(WISHES.intersection(reader.recv(4096, socket.MSG_PEEK)) for reader in _arrived)
    except BlockingIOError:  # nothing to read
        return False


def _raising_again(otherwise: Callable[[sys.UnraisableHookArgs], object]) -> Callable[..., None]:
    """Return a hook that sends this process the signal again whose exception was dropped."""

    def hook(dropped: sys.UnraisableHookArgs) -> None:
        if issubclass(dropped.exc_type, Exception) or not _interrupted():
            otherwise(dropped)
        else:
            _thread.start_new_thread(_interrupt_soon, ())

    return hook


def _interrupt_soon() -> None:
    time.sleep(AGAIN_SECONDS)  # the callback has returned by then; if not, this comes once more
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def ending_hook() -> dg.HookDefinition:
    """Return the hook that ends a run where an interrupt was not the end of a step, or brought a retry."""
    import dagster as dg

    def end(context: dg.HookContext, events: Sequence[dg.DagsterEvent]) -> dg.HookExecutionResult:
        del context, events  # the signature is Dagster's
        end_if_interrupted()
        return dg.HookExecutionResult("end_if_interrupted", is_skipped=True)

    return dg.HookDefinition(name="end_if_interrupted", hook_fn=end)
