"""The papers in the folder of an hour: the saved promise, and the manifest of a pull.

Here: both as they are written, from what was promised and what is there.
Not here: schema file and script (``tables``), the folders (``history_tree``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from metaplat_tests.standins.vip.history_faults import TreeFacts

PROMISE_FILE = "_PresignedUrls.json"
MANIFEST_FILE = "_manifest.json"
FILE_HOST = "https://vendor-bucket.s3.eu-west-1.amazonaws.com"


@dataclass
class DeliveredFile:
    """One file of an hour: what is promised of it, and what is really there (None: nothing)."""

    name: str
    promised: int
    there: int | None
    body: bytes | None = None


def promise(hour: datetime, files: Sequence[DeliveredFile]) -> bytes:
    """Return what the vendor listed, as it is saved: without any signature."""
    entries = [
        {
            "key": _key(hour, each),
            "presignedDownloadURL": f"{FILE_HOST}/{_key(hour, each)}",
            "size": each.promised,
        }
        for each in files
    ]
    return json.dumps(entries).encode()


def _key(hour: datetime, file: DeliveredFile) -> str:
    return f"EXAMPLE/{hour:%Y%m%d_%H}0200/{file.name}"


def manifest_of(facts: TreeFacts, hour: datetime, files: Sequence[DeliveredFile]) -> bytes:
    """Return what a pull notes of the files, one by one."""
    right = all(each.there == each.promised for each in files)
    content = {
        "config_name": facts.config_name,
        "environment": "Test" if facts.config_name.endswith("Test") else "Prod",
        "hour": iso(hour),
        "folder": facts.folder(hour),
        "status": "ok" if right else "incomplete",
        "job_guid": facts.job_guids[hour],
        "job_status": "Complete",
        "accepted_at": iso(facts.accepted[hour]),
        "finished_at": iso(facts.finished[hour]) if right else None,
        "files": [_manifest_entry(hour, each) for each in files],
    }
    return json.dumps(content).encode()


def _manifest_entry(hour: datetime, file: DeliveredFile) -> dict[str, Any]:
    right = file.there == file.promised
    return {
        "key": _key(hour, file),
        "name": file.name,
        "size": file.promised,
        "outcome": "delivered" if right else "failed",
        "delivered_size": file.there,
        "problem": None if right else "it could not be fetched",
    }


def iso(moment: datetime) -> str:
    """Return a UTC time as text."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
