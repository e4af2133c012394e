"""An extract as one document: what a pull lands, and what ``metaplat vip pull --json`` ends with.

Here: the fields of domain ``vip_extracts``, and the figures a person or script asks for.
Not here: how an extract is kept with all its files (``saved_form``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.collectors.vip.safe_files import shown_name
from metaplat.vip.pulling.saved_form import iso

if TYPE_CHECKING:
    from metaplat.model.extract import Extract, ExtractFile

PROBLEMS = 100
"""Files that a document names."""


def extract_document(extract: Extract) -> dict[str, Any]:
    """Return an extract as a JSON object.

    Parameters
    ----------
    extract : Extract
        Any, also one that was skipped.

    Returns
    -------
    dict
        All of ``EXTRACT_FIELDS`` (times as ISO text in UTC), and beside them ``hour``, ``bytes`` (of the
        delivered files), ``mismatches`` (how many files are not there as promised), ``transferred_files`` and
        ``transferred_bytes`` (fetched by this very pull) and ``next_slot``.
    """
    mismatches = extract.mismatches
    return {
        "job_guid": extract.job_guid,
        "hour": iso(extract.hour),
        "status": extract.status.value,
        "files_promised": extract.files_promised,
        "files_delivered": len(extract.delivered),
        "bytes": extract.bytes_delivered,
        "mismatches": len(mismatches),
        "seconds": None if extract.seconds is None else round(extract.seconds, 3),
        "config_name": extract.config_name,
        "hour_utc": iso(extract.hour),
        "environment": extract.environment,
        "reason": extract.reason,
        "job_status": extract.job_status,
        "folder": extract.folder,
        "asked_at": iso(extract.asked_at),
        "accepted_at": iso(extract.accepted_at),
        "completed_at": iso(extract.completed_at),
        "finished_at": iso(extract.finished_at),
        "next_slot": iso(extract.next_slot),
        "export_calls": extract.export_calls,
        "files_mismatched": len(mismatches),
        "bytes_delivered": extract.bytes_delivered,
        "transferred_files": extract.transferred_files,
        "transferred_bytes": extract.transferred_bytes,
        "problems": [_problem(each) for each in mismatches[:PROBLEMS]],
    }


def _problem(file: ExtractFile) -> dict[str, str]:
    return {"name": shown_name(file.promised.key), "problem": file.problem or "it was not fetched yet"}
