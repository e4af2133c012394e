"""Our two files beside the delivered ones: the promise without secrets, and the manifest.

Here: their JSON in both directions, writing them once a delivered file is there.
Not here: what else is remembered of an extract (``remembered``); comparing with the folder (``comparison``).

Whoever counts files takes a folder with any object in it for delivered, so neither of them is ever the first.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from metaplat.model.errors import InvalidInputError
from metaplat.model.extract import MANIFEST_FILE, PROMISE_FILE, PromisedFile
from metaplat.vip.pulling.saved_form import extract_to_json, json_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.collectors.vip.signed_file import SignedFile
    from metaplat.model.extract import Extract
    from metaplat.settings import VipSettings
    from metaplat.stores.deliveries import Deliveries

OF_THE_PULL = frozenset({"next_slot", "export_calls", "transferred_files", "transferred_bytes", "seconds"})
"""What a manifest does not hold: it changes with every pull, and the files do not."""


def write_folder_files(
    settings: VipSettings, deliveries: Deliveries, extract: Extract, listed: Sequence[SignedFile] | None
) -> None:
    """Write promise and manifest into the folder of an extract, each only where it has changed.

    Parameters
    ----------
    settings : VipSettings
        Names of the fields.
    deliveries : Deliveries
        Where the folder is.
    extract : Extract
        Compared with the folder; without any delivered file nothing is written.
    listed : sequence of SignedFile or None
        The list of files; None where it was not asked for, or did not come: an older promise stays.

    Raises
    ------
    TransientStoreError, PermanentStoreError
        The target fails.
    """
    if not any(each.delivered_size is not None for each in extract.files):
        return
    _replace(deliveries, f"{extract.folder}{MANIFEST_FILE}", manifest_json(extract))
    key = f"{extract.folder}{PROMISE_FILE}"
    if listed or deliveries.objects.info(key) is None:
        _replace(deliveries, key, promise_json(extract, listed or (), settings))


def manifest_json(extract: Extract) -> bytes:
    """Return job, configuration, hour, and what became of every file."""
    fields = json.loads(extract_to_json(extract))
    return json_bytes({name: value for name, value in fields.items() if name not in OF_THE_PULL})


def promise_json(extract: Extract, listed: Sequence[SignedFile], settings: VipSettings) -> bytes:
    """Return the list of files in the vendor's own form, its addresses without what signs them.

    Parameters
    ----------
    extract : Extract
        Whose ``files`` are the promise.
    listed : sequence of SignedFile
        Where addresses come from; null for a file without one.
    settings : VipSettings
        Names of the fields.
    """
    addresses = {each.promised.key: stripped(each.url.get_secret_value()) for each in listed}
    entries: list[dict[str, Any]] = []
    for each in extract.files:
        promised = each.promised
        entry = {
            settings.key_field: promised.key,
            settings.url_field: addresses.get(promised.key),
            settings.size_field: promised.size,
        }
        entries.append(entry | ({settings.checksum_field: promised.checksum} if promised.checksum else {}))
    return json_bytes(entries)


def read_promise(content: bytes, settings: VipSettings) -> list[PromisedFile]:
    """Return what a saved promise promises, ours or that of another client; its addresses are not looked at.

    Parameters
    ----------
    content : bytes
        JSON list of objects, as the vendor lists files. Entries without a key say nothing and are left out.
    settings : VipSettings
        Names of the fields.

    Raises
    ------
    InvalidInputError
        It is no such list. The text holds nothing of the content: that may be live addresses.
    """
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError):
        raise InvalidInputError(f"{PROMISE_FILE}: this is no JSON") from None
    if not isinstance(entries, list):
        raise InvalidInputError(f"{PROMISE_FILE}: this is no list of files")
    promised = [_promised(each, settings) for each in entries if isinstance(each, dict)]
    return list({each: None for each in promised if each.name})


def stripped(url: str) -> str | None:
    """Return an address without user, query and fragment; None where there is none, or none can be read."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")) or None


def _promised(entry: Mapping[str, Any], settings: VipSettings) -> PromisedFile:
    key, size = entry.get(settings.key_field), entry.get(settings.size_field)
    try:
        whole = None if size is None else int(size)
    except (TypeError, ValueError, OverflowError):
        whole = None
    checksum = entry.get(settings.checksum_field)
    return PromisedFile(
        key if isinstance(key, str) else "", whole, checksum if isinstance(checksum, str) else None
    )


def _replace(deliveries: Deliveries, key: str, content: bytes) -> None:
    try:
        if deliveries.objects.get(key) == content:
            return
    except KeyError:
        pass
    deliveries.objects.put(key, content)
