"""List an S3 bucket with many requests at a time.

Here: plain listing of many prefixes, and listing of a tree folder by folder. One listing request gives at
most 1000 keys and names where the next one starts, so a single prefix is listed page after page; only
many prefixes can be listed side by side.
Not here: reading objects (``s3_objects``).
"""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.errors import TransientStoreError
from metaplat.model.landed import ObjectInfo
from metaplat.stores.objects import folder_of
from metaplat.stores.s3_errors import obstore_failures, s3_error
from metaplat.stores.s3_odd_keys import is_odd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obstore import ListResult, ObjectMeta
    from obstore.store import S3Store

    from metaplat.stores.s3_odd_keys import OddKeys


@dataclass(frozen=True)
class Folder:
    """One level of a tree: objects in it, and the folders below it, each with a slash at the end."""

    objects: list[ObjectInfo]
    folders: list[str]


@dataclass(frozen=True)
class S3Listing:
    """Lists what is below the root of ``client``.

    Parameters
    ----------
    client : S3Store
        The obstore client.
    system : str
        The store as errors name it.
    width : int
        Requests at a time.
    odd : OddKeys
        Lists where obstore stops at a key it does not accept.
    """

    client: S3Store
    system: str
    width: int
    odd: OddKeys

    def plain(self, prefixes: Sequence[str]) -> dict[str, list[ObjectInfo]]:
        """Return the objects of each prefix, sorted by key."""
        with ThreadPoolExecutor(self.width, thread_name_prefix="s3-list") as pool:
            found = dict(zip(prefixes, pool.map(self._list, prefixes), strict=True))
            markers = self._markers(pool, [item for listed in found.values() for item in listed])
        if not all(found.values()):
            self.believe_empty()
        return {
            prefix: sorted((item for item in listed if item.key not in markers), key=lambda item: item.key)
            for prefix, listed in found.items()
        }

    def tree(self, prefix: str) -> list[ObjectInfo]:
        """Return the objects of a folder, sorted by key.

        Folders are opened level by level until there are enough of them to keep all requests busy; from
        there on each is listed whole.
        """
        found: list[ObjectInfo] = []
        level = [prefix]
        with ThreadPoolExecutor(self.width, thread_name_prefix="s3-list") as pool:
            while level and len(level) < self.width:
                opened = list(pool.map(self._open, level))
                if not all(folder.objects or folder.folders for folder in opened):
                    self.believe_empty()
                found += [item for folder in opened for item in folder.objects]
                level = [name for folder in opened for name in folder.folders]
            found += [item for listed in pool.map(self._list, level) for item in listed]
            markers = self._markers(pool, found)
        return sorted((item for item in found if item.key not in markers), key=lambda item: item.key)

    def folders(self, prefix: str, depth: int) -> list[str]:
        """Return the folders ``depth`` levels below ``prefix``, relative to it, sorted."""
        level = [prefix]
        with ThreadPoolExecutor(self.width, thread_name_prefix="s3-list") as pool:
            for _ in range(depth):
                level = [name for found in pool.map(self._folders, level) for name in found]
        if not level:
            self.believe_empty()
        return sorted(name[len(prefix) : -1] for name in level)

    def _list(self, prefix: str) -> list[ObjectInfo]:
        from obstore.exceptions import InvalidPathError

        try:
            listed = self.client.list(folder_of(prefix) or None).collect()
        except InvalidPathError:
            return self.odd.list_objects(prefix)
        except obstore_failures() as error:
            raise s3_error(self.system, f"list {prefix!r}", error) from None
        return [info_of(meta) for meta in listed if meta["path"].startswith(prefix)]

    def _open(self, folder: str) -> Folder:
        listed = self._level(folder)
        if listed is None:
            return Folder(self.odd.list_objects(folder), [])
        names = [f"{name}/" for name in listed["common_prefixes"]]
        return Folder([info_of(meta) for meta in listed["objects"]], names)

    def _folders(self, folder: str) -> list[str]:
        listed = self._level(folder)
        if listed is None:
            return [name for name in self.odd.list_folders(folder) if not is_odd(name[:-1])]
        return [f"{name}/" for name in listed["common_prefixes"]]

    def _level(self, folder: str) -> ListResult[Sequence[ObjectMeta]] | None:
        """Return what lies in a folder and no deeper; None where obstore stops at an odd key."""
        from obstore.exceptions import InvalidPathError

        try:
            return self.client.list_with_delimiter(folder or None)
        except InvalidPathError:
            return None
        except obstore_failures() as error:
            raise s3_error(self.system, f"list {folder!r}", error) from None

    def _markers(self, pool: ThreadPoolExecutor, found: list[ObjectInfo]) -> set[str]:
        """Keys that are no objects: consoles mark a folder by an empty object ``folder/``.

        obstore lists it as ``folder``, where no object is.
        """
        empty = [item.key for item in found if item.size == 0]
        return {key for key, exists in zip(empty, pool.map(self.exists, empty), strict=True) if not exists}

    def exists(self, key: str) -> bool:
        """Whether there is an object ``key``, for a key as obstore listed it."""
        try:
            self.client.head(key)
        except FileNotFoundError:
            return False
        except obstore_failures() as error:
            raise s3_error(self.system, f"look up {key!r}", error) from None
        except ValueError:  # a key that obstore does not accept was listed by its exact name
            return True
        return True

    def believe_empty(self) -> None:
        """Make sure that an empty listing came from S3: a login page is read as one, too.

        Raises
        ------
        TransientStoreError
            An object that cannot exist is there.
        """
        try:
            self.client.head(f"{uuid.uuid4().hex}.absent")
        except (FileNotFoundError, PermissionError):
            return
        except obstore_failures() as error:
            failure = s3_error(self.system, "make sure that a listing is empty", error)
            if "HTTP 403" in failure.answer:  # who may list may lack the right to read
                return
            raise failure from None
        raise TransientStoreError(
            self.system, "list", "not an answer of S3", "Check endpoint_url in section [s3] and any proxy."
        )


def info_of(meta: ObjectMeta) -> ObjectInfo:
    """Return an entry of obstore as ours."""
    return ObjectInfo(meta["path"], meta["size"], meta["last_modified"], (meta["e_tag"] or "").strip('"'))
