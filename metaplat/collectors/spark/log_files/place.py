"""A place that holds event logs: a local folder, one file, or a prefix on S3.

Here: what every place promises, and which one a request means.
Not here: the places (``local_place``, ``s3_place``), what is done with the logs (``event_logs``).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from metaplat.collectors.spark.log_files.local_place import LocalPlace
from metaplat.collectors.spark.log_files.s3_place import S3Place
from metaplat.model.errors import UsageError, shown_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.log_files.log import EventLog, LogFile

_S3 = re.compile(r"s3[an]?://([^/?#@]+)(?:/(.*))?", re.DOTALL)
_SIGNED = re.compile(r"\?.*(?:X-Amz-|Signature=|AWSAccessKeyId=)", re.IGNORECASE | re.DOTALL)
_SCHEME = re.compile(r"(?:[a-z][a-z0-9]*://)?", re.IGNORECASE)


class LogPlace(Protocol):
    """Event logs below one address."""

    @property
    def address(self) -> str:
        """Where the place is, for people: a path or ``s3://bucket/prefix``."""

    def logs(self) -> Iterator[EventLog]:
        """Yield the logs as they are found, in the same order every time.

        A part that cannot be looked into is rejected, and the others are yielded.

        Raises
        ------
        UsageError
            There is no such folder or file.
        SourceError
            The place as a whole cannot be listed.
        """

    def read(self, file: LogFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the stored bytes of a file, some MiB at a time.

        Parameters
        ----------
        file : LogFile
            As it was listed. A local file that grew since is read as far as it reaches now.
        offset : int
            Bytes left out at its start.

        Raises
        ------
        TransientSourceError
            It is gone, or is not what was listed any more; collecting again finds what is there now.
        PermanentSourceError
            It is not for this user.
        """


def open_place(request: CollectRequest) -> LogPlace:
    """Return the place that a request names; nothing is looked into yet.

    Parameters
    ----------
    request : CollectRequest
        ``path`` of a folder or file, or else ``url``: ``s3://bucket/prefix`` (also as Hadoop writes it, ``s3a://``)
        or ``file:///folder``.

    Raises
    ------
    UsageError
        It names none, or an address of another kind.
    """
    if request.path is not None:
        return LocalPlace(request.path, request)
    if request.url is None:
        raise UsageError("event logs need a place: a folder, a file, or s3://bucket/prefix")
    if _SIGNED.search(request.url):
        raise UsageError(
            f"'{shown_address(request.url)}' was given as a signed address: name s3://bucket/prefix"
        )
    if found := _S3.fullmatch(request.url):
        return S3Place(found[1], found[2] or "", request)
    if request.url.startswith("file:/"):
        return LocalPlace(Path(unquote(urlsplit(request.url).path)), request)
    scheme = found[0] if (found := _SCHEME.match(request.url)) else ""
    raise UsageError(
        f"event logs cannot be read from '{scheme}{shown_address(request.url)}': "
        "name a folder, a file, or s3://bucket/prefix"
    )
