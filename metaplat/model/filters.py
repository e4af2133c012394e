"""What a search asks: a small tree of conditions on columns, the same for every store and front.

Here: the nodes.
Not here: reading CQL2 (``catalog.cql2``), checking against the columns there are (``catalog.queryables``),
compiling to SQL, Polars or VAST (``stores.catalog``).

Meaning is that of SQL: a comparison with null is neither true nor false, ``Not`` keeps it so, and only rows
for which the whole is true are found. An empty ``In`` or ``Or`` is false, an empty ``And`` is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Value = str | int | float | bool | datetime
"""A literal. Times are aware; a column of numbers takes int and float alike, never bool."""

Operator = Literal["=", "<>", "<", "<=", ">", ">="]


@dataclass(frozen=True)
class Compare:
    """``column operator value``; text is compared by code points, so that every store agrees."""

    column: str
    operator: Operator
    value: Value


@dataclass(frozen=True)
class In:
    """``column IN (values)``."""

    column: str
    values: Sequence[Value]


@dataclass(frozen=True)
class Between:
    """``low <= column <= high``, both included."""

    column: str
    low: Value
    high: Value


@dataclass(frozen=True)
class IsNull:
    """``column IS NULL``."""

    column: str


@dataclass(frozen=True)
class Prefix:
    """Text that begins so, in the same case."""

    column: str
    text: str


@dataclass(frozen=True)
class Contains:
    """Text that holds this, in the same case."""

    column: str
    text: str


@dataclass(frozen=True)
class Overlaps:
    """The observation touches the window ``[start, end)``; None is open.

    It lasts from ``observation_timestamp`` to ``observation_end``, and is a moment where the end is null or
    before the begin. Without a begin it overlaps nothing (unknown, as a comparison with null).
    """

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True)
class Cone:
    """Within an angle of a direction, degrees; ICRS. Unknown where ``ra_deg`` or ``dec_deg`` is null."""

    ra_deg: float
    dec_deg: float
    radius_deg: float


@dataclass(frozen=True)
class Text:
    """Every word occurs, in any ASCII case, in one of ``TEXT_COLUMNS``; never unknown."""

    words: Sequence[str]


@dataclass(frozen=True)
class And:
    """All of them."""

    args: Sequence[Filter]


@dataclass(frozen=True)
class Or:
    """Any of them."""

    args: Sequence[Filter]


@dataclass(frozen=True)
class Not:
    """The opposite; unknown stays unknown."""

    arg: Filter


Filter = Compare | In | Between | IsNull | Prefix | Contains | Overlaps | Cone | Text | And | Or | Not

TEXT_COLUMNS = ("target_object", "mission_id", "satellite_name", "instrument_type")
"""Where ``Text`` looks."""

EVERYTHING = And(())
