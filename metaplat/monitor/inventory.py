"""Which data files of a listing lie in which bucket, and what lies elsewhere.

Here: names of folders and files.
Not here: listing (``stores.tables.files``), what the files hold (``profile``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metaplat.model.table_metrics import Inventory, Strange, StrangeFolder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metaplat.model.landed import ObjectInfo
    from metaplat.model.table import MonitoredTable

PARTITION = "id_bucket="
DEFAULT_VALUE = "__HIVE_DEFAULT_PARTITION__"
TOP = "."
"""Name of the folder of files that lie directly below the table."""
_NUMBER = re.compile(r"[+-]?[0-9]+", re.ASCII)


def take_inventory(table: MonitoredTable, objects: Iterable[ObjectInfo]) -> Inventory:
    """Sort the objects of a listing into the buckets of ``table``.

    Parameters
    ----------
    table : MonitoredTable
        The table.
    objects : iterable of ObjectInfo
        What was listed, keys relative to the table's location, in any order; of the whole table or of some of
        its folders.

    Returns
    -------
    Inventory
        Every expected bucket is there, possibly without files.
    """
    names = {table.folder(bucket): bucket for bucket in range(table.bucket_count)}
    buckets: dict[int, list[ObjectInfo]] = {bucket: [] for bucket in names.values()}
    strange: dict[str, list[ObjectInfo]] = {}
    empty = []
    for item in sorted(objects):
        if _hidden(item.key):
            continue
        if item.size == 0:
            if item.key.endswith(".parquet"):
                empty.append(item)
            continue
        folder, slash, _ = item.key.partition("/")
        bucket = names.get(folder) if slash else None
        if bucket is None:
            strange.setdefault(folder if slash else TOP, []).append(item)
        else:
            buckets[bucket].append(item)
    folders = [_strange_folder(table, name, files) for name, files in sorted(strange.items())]
    return Inventory(buckets, folders, empty)


def _hidden(key: str) -> bool:
    """Whether engines pass over it: a part of its path starts with ``_`` or ``.``, or it is a folder."""
    if key[0] in "_." or key[-1] == "/":
        return True
    return "/_" in key or "/." in key


def _strange_folder(table: MonitoredTable, name: str, files: list[ObjectInfo]) -> StrangeFolder:
    shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return StrangeFolder(shown, _kind(table, name), len(files), sum(item.size for item in files))


def _kind(table: MonitoredTable, name: str) -> Strange:
    if not name.startswith(PARTITION):
        return Strange.OTHER
    value = name.removeprefix(PARTITION)
    if value == DEFAULT_VALUE:
        return Strange.DEFAULT
    if not _NUMBER.fullmatch(value):
        return Strange.NOT_A_NUMBER
    return Strange.PADDED if 0 <= int(value) < table.bucket_count else Strange.UNKNOWN
