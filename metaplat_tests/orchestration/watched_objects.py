"""An object store that counts what is asked of it, and fails where a test says so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from metaplat.model.errors import PermanentStoreError, TransientStoreError
    from metaplat.model.landed import ObjectInfo
    from metaplat.stores.objects import ObjectStore


@dataclass
class WatchedObjects:
    """An object store that counts what is asked of it, and fails where a test says so.

    Parameters
    ----------
    inner : ObjectStore
        Does the work.
    fails : callable
        Given operation and key, returns the error class to raise, or None.
    """

    inner: ObjectStore
    fails: Callable[[str, str], type[PermanentStoreError | TransientStoreError] | None] = lambda *_: None
    asked: Counter[str] = field(default_factory=Counter)

    @property
    def address(self) -> str:
        """Return that of the inner store."""
        return self.inner.address

    def _ask(self, operation: str, key: str) -> None:
        self.asked[operation] += 1
        if error := self.fails(operation, key):
            raise error("store of the test", f"{operation} {key}", "it is down", "Wait for the test to end.")

    def get(self, key: str) -> bytes:
        """Ask, then get."""
        self._ask("get", key)
        return self.inner.get(key)

    def get_many(
        self, keys: Sequence[str], max_bytes: int | None = None
    ) -> Iterator[tuple[str, bytes | None]]:
        """Ask for each key, then get it."""
        for key in keys:
            self._ask("get", key)
            yield from self.inner.get_many([key], max_bytes)

    def put(self, key: str, content: bytes) -> ObjectInfo:
        """Ask, then put."""
        self._ask("put", key)
        return self.inner.put(key, content)

    def delete(self, key: str) -> None:
        """Ask, then delete."""
        self._ask("delete", key)
        self.inner.delete(key)

    def info(self, key: str) -> ObjectInfo | None:
        """Ask, then look up."""
        self._ask("info", key)
        return self.inner.info(key)

    def list_objects(self, prefix: str = "") -> list[ObjectInfo]:
        """Ask, then list."""
        self._ask("list", prefix)
        return self.inner.list_objects(prefix)

    def list_prefixes(self, prefixes: Sequence[str]) -> dict[str, list[ObjectInfo]]:
        """List each prefix."""
        return {prefix: self.list_objects(prefix) for prefix in prefixes}

    def list_tree(self, prefix: str) -> list[ObjectInfo]:
        """Ask, then list the tree."""
        self._ask("list_tree", prefix)
        return self.inner.list_tree(prefix)

    def list_folders(self, prefix: str, depth: int) -> list[str]:
        """Ask, then list the folders."""
        self._ask("list_folders", prefix)
        return self.inner.list_folders(prefix, depth)
