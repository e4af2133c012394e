"""What the last ingest of each partition did, kept in the ``state`` store.

Here: writing and reading ``IngestReceipt``. The identities of the objects lie in a file of their own, because
histories read many receipts and never the identities.
Not here: making a receipt (``partition``).
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from metaplat.model.errors import PermanentStoreError
from metaplat.model.landed import IngestReceipt

if TYPE_CHECKING:
    from metaplat.model.domain import MetadataDomain
    from metaplat.stores.objects import ObjectStore

TIMES = ("newest", "oldest")
RUNS = ("provisional", "settled")


class Receipts:
    """The receipts of one domain.

    Parameters
    ----------
    state : ObjectStore
        Where they are kept.
    domain : MetadataDomain
        Whose they are.
    """

    def __init__(self, state: ObjectStore, domain: MetadataDomain) -> None:
        self._state, self._domain = state, domain

    def save(self, receipt: IngestReceipt) -> None:
        """Replace the receipt of a partition: identities first, so that a cut between the two is seen."""
        self._state.put(
            self._key("inventories", receipt.partition), "\n".join(sorted(receipt.identities)).encode()
        )
        entry = {field.name: getattr(receipt, field.name) for field in fields(receipt)}
        del entry["identities"]
        self._state.put(self._key("receipts", receipt.partition), orjson.dumps(entry, default=str))

    def load(self, partition: str) -> IngestReceipt | None:
        """Return the whole receipt of a partition, or None where it was never ingested."""
        try:
            key = self._key("receipts", partition)
            receipt = self._decode(key, self._state.get(key))
            inventory = self._state.get(self._key("inventories", partition))
        except KeyError:
            return None
        try:
            return replace(receipt, identities=frozenset(inventory.decode("ascii").split()))
        except UnicodeDecodeError as error:
            raise self._broken(self._key("inventories", partition)) from error

    def load_all(self) -> dict[str, IngestReceipt]:
        """Return all receipts by partition key, in the order of the keys, without identities."""
        listed = [item.key for item in self._state.list_objects(f"receipts/{self._domain.name}/")]
        found = (self._decode(key, text) for key, text in self._state.get_many(listed) if text is not None)
        order = {receipt.partition: receipt for receipt in found}
        return dict(sorted(order.items(), key=lambda item: _natural(item[0])))

    def _key(self, kind: str, partition: str) -> str:
        return f"{kind}/{self._domain.name}/{self._domain.partitions.file_name(partition)}.json"

    def _decode(self, key: str, content: bytes) -> IngestReceipt:
        try:
            entry: dict[str, Any] = dict(orjson.loads(content))
            times = {name: datetime.fromisoformat(entry[name]) for name in TIMES if entry.get(name)}
            runs = {name: tuple(entry.get(name, ())) for name in RUNS}
            return IngestReceipt(**(entry | times | runs))
        except (TypeError, ValueError) as error:  # not JSON, no object, or of another form
            raise self._broken(key) from error

    def _broken(self, key: str) -> PermanentStoreError:
        return PermanentStoreError(
            self._state.address,
            f"read an ingest receipt of {self._domain.name}",
            "the file is broken",
            f"Delete {key} there and materialize its partition again.",
        )


def _natural(key: str) -> tuple[int, str]:
    """Order of keys: bucket numbers by value, dates by text."""
    return (int(key), "") if key.isdigit() else (0, key)
