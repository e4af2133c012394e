"""Delivered files: streamed in, and listed by the thousand folders.

Here: what the store of deliveries promises, and where it is.
Not here: the two that keep the promise (``s3_deliveries``, ``local_deliveries``), what is delivered and why
(``vip``).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from metaplat.model.errors import SettingsError, shown_address
from metaplat.stores.local_deliveries import LocalDeliveries
from metaplat.stores.s3_client import AccessKeys, split_address
from metaplat.stores.s3_deliveries import S3Deliveries
from metaplat.stores.s3_objects import S3Objects

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import polars as pl
    from pydantic import SecretStr

    from metaplat.model.landed import ObjectInfo
    from metaplat.settings import Settings
    from metaplat.stores.objects import ObjectStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DeliveryKeys:
    """Where files go and with whose keys, where the vendor's secret says so.

    Parameters
    ----------
    bucket : str
        ``bucket``, ``bucket/prefix`` or ``s3://bucket/prefix``.
    access_key, secret_key : SecretStr or None
        Keys of AWS; None follows the AWS chain.
    """

    bucket: str
    access_key: SecretStr | None = None
    secret_key: SecretStr | None = None


class Deliveries(Protocol):
    """Files below one root; every method raises StoreError where the storage fails.

    An outage is an error, never an empty listing. Files that are being written are never listed.
    """

    @property
    def address(self) -> str:
        """Where it is, for people: a folder or ``s3://bucket/prefix``."""

    @property
    def objects(self) -> ObjectStore:
        """The same place as a store of small objects."""

    def folder(self, folder: str) -> dict[str, ObjectInfo]:
        """Return what lies directly in a folder (with a slash at its end), by base name."""

    async def write(self, key: str, chunks: AsyncIterator[bytes], size: int | None) -> int:
        """Stream ``chunks`` into ``key`` and return how many bytes that were.

        The file becomes visible, whole, when ``chunks`` ends, and never where it raises: its own error comes
        out unchanged. Each chunk may be asked for by another task. ``chunks`` is closed in any case, by its
        ``aclose`` or ``close``, where it has one.
        ``size`` is what is promised, or None; it decides how to send, and is not checked here.
        """

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``start``, fewer at the end; KeyError without such a file."""

    def day_folders(self, prefix: str) -> list[str]:
        """Return the folders YYYYMMDD directly below a prefix (with a slash at its end), sorted."""

    def listing(self, folders: Sequence[str]) -> pl.DataFrame:
        """Return every file in and below ``folders`` (each with a slash at its end), in no special order.

        Columns ``folder`` (as asked), ``name`` (the rest of the key), ``size`` (Int64, bytes) and
        ``modified`` (Datetime, microseconds, UTC).
        """


def open_deliveries(settings: Settings, keys: DeliveryKeys | None = None) -> Deliveries:
    """Return the store of deliveries, unopened: no request is made and no folder created yet.

    Parameters
    ----------
    settings : Settings
        ``vip.target`` says where, else ``root``, else ``home``.
    keys : DeliveryKeys or None
        What the vendor's secret says of it. Its bucket is the target then; where ``vip.target`` names the
        same bucket, the prefix of ``vip.target`` counts.

    Raises
    ------
    SettingsError
        The target is neither a folder nor ``s3://bucket/prefix``; secret and settings name two buckets; or
        the secret holds one half of a pair of keys.
    """
    target = settings.vip.target or settings.root
    access = None
    if keys is not None:
        target, access = _target_of(keys, settings.vip.target), _access_of(keys)
    if target is None:
        return LocalDeliveries(settings.home)
    if "://" not in target:
        return LocalDeliveries(Path(target).expanduser().absolute())
    if not target.startswith("s3://"):
        shown = f"{target.partition('://')[0]}://{shown_address(target)}"
        problem = f"{shown!r} is neither a folder nor an address s3://bucket/prefix"
        raise SettingsError("vip.target", problem, "Correct or remove it.")
    return S3Deliveries(S3Objects(target, settings.s3, access), settings.vip)


def _target_of(keys: DeliveryKeys, configured: str | None) -> str:
    named = keys.bucket if keys.bucket.startswith("s3://") else f"s3://{keys.bucket}"
    if configured is None:
        return named
    if not configured.startswith("s3://") or split_address(configured)[0] != split_address(named)[0]:
        problem = "is not in the bucket that the secret names"
        raise SettingsError("vip.target", problem, "Remove it, or set vip.target_from_secret to false.")
    return configured


def _access_of(keys: DeliveryKeys) -> AccessKeys | None:
    if keys.access_key is None and keys.secret_key is None:
        return None
    if keys.access_key is None or keys.secret_key is None:
        problem = "the secret holds one of the two AWS keys"
        raise SettingsError("vip.secret_id", problem, "Put both of them into it, or none.")
    _log.warning("static AWS keys from the secret are in use; a role (the AWS chain) is safer")
    return AccessKeys(keys.access_key, keys.secret_key)
