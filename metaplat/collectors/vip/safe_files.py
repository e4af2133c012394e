"""Which of the listed files are safe to fetch and to store.

Here: rules of names, duplicates and sizes; each refused file with its reason.
Not here: rules of addresses (``safe_addresses``), what a zip file holds (``zip_archives``), fetching.

The list is remote input. Only what follows the last slash of a key is ever used as a name of ours.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.collectors.vip.file_errors import RefusedFileError
from metaplat.collectors.vip.safe_addresses import check_address
from metaplat.model.extract import OWN_FILES, ExtractFile, FileOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.collectors.vip.signed_file import SignedFile
    from metaplat.model.extract import PromisedFile
    from metaplat.settings.vip import VipSettings

GIB = 1 << 30
SAFE_NAME = re.compile(r"[A-Za-z0-9._=-]{1,200}")
LONGEST_KEY = 1024
"""Bytes, as in S3."""
SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class SortedFiles:
    """What is on the list of a job.

    Parameters
    ----------
    safe : list of SignedFile
        To be fetched; no two have the same name.
    refused : list of ExtractFile
        Never asked for, each with its problem.
    repeated : int
        Entries that said again what another one said.
    """

    safe: list[SignedFile]
    refused: list[ExtractFile]
    repeated: int


def sort_out(listed: Sequence[SignedFile], settings: VipSettings) -> SortedFiles:
    """Divide the list of a job into what is safe to fetch and what is not.

    Parameters
    ----------
    listed : sequence of SignedFile
        As the vendor lists them: remote input.
    settings : VipSettings
        ``max_files``, ``max_file_gb`` (GiB), ``max_job_gb`` (GiB), and what ``check_address`` needs. Files
        beyond a cap are refused, in the order of the list; the others are not.

    Returns
    -------
    SortedFiles
        Every entry is in it once: ``len(safe) + len(refused) + repeated == len(listed)``. The same key and
        size twice is one file; the same name with another key, size or checksum is refused altogether,
        because one would replace the other.
    """
    distinct = list({each.promised: each for each in listed}.values())
    caps = _Caps(settings, Counter(each.promised.name for each in distinct))
    safe, refused = [], []
    for each in distinct:
        problem = caps.problem(each)
        if problem is None:
            safe.append(each)
        else:
            refused.append(ExtractFile(each.promised, FileOutcome.REFUSED, problem=problem))
    return SortedFiles(safe, refused, len(listed) - len(distinct))


def name_problem(promised: PromisedFile) -> str | None:
    """Return why the name of a file is not safe, None where it is.

    Parameters
    ----------
    promised : PromisedFile
        Its key is judged as a whole for what leads elsewhere, its last part as a name.

    Returns
    -------
    str or None
        One sentence without the key.
    """
    key, name = promised.key, promised.name
    if not key.isprintable():
        return "its key holds control characters"
    if len(key.encode(errors="replace")) > LONGEST_KEY:
        return f"its key is longer than {LONGEST_KEY:,} bytes"
    if "\\" in key or ".." in key or "%2e%2e" in key.lower():
        return "its key leads elsewhere"
    if name.startswith("."):
        return "its name begins with a dot"
    if not SAFE_NAME.fullmatch(name):
        return "its name is empty, longer than 200 characters, or holds others than A-Z a-z 0-9 . _ = -"
    if name in OWN_FILES:
        return "its name is one of our own"
    return None


def shown_name(key: str) -> str:
    """Return the name in a key as messages may show it: one line, printable, at most 200 characters.

    Parameters
    ----------
    key : str
        Remote text.
    """
    name = key.rpartition("/")[2] or key
    plain = name if name.isascii() and name.isprintable() else ascii(name)[1:-1]
    return plain if len(plain) <= SHOWN_CHARACTERS else f"{plain[: SHOWN_CHARACTERS - 3]}..."


class _Caps:
    """The rules, and what is taken of the room that a job has."""

    def __init__(self, settings: VipSettings, names: Counter[str]) -> None:
        self._settings, self._names = settings, names
        self._files, self._bytes = settings.max_files, int(settings.max_job_gb * GIB)

    def problem(self, file: SignedFile) -> str | None:
        """Return why a file is not safe; where it is, take its room."""
        return (
            file.problem
            or name_problem(file.promised)
            or self._repeated(file.promised)
            or self._too_large(file.promised)
            or _address_problem(file, self._settings)
            or self._no_room(file.promised)
        )

    def _repeated(self, promised: PromisedFile) -> str | None:
        if self._names[promised.name] > 1:
            return "its name is listed again with another key, size or checksum"
        return None

    def _too_large(self, promised: PromisedFile) -> str | None:
        size = promised.size or 0
        if size < 0:
            return "its size is negative"
        if size > self._settings.max_file_gb * GIB:
            return f"its {size:,} bytes are more than vip.max_file_gb allows"
        return None

    def _no_room(self, promised: PromisedFile) -> str | None:
        size = promised.size or 0
        if not self._files:
            return f"the job lists more than the {self._settings.max_files:,} files of vip.max_files"
        if size > self._bytes:
            return "the job's files before it leave too little of vip.max_job_gb"
        self._files -= 1
        self._bytes -= size
        return None


def _address_problem(file: SignedFile, settings: VipSettings) -> str | None:
    try:
        check_address(file.url.get_secret_value(), settings)
    except RefusedFileError as error:
        return error.answer
    return None
