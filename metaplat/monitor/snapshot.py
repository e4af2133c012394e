"""The snapshot file: the date of the data that a table was made from, beside the table.

Here: where it lies, and reading its first characters whatever it holds.
Not here: how old it may be (``rules.tables``).
"""

from __future__ import annotations

import codecs
import re
from datetime import date
from typing import TYPE_CHECKING

from metaplat.model.table_evidence import SnapshotFacts
from metaplat.monitor.location import split_location
from metaplat.stores.tables.files import open_table_files

if TYPE_CHECKING:
    from metaplat.settings import S3Settings

FOLDER = "metadata"
FILE = f"{FOLDER}/snapshot_dt.txt"
SHOWN_CHARACTERS = 100
READ_BYTES = 4096
"""Enough for the shown characters in any encoding, with white space before them."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def read_snapshot(location: str, settings: S3Settings) -> SnapshotFacts | None:
    """Return what the snapshot file of the table at ``location`` says; None where no parent can hold one.

    Tables that lie in one parent share the file.

    Raises
    ------
    StoreError
        The store fails or refuses.
    """
    place = split_location(location)
    if place is None:
        return None
    parent = place[0]
    address = f"{parent.rstrip('/')}/{FILE}"
    content = _first_bytes(parent, settings)
    if content is None:
        return SnapshotFacts(address)
    text = decoded(content)
    return SnapshotFacts(address, text, day_of(text))


def decoded(content: bytes) -> str:
    """Return text without byte-order mark and surrounding white space, its first 100 characters."""
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content.decode("utf-16" if is_utf16 else "utf-8", "replace")
    return text.strip("\ufeff\0 \t\r\n\v\f\x85\xa0")[:SHOWN_CHARACTERS]


def day_of(text: str) -> date | None:
    """Return ``YYYY-MM-DD`` as a date; None for any other text."""
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:  # for example the 30th of February
        return None


def _first_bytes(parent: str, settings: S3Settings) -> bytes | None:
    """First bytes of the file; None where it is missing, also since a moment ago."""
    files = open_table_files(parent, settings)
    found = [info for info in files.list_folder(FOLDER) if info.key == FILE]
    if not found:
        return None
    if found[0].size == 0:
        return b""
    try:
        return files.read_ranges(found[0], [(0, min(found[0].size, READ_BYTES))])[0]
    except KeyError:
        return None
