"""Whether somebody wants this process to end. The signal is remembered, because what it raises can get lost.

Dagster retries an interrupted step as it does a failed one, and forgets an interrupt that comes after the last
step; Python drops what is raised in a callback, as imports have them.

Here: the memory, and the hook by which a run asks it after each attempt of a step.
Not here: the exit code (``cli.main``).
"""

from __future__ import annotations

import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import dagster as dg

WISHES = {signal.SIGINT, signal.SIGTERM}
"""While it runs a job, Dagster takes the second for the first."""

_arrived: list[socket.socket] = []
"""Where the numbers of signals can be read while they are remembered; they are left there."""


@contextmanager
def remembering_interrupts() -> Iterator[None]:
    """Remember the interrupts that arrive while the block runs, whichever handler gets them.

    Within another such block, that one remembers; in a thread other than the main one nothing is remembered,
    nor does Dagster react to signals there.
    """
    if _arrived or threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        _arrived.append(reader)
        try:
            yield
        finally:
            _arrived.clear()
            signal.set_wakeup_fd(before)


def end_if_interrupted() -> None:
    """Raise KeyboardInterrupt where an interrupt is remembered."""
    for reader in _arrived:
        try:
            numbers = reader.recv(4096, socket.MSG_PEEK)
        except BlockingIOError:
            continue
        if WISHES.intersection(numbers):
            raise KeyboardInterrupt


def ending_hook() -> dg.HookDefinition:
    """Return the hook that ends a run where an interrupt was not the end of a step, or brought a retry."""
    import dagster as dg

    def end(context: dg.HookContext, events: Sequence[dg.DagsterEvent]) -> dg.HookExecutionResult:
        del context, events  # the signature is Dagster's
        end_if_interrupted()
        return dg.HookExecutionResult("end_if_interrupted", is_skipped=True)

    return dg.HookDefinition(name="end_if_interrupted", hook_fn=end)
