"""What the head of an answer says of a file, and whether the stream can go on with it.

Here: version, length and place of an answer, compared with what was promised and what came before.
Not here: asking (``download``), answers that are errors (``error_documents``).

Sources: RFC 9110, sections 8.8 (validators), 13.1.5 (If-Range), 14.4 (Content-Range), 15.5.17 (416).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metaplat.collectors.vip.file_errors import FILE_HOST, FileChangedError, FileMismatchError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTENT_RANGE = re.compile(r"\s*bytes\s+(?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)\s*", re.IGNORECASE)
WHOLE, PART, BEYOND = 200, 206, 416
ADVICE = "Check what the vendor says of this file."


class AskAgainError(Exception):
    """An answer that is of no use now, and may be better next time; never leaves the download.

    Parameters
    ----------
    answer : str
        What came, in a few words.
    pause : float or None
        Seconds that the host asks to wait.
    crowded : bool
        Whether the host has too much to do, so that every file of it waits.
    """

    def __init__(self, answer: str, pause: float | None = None, *, crowded: bool = False) -> None:
        super().__init__(answer)
        self.answer, self.pause, self.crowded = answer, pause, crowded


@dataclass(frozen=True)
class Version:
    """Which state of a file an answer holds.

    Parameters
    ----------
    etag, modified : str or None
        Headers ``ETag`` and ``Last-Modified``.
    """

    etag: str | None = None
    modified: str | None = None

    @property
    def if_range(self) -> str | None:
        """Value of ``If-Range``; a weak ETag is not allowed there."""
        if self.etag is None:
            return self.modified
        return None if self.etag.startswith("W/") else self.etag

    def same(self, other: Version) -> bool | None:
        """Whether the other is the same version; None where they have nothing to compare."""
        if self.etag is not None and other.etag is not None:
            return self.etag == other.etag
        if self.modified is not None and other.modified is not None:
            return self.modified == other.modified
        return None


@dataclass(frozen=True)
class Known:
    """What is known of a file while it is fetched.

    Parameters
    ----------
    name : str
        As messages show it.
    offset : int
        Bytes that came so far.
    size : int or None
        Bytes it has in all: promised, else as the host told.
    version : Version
        Of the first answer.
    """

    name: str
    offset: int = 0
    size: int | None = None
    version: Version = Version()

    @property
    def resumable(self) -> bool:
        """Whether what comes later can be told to belong to what came before."""
        return self.version != Version()

    def headers(self) -> dict[str, str]:
        """Headers of the next request."""
        head = {"Accept-Encoding": "identity"}
        if self.offset:
            head["Range"] = f"bytes={self.offset}-"
            if self.version.if_range is not None:
                head["If-Range"] = self.version.if_range
        return head

    def mismatch(self, answer: str) -> FileMismatchError:
        """Return the error of a file that is not what was promised."""
        return FileMismatchError(FILE_HOST, f"fetch {self.name}", answer, ADVICE)

    def changed(self, answer: str) -> FileChangedError:
        """Return the error of a file that must be fetched from its start."""
        return FileChangedError(FILE_HOST, f"fetch {self.name}", answer, "Nothing else is to be done.")


@dataclass(frozen=True)
class Accepted:
    """An answer that the stream can go on with.

    Parameters
    ----------
    known : Known
        What is known now.
    skip : int
        Bytes at its start that came before.
    ends : bool
        Whether the end of its body is the end of the file, whatever its length.
    """

    known: Known
    skip: int
    ends: bool


def accepted(status: int, headers: Mapping[str, str], known: Known) -> Accepted:
    """Judge the head of an answer 200, 206 or 416.

    Parameters
    ----------
    status : int
        Of the answer.
    headers : mapping
        Of the answer; names in any case.
    known : Known
        What is known of the file so far.

    Returns
    -------
    Accepted
        How the stream goes on.

    Raises
    ------
    FileMismatchError
        The host tells another length than promised.
    FileChangedError
        It holds another version, or cannot show that it is the same.
    AskAgainError
        It is not what was asked for.
    """
    if status == BEYOND:
        raise _beyond(headers, known)
    if status == PART:
        return _part(headers, known)
    return _whole(headers, known)


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return the length that an answer tells of itself, in bytes."""
    told = headers.get("Content-Length", "").strip()
    return int(told) if told.isascii() and told.isdigit() and len(told) <= 18 else None


def _whole(headers: Mapping[str, str], known: Known) -> Accepted:
    version = _version(headers)
    if known.offset and not known.version.same(version):
        raise known.changed(
            "it sends the whole file where the rest was asked for, and not surely the same one"
        )
    chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
    known = _sized(replace(known, version=version), content_length(headers))
    return Accepted(known, skip=known.offset, ends=chunked)


def _part(headers: Mapping[str, str], known: Known) -> Accepted:
    place = CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    if place is None or place[1] is None or int(place[1]) != known.offset or int(place[2]) < known.offset:
        raise _elsewhere(known)
    version, total = _version(headers), None if place[3] == "*" else int(place[3])
    if known.offset:
        same = known.version.same(version)
        if same is False or (same is None and known.version.if_range is None):
            raise known.changed("it has changed while it was fetched")
        version = known.version
    return Accepted(_sized(replace(known, version=version), total), skip=0, ends=False)


def _elsewhere(known: Known) -> Exception:
    """Return the error of a part that was not asked for: such a host is asked for whole files only."""
    answer = "another part than was asked for"
    return known.changed(answer) if known.offset else AskAgainError(answer)


def _beyond(headers: Mapping[str, str], known: Known) -> Exception:
    place = CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    total = int(place[3]) if place is not None and place[3] != "*" else None
    if total is not None and total < max(known.offset, known.size or 0):
        return known.mismatch(
            f"it has {total:,} bytes there, where {known.size or known.offset:,} are promised"
        )
    return AskAgainError("HTTP 416")


def _sized(known: Known, told: int | None) -> Known:
    """Hold what the host tells of the length against what is known of it."""
    if told is None:
        return known
    if known.size is not None and told != known.size:
        raise known.mismatch(f"it has {told:,} bytes there, where {known.size:,} are promised")
    return replace(known, size=told)


def _version(headers: Mapping[str, str]) -> Version:
    return Version(headers.get("ETag"), headers.get("Last-Modified"))
