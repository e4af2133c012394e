"""List thousands of folders of a disk into one frame.

Here: the usual folder, which holds files only; any other is walked by ``local_objects``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from metaplat.stores.folder_contents import listing_frame
from metaplat.stores.local_writing import TEMPORARY

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from metaplat.stores.local_objects import LocalObjects


@dataclass
class _Found:
    folders: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    modified: list[int] = field(default_factory=list)

    def add(self, folder: str, files: Sequence[tuple[str, int, int]]) -> None:
        """Add the files of a folder: name, size, microseconds since 1970."""
        self.folders += [folder] * len(files)
        for name, size, modified in files:
            self.names.append(name)
            self.sizes.append(size)
            self.modified.append(modified)


def local_listing(objects: LocalObjects, folders: Sequence[str]) -> pl.DataFrame:
    """Return every file in and below ``folders``, as ``Deliveries.listing``."""
    found = _Found()
    for folder in dict.fromkeys(folders):
        files = _plain_files(f"{objects.root}/{folder}")
        if files is None:
            files = [
                (item.key[len(folder) :], item.size, int(item.modified.timestamp() * 1e6))
                for item in objects.list_objects(folder)
            ]
        found.add(folder, files)
    return listing_frame(found.folders, found.names, found.sizes, found.modified)


def _plain_files(path: str) -> list[tuple[str, int, int]] | None:
    """Return name, size and time of the files of a folder; None where there is anything else, or trouble."""
    files = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if not entry.is_file(follow_symlinks=False):
                    return None
                if entry.name[0] == "." and TEMPORARY.fullmatch(entry.name):
                    continue
                state = entry.stat()
                files.append((entry.name, state.st_size, state.st_mtime_ns // 1000))
    except OSError:  # what it means is for the one who walks to say
        return None
    return files
