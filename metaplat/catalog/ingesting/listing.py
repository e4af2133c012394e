"""Which files are in a place: a local folder or file, or a prefix of an S3 bucket.

Here: what a listing promises, and which one a place means.
Not here: walking (``local_place``, ``s3_place``), what is done with the files.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from metaplat.model.errors import UsageError, shown_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.settings import Settings

DELIVERIES = (".tmp", ".part", ".filepart", "~")
"""Ends of names that a file has while it is delivered; hidden names (``.rsync.x``) mean the same."""

_S3 = re.compile(r"s3[an]?://([^/?#@]+)(?:/(.*))?", re.DOTALL)
_SIGNED = re.compile(r"\?.*(?:X-Amz-|Signature=|AWSAccessKeyId=)", re.IGNORECASE | re.DOTALL)


class FileEntry(NamedTuple):
    """One file as a listing shows it; a tuple, since there are very many of them.

    Parameters
    ----------
    path : str
        Absolute path (a name that is not UTF-8 holds surrogates), or ``s3://bucket/key``.
    size : int
        Bytes.
    mtime_ns : int
        Last modification, ns since 1970.
    etag : str or None
        ETag on S3, without quotes.
    """

    path: str
    size: int
    mtime_ns: int
    etag: str | None = None

    @property
    def content_tag(self) -> str:
        """Version of the content, as the catalog keeps it."""
        return self.etag or f"{self.mtime_ns}:{self.size}"


class Unlisted(NamedTuple):
    """A folder that could not be looked into, and why: what lies below it is unknown, not gone."""

    path: str
    reason: str


class Listing(Protocol):
    """The files of one place, in the code-point order of their shown paths; listed anew by each ``iter``.

    Hidden names and names of deliveries are left out; so are links to folders: what they lead to is listed
    where it is.
    """

    @property
    def address(self) -> str:
        """The place: an absolute path or ``s3://bucket/prefix``, without a slash at its end."""

    @property
    def below(self) -> str | None:
        """What the shown paths of its files begin with; None where the place is a single file.

        Raises
        ------
        UsageError
            There is no such folder or file.
        """

    @property
    def unlisted(self) -> list[Unlisted]:
        """Folders that the iteration could not look into, so far."""

    @property
    def left_out(self) -> int:
        """Names that the iteration left out, so far."""

    def __iter__(self) -> Iterator[FileEntry]:
        """Yield the files.

        Raises
        ------
        UsageError
            There is no such folder or file.
        SourceError
            The place as a whole cannot be listed.
        """

    def is_there(self, path: str) -> bool:
        """Whether a file that the iteration did not yield is there all the same."""


def is_left_out(name: str) -> bool:
    """Whether a name is hidden, or one that a file has only while it is delivered."""
    return name.startswith(".") or name.endswith(DELIVERIES)


def open_listing(place: str, settings: Settings) -> Listing:
    """Return the listing of a place; nothing is looked at yet.

    Parameters
    ----------
    place : str
        Path of a folder or a file, or ``s3://bucket/prefix``.
    settings : Settings
        Section ``[s3]`` says how S3 is reached.

    Raises
    ------
    UsageError
        It is neither a path nor such an address.
    """
    from metaplat.catalog.ingesting.local_place import LocalPlace
    from metaplat.catalog.ingesting.s3_place import S3Place

    if found := _S3.fullmatch(place):
        if _SIGNED.search(place):
            raise UsageError(
                f"{shown_address(place)}: a signed address gives one object; name s3://bucket/prefix"
            )
        return S3Place(found[1], found[2] or "", settings)
    if "://" in place:
        raise UsageError(f"{shown_address(place)}: name a folder, a file, or s3://bucket/prefix")
    if not place or "\0" in place:
        raise UsageError("a place has no name: name a folder, a file, or s3://bucket/prefix")
    return LocalPlace(place)
