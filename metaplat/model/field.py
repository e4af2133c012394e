"""One column of a domain: name, type, limits and what a reader must know about it.

Here: the declaration only. What is derived from it (Pandera schema, record validator, Polars
schema, column docs) lives in the room that needs it, so that a field is declared once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Personal(StrEnum):
    """How a field that may hold personal data is treated before anything is stored."""

    DROP = "drop"
    """The value becomes null."""
    HASH = "hash"
    """The value becomes a keyed hash: equal values stay equal; null where no key is set."""
    SCRUB = "scrub"
    """Free text: e-mail addresses, addresses with credentials or queries, and keys inside it are replaced."""


@dataclass(frozen=True)
class Struct:
    """A nested record with typed members."""

    fields: tuple[Field, ...]


@dataclass(frozen=True)
class ListOf:
    """A list whose items all have one type."""

    item: type | Struct


@dataclass(frozen=True)
class MapOf:
    """Names and values that no declaration can list, both of them text: landed as a JSON object."""


DType = type | Struct | ListOf | MapOf
"""``str``, ``int``, ``float``, ``bool``, ``datetime`` (aware, UTC, microseconds), Struct, ListOf or MapOf."""

SCALARS: frozenset[type] = frozenset({str, int, float, bool, datetime})


@dataclass(frozen=True)
class Field:
    """One declared column.

    Parameters
    ----------
    name : str
        Column name: quantity, then unit or kind (``duration_minutes``).
    dtype : DType
        Type of every non-null value.
    doc : str
        One sentence for the UI, the docs and the SQL user.
    key : bool
        Part of the primary key; null in a nullable part is a value of its own ("there is none").
    nullable : bool
        Whether an unknown value (null) is allowed.
    unit : str or None
        Unit in words of the field, for example ``"GiB"``.
    minimum, maximum : float or None
        Inclusive limits of a number.
    choices : tuple of str
        The allowed values, all of them, where the field is an enumeration.
    path : str or None
        Where the landed record holds it, dotted (``resources_used.peak_memory_gb``); None means ``name``.
    personal : Personal or None
        Treatment before storing, where the value may be personal data.
    derived : bool
        Filled by the domain's ``derive`` from other columns; never read from the landed record.
    """

    name: str
    dtype: DType
    doc: str
    key: bool = False
    nullable: bool = False
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    path: str | None = None
    personal: Personal | None = None
    derived: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.dtype, type) and self.dtype not in SCALARS:
            raise ValueError(f"field {self.name}: {self.dtype.__name__} is not a column type")

    @property
    def landed_path(self) -> tuple[str, ...]:
        """Names to follow in the landed record, outermost first."""
        return tuple((self.path or self.name).split("."))
