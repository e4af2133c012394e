"""The form of a collector: a request goes in, raw records come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from metaplat.settings import Settings


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
        Folder or file, for sources that read saved files.
    url : str or None
        Address, for sources that read a server other than the configured one.
    since : datetime or None
        Leave out what ended before.
    """

    settings: Settings
    now: datetime
    warn: Callable[[str], None]
    path: Path | None = None
    url: str | None = None
    since: datetime | None = None


Collector = Callable[[CollectRequest], Iterator[Mapping[str, Any]]]
"""Yields records; raises SourceError where the system fails, UsageError where the request lacks something."""
