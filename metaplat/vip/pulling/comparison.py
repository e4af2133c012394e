"""Promised against delivered: by name and size, archives by their directory, and all bytes where asked.

Here: what became of every file, as the folder shows it, and the verdict on an extract.
Not here: fetching what is missing (``transfer``), keeping the verdict (``steps``, ``verify``).
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from metaplat.collectors.vip.safe_files import shown_name
from metaplat.collectors.vip.zip_archives import zip_problem
from metaplat.model.extract import ExtractFile, ExtractStatus, FileOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from metaplat.model.extract import Extract
    from metaplat.model.landed import ObjectInfo
    from metaplat.settings import VipSettings
    from metaplat.stores.deliveries import Deliveries

STEP = 1 << 22
"""Bytes that are read at once, of each of ``parallel_files`` files."""
PARALLEL_ARCHIVES = 4
"""Archives that are looked at at once."""
NAMED = 5
"""Files that a reason names."""
ARCHIVE = ".zip"
CHANGED = "its content is not what was delivered"
OTHER = "its content has another checksum than promised"
BY_CONTENT = frozenset({CHANGED, OTHER})
"""Problems that reading all bytes finds, and only fetching or reading them again can clear."""


def compared(
    settings: VipSettings, deliveries: Deliveries, extract: Extract, *, deep: bool = False
) -> Extract:
    """Return an extract with what its folder shows of every promised file.

    Parameters
    ----------
    settings : VipSettings
        Limits of archives; how many files are read at once.
    deliveries : Deliveries
        Where the folder is.
    extract : Extract
        Its promise is known.
    deep : bool
        Read every byte, too, and compare it with what was promised and delivered.

    Returns
    -------
    Extract
        Files that are there with the promised size are delivered. Mismatched are those with another size,
        archives that are not safe to unpack, and files whose content was found to be another one: the last
        stay so until they are fetched again or read again.

    Raises
    ------
    TransientStoreError, PermanentStoreError
        The target fails.
    """
    folder = _Folder(settings, deliveries, extract.folder, deliveries.folder(extract.folder), deep)
    with ThreadPoolExecutor(settings.parallel_files if deep else PARALLEL_ARCHIVES) as readers:
        return replace(extract, files=tuple(readers.map(folder.look, extract.files)))


def judged(extract: Extract, now: datetime) -> Extract:
    """Return an extract with the verdict on its compared files: ok, or incomplete and why."""
    left = extract.mismatches
    if not left and extract.files:
        kept = extract.finished_at if extract.status is ExtractStatus.OK else None
        return replace(extract.with_status(ExtractStatus.OK), finished_at=kept or now)
    named = "; ".join(
        f"{shown_name(each.promised.key)}: {each.problem or 'missing'}" for each in left[:NAMED]
    )
    more = f"; and {len(left) - NAMED} more" if len(left) > NAMED else ""
    reason = f"{len(left)} of {len(extract.files)} promised files are not delivered ({named}{more})"
    return replace(extract.with_status(ExtractStatus.INCOMPLETE, reason), finished_at=now)


def is_as_sent(file: ExtractFile) -> bool:
    """Whether a mismatched file lies there as the vendor sent it, and fetching it again is no use."""
    return _is_flagged(file) and file.problem not in BY_CONTENT


def archive_problem(settings: VipSettings, deliveries: Deliveries, key: str, size: int) -> str | None:
    """Return why an archive is not safe to unpack; None where it is, or the file is no archive.

    Raises
    ------
    TransientStoreError, PermanentStoreError
        The target fails.
    """
    if not key.lower().endswith(ARCHIVE):
        return None
    try:
        return zip_problem(size, partial(deliveries.read_range, key), settings)
    except KeyError:
        return "it vanished while it was looked at"


@dataclass(frozen=True)
class _Folder:
    """The folder of an extract as it is listed, and how closely it is looked at."""

    settings: VipSettings
    deliveries: Deliveries
    folder: str
    present: Mapping[str, ObjectInfo]
    deep: bool

    def look(self, was: ExtractFile) -> ExtractFile:
        """Return what the folder shows of one file."""
        if was.outcome is FileOutcome.REFUSED:
            return was
        file = _by_size(was, self.present.get(was.promised.name))
        size = file.delivered_size
        if size is None or not (_is_flagged(file) or file.outcome is FileOutcome.DELIVERED):
            return file
        key = f"{self.folder}{was.promised.name}"
        if self.deep:
            file = _by_content(file, *_digests(self.deliveries, key))
        if file.problem in BY_CONTENT or (was.outcome is FileOutcome.DELIVERED and not self.deep):
            return file  # it was looked at when it came
        return _judged_file(file, archive_problem(self.settings, self.deliveries, key, size))


def _by_size(was: ExtractFile, info: ObjectInfo | None) -> ExtractFile:
    """Compare one file with the listing; one that was found to be wrong as it lies there stays so."""
    if info is None:
        vanished = was.outcome is FileOutcome.DELIVERED or _is_flagged(was)
        kept = (FileOutcome.PROMISED, None) if vanished else (was.outcome, was.problem)
        return ExtractFile(was.promised, kept[0], problem=kept[1])
    size = was.promised.size if was.promised.size is not None else was.delivered_size
    if size is None:
        return replace(was, outcome=FileOutcome.PROMISED)  # nothing says whether it is the right one
    if info.size != size:
        problem = f"{info.size:,} bytes lie there instead of {size:,}"
        return ExtractFile(was.promised, FileOutcome.MISMATCHED, info.size, problem=problem)
    if _is_flagged(was):
        return was
    return replace(was, outcome=FileOutcome.DELIVERED, delivered_size=info.size, problem=None)


def _by_content(file: ExtractFile, sha256: str, md5: str) -> ExtractFile:
    """Compare the digests of a file with what was delivered and promised."""
    checksum = (file.promised.checksum or "").lower()
    if file.sha256 is not None and file.sha256 != sha256:
        return _judged_file(file, CHANGED)
    if checksum and checksum not in {sha256, md5}:
        return _judged_file(file, OTHER)
    return replace(_judged_file(file, None), sha256=sha256)


def _judged_file(file: ExtractFile, problem: str | None) -> ExtractFile:
    outcome = FileOutcome.MISMATCHED if problem else FileOutcome.DELIVERED
    return replace(file, outcome=outcome, problem=problem)


def _is_flagged(file: ExtractFile) -> bool:
    """Whether a file is mismatched though its size is right."""
    if file.outcome is not FileOutcome.MISMATCHED or file.delivered_size is None:
        return False
    return file.promised.size in {None, file.delivered_size}


def _digests(deliveries: Deliveries, key: str) -> tuple[str, str]:
    """Return SHA-256 and MD5 of a file, in hex."""
    sha256, md5, start = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    try:
        while piece := deliveries.read_range(key, start, STEP):
            sha256.update(piece)
            md5.update(piece)
            start += len(piece)
    except KeyError:  # gone since it was listed: the digests of nothing are those of no file but an empty one
        pass
    return sha256.hexdigest(), md5.hexdigest()
