"""The downloads of a pull: one session, with limits per host, and a stream for each file.

Here: connections, time-outs and what every download shares.
Not here: the stream of one file (``file_stream``), which files are safe (``safe_files``), where they go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from metaplat.collectors.vip.file_errors import FileChangedError, FileMismatchError, RefusedFileError
from metaplat.collectors.vip.file_stream import Download, DownloadSession
from metaplat.collectors.vip.safe_addresses import guarded_resolver
from metaplat.model.errors import MissingExtraError

if TYPE_CHECKING:
    from types import TracebackType

    from aiohttp import ClientSession

    from metaplat.collectors.vip.file_stream import Renew
    from metaplat.collectors.vip.signed_file import SignedFile
    from metaplat.settings.vip import VipSettings

__all__ = ["Download", "Downloads", "FileChangedError", "FileMismatchError", "RefusedFileError"]

BUFFER_BYTES = 512 << 10
"""Of a connection; twice as much may wait in it before the host is made to wait."""


class Downloads:
    """The session of all downloads of a pull: its connections, and their limits per host.

    Parameters
    ----------
    settings : VipSettings
        ``parallel_files``, ``parallel_per_host``, ``file_connect_seconds``, ``stall_seconds``,
        ``min_kb_per_second``, ``file_retries``, the pauses, ``proxy``, and the rules of safe addresses.

    Examples
    --------
    >>> async with Downloads(settings) as downloads:  # doctest: +SKIP
    ...     download = downloads.open(file, renew)
    ...     async for piece in download:
    ...         sink.write(piece)
    """

    def __init__(self, settings: VipSettings) -> None:
        self._settings = settings
        self._session: DownloadSession | None = None
        self._opened: WeakSet[Download] = WeakSet()

    async def __aenter__(self) -> Self:
        self._session = DownloadSession(self._settings, _http(self._settings))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for download in list(self._opened):
            download.close()
        if self._session is not None:
            await self._session.http.close()

    def open(self, file: SignedFile, renew: Renew) -> Download:
        """Return the stream of a file; nothing is asked for before its first piece is.

        Parameters
        ----------
        file : SignedFile
            A file that ``safe_files.sort_out`` found safe; its address is judged again.
        renew : callable
            Gives the same file with a new address, from the same job; None where it is no longer listed.

        Returns
        -------
        Download
            To be read once, and closed where it is not read to its end.
        """
        if self._session is None:
            raise RuntimeError("downloads are opened inside `async with Downloads(...)`")
        download = Download(file, renew, self._session)
        self._opened.add(download)
        return download


def _http(settings: VipSettings) -> ClientSession:
    try:
        import aiohttp
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        raise MissingExtraError("fetching the files of a vendor", "aiohttp", "vip") from error
    connector = aiohttp.TCPConnector(
        limit=settings.parallel_files,
        limit_per_host=settings.parallel_per_host,
        resolver=None if settings.proxy else guarded_resolver(settings),
    )
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=settings.file_connect_seconds, sock_read=settings.stall_seconds
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        auto_decompress=False,  # else sizes and offsets are those of other bytes
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=BUFFER_BYTES,
    )
