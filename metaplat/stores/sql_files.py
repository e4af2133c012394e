"""A read-only file system for DuckDB over any object store.

Here: what DuckDB asks of a file system to read Parquet from S3; it has no network library of its own here.
Not here: local folders (DuckDB reads those itself).
A file is read whole when it is opened: one request, and never a mixture of an old and a new partition.
"""

from __future__ import annotations

import fnmatch
import io
import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fsspec import AbstractFileSystem  # type: ignore[import-untyped]

from metaplat.model.errors import PermanentStoreError, StoreError, TransientStoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from metaplat.stores.objects import ObjectStore

_MARK = "metaplat-store-error "


class StoreFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Files ``<scheme>://...`` below the address of ``objects``.

    Parameters
    ----------
    objects : ObjectStore
        Its address has a scheme, for example ``s3://bucket/prefix``.
    """

    cachable = False

    def __init__(self, objects: ObjectStore) -> None:
        super().__init__()
        self.protocol, _, self._root = objects.address.partition("://")
        self._objects = objects
        self._sizes: dict[str, int] = {}
        self._modified: dict[str, datetime] = {}

    def glob(self, path: str, **_: Any) -> list[str]:
        """Return the paths that match, from one listing."""
        key = self._key(path)
        folder = re.split(r"[*?\[]", key, maxsplit=1)[0]
        with _told_to_duckdb():
            listed = self._objects.list_objects(folder)
        matcher = re.compile(fnmatch.translate(key))
        found = [item for item in listed if matcher.match(item.key) and item.key.count("/") == key.count("/")]
        self._modified.update((item.key, item.modified) for item in found)
        return [f"{self._root}/{item.key}" for item in found]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return the size of a file, as it was when it was last opened."""
        key = self._key(path)
        size = self._sizes.get(key)
        if size is None:
            with _told_to_duckdb():
                found = self._objects.info(key)
            if found is None:
                raise FileNotFoundError(path)
            size = found.size
        return {"name": self._strip_protocol(path), "size": size, "type": "file"}

    def modified(self, path: str) -> datetime:
        """Return the time of the last writing, as last listed."""
        key = self._key(path)
        if key not in self._modified:
            self.glob(path)
        try:
            return self._modified[key]
        except KeyError:
            raise FileNotFoundError(path) from None

    def _open(self, path: str, mode: str = "rb", **_: Any) -> io.BytesIO:
        if mode != "rb":
            raise PermissionError("the lake is read-only in SQL")
        key = self._key(path)
        try:
            with _told_to_duckdb():
                content = self._objects.get(key)
        except KeyError:
            raise FileNotFoundError(path) from None
        self._sizes[key] = len(content)
        return io.BytesIO(content)

    def _key(self, path: str) -> str:
        return path.removeprefix(f"{self.protocol}://").removeprefix(f"{self._root}/")


@contextmanager
def _told_to_duckdb() -> Iterator[None]:
    """Write our error into the one text that DuckDB passes on."""
    try:
        yield
    except StoreError as error:
        facts = [isinstance(error, TransientStoreError), *map(str, error.args[:4])]
        raise OSError(_MARK + json.dumps(facts)) from None


def error_told(text: str) -> StoreError | None:
    """Return the error of ours that is written in a message of DuckDB."""
    _, mark, facts = text.partition(_MARK)
    if not mark:
        return None
    (transient, *rest), _ = json.JSONDecoder().raw_decode(facts)
    return (TransientStoreError if transient else PermanentStoreError)(*rest)
