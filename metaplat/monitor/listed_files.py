"""The files of a table, listed once.

Here: keeping the listing between the steps of one run, which must see the same objects.
Not here: listing (``stores.tables.files``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.landed import ObjectInfo
    from metaplat.stores.tables.files import TableFiles


@dataclass
class ListedFiles:
    """``files``, of which all objects are listed the first time only; one folder is listed each time.

    Parameters
    ----------
    files : TableFiles
        The files.
    """

    files: TableFiles
    _listed: list[ObjectInfo] | None = field(default=None, init=False)

    @property
    def address(self) -> str:
        """Folder or ``s3://bucket/prefix``, without a slash at the end."""
        return self.files.address

    @property
    def parallel(self) -> int:
        """How many requests are worth having in flight."""
        return self.files.parallel

    def list_objects(self) -> list[ObjectInfo]:
        """Return every object as it was when first asked."""
        if self._listed is None:
            self._listed = self.files.list_objects()
        return self._listed

    def list_folder(self, folder: str) -> list[ObjectInfo]:
        """Return the objects below one folder as they are now."""
        return self.files.list_folder(folder)

    def local_path(self, info: ObjectInfo) -> str | None:
        """Path of the object where it is a local file; None elsewhere."""
        return self.files.local_path(info)

    def read_tail(self, info: ObjectInfo, size: int) -> bytes:
        """Return the last ``size`` bytes of the object."""
        return self.files.read_tail(info, size)

    def read_ranges(self, info: ObjectInfo, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each range (start, end)."""
        return self.files.read_ranges(info, ranges)
