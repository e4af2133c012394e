"""Which dataset a person means.

Here: ids, beginnings of ids, paths and addresses to dataset ids.
Not here: searching by anything else (``search``).
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from metaplat.model.errors import UsageError
from metaplat.model.filters import Prefix
from metaplat.model.observation import dataset_id_of, path_on_disk, shown_path
from metaplat.stores.catalog.index import Query, Sort

if TYPE_CHECKING:
    from metaplat.stores.catalog.index import CatalogIndex

ID = re.compile(r"[0-9a-f]{32}")
BEGIN = re.compile(r"[0-9a-f]{6,31}")


def dataset_named(index: CatalogIndex, name: str) -> str:
    """Return the id of a dataset.

    Parameters
    ----------
    index : CatalogIndex
        Where it is.
    name : str
        Its id, the first six or more digits of it, its path (absolute or from the current folder; a name that
        is not UTF-8 as it is, or as the catalog shows it), or its ``s3://`` address.

    Raises
    ------
    UsageError
        No dataset is called so, or several ids begin so.
    """
    address = name if name.startswith("s3://") else os.path.abspath(name)  # noqa: PTH100  # names need not be UTF-8
    meant = dict.fromkeys(
        (address, path_on_disk(shown_path(address)))
    )  # as it is, or as the catalog shows it
    ids = [name] * bool(ID.fullmatch(name)) + [dataset_id_of(each) for each in meant]
    known = index.known(ids)
    for dataset_id in ids:
        if dataset_id in known:
            return dataset_id
    if BEGIN.fullmatch(name):
        return _begun(index, name)
    raise _unknown(name)


def _begun(index: CatalogIndex, begin: str) -> str:
    query = Query(
        Prefix("dataset_id", begin), sort=(Sort("dataset_id"),), columns=("dataset_id",), limit=3, absent=True
    )
    found = [row["dataset_id"] for row in index.search(query)]
    if not found:
        raise _unknown(begin)
    if len(found) > 1:
        raise UsageError(f"dataset {begin!r}: several ids begin so, {', '.join(found)}; give more of it")
    return str(found[0])


def _unknown(name: str) -> UsageError:
    advice = "`metaplat catalog search` lists ids and paths"
    return UsageError(f"no dataset {shown_path(name)!r} is cataloged; {advice}")
