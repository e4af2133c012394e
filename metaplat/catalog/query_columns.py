"""The columns a question can name: their types, choices and other names.

Here: ``queryables``, ``resolved``, and the list of them that messages show.
Not here: whether a filter fits them (``queryables``), single values (``query_values``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from metaplat.catalog.words import SHOWN
from metaplat.model.errors import UnknownNameError
from metaplat.model.observation import OBSERVATION_FIELDS

if TYPE_CHECKING:
    from metaplat.model.field import Field

TYPE_NAMES: dict[object, str] = {str: "text", int: "integer", float: "number", datetime: "time"}
ALIASES = {
    "id": "dataset_id",
    "mission": "mission_id",
    "collection": "mission_id",
    "platform": "satellite_name",
    "satellite": "satellite_name",
    "telescope": "satellite_name",
    "instrument": "instrument_type",
    "instruments": "instrument_type",
    "datetime": "observation_timestamp",
    "start_datetime": "observation_timestamp",
    "end_datetime": "observation_end",
    "target": "target_object",
    "object": "target_object",
    "ra": "ra_deg",
    "dec": "dec_deg",
    "quality": "data_quality_score",
    "completeness": "header_completeness",
    "calibration": "calibration_status",
    "status": "processing_status",
    "path": "file_path",
    "format": "file_format",
    "size": "file_size",
    "created": "first_seen",
    "updated": "updated_at",
}
"""Other names of columns: those of STAC, and those people say."""
UNSORTABLE = frozenset({"mission_specific"})
"""Whole documents: nothing to sort by, and too long for a token."""


@dataclass(frozen=True)
class Queryable:
    """A column as a question sees it.

    Parameters
    ----------
    name : str
        Of the column.
    type : str
        ``text``, ``integer``, ``number`` or ``time``.
    doc : str
        One sentence.
    unit : str or None
        In words of the column.
    choices : tuple of str
        The values there are, where the column is an enumeration.
    aliases : tuple of str
        Other names for it.
    sortable : bool
        Whether results can be sorted by it.
    """

    name: str
    type: str
    doc: str
    unit: str | None
    choices: tuple[str, ...]
    aliases: tuple[str, ...]
    sortable: bool


class UnknownQueryableError(UnknownNameError):
    """A column that does not exist; the text lists those that do."""

    def __str__(self) -> str:
        near = self._near()
        meant = f" (did you mean {' or '.join(near)}?)" if near else ""
        return f"no {self.kind} named {self.name!r}{meant}; {listing()}"


@cache
def queryables() -> tuple[Queryable, ...]:
    """Return every column that can be asked for, in the order of an observation."""
    return tuple(
        Queryable(
            name=field.name,
            type=TYPE_NAMES[field.dtype],
            doc=field.doc,
            unit=field.unit,
            choices=tuple(str(choice) for choice in field.choices),
            aliases=tuple(alias for alias, name in ALIASES.items() if name == field.name),
            sortable=field.name not in UNSORTABLE,
        )
        for field in OBSERVATION_FIELDS
    )


@cache
def listing() -> str:
    """Return all queryables in one line, for messages."""
    return "queryables: " + ", ".join(f"{each.name} ({each.type})" for each in queryables())


@cache
def fields() -> dict[str, Field]:
    """Return the declared columns by name."""
    return {field.name: field for field in OBSERVATION_FIELDS}


def resolved(name: str) -> str:
    """Return the column that a name or an alias means.

    Raises
    ------
    UnknownQueryableError
        There is none; the text lists those there are.
    """
    column = ALIASES.get(name, name)
    if column not in fields():
        near_limit = name if len(name) <= SHOWN else f"{name[:SHOWN]}..."  # likeness of long names takes long
        raise UnknownQueryableError("column", near_limit, (*fields(), *ALIASES))
    return column
