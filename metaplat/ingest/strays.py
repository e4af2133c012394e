"""Records found in the folder of another partition are landed again where they belong.

Here: naming and writing the objects of strays. The object they were found in stays as it is.
Not here: finding them (``reader``).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.model.domain import MetadataDomain, Record
    from metaplat.stores.objects import ObjectStore


def land_strays(
    landing: ObjectStore, domain: MetadataDomain, strays: Mapping[tuple[str, str], Sequence[Record]]
) -> list[str]:
    """Write one NDJSON object per home partition and source object; the same strays, the same object.

    Parameters
    ----------
    landing : ObjectStore
        The landing zone.
    domain : MetadataDomain
        Whose records they are.
    strays : mapping
        Redacted records by (home partition key, key of the object they were found in).

    Returns
    -------
    list of str
        The home partitions for which something new was landed.
    """
    touched = []
    for (home, source), records in strays.items():
        name = f"routed-{hashlib.sha256(source.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}.ndjson"
        key = f"{domain.landing}{domain.partitions.folder(home)}/{name}"
        content = b"".join(orjson.dumps(record) + b"\n" for record in records)
        if put_if_changed(landing, key, content):
            touched.append(home)
    return touched


def put_if_changed(store: ObjectStore, key: str, content: bytes) -> bool:
    """Put ``content`` unless it is what is stored, so that nothing looks rewritten; True where it was put."""
    try:
        if store.get(key) == content:
            return False
    except KeyError:
        pass
    store.put(key, content)
    return True
