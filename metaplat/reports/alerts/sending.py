"""Deliver messages to several sinks at once, each within its time.

Here: threads and time limits. Not here: what is delivered (``message``), and what is remembered (``ledger``).
A sink has a thread of its own that nobody waits for beyond the limit: services, and the libraries that speak
to them, hang in ways that their own time limits do not cover. What arrives after all is sent once more.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.errors import MetaplatError
from metaplat.reports.alerts.quiet import THREAD_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metaplat.reports.alerts.message import Message
    from metaplat.reports.alerts.sinks import Sink


@dataclass(frozen=True)
class Delivery:
    """A message for a sink, which has a name of its own among all."""

    name: str
    sink: Sink
    message: Message


def deliver(deliveries: Sequence[Delivery], timeout_seconds: float) -> Iterator[tuple[str, str | None]]:
    """Send all messages; yields each sink's name as soon as it is known how it went.

    Parameters
    ----------
    deliveries : sequence of Delivery
        At most one a sink.
    timeout_seconds : float
        For each of them.

    Yields
    ------
    tuple of (str, str or None)
        Name of the sink, and the problem in one line; None where it was delivered.
    """
    answers: queue.SimpleQueue[tuple[str, str | None]] = queue.SimpleQueue()
    for delivery in deliveries:
        arguments, name = (delivery, answers), f"{THREAD_NAME}-{delivery.name}"
        threading.Thread(target=_send, args=arguments, name=name, daemon=True).start()
    waiting = {delivery.name for delivery in deliveries}
    deadline = time.monotonic() + timeout_seconds
    while waiting:
        try:
            name, problem = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        waiting.discard(name)
        yield name, problem
    for name in sorted(waiting):
        yield name, f"no answer within {timeout_seconds:g} s"


def _send(delivery: Delivery, answers: queue.SimpleQueue[tuple[str, str | None]]) -> None:
    problem: str | None = None
    try:
        delivery.sink.send(delivery.message.subject, delivery.message.body)
    except MetaplatError as error:
        problem = " ".join(str(error).split())
    except (Exception, SystemExit) as error:  # noqa: BLE001  # any library may be behind a sink
        problem = f"{type(error).__name__} while sending"  # its text may hold the address
    answers.put((delivery.name, problem))
