"""How long each store keeps a domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta


@dataclass(frozen=True)
class Retention:
    """Times counted from the event itself, never from the time of writing.

    Parameters
    ----------
    archive : timedelta
        How long landing objects and lake partitions are kept.
    hot : timedelta or None
        Time to live of a row in the hot store; None where the domain has no hot rows.
    """

    archive: timedelta
    hot: timedelta | None = None


@dataclass(frozen=True)
class HotTable:
    """The hot-store table of a domain: which columns are its keys, and what it carries.

    Parameters
    ----------
    name : str
        Table name before the prefix of the settings, for example ``job-executions``.
    partition_key, sort_key : str
        Columns; the sort key holds whole seconds since 1970 and its TTL counts from it.
    columns : tuple of str
        The other columns a hot row carries; nulls are left out.
    status : str or None
        Column of the run state (``RUNNING`` may be replaced by a later state) and of the status index.
    identity : str or None
        Column that tells two runs with one key apart (``job_id``).
    """

    name: str
    partition_key: str
    sort_key: str
    columns: tuple[str, ...]
    status: str | None = None
    identity: str | None = None
