"""What is known of an hour without asking the API: from its folder, where memory holds nothing.

Here: the extract that a manifest or a saved promise tells of; the verdict on an hour that is over.
Not here: the JSON of the two files (``folder_files``), comparing sizes (``comparison``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from metaplat.collectors.vip.safe_files import shown_name
from metaplat.model.errors import InvalidInputError, SettingsError
from metaplat.model.extract import (
    MANIFEST_FILE,
    OWN_FILES,
    PROMISE_FILE,
    Extract,
    ExtractFile,
    ExtractStatus,
)
from metaplat.vip.pulling.folder_files import read_promise
from metaplat.vip.pulling.saved_form import extract_from_json

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.settings import VipSettings
    from metaplat.stores.deliveries import Deliveries
    from metaplat.vip.pulling.remembered import ExtractMemory

GONE = "hour can no longer be pulled: the API exports the present only"
UNPROMISED = "there are files, and nothing says what was promised"


def new_extract(settings: VipSettings, hour: datetime, status: ExtractStatus) -> Extract:
    """Return the extract of an hour of which nothing is known yet."""
    return Extract(settings.config, settings.environment, hour, settings.folder(hour), status)


def from_manifest(settings: VipSettings, deliveries: Deliveries, hour: datetime) -> Extract | None:
    """Return the extract that our manifest in the folder of an hour tells of; None where there is none.

    Raises
    ------
    SettingsError
        It is the manifest of another configuration.
    TransientStoreError, PermanentStoreError
        The target fails.
    """
    folder = settings.folder(hour)
    content = _content(deliveries, f"{folder}{MANIFEST_FILE}")
    if content is None:
        return None
    try:
        found = extract_from_json(content)
    except InvalidInputError:  # somebody else's file of that name
        return None
    if found.config_name != settings.config:
        problem = f"{deliveries.address}/{folder} holds an extract of {shown_name(found.config_name)}"
        raise SettingsError("vip.prefix", problem, f"Give {settings.config} a prefix of its own.")
    return replace(found, hour=hour, folder=folder)


def known_hour(
    settings: VipSettings, memory: ExtractMemory, deliveries: Deliveries, hour: datetime
) -> Extract | None:
    """Return what memory holds of an hour; where that is no job, what our manifest in its folder tells.

    Raises
    ------
    SettingsError
        The folder holds an extract of another configuration.
    TransientStoreError, PermanentStoreError
        State or target fails.
    """
    known = memory.load(settings.config, hour)
    if known and known.job_guid:
        return known
    found = from_manifest(settings, deliveries, hour)
    return found if found and found.job_guid else known


def recovered(settings: VipSettings, deliveries: Deliveries, hour: datetime) -> Extract | None:
    """Return the extract that the folder of an hour tells of.

    Parameters
    ----------
    settings : VipSettings
        Folder, configuration, field names.
    deliveries : Deliveries
        Where the folder is.
    hour : datetime
        Aware UTC.

    Returns
    -------
    Extract or None
        From our manifest, job and files included; else from the saved promise of any client, without a job;
        else without files where there are any; None where there is nothing. Not compared with the folder yet.

    Raises
    ------
    SettingsError
        The folder holds an extract of another configuration.
    InvalidInputError
        The saved promise cannot be read.
    TransientStoreError, PermanentStoreError
        The target fails.
    """
    found = from_manifest(settings, deliveries, hour)
    if found is None and (content := _content(deliveries, f"{settings.folder(hour)}{PROMISE_FILE}")):
        promised = read_promise(content, settings)
        files = tuple(ExtractFile(each) for each in promised)
        found = replace(new_extract(settings, hour, ExtractStatus.INCOMPLETE), files=files)
    if found is None and set(deliveries.folder(settings.folder(hour))) - OWN_FILES:
        found = new_extract(settings, hour, ExtractStatus.INCOMPLETE).with_status(
            ExtractStatus.INCOMPLETE, UNPROMISED
        )
    return found


def missing(settings: VipSettings, hour: datetime, known: Extract | None) -> Extract:
    """Return the verdict on an hour that is over, without a job and without files."""
    reason = GONE
    if known and known.asked_at:
        reason += f"; its export was asked for at {known.asked_at:%H:%M:%S} UTC ({known.status})"
    blank = known or new_extract(settings, hour, ExtractStatus.MISSING)
    return blank.with_status(ExtractStatus.MISSING, reason)


def _content(deliveries: Deliveries, key: str) -> bytes | None:
    try:
        return deliveries.objects.get(key)
    except KeyError:
        return None
