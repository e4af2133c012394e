"""A landed record, or a row of the lake, as the attempt it was written from.

Here: JSON values back to the fields of ``ApplicationAttempt``. A value of another type than the field has is
unknown: pages are made of what others wrote, too.
Not here: where records come from (``attempts``), judging them (``ingest`` does, before a row is stored).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from metaplat.collectors.spark.attempt import ApplicationAttempt, Executor, Finding, Job, StageAttempt

Part = TypeVar("Part", ApplicationAttempt, Executor, Finding, Job, StageAttempt)
Reader = Callable[[Any], Any]

LARGEST = 2**63
"""Whole numbers beyond are none that a lake can hold."""


def read_attempt(record: Mapping[str, Any]) -> ApplicationAttempt:
    """Return the attempt that ``record`` tells of.

    Parameters
    ----------
    record : mapping
        As ``ApplicationAttempt.record`` writes it; times may be text or aware times, maps may be lists of
        ``key`` and ``value`` as Parquet has them. Missing and unreadable values are unknown; members of lists
        without their identity are left out.

    Returns
    -------
    ApplicationAttempt
        ``source`` and ``app_id`` are ``unknown`` where the record lacks them.
    """
    return _read(ApplicationAttempt, record)


def _read(kind: type[Part], record: Mapping[str, Any]) -> Part:
    values: dict[str, Any] = {}
    for name, (read, required) in FIELDS[kind].items():
        value = read(record.get(name))
        if value is None and required:
            value = "unknown"
        if value is not None:
            values[name] = value
    return kind(**values)


def _text(value: object) -> str | None:
    # A lone surrogate is text that no file can hold.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not (math.isfinite(value) and value.is_integer()):
        return None
    return int(value) if abs(value) < LARGEST else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) >= LARGEST * 1e6:
        return None
    return None if math.isnan(value) else value


def _moment(value: object) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime) or not 1 < value.year < 9999:  # at the edge no offset can be applied
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _map(value: object) -> dict[str, str]:
    if isinstance(value, list):
        value = {each.get("key"): each.get("value") for each in value if isinstance(each, Mapping)}
    if not isinstance(value, Mapping):
        return {}
    texts = ((_text(name), _text(item)) for name, item in value.items())
    return {name: item for name, item in texts if name is not None and item is not None}


def _list_of(read: Reader) -> Reader:
    def read_list(value: object) -> list[Any] | None:
        if not isinstance(value, list):
            return None
        items = (read(item) for item in value)
        return [item for item in items if item is not None]

    return read_list


def _part(kind: type[Part], *identity: str) -> Reader:
    """Return the reader of one member of a list; None where it is no object, or lacks its identity."""

    def read_part(value: object) -> Part | None:
        if not isinstance(value, Mapping):
            return None
        found = {name: FIELDS[kind][name][0](value.get(name)) for name in identity}
        return None if None in found.values() else _read(kind, value)

    return read_part


READERS: dict[str, Reader] = {
    "str": _text,
    "int": _whole,
    "float": _number,
    "datetime": _moment,
    "dict[str, str]": _map,
    "list[str]": _list_of(_text),
    "list[int]": _list_of(_whole),
    "list[Finding]": _list_of(_part(Finding, "kind", "severity", "evidence", "advice")),
    "list[Job]": _list_of(_part(Job, "job_id")),
    "list[StageAttempt]": _list_of(_part(StageAttempt, "stage_id", "stage_attempt_id")),
    "list[Executor]": _list_of(_part(Executor, "executor_id")),
}
"""How a field is read, by its annotation."""

FIELDS: dict[type[Any], dict[str, tuple[Reader, bool]]] = {
    kind: {
        each.name: (
            READERS[str(each.type).removesuffix(" | None")],
            each.default is MISSING and each.default_factory is MISSING,
        )
        for each in fields(kind)
    }
    for kind in (ApplicationAttempt, Executor, Finding, Job, StageAttempt)
}
"""How each field of a part is read, and whether it must have a value."""
