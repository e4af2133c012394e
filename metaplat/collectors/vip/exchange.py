"""The connection to the API: requests, and their answers within limits of size and time.

Here: the session, what is sent, reading no more than allowed, and no secret in what is told of it.
Not here: what an answer means (``refusals``, ``client``), trying again (``retrying``), files (``download``).
"""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import SecretStr

from metaplat.collectors.vip.broken_connections import broken
from metaplat.collectors.vip.call import Answer
from metaplat.collectors.vip.redaction import HIDDEN, redacted
from metaplat.model.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from types import TracebackType

    from aiohttp import ClientResponse, ClientSession

    from metaplat.collectors.vip.call import Call, Content
    from metaplat.settings.vip import VipSettings

STRETCH_BYTES = 4 << 20
"""Each stretch that an answer may have gives it ``read_seconds`` more: one that drips ends, too."""
SHORTEST_SECRET = 4
"""Shorter texts are not looked for in answers: they occur by chance."""


class Exchange:
    """The connection to the API, while its ``async with`` block lasts.

    Redirects are not followed, cookies not kept, and every call has a connection of its own: on one that was
    kept, nobody could say whether a request arrived before the other side closed it.

    Parameters
    ----------
    settings : VipSettings
        Time limits and the proxy.
    """

    def __init__(self, settings: VipSettings) -> None:
        self._settings = settings
        self._session: ClientSession | None = None
        self._secrets: set[str] = set()

    async def __aenter__(self) -> Exchange:
        try:
            from aiohttp import ClientSession, DummyCookieJar, TCPConnector
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "aiohttp":
                raise
            raise MissingExtraError("asking the vendor's lake", "aiohttp", "vip") from None
        connector = TCPConnector(force_close=True)
        self._session = ClientSession(connector=connector, cookie_jar=DummyCookieJar(), trust_env=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, call: Call, content: Content) -> Answer:
        """Send a call once and return its answer, whatever its status.

        Raises
        ------
        PassingError
            No answer, or not all of it; it says whether the request may have arrived.
        PermanentSourceError
            The certificate of the other side cannot be verified, or the proxy refuses.
        """
        import aiohttp

        self.remember(*_secrets(content))
        try:
            async with self._request(call, content) as response:
                return Answer(
                    call,
                    response.status,
                    await _read(response, call.largest_bytes),
                    response.headers.get("Retry-After"),
                    _date(response.headers.get("Date")),
                )
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is of the latter kind
            trouble = broken(error, call, self._settings)
        raise trouble  # outside of the block: the library's error stays behind, with what it knows

    def hide(self, text: str) -> str:
        """Return ``text`` without secrets, those that were sent among them."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return redacted(text)

    def remember(self, *secrets: SecretStr) -> None:
        """Hide ``secrets`` from now on, as they are and as addresses hold them."""
        for secret in secrets:
            plain = secret.get_secret_value()
            if len(plain) >= SHORTEST_SECRET:
                self._secrets |= {plain, quote(plain), quote(plain, safe="")}

    def _request(self, call: Call, content: Content) -> Any:
        from aiohttp import ClientTimeout
        from yarl import URL

        if self._session is None:
            raise RuntimeError("the exchange is used outside of its block")
        settings = self._settings
        headers = {"Accept": "application/json", "User-Agent": "metaplat"}
        if content.bearer is not None:
            headers["Authorization"] = f"Bearer {content.bearer.get_secret_value()}"
        stretches = 1 + math.ceil(call.largest_bytes / STRETCH_BYTES)
        return self._session.request(
            call.method,
            URL(call.address).with_query(_plain(content.query)),
            data=_plain(content.form),
            json=content.document,
            headers=headers,
            timeout=ClientTimeout(
                total=settings.connect_seconds + settings.read_seconds * stretches,
                connect=settings.connect_seconds,
                sock_connect=settings.connect_seconds,
                sock_read=settings.read_seconds,
            ),
            proxy=settings.proxy.get_secret_value() if settings.proxy else None,
            allow_redirects=False,
        )


def _secrets(content: Content) -> list[SecretStr]:
    sent = [content.bearer, *(content.query or {}).values(), *(content.form or {}).values()]
    return [each for each in sent if isinstance(each, SecretStr)]


def _plain(values: Mapping[str, str | SecretStr] | None) -> dict[str, str] | None:
    if values is None:
        return None
    return {
        key: value if isinstance(value, str) else value.get_secret_value() for key, value in values.items()
    }


async def _read(response: ClientResponse, largest: int) -> bytes | None:
    """Return the body; None where it is larger than ``largest``, of which no more is read."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > largest:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _date(header: str | None) -> datetime | None:
    """Return the header ``Date`` as aware UTC."""
    from datetime import UTC

    try:
        moment = parsedate_to_datetime(header or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
