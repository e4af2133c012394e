"""The files of a table, wherever it lies.

Here: the protocol, and which implementation an address means. Implementations: ``local_files``, ``s3_files``.
Not here: what the files hold (``parquet_footer``, ``key_column``), buckets (``monitor.inventory``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from metaplat.model.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.landed import ObjectInfo
    from metaplat.settings import S3Settings


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(/|$)")
"""How the address of some other storage begins: ``hdfs://``, ``file:/``, and what is left of ``s3://``."""

PERMISSION_DENIED = "cannot be read: permission denied"
"""Why a file cannot be read though nothing may be wrong with it."""


class TableFiles(Protocol):
    """The objects below one location, read in parts; safe to use in many threads.

    Every method raises TransientStoreError or PermanentStoreError where the store fails. ``read_tail`` and
    ``read_ranges`` raise KeyError where the object is gone or was rewritten since it was listed,
    and InvalidInputError where it alone is not for this user.
    """

    @property
    def address(self) -> str:
        """Folder or ``s3://bucket/prefix``, without a slash at the end."""

    @property
    def parallel(self) -> int:
        """How many requests are worth having in flight."""

    def list_objects(self) -> list[ObjectInfo]:
        """Return every object on any level, keys relative to the location, by key.

        Raises
        ------
        PermanentStoreError
            The location does not exist (a prefix without any object does not), or is a file.
        """

    def list_folder(self, folder: str) -> list[ObjectInfo]:
        """Return the objects below one folder, keys relative to the location; may be empty."""

    def local_path(self, info: ObjectInfo) -> str | None:
        """Path of the object where it is a local file; None elsewhere."""

    def read_tail(self, info: ObjectInfo, size: int) -> bytes:
        """Return the last ``size`` bytes of the object, all of it where it is smaller."""

    def read_ranges(self, info: ObjectInfo, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each range (start, end), near ones in one request."""


def open_table_files(location: str, settings: S3Settings) -> TableFiles:
    """Return the files at a local folder or ``s3://bucket/prefix``; nothing is opened yet.

    Raises
    ------
    SettingsError
        The address is neither: another scheme, for example.
    """
    from metaplat.stores.tables.local_files import LocalTableFiles
    from metaplat.stores.tables.s3_files import S3TableFiles

    is_s3 = location.startswith("s3://") and location[5:6] not in {"", "/"}
    if not is_s3 and (_SCHEME.match(location) or not location.strip()):
        raise SettingsError(
            "location",
            f"{location!r} is neither a local folder nor an address s3://bucket/prefix",
            "Correct it.",
        )
    if is_s3:
        return S3TableFiles(location.rstrip("/"), settings)
    return LocalTableFiles(location.rstrip("/") or "/")
