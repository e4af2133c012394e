"""What went wrong in months of deliveries: where it is planted, and the record of it for tests.

Here: the plan (hours as numbers from the first), a plan that spreads some of everything, the facts.
Not here: writing the folders (``history_tree``).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOW, HIGH = 0.4, 2.0
"""By which planted anomalies multiply the volume of an hour."""
QUIET_HOURS = 4 * 168
"""No anomaly of the volume is spread before: nothing could tell it yet."""
SchemaChangeKind = Literal["added", "removed", "retyped", "reordered"]


@dataclass(frozen=True)
class HistoryFaults:
    """Hours (0 is the first) at which something is wrong.

    Parameters
    ----------
    missing : sequence of int
        Hours without any object.
    incomplete : sequence of int
        Hours in which files of one table or two are promised and not there.
    short : sequence of int
        Hours with a data file of half its promised size.
    unexpected : sequence of int
        Hours with a promised file of a table that the schema file does not know.
    volumes : mapping of int to float
        Factor of all sizes of data files of an hour.
    schema_changes : mapping of int to str
        From this hour on: added, removed, retyped or reordered fields, each in another table.
    late : sequence of int
        Hours that were complete 85 minutes after they began.
    foreign : sequence of int
        Hours whose folder holds a file that nobody promised, and one in a folder below.
    no_schema, no_promise, broken_promise, no_manifest : sequence of int
        Hours whose own papers are not there, or no JSON.
    manifests : bool
        Whether ``_manifest.json`` is there at all; hours of the older client have none.
    """

    missing: Sequence[int] = ()
    incomplete: Sequence[int] = ()
    short: Sequence[int] = ()
    unexpected: Sequence[int] = ()
    volumes: Mapping[int, float] = field(default_factory=dict)
    schema_changes: Mapping[int, SchemaChangeKind] = field(default_factory=dict)
    late: Sequence[int] = ()
    foreign: Sequence[int] = ()
    no_schema: Sequence[int] = ()
    no_promise: Sequence[int] = ()
    broken_promise: Sequence[int] = ()
    no_manifest: Sequence[int] = ()
    manifests: bool = True

    @classmethod
    def spread_over(cls, hours: int, seed: int = 0) -> HistoryFaults:
        """Return some of everything, no two in one hour, with a stretch of 22 missing hours.

        Parameters
        ----------
        hours : int
            Of the tree, at least 168.
        seed : int
            Of the places.

        Raises
        ------
        ValueError
            There are too few hours.
        """
        if hours < 168:
            raise ValueError(f"{hours} hours are too few to spread faults over; at least 168")
        rng = random.Random(f"faults/{seed}")
        hole = rng.randrange(hours // 2, hours - 46)
        stretch = range(hole, hole + 22)
        places = [hour for hour in range(24, hours - 1) if hour not in stretch]
        rng.shuffle(places)
        several = max(hours // 200, 1)
        late_enough = [hour for hour in places if hour >= QUIET_HOURS][: 2 * several]
        places = [hour for hour in places if hour not in late_enough]
        take = [sorted(places[number * several : (number + 1) * several]) for number in range(6)]
        rest = sorted(places[6 * several : 6 * several + 7])
        changes: tuple[SchemaChangeKind, ...] = ("added", "removed", "retyped", "reordered")
        return cls(
            missing=sorted([*take[0], *stretch]),
            incomplete=take[1],
            short=take[2],
            unexpected=take[3],
            late=take[4],
            foreign=take[5],
            volumes={hour: (LOW, HIGH)[number % 2] for number, hour in enumerate(late_enough)},
            schema_changes=dict(zip(rest[:4], changes, strict=True)),
            no_schema=rest[4:5],
            no_promise=rest[5:6],
            broken_promise=rest[6:7],
        )


@dataclass(frozen=True)
class SchemaChange:
    """A change of the schema file.

    Parameters
    ----------
    hour : datetime
        The first with it.
    table : str
        Whose fields.
    kind : str
        added, removed, retyped or reordered.
    field : str
        Which one; of a new order, the field that moved to the end.
    """

    hour: datetime
    table: str
    kind: SchemaChangeKind
    field: str


@dataclass
class TreeFacts:
    """What was written, hour by hour.

    Parameters
    ----------
    first : datetime
        Start of the first hour, aware UTC.
    hours : int
        How many, missing ones included.
    prefix : str
        Before ``YYYYMMDD/HH/``.
    config_name : str
        As the manifests say.
    tables : tuple of str
        As the schema file says.
    missing : list of datetime
        Hours without any object.
    incomplete : dict of datetime to tuple of str
        Tables without a file, though promised.
    short : dict of datetime to str
        Name of the file that is half as long as promised.
    unexpected : dict of datetime to str
        The table that the schema file does not know.
    volumes : dict of datetime to float
        Planted factors.
    schema_changes : list of SchemaChange
        In order.
    late : list of datetime
        Hours that were complete too late.
    foreign : list of str
        Keys of files that nobody promised.
    no_schema, no_promise, broken_promise, no_manifest : list of datetime
        Hours without these papers.
    job_guids : dict of datetime to str
        Jobs of the hours that are there.
    files : dict of datetime to dict of str to int
        Size by name below the folder of the hour, of all that was written but ``_manifest.json``.
    accepted, finished : dict of datetime to datetime
        As the manifest says.
    """

    first: datetime
    hours: int
    prefix: str
    config_name: str
    tables: tuple[str, ...]
    missing: list[datetime] = field(default_factory=list)
    incomplete: dict[datetime, tuple[str, ...]] = field(default_factory=dict)
    short: dict[datetime, str] = field(default_factory=dict)
    unexpected: dict[datetime, str] = field(default_factory=dict)
    volumes: dict[datetime, float] = field(default_factory=dict)
    schema_changes: list[SchemaChange] = field(default_factory=list)
    late: list[datetime] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    no_schema: list[datetime] = field(default_factory=list)
    no_promise: list[datetime] = field(default_factory=list)
    broken_promise: list[datetime] = field(default_factory=list)
    no_manifest: list[datetime] = field(default_factory=list)
    job_guids: dict[datetime, str] = field(default_factory=dict)
    files: dict[datetime, dict[str, int]] = field(default_factory=dict)
    accepted: dict[datetime, datetime] = field(default_factory=dict)
    finished: dict[datetime, datetime] = field(default_factory=dict)

    @property
    def last(self) -> datetime:
        """Start of the last hour."""
        return self.hour(self.hours - 1)

    def hour(self, number: int) -> datetime:
        """Return the start of the hour of this number."""
        return self.first + timedelta(hours=number)

    def all_hours(self) -> list[datetime]:
        """Return every hour, missing ones included."""
        return [self.hour(number) for number in range(self.hours)]

    def folder(self, hour: datetime) -> str:
        """Return the folder of an hour, with a slash at the end."""
        return f"{self.prefix}{hour:%Y%m%d}/{hour:%H}/"

    def bytes_of(self, hour: datetime) -> int:
        """Return the bytes in a folder, our manifest apart."""
        return sum(self.files.get(hour, {}).values())
