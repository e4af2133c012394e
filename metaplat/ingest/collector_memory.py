"""What collectors remember between two collections, one small object per thing in the ``state`` store.

Here: the memory of one domain and source. The fingerprint is part of the object's name, so that one listing
tells all that is known and nothing is opened to learn that it did not change.
Not here: what a fingerprint is made of (the collectors).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING

from metaplat.model.errors import UsageError

if TYPE_CHECKING:
    from metaplat.model.domain import MetadataDomain
    from metaplat.model.landed import ObjectInfo
    from metaplat.stores.objects import ObjectStore

FOLDER = "collected"
LONGEST = 120
"""Characters of a fingerprint: a name of 255 bytes must hold it."""


class CollectorMemory:
    """Remembers for one domain and source; what is remembered is kept by ``commit`` only.

    Parameters
    ----------
    state : ObjectStore
        Where it is kept.
    domain : MetadataDomain
        For which domain is collected.
    source : str
        Name of the collector.
    """

    def __init__(self, state: ObjectStore, domain: MetadataDomain, source: str) -> None:
        self._state, self._prefix = state, f"{FOLDER}/{domain.name}/{source}/"
        self._kept: dict[str, ObjectInfo] | None = None
        self._waiting: dict[str, tuple[str, bytes]] = {}

    def fingerprint(self, name: str) -> str | None:
        """Return the fingerprint that ``name`` had when it was remembered last; None where it never was."""
        if name in self._waiting:
            return self._waiting[name][0]
        kept = self._stored().get(_digest(name))
        return _fingerprint_of(kept.key) if kept else None

    def note(self, name: str) -> bytes | None:
        """Return what was remembered with ``name``; None where there is nothing."""
        if name in self._waiting:
            return self._waiting[name][1]
        kept = self._stored().get(_digest(name))
        if kept is None or not kept.size:
            return None
        try:
            return self._state.get(kept.key)
        except KeyError:  # another collector has remembered something newer meanwhile
            return None

    def remember(self, name: str, fingerprint: str, note: bytes = b"") -> None:
        """Remember ``name`` as it is now, from the next ``commit`` on."""
        if len(fingerprint.encode()) > LONGEST:
            raise UsageError(f"a fingerprint has at most {LONGEST} bytes: that of {name} has more")
        self._waiting[name] = (fingerprint, note)

    def commit(self) -> None:
        """Keep what was remembered: the new object first, so that a cut between the two costs nothing."""
        stored = self._stored()
        for name, (fingerprint, note) in self._waiting.items():
            digest = _digest(name)
            written = base64.urlsafe_b64encode(fingerprint.encode()).decode().rstrip("=")
            before, key = stored.get(digest), f"{self._prefix}{digest}.{written}"
            stored[digest] = self._state.put(key, note)
            if before is not None and before.key != key:
                self._state.delete(before.key)
        self._waiting.clear()

    def _stored(self) -> dict[str, ObjectInfo]:
        """Return what is kept, by digest of the name; of two, the one written last."""
        if self._kept is None:
            listed = sorted(self._state.list_objects(self._prefix), key=lambda item: item.modified)
            self._kept = {item.key.removeprefix(self._prefix).partition(".")[0]: item for item in listed}
        return self._kept


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _fingerprint_of(key: str) -> str | None:
    written = key.rpartition(".")[2]
    try:
        padded = written + "=" * (-len(written) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):  # not written by us: as if it had never been remembered
        return None
