"""The object store protocol: named bytes, written whole or not at all.

Here: what every object store promises, and which keys can be written. Implementations: ``local_objects``,
``s3_objects``.
Not here: what keys mean (each room that stores something owns its prefix).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from metaplat.model.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metaplat.model.landed import ObjectInfo

_UNSAFE_KEY = re.compile(r"\A\Z|\A/|/\Z|//|(?:\A|/)\.{1,2}(?:/|\Z)|[\\\x00-\x1f\x7f]")


class ObjectStore(Protocol):
    """Objects below one root. Keys use ``/``, never start with it, and never contain ``..``.

    Every method raises TransientStoreError or PermanentStoreError where the store fails, and ``put`` raises
    InvalidInputError for a key that is not safe everywhere (``check_key``).
    """

    @property
    def address(self) -> str:
        """Where the store is, for people: a folder or ``s3://bucket/prefix``."""

    def get(self, key: str) -> bytes:
        """Return the content of ``key``; raises KeyError where there is no such object."""

    def get_many(
        self, keys: Sequence[str], max_bytes: int | None = None
    ) -> Iterator[tuple[str, bytes | None]]:
        """Yield the contents of ``keys`` in the given order, fetched ahead in parallel where that helps.

        None where the object is gone, or larger than ``max_bytes`` (then it is not read).
        """

    def put(self, key: str, content: bytes) -> ObjectInfo:
        """Replace ``key`` in one atomic step: readers see the old content or the new one."""

    def delete(self, key: str) -> None:
        """Remove ``key``; nothing happens where it does not exist."""

    def info(self, key: str) -> ObjectInfo | None:
        """Return size, time and etag of ``key``, or None."""

    def list_objects(self, prefix: str = "") -> list[ObjectInfo]:
        """Return all objects whose key starts with ``prefix``, sorted by key, never half-written ones."""

    def list_prefixes(self, prefixes: Sequence[str]) -> dict[str, list[ObjectInfo]]:
        """Return ``list_objects`` for many prefixes, in parallel where that helps."""

    def list_tree(self, prefix: str) -> list[ObjectInfo]:
        """Return ``list_objects`` of a prefix ending in ``/``, descending folder by folder in parallel."""

    def list_folders(self, prefix: str, depth: int) -> list[str]:
        """Return the folders exactly ``depth`` levels below a prefix ending in ``/``, relative to it, sorted.

        The objects in them are not listed.
        """


_OUTSIDE_KEY = re.compile(r"\A\Z|\A/|(?:\A|/)\.\.(?:/|\Z)|\x00")


def check_key(key: str) -> str:
    """Return ``key`` where it means the same object in every store.

    Raises
    ------
    InvalidInputError
        It is empty or absolute, has an empty, ``.`` or ``..`` part, a backslash or a control character.
    """
    if _UNSAFE_KEY.search(key):
        raise InvalidInputError(
            f"object key {key!r}: a key is relative, without empty, '.' or '..' parts, backslashes "
            "and control characters"
        )
    return key


def check_inside(key: str) -> str:
    """Return ``key`` where it stays below the root: for reading what others may have named at will.

    Raises
    ------
    InvalidInputError
        It is empty or absolute, or has a ``..`` part or a NUL.
    """
    if _OUTSIDE_KEY.search(key):
        raise InvalidInputError(f"object key {key!r}: a key is relative, without '..' parts")
    return key


def folder_of(prefix: str) -> str:
    """Longest folder that holds every key with this prefix: up to and with its last ``/``."""
    return prefix[: prefix.rfind("/") + 1]
