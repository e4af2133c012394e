"""One file as a stream that is resumed and verified.

Here: the loop of one download: ask, read, go on where it was cut, verify at the end.
Not here: what answers mean (``file_answers``, ``file_refusals``), pauses (``file_patience``), where it goes.

It ends without an error only where every promised byte came: whoever stores it may make it visible then, and
not before. Memory is one piece, whatever the size of the file.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from metaplat.collectors.vip.error_documents import read_error
from metaplat.collectors.vip.file_answers import (
    BEYOND,
    PART,
    WHOLE,
    Accepted,
    AskAgainError,
    Known,
    accepted,
    content_length,
)
from metaplat.collectors.vip.file_body import FileBody
from metaplat.collectors.vip.file_connections import connection_trouble
from metaplat.collectors.vip.file_errors import FILE_HOST, RefusedFileError
from metaplat.collectors.vip.file_patience import CrowdedHosts, pause_before
from metaplat.collectors.vip.file_refusals import StaleAddressError, refusal
from metaplat.collectors.vip.safe_addresses import check_address
from metaplat.collectors.vip.safe_files import GIB, shown_name
from metaplat.model.errors import PermanentSourceError, SourceError, TransientSourceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from hashlib import _Hash as Hash

    from aiohttp import ClientResponse, ClientSession

    from metaplat.collectors.vip.signed_file import SignedFile
    from metaplat.settings.vip import VipSettings

    Renew = Callable[[], Awaitable[SignedFile | None]]

MOST_RENEWALS = 3
"""New addresses without any progress, where the host says that the old one expired."""
UNCLEAR_RENEWALS = 1
"""The same where it does not say why."""
MD5_DIGITS, SHA256_DIGITS = 32, 64


@dataclass
class DownloadSession:
    """What all downloads of a session have in common.

    Parameters
    ----------
    settings : VipSettings
        Limits, pauses, safe addresses.
    http : aiohttp.ClientSession
        Open, without decompression.
    """

    settings: VipSettings
    http: ClientSession
    crowded: CrowdedHosts = field(default_factory=CrowdedHosts)
    unpromised: int = 0
    """Bytes of files whose size nobody promised; the promised ones were counted before."""


class Download:
    """One file: an asynchronous iterator of pieces of at most 1 MiB, to be read once.

    It raises before it ends where anything is wrong: ``FileMismatchError``, ``FileChangedError`` (fetch it
    again from its start), ``RefusedFileError``, ``PermanentSourceError``, or ``TransientSourceError`` where
    ``file_retries`` further attempts made no progress.

    Parameters
    ----------
    file, renew
        As of ``Downloads.open``.
    session : DownloadSession
        What it shares with the others.
    """

    def __init__(self, file: SignedFile, renew: Renew, session: DownloadSession) -> None:
        self._file, self._renew, self._session = file, renew, session
        self._settings = session.settings
        self._known = Known(shown_name(file.promised.key), size=file.promised.size)
        self._hashes = _hashes(file.promised.checksum)
        self._body: FileBody | None = None
        self._skip, self._ends, self._asked_from = 0, False, 0
        self._attempts = self._renewals = 0
        self._failure: SourceError | None = None
        self._whole = False

    def __repr__(self) -> str:
        return f"Download({self._known.name!r}, {self._known.offset:,} bytes so far)"

    @property
    def size(self) -> int:
        """Bytes that came so far; after the last piece, of the file."""
        return self._known.offset

    @property
    def etag(self) -> str | None:
        """As the host told it, quotes included; None where it tells none."""
        return self._known.version.etag

    @property
    def sha256(self) -> str | None:
        """Of the whole file, hexadecimal; None before its end."""
        return self._hashes[SHA256_DIGITS].hexdigest() if self._whole else None

    def close(self) -> None:
        """Drop the connection. Whoever stops reading before the end does this: others wait for its place."""
        if self._body is not None:
            self._body.close()
            self._body = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._failure is not None:
            raise self._failure
        try:
            while not self._whole:
                if piece := await self._attempt():
                    return piece
        except SourceError as error:
            self._failure = error
            self.close()
            raise
        raise StopAsyncIteration

    async def _attempt(self) -> bytes:
        """Return the next piece; empty where it is to be tried again, or the end."""
        import aiohttp

        try:
            return await self._next()
        except AskAgainError as error:
            trouble: Exception = error
        except RefusedFileError as error:  # of its address: by rules that do not know the file
            raise RefusedFileError(FILE_HOST, self._attempted, error.answer, error.advice) from None
        except (aiohttp.ClientError, OSError) as error:
            trouble = connection_trouble(error, self._known.name)
        await self._recover(trouble)  # out here: what it raises must not carry the library's error along
        return b""

    async def _next(self) -> bytes:
        if self._body is None:
            self._body = await self._ask()
        piece = await self._body.read()
        if piece:
            return self._taken(piece)
        self._at_end()
        return b""

    async def _ask(self) -> FileBody:
        """Ask for the rest of the file, and judge the head of the answer."""
        from yarl import URL

        url = self._file.url.get_secret_value()
        check_address(url, self._settings)
        address = URL(url, encoded=True)  # as signed: yarl would write some characters in another way
        await self._session.crowded.wait(address.authority)
        proxy = self._settings.proxy.get_secret_value() if self._settings.proxy else None
        response = await self._session.http.get(
            address, headers=self._known.headers(), allow_redirects=False, proxy=proxy
        )
        body = FileBody(response, self._settings)
        try:
            answer = await self._judged(response, body)
        except BaseException:
            body.close()
            raise
        self._known, self._skip, self._ends = answer.known, answer.skip, answer.ends
        self._asked_from = answer.known.offset
        return body

    async def _judged(self, response: ClientResponse, body: FileBody) -> Accepted:
        status, headers, known = response.status, response.headers, self._known
        document = None
        if status == WHOLE and (known.size is None or content_length(headers) != known.size):
            document = await body.error_document(known.size)
        if status not in {WHOLE, PART, BEYOND}:
            document = read_error(await body.error_text())
        if document is not None or status not in {WHOLE, PART, BEYOND}:
            raise refusal(status, headers, document, known.name)
        answer = accepted(status, headers, known)
        self._check_room(answer.known.size or 0)
        return answer

    def _taken(self, piece: bytes) -> bytes:
        """Count and hash a piece; return what of it is new."""
        if self._skip:
            came_before = min(self._skip, len(piece))
            self._skip -= came_before
            piece = piece[came_before:]
        known, offset = self._known, self._known.offset + len(piece)
        if known.size is not None and offset > known.size:
            raise known.mismatch(f"it is longer there than the promised {known.size:,} bytes")
        if known.size is None:
            self._check_room(offset)
        if self._file.promised.size is None:
            self._session.unpromised += len(piece)
        for each in self._hashes.values():
            each.update(piece)
        self._known = replace(known, offset=offset)
        return piece

    def _at_end(self) -> None:
        """Decide what the end of an answer means."""
        known = self._known
        if known.size is None and self._ends:
            known = self._known = replace(known, size=known.offset)
        if known.size is None:
            raise AskAgainError("an answer that does not say how long the file is")
        if known.offset < known.size and self._ends:
            raise known.mismatch(f"it has {known.offset:,} bytes there, where {known.size:,} are promised")
        if self._skip or known.offset < known.size:
            raise AskAgainError("the connection was cut")
        self._finish()

    def _finish(self) -> None:
        promised = (self._file.promised.checksum or "").strip().lower()
        made = self._hashes.get(len(promised))
        if made is not None and made.hexdigest() != promised:
            raise self._known.mismatch("its checksum is not the promised one")
        self.close()
        self._whole = True

    async def _recover(self, trouble: Exception) -> None:
        """Make ready for a further attempt, or give up."""
        if self._body is not None and self._body.progressed and self._known.offset > self._asked_from:
            self._attempts = self._renewals = 0
        self.close()
        if not isinstance(trouble, AskAgainError):
            raise trouble
        known = self._known
        if known.size is not None and known.offset == known.size and not self._skip and known.offset:
            self._finish()
        elif isinstance(trouble, StaleAddressError):
            await self._renew_address(trouble)
        elif known.offset and not known.resumable:
            raise known.changed(f"{trouble.answer}, and it tells no version to go on with")
        else:
            await self._wait(trouble)

    async def _renew_address(self, stale: StaleAddressError) -> None:
        """Take a new address of the same file; the stream goes on where it was."""
        self._renewals += 1
        if self._renewals > (MOST_RENEWALS if stale.expired else UNCLEAR_RENEWALS):
            raise self._permanent(f"{stale.answer}, also with a new address")
        file = await self._renew()
        if file is None:
            raise self._permanent(f"{stale.answer}, and the job does not list it any more")
        if file.promised != self._file.promised:
            raise self._known.mismatch("the job lists it with another size, key or checksum than before")
        self._file = file

    async def _wait(self, trouble: AskAgainError) -> None:
        self._attempts += 1
        seconds = pause_before(self._attempts, trouble.pause, self._settings)
        if trouble.crowded:
            self._session.crowded.slow_down(self._host, seconds)  # the next request waits, of whatever file
        if self._attempts > self._settings.file_retries:
            answer = f"{trouble.answer}; gave up after {self._attempts} attempts without progress"
            raise TransientSourceError(
                FILE_HOST, self._attempted, answer, "Look at the network and the proxy."
            )
        if not trouble.crowded:
            await asyncio.sleep(seconds)

    def _check_room(self, size: int) -> None:
        """Refuse what is larger than the settings allow; of a promised size that was judged before."""
        if self._file.promised.size is not None:
            return
        if size > self._settings.max_file_gb * GIB:
            raise self._refused("it is larger than vip.max_file_gb allows")
        if self._session.unpromised + size - self._known.offset > self._settings.max_job_gb * GIB:
            raise self._refused("the job's files are larger than vip.max_job_gb allows")

    @property
    def _attempted(self) -> str:
        return f"fetch {self._known.name}"

    @property
    def _host(self) -> str:
        from yarl import URL

        return URL(self._file.url.get_secret_value(), encoded=True).authority

    def _refused(self, answer: str) -> RefusedFileError:
        return RefusedFileError(FILE_HOST, self._attempted, answer, "If it is right so, raise that setting.")

    def _permanent(self, answer: str) -> PermanentSourceError:
        return PermanentSourceError(FILE_HOST, self._attempted, answer, "Ask the vendor what became of it.")


def _hashes(checksum: str | None) -> dict[int, Hash]:
    """Return the hashes to be made, by the number of digits by which a promised one is recognised."""
    hashes = {SHA256_DIGITS: hashlib.sha256()}
    if checksum is not None and len(checksum) == MD5_DIGITS:
        hashes[MD5_DIGITS] = hashlib.md5(usedforsecurity=False)
    return hashes
