"""One way the vendor may be: how much it delivers, how fast, and what is wrong with it.

Here: the parameters of a server, and its clock.
Not here: the faults (``faults``), what the parameters are used for (``vendor``, ``listing``, ``file_host``).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

CANARY = "canary7Qx"
"""Part of every secret that a stand-in ever gives: nothing that metaplat writes may hold it."""


@dataclass(frozen=True)
class Scenario:
    """How the vendor is.

    Parameters
    ----------
    faults : collection of str
        Names of ``faults.FAULTS``.
    files : int or None
        Data files of a job; None gives each table one to four.
    tables : int
        Tables of a job, at most 30.
    size : int
        Mean size of a data file, bytes.
    spread : float
        Sizes lie within this share of ``size``: 0 makes all equal.
    seed : int
        Of sizes, contents and job identifiers.
    victims : int or None
        Data files that faults of files and of list entries hit, the first ones; None: all.
    company : str
        In the address of the list of files.
    config_names : collection of str
        Configurations that are known.
    client_id, client_secret : str
        What the token service accepts.
    startup_minutes, job_minutes : float
        A job is Queued so long, and Complete after so long.
    minutes_per_poll : float
        Each question for the status moves the job on by so much; the clock of the slots stays as it is.
    slot_minutes : float
        One export in so many minutes.
    slot_taken_minutes : float or None
        With a fault ``too_early_*``, an export was accepted so long before the server started.
    url_minutes : float or None
        How long an address of a file is valid; None: as long as was asked for.
    slow_bytes_per_second : int
        Of ``file_slow``.
    """

    faults: Collection[str] = ()
    files: int | None = None
    tables: int = 30
    size: int = 20_000
    spread: float = 0.5
    seed: int = 0
    victims: int | None = 1
    company: str = "EXAMPLE"
    config_names: Collection[str] = ("onDemandExtract1DayTest", "onDemandExtract1DayProd")
    client_id: str = f"{CANARY}-client"
    client_secret: str = f"{CANARY}-secret"
    startup_minutes: float = 1.5
    job_minutes: float = 20.0
    minutes_per_poll: float = 10.0
    slot_minutes: float = 60.0
    slot_taken_minutes: float | None = 20.0
    url_minutes: float | None = None
    slow_bytes_per_second: int = 20_000


def _real_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class VirtualClock:
    """A clock that goes as another one does, and can be moved on.

    Parameters
    ----------
    base : callable
        Gives an aware UTC time: the real one, or a test's.
    """

    base: Callable[[], datetime] = _real_now
    ahead: timedelta = timedelta()
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def starting(cls, moment: datetime) -> VirtualClock:
        """Return a clock that shows ``moment`` (aware) now, and goes on from there."""
        return cls(ahead=moment - _real_now())

    def now(self) -> datetime:
        """Return the time on it, aware UTC."""
        return self.base() + self.ahead

    def advance(self, seconds: float) -> None:
        """Move it on, or back."""
        with self._lock:
            self.ahead += timedelta(seconds=seconds)
