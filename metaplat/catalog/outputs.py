"""Files that a pipeline made, read as observations before they are registered.

Here: reading a few named files at once, all or nothing.
Not here: cataloging whole places (``ingesting``), registering (``pipelines``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.catalog.ingesting.extracting import file_reader
from metaplat.catalog.ingesting.listing import open_listing
from metaplat.catalog.ingesting.reading_files import COLUMNS, Refusal
from metaplat.collectors.headers.mappings import load_mappings
from metaplat.model.errors import InvalidInputError
from metaplat.model.observation import shown_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.catalog.ingesting.listing import FileEntry
    from metaplat.model.observation import Row
    from metaplat.settings import Settings


def observed_files(addresses: Sequence[str], settings: Settings) -> list[Row]:
    """Read the headers of named files.

    Parameters
    ----------
    addresses : sequence of str
        Absolute paths and ``s3://`` addresses.
    settings : Settings
        Sections ``[catalog]`` and ``[s3]``.

    Returns
    -------
    list of Row
        One observation a file, in order.

    Raises
    ------
    UsageError
        There is no such file.
    InvalidInputError
        A file cannot be cataloged; the text says which and why.
    """
    entries = [_entry(address, settings) for address in addresses]
    reader = file_reader(settings, load_mappings(settings.catalog.mappings))
    readings = [reading for entry in entries for reading in reader.read_chunk([entry])]
    for reading in readings:
        if isinstance(reading, Refusal):
            path = shown_path(reading.entry.path)
            raise InvalidInputError(f"{path}: it cannot be registered: {reading.code}: {reading.text}")
    return [dict(zip(COLUMNS, reading, strict=True)) for reading in readings]


def _entry(address: str, settings: Settings) -> FileEntry:
    found = [entry for entry in open_listing(address, settings) if entry.path == address]
    if not found:
        raise InvalidInputError(f"{shown_path(address)}: it cannot be registered: there is no such file")
    return found[0]
