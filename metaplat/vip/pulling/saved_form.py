"""An extract as JSON: how it is kept in the state store, and how its manifest tells of it.

Here: both directions, field by field. What is read may have been written by an older version, or by hand.
Not here: where it is kept (``remembered``), what a command prints (``document``).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import InvalidInputError
from metaplat.model.extract import Extract, ExtractFile, ExtractStatus, FileOutcome, PromisedFile

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMES = ("asked_at", "accepted_at", "completed_at", "finished_at", "next_slot")
TEXTS = ("job_guid", "job_status", "reason")
COUNTS = ("export_calls", "transferred_files", "transferred_bytes")


def extract_to_json(extract: Extract) -> bytes:
    """Return an extract as JSON: readable, one field a line, without any address."""
    written = {
        "config_name": extract.config_name,
        "environment": extract.environment,
        "hour": iso(extract.hour),
        "folder": extract.folder,
        "status": extract.status.value,
        **{name: getattr(extract, name) for name in TEXTS},
        **{name: iso(getattr(extract, name)) for name in TIMES},
        **{name: getattr(extract, name) for name in COUNTS},
        "seconds": extract.seconds,
        "files": [_file_fields(each) for each in extract.files],
    }
    return json_bytes(written)


def extract_from_json(content: bytes) -> Extract:
    """Return the extract that ``extract_to_json`` wrote.

    Raises
    ------
    InvalidInputError
        It is no such JSON; the text says what is wrong and nothing of the content.
    """
    try:
        read = json.loads(content)
    except (ValueError, RecursionError):
        raise InvalidInputError("extract: this is no JSON") from None
    if not isinstance(read, dict):
        raise InvalidInputError("extract: this is no JSON object")
    try:
        return _extract(read)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"extract: a field is missing or wrong ({type(error).__name__})") from None


def json_bytes(written: object) -> bytes:
    """Return JSON that holds any text: remote keys that are no valid Unicode come back unchanged."""
    return json.dumps(written, indent=1).encode()


def iso(moment: datetime | None) -> str | None:
    """Return an aware time as text in UTC; None stays None."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def time_of(text: object) -> datetime | None:
    """Return the aware UTC time that ``text`` is; None where there is none.

    Raises
    ------
    ValueError
        It is none, or has no zone.
    """
    if text is None:
        return None
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC)


def _file_fields(file: ExtractFile) -> dict[str, Any]:
    promised = file.promised
    return {
        "key": promised.key,
        "name": promised.name,
        "size": promised.size,
        "checksum": promised.checksum,
        "outcome": file.outcome.value,
        "delivered_size": file.delivered_size,
        "etag": file.etag,
        "sha256": file.sha256,
        "problem": file.problem,
    }


def _extract(read: Mapping[str, Any]) -> Extract:
    told: dict[str, Any] = {name: _text(read.get(name)) for name in TEXTS}
    told |= {name: time_of(read.get(name)) for name in TIMES}
    told |= {name: int(read.get(name) or 0) for name in COUNTS}
    hour = time_of(read["hour"])
    if hour is None:
        raise ValueError("an extract without an hour")
    return Extract(
        config_name=str(read["config_name"]),
        environment=str(read["environment"]),
        hour=hour,
        folder=str(read["folder"]),
        status=ExtractStatus(read["status"]),
        seconds=None if read.get("seconds") is None else float(read["seconds"]),
        files=tuple(_file(each) for each in read.get("files") or ()),
        **told,
    )


def _file(read: Mapping[str, Any]) -> ExtractFile:
    return ExtractFile(
        PromisedFile(str(read["key"]), _whole(read.get("size")), _text(read.get("checksum"))),
        FileOutcome(read["outcome"]),
        _whole(read.get("delivered_size")),
        *(_text(read.get(name)) for name in ("etag", "sha256", "problem")),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
