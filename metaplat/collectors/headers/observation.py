"""The row of an observation: what the header of a file says, in the columns of the catalog.

Here: putting together what the modules beside this read; every column but those that the index fills.
Not here: reading files (``reading``), which keywords fill which column (``mappings``), writing rows
(``stores.catalog``).

A keyword whose value a column holds in full leaves ``mission_specific``; one that was converted stays there.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from metaplat.collectors.headers.completeness import is_present
from metaplat.collectors.headers.directions import direction
from metaplat.collectors.headers.header import EXTRACTOR_VERSION, Header
from metaplat.collectors.headers.observation_shapes import TARGET, shape_of
from metaplat.collectors.headers.observation_texts import LONGEST_TEXT, Notes, storable, text_of
from metaplat.collectors.headers.quality import data_quality_score
from metaplat.collectors.headers.times import observed_time
from metaplat.model.observation import ExtractionStatus, FileState, dataset_id_of, shown_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from metaplat.collectors.headers.header import Value
    from metaplat.collectors.headers.mappings import Mappings, Plan
    from metaplat.collectors.headers.times import ObservedTime
    from metaplat.model.observation import Row

_OK, _INCOMPLETE = ExtractionStatus.OK.value, ExtractionStatus.INCOMPLETE.value
_PRESENT = FileState.PRESENT.value


class FileFacts(NamedTuple):
    """What a listing says of a file.

    Parameters
    ----------
    path : str
        Absolute path, or ``s3://bucket/key``.
    size : int
        Bytes.
    modified : datetime
        Aware, UTC.
    content_tag : str
        Version of the content.
    """

    path: str
    size: int
    modified: datetime
    content_tag: str


def observe(header: Header, file: FileFacts, mappings: Mappings, first: bytes) -> Row:
    """Return the row of a file whose header was read.

    Parameters
    ----------
    header : Header
        What its format module gave.
    file : FileFacts
        What the listing said.
    mappings : Mappings
        Which keywords fill which column.
    first : bytes
        The first block of the file, for the digest of its content.

    Returns
    -------
    Row
        A value or None for every column of ``OBSERVATION_FIELDS`` but those of ``SET_BY_INDEX``.
    """
    shape, values = shape_of(header, mappings)
    meaning = shape.meaning(values, file.path)
    plan, names, notes = meaning.plan, shape.names, Notes(set(meaning.used), list(meaning.flags))
    satellite, instrument, _, version, calibration = meaning.texts
    target = text_of(values, plan.texts[TARGET][1], notes)
    begin, end = observed_time(values, plan.times, header.time_range, file.path)
    notes.used.update(begin.keywords)
    notes.flags.extend(begin.flags)
    ra, dec = direction(values, plan.directions, notes) if plan.directions else (None, None)
    quality = data_quality_score(values, plan.quality, notes) if plan.quality else None
    specific = _rest(header, notes.used if names is None else {names[key] for key in notes.used})
    stated = f"{meaning.stated}\0{target}\0{begin.raw}\0{ra}\0{dec}\0{quality}"
    return {
        "dataset_id": dataset_id_of(file.path),
        "mission_id": meaning.mission,
        "satellite_name": satellite,
        "instrument_type": instrument,
        "observation_timestamp": begin.time,
        "observation_end": end,
        "target_object": target,
        "ra_deg": ra,
        "dec_deg": dec,
        "data_quality_score": quality,
        "header_completeness": meaning.timed if _is_timed(header, values, plan) else meaning.untimed,
        "calibration_status": calibration,
        "processing_status": meaning.status,
        "version": version,
        "file_path": shown_path(file.path),
        "file_format": header.file_format,
        "file_size": file.size,
        "modified_time": file.modified,
        "content_tag": file.content_tag,
        "content_digest": _content_digest(header.file_format, file.size, first, specific, stated),
        "observation_time_raw": begin.raw and storable(begin.raw)[:LONGEST_TEXT],
        "time_rule": begin.rule if names is None else _rule(begin, names),
        "flags": _flags(header, notes),
        "mission_specific": specific,
        "extraction_status": _INCOMPLETE if header.truncated else _OK,
        "extraction_reason": storable(header.truncated) if header.truncated else None,
        "extractor_version": version_with(mappings),
        "attempts": 0,
        "next_attempt": None,
        "file_state": _PRESENT,
    }


def version_with(mappings: Mappings) -> str:
    """Return the version of the extractors with these mappings."""
    return f"{EXTRACTOR_VERSION}-{mappings.digest}"


def _is_timed(header: Header, values: Mapping[str, Value], plan: Plan) -> bool:
    """Tell whether a keyword or a variable states the time."""
    if header.time_range is not None:
        return True
    for key in plan.expected[-1]:
        value = values.get(key)
        if (type(value) is str and value.strip(" \0")) or is_present(value):
            return True
    return False


def _rule(begin: ObservedTime, names: Mapping[str, str]) -> str | None:
    """Return the rule with the names of attributes as the file writes them."""
    if begin.rule is None or not begin.keywords:
        return begin.rule
    written = "+".join(names[key] for key in begin.keywords)
    return storable(written) + begin.rule.removeprefix("+".join(begin.keywords))


def _rest(header: Header, used: set[str]) -> str | None:
    """Return what is not mapped, as JSON that every store takes."""
    try:
        text = header.rest(used)
    except TypeError:  # half a surrogate pair, which is no JSON
        text = None
    else:
        if text is None or "\\u0000" not in text:  # NUL, which jsonb refuses
            return text
    whole = {storable(key): _storable(value) for key, value in header.values.items() if key not in used}
    return Header(header.file_format, whole).rest(())


def _storable(value: Value) -> Value:
    if isinstance(value, list):
        return [storable(each) if isinstance(each, str) else each for each in value]
    return storable(value) if isinstance(value, str) else value


def _content_digest(file_format: str, size: int, first: bytes, specific: str | None, stated: str) -> str:
    """Return the digest of size, header, and bytes of the first 11,520.

    The last 1,024 of them: the header before them is in ``specific`` and ``stated`` already; two exposures
    of one header differ there. Of a table the first 8,192: it has no header to tell it by.
    """
    end = min(len(first), 11_520)
    block = first[:8192] if file_format == "csv" else first[max(0, end - 1024) : end]
    text = f"\0{size}\0{stated}\0{specific}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(block + text).hexdigest()[:32]  # processors compute this one themselves


def _flags(header: Header, notes: Notes) -> str | None:
    if not (header.flags or notes.flags or header.truncated):
        return None
    flags = {*header.flags, *notes.flags}
    if header.truncated:
        flags.add("truncated")
    return ",".join(sorted(flags))
