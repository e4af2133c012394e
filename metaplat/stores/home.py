"""Open every store that the settings name.

Here: which store is where, under ``home`` or under ``root``.
Not here: what the stores do. Opening is lazy: no request is made and no folder created before it is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.stores.lake import Lake
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.s3_objects import S3Objects

if TYPE_CHECKING:
    from metaplat.model.domain import MetadataDomain
    from metaplat.settings import Settings
    from metaplat.stores.hot import HotStore
    from metaplat.stores.objects import ObjectStore

HOT_FILE = "hot.sqlite"


@dataclass(frozen=True)
class Stores:
    """All stores of one installation.

    Parameters
    ----------
    settings : Settings
        Where they come from.
    landing : ObjectStore
        Raw objects, unchanged.
    quarantine : ObjectStore
        Rejected records with the reason.
    state : ObjectStore
        What the platform remembers of its own work.
    reports : ObjectStore
        Rendered reports.
    lake : Lake
        Validated partitions.
    """

    settings: Settings
    landing: ObjectStore
    quarantine: ObjectStore
    state: ObjectStore
    reports: ObjectStore
    lake: Lake

    def hot(self, domain: MetadataDomain) -> HotStore | None:
        """Return the hot table of a domain; None where it has no hot rows."""
        if domain.hot is None or domain.retention.hot is None:
            return None
        seconds = int(domain.retention.hot.total_seconds())
        if self.settings.hot.backend == "dynamodb":
            from metaplat.stores.dynamodb_hot import DynamoHot

            return DynamoHot(self.settings.hot, domain.hot, seconds, domain.columns)
        from metaplat.stores.sqlite_hot import SqliteHot

        return SqliteHot(self.settings.home / HOT_FILE, domain.hot, seconds, domain.columns)


def open_stores(settings: Settings) -> Stores:
    """Return the stores of ``settings``, unopened."""
    return Stores(
        settings,
        landing=_objects(settings, "landing"),
        quarantine=_objects(settings, "quarantine"),
        state=_objects(settings, "state"),
        reports=_objects(settings, "reports"),
        lake=Lake(_objects(settings, "")),  # it names its own folder
    )


def _objects(settings: Settings, name: str) -> ObjectStore:
    if settings.root is None:
        return LocalObjects(settings.home / name)
    return S3Objects(f"{settings.root.rstrip('/')}/{name}".rstrip("/"), settings.s3)
