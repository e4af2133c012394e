"""Which partitions have landing objects that no ingest has read yet.

Here: what is listed on a tick, what is new in it, and the cursor that remembers the listings.
Not here: Dagster's sensor (``sensors``).

The cursor holds a digest of the last listing of each folder, not a time: objects with equal times, rewritten,
late or back-dated ones all change it. Whether a changed folder holds anything new is asked of the receipt of
its partition, so that a deleted object or an ingest by hand asks for nothing. A lost cursor loses nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from metaplat.ingest.partition import landing_prefix
from metaplat.ingest.receipts import Receipts
from metaplat.model.landed import inventory_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.landed import ObjectInfo
    from metaplat.settings import SensorSettings
    from metaplat.stores.home import Stores

    Listings = dict[str, list[ObjectInfo]]

DIGEST_LENGTH = 16


@dataclass
class WatchCursor:
    """What a sensor remembers between ticks.

    Parameters
    ----------
    begun : int
        When it was begun, Unix time: what is asked after a reset is told from what was asked before.
    listings : dict of str to str
        Digest of the last listing by partition key; the most recently changed partition comes last.
    position : int
        Where the rotation over the other partitions goes on.
    """

    begun: int
    listings: dict[str, str] = field(default_factory=dict)
    position: int = 0

    @classmethod
    def read(cls, text: str | None) -> WatchCursor | None:
        """Read a stored cursor; None where there is none, or one that this version did not write."""
        try:
            cursor = cls(**json.loads(text or ""))
        except (ValueError, TypeError):
            return None
        kinds = (int, dict, int)
        return cursor if all(map(isinstance, vars(cursor).values(), kinds)) else None

    def text(self) -> str:
        """Return the cursor as it is stored."""
        return json.dumps(vars(self), separators=(",", ":"))


@dataclass(frozen=True)
class Watched:
    """What one look at the landing zone found.

    Parameters
    ----------
    touched : dict of str to str
        Digest of the listing by key of each existing partition with objects nobody has read yet.
    cursor : WatchCursor
        For the next tick.
    listed : int
        Folders that were listed.
    strange : int
        Folders that belong to no partition that exists by now; nothing in them is asked for.
    """

    touched: dict[str, str]
    cursor: WatchCursor
    listed: int
    strange: int


def watch_landing(
    domain: MetadataDomain, stores: Stores, cursor_text: str | None, now: datetime, settings: SensorSettings
) -> Watched:
    """Look at the landing folders of a domain once.

    The first look lists everything. Later ones list the newest partitions, those that changed last, folders
    never seen before, and a few of the others in rotation, so that the work of a tick does not grow with the
    archive and a late object in an old folder is still found.

    A folder of a partition that does not exist is left alone until its partition does: what landed ahead of
    time is found when its day has come, and what lies before the first partition never is.

    Raises
    ------
    StoreError
        The landing zone cannot be listed: an outage never looks like "nothing new".
    """
    keys, cursor = domain.partitions.keys(now), WatchCursor.read(cursor_text)
    depth = domain.partitions.folder(keys[0]).count("/") + 1
    if cursor is None:
        cursor = WatchCursor(int(now.timestamp()))
        landed = _all_folders(domain, stores, depth)
        folders, existing = set(landed), [key for key in keys if key in landed]
        listings = {key: landed[key] for key in existing}
    else:
        folders = set(_named_folders(domain, stores, depth))
        existing = [key for key in keys if key in folders]
        listings = _some(domain, stores, cursor, existing, settings)
    touched, there = _touched(domain, stores, cursor, listings), set(existing)
    cursor.listings = {key: digest for key, digest in cursor.listings.items() if key in there}
    return Watched(touched, cursor, len(listings), len(folders) - len(existing))


def _touched(
    domain: MetadataDomain, stores: Stores, cursor: WatchCursor, listings: Listings
) -> dict[str, str]:
    """Remember the listings, and return those of partitions with objects that no receipt knows."""
    receipts, touched = Receipts(stores.state, domain), dict[str, str]()
    for partition, objects in listings.items():
        digest = inventory_digest(objects)[:DIGEST_LENGTH]
        if cursor.listings.get(partition) == digest:
            continue
        cursor.listings.pop(partition, None)
        cursor.listings[partition] = digest
        receipt = receipts.load(partition) if objects else None
        known = receipt.identities if receipt else frozenset()
        if any(item.identity not in known for item in objects):
            touched[partition] = digest
    return touched


def _some(
    domain: MetadataDomain,
    stores: Stores,
    cursor: WatchCursor,
    existing: Sequence[str],
    settings: SensorSettings,
) -> Listings:
    """List the folders that are due on this tick; ``existing`` is in partition order."""
    there, known = set(existing), cursor.listings
    unseen = [key for key in existing if key not in known]
    changed = [key for key in list(known)[max(0, len(known) - settings.older_partitions) :] if key in there]
    chosen = dict.fromkeys([*existing[-settings.recent_partitions :], *unseen, *changed])
    others = [key for key in existing if key not in chosen]
    start = cursor.position % max(len(others), 1)
    chosen |= dict.fromkeys((others + others)[start : start + min(settings.older_partitions, len(others))])
    cursor.position = start + settings.older_partitions
    prefixes = {key: landing_prefix(domain, key) for key in chosen}
    listed = stores.landing.list_prefixes(list(prefixes.values()))
    return {key: listed[prefix] for key, prefix in prefixes.items()}


def _named_folders(domain: MetadataDomain, stores: Stores, depth: int) -> list[str]:
    """Return the folders there are, without listing what is in them: partition keys, else their own names."""
    folders = stores.landing.list_folders(domain.landing, depth)
    return [domain.partitions.key_of_folder(folder) or f"{domain.landing}{folder}" for folder in folders]


def _all_folders(domain: MetadataDomain, stores: Stores, depth: int) -> Listings:
    """Return every landing object of a domain, by folder named as ``_named_folders`` does."""
    found: Listings = {}
    names: dict[str, str] = {}
    for item in stores.landing.list_tree(domain.landing):
        folder = "/".join(item.key.removeprefix(domain.landing).split("/")[:-1][:depth])
        if folder not in names:
            names[folder] = domain.partitions.key_of_folder(folder) or f"{domain.landing}{folder}"
        found.setdefault(names[folder], []).append(item)
    return found


def joined_within(
    stretches: Sequence[tuple[str, str]], order: Mapping[str, int], most: int
) -> list[tuple[str, str]]:
    """Join stretches with at most ``most`` partitions between them."""
    joined: list[tuple[str, str]] = []
    for first, last in stretches:
        near = joined and order[first] - order[joined[-1][1]] <= most + 1
        joined.append((joined.pop()[0], last) if near else (first, last))
    return joined


def covering(
    stretches: Sequence[tuple[str, str]], order: Mapping[str, int], most: int
) -> list[tuple[str, str]]:
    """Join the nearest stretches until at most ``most`` are left: ingesting what lies between is harmless."""
    joined = list(stretches)
    while len(joined) > most:
        gaps = [order[joined[i + 1][0]] - order[joined[i][1]] for i in range(len(joined) - 1)]
        nearest = gaps.index(min(gaps))
        joined[nearest : nearest + 2] = [(joined[nearest][0], joined[nearest + 1][1])]
    return joined
