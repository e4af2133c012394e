"""The form of a collector: a request goes in, raw records come out.

Here: what a collector is asked, and what it may remember between two collections.
Not here: landing what it yields, keeping what it remembers (``ingest``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from metaplat.settings import Settings


class Memory(Protocol):
    """What a collector remembers of the things it has read, by name; it outlives the process.

    Something is known as it was last time by its fingerprint. What is remembered is kept only once every
    record yielded before ``remember`` was called is landed: a killed collection reads again what was not.
    Two collectors at once do no harm: the last one to remember a thing wins.
    """

    def fingerprint(self, name: str) -> str | None:
        """Return the fingerprint that ``name`` had when it was remembered last; None where it never was."""

    def note(self, name: str) -> bytes | None:
        """Return what was remembered with ``name``; None where there is nothing."""

    def remember(self, name: str, fingerprint: str, note: bytes = b"") -> None:
        """Remember ``name`` as it is now, in place of what was remembered before."""


class NoMemory:
    """A memory that forgets: everything is read anew."""

    def fingerprint(self, name: str) -> str | None:
        """Return None."""
        del name
        return None

    def note(self, name: str) -> bytes | None:
        """Return None."""
        del name
        return None

    def remember(self, name: str, fingerprint: str, note: bytes = b"") -> None:
        """Forget."""


@dataclass(frozen=True)
class CollectRequest:
    """What is asked of a collector.

    Parameters
    ----------
    settings : Settings
        All settings; a collector reads its own section.
    now : datetime
        Aware UTC.
    warn : callable
        Called with one line for each part that could not be read while the rest could.
    path : Path or None
        Folder or file, for sources that read saved files on this machine.
    url : str or None
        Address, for sources that read a server other than the configured one, or an ``s3://`` address.
    since : datetime or None
        Leave out what ended before.
    user : str or None
        Only what this user ran.
    name : str or None
        Only what has this name, or a name of this pattern (``etl-*``).
    tags : mapping of str to str
        Only what has all of these tags.
    via : str or None
        Which way to take, for sources that have several.
    reject : callable
        Called with a name and a reason for each thing that cannot be read; the others still are.
    memory : Memory
        What was read before.
    """

    settings: Settings
    now: datetime
    warn: Callable[[str], None]
    path: Path | None = None
    url: str | None = None
    since: datetime | None = None
    user: str | None = None
    name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    via: str | None = None
    reject: Callable[[str, str], None] = lambda name, reason: None  # noqa: ARG005
    memory: Memory = field(default_factory=NoMemory)

    def wants(self, user: str | None, name: str | None, tags: Mapping[str, str]) -> bool:
        """Whether something of this user, name and tags is asked for; an unknown one is not, if filtered."""
        return (
            (self.user is None or user == self.user)
            and (self.name is None or (name is not None and fnmatchcase(name, self.name)))
            and all(tags.get(key) == value for key, value in self.tags.items())
        )


Collector = Callable[[CollectRequest], Iterator[Mapping[str, Any]]]
"""Yields records; raises SourceError where the system fails, UsageError where the request lacks something."""
