"""The vendor's schema file: which tables there are, and their fields in order.

Here: reading it in the two forms it may have, and the digest of each table's entry.
Not here: comparing two of them (``drift``), which table is expected (``expected``).
What the file holds beside the name of a table is documented nowhere, so that the names of everything are
settings (``vip.schema_..._field``). Read are: one object per table, with a list of fields in it; and one
object per field, each with the name of its table. Anything else counts for the digest only.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.settings import VipSettings

_WORDS = {
    "true": True,
    "yes": True,
    "y": True,
    "1": True,
    "false": False,
    "no": False,
    "n": False,
    "0": False,
}


@dataclass(frozen=True)
class TableField:
    """One field of a table as the schema file tells it.

    Parameters
    ----------
    name : str
        Its name.
    kind : str or None
        Its type, in the vendor's words.
    nullable : bool or None
        Whether it may be null.
    """

    name: str
    kind: str | None = None
    nullable: bool | None = None


@dataclass(frozen=True)
class SchemaTable:
    """One table of the schema file: its fields in order, and the digest of its whole entry."""

    name: str
    fields: tuple[TableField, ...]
    digest: str


def schema_tables(content: bytes, settings: VipSettings) -> dict[str, SchemaTable] | None:
    """Read a schema file.

    Parameters
    ----------
    content : bytes
        The file: remote text.
    settings : VipSettings
        The names of its fields.

    Returns
    -------
    dict of str to SchemaTable, or None
        By table, in the order of the file; None where it is not a list of objects that name tables. A name
        that starts with ``_`` is never a table.
    """
    entries: dict[str, list[dict[str, Any]]] = {}
    for entry in _entries(content, settings):
        name = entry.get(settings.schema_table_field)
        if isinstance(name, str) and name.strip() and not name.strip().startswith("_"):
            entries.setdefault(name.strip(), []).append(entry)
    if not entries:
        return None
    return {name: _table(name, found, settings) for name, found in entries.items()}


def _entries(content: bytes, settings: VipSettings) -> list[dict[str, Any]]:
    import orjson

    try:
        document = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return []
    lists = [document, *document.values()] if isinstance(document, dict) else [document]
    objects = [
        [entry for entry in each if isinstance(entry, dict)] for each in lists if isinstance(each, list)
    ]
    return next((each for each in objects if any(settings.schema_table_field in one for one in each)), [])


def _table(name: str, entries: Sequence[dict[str, Any]], settings: VipSettings) -> SchemaTable:
    import orjson

    fields: dict[str, TableField] = {}
    for entry in entries:
        for each in _field_entries(entry, settings):
            field = _field(each, settings)
            if field is not None:
                fields.setdefault(field.name, field)
    text = orjson.dumps(entries, option=orjson.OPT_SORT_KEYS)
    return SchemaTable(name, tuple(fields.values()), hashlib.blake2b(text, digest_size=8).hexdigest())


def _field_entries(entry: Mapping[str, Any], settings: VipSettings) -> Sequence[Any]:
    for name in settings.schema_columns_fields:
        if isinstance(found := entry.get(name), list):
            return found
    return [entry]


def _field(entry: object, settings: VipSettings) -> TableField | None:
    if isinstance(entry, str):
        return TableField(entry) if entry else None
    if not isinstance(entry, dict):
        return None
    name = _first(entry, settings.schema_name_fields)
    if not isinstance(name, str) or not name:
        return None
    kind = _first(entry, settings.schema_type_fields)
    nullable = _first(entry, settings.schema_nullable_fields)
    return TableField(name, None if kind is None else str(kind), _WORDS.get(str(nullable).strip().lower()))


def _first(entry: Mapping[str, Any], names: Sequence[str]) -> object:
    return next((entry[name] for name in names if entry.get(name) is not None), None)
