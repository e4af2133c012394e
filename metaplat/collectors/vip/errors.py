"""What the API of the lake answers that a pull must tell apart.

Here: too early, and a job that nobody knows.
Not here: the other failures: ``TransientSourceError`` and ``PermanentSourceError`` of ``model.errors``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.errors import PermanentSourceError, TransientSourceError

if TYPE_CHECKING:
    from datetime import datetime


class TooEarlyError(TransientSourceError):
    """The next export is not allowed yet: a fact of the schedule, and no fault.

    Parameters
    ----------
    system, attempted, answer, advice : str
        As of every ``SourceError``.
    next_slot : datetime or None
        When it is allowed, aware UTC; None where nothing credible says so.
    """

    rerun = "Running again helps once the time has come"

    def __init__(
        self, system: str, attempted: str, answer: str, advice: str, next_slot: datetime | None = None
    ) -> None:
        super().__init__(system, attempted, answer, advice)
        self.args = (system, attempted, answer, advice, next_slot)  # what unpickling passes to this class
        self.next_slot = next_slot


class UnknownJobError(PermanentSourceError):
    """The vendor does not know the job that was asked for."""
