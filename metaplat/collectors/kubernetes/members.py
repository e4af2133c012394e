"""Strict reading of members of a plain Kubernetes object: absent is None, a wrong type is an error.

Here: one function per type; each walks a path of keys and names the path when it meets something else.
Not here: what the members mean (``objects``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from metaplat.model.errors import InvalidInputError

LARGEST_INT32 = 2**31 - 1


def member(owner: object, *path: str) -> Any:
    """Return the value at ``path``, None where a step is absent or null; every step must be an object."""
    found = owner
    for depth, key in enumerate(path):
        if found is None:
            return None
        if not isinstance(found, dict):
            raise _wrong(path[:depth], found, "an object")
        found = found.get(key)
    return found


def text(owner: object, *path: str) -> str | None:
    """Return a text; the empty one counts as absent, as Kubernetes writes it for "not set"."""
    found = member(owner, *path)
    if found is None:
        return None
    if not isinstance(found, str):
        raise _wrong(path, found, "a text")
    return encodable(found) or None


def encodable(found: str) -> str:
    """Replace lone surrogates, which JSON escapes can spell but no store can write."""
    return found.encode("utf-8", "replace").decode("utf-8")


def integer(owner: object, *path: str) -> int | None:
    """Return a whole number in the range of Kubernetes' int32."""
    found = member(owner, *path)
    if found is None:
        return None
    if not isinstance(found, int) or isinstance(found, bool) or abs(found) > LARGEST_INT32:
        raise _wrong(path, found, "a 32-bit whole number")
    return found


def flag(owner: object, *path: str) -> bool:
    """Return true or false; absent is false."""
    found = member(owner, *path)
    if found is not None and not isinstance(found, bool):
        raise _wrong(path, found, "true or false")
    return bool(found)


def moment(owner: object, *path: str) -> datetime | None:
    """Return a time in UTC; a text without a zone is an error."""
    found = text(owner, *path)
    if found is None:
        return None
    try:
        parsed = datetime.fromisoformat(found)
        if parsed.tzinfo is None:
            raise _wrong(path, found, "a time with a zone")
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong(path, found, "a time") from None


def entries(owner: object, *path: str) -> list[dict[str, Any]]:
    """Return a list of objects; absent is empty."""
    found = member(owner, *path)
    if found is None:
        return []
    if not isinstance(found, list):
        raise _wrong(path, found, "a list")
    for entry in found:
        if not isinstance(entry, dict):
            raise _wrong(path, entry, "a list of objects")
    return found


def labels(owner: object, *path: str) -> dict[str, str]:
    """Return the members of an object whose values are texts; others cannot be labels."""
    found = member(owner, *path)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise _wrong(path, found, "an object")
    return {key: encodable(value) for key, value in found.items() if isinstance(value, str) and value}


def _wrong(path: tuple[str, ...], found: object, expected: str) -> InvalidInputError:
    where = ".".join(path) or "the whole"
    shown = repr(found) if isinstance(found, str | int | float) else type(found).__name__
    return InvalidInputError(f"{where} is {shown[:60]}, not {expected}")
