"""Where a History Server is, and what may be told of it.

Here: its address in parts, the credentials in it, which redirects stay on it.
Not here: asking it (``server``).
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from metaplat.model.errors import UsageError, shown_address

if TYPE_CHECKING:
    from urllib.parse import SplitResult

API = "/api/v1"


@dataclass(frozen=True)
class ServerAddress:
    """The address of a History Server.

    Parameters
    ----------
    origin : SplitResult
        Scheme, host and port, without credentials.
    path : str
        What is in front of ``/api/v1``, behind a proxy; else empty.
    authorization : str or None
        Header of that name, from ``user:password@`` in the address.
    """

    origin: SplitResult
    path: str
    authorization: str | None

    @classmethod
    def parse(cls, url: str) -> ServerAddress:
        """Take an address apart; a query is not sent on.

        Parameters
        ----------
        url : str
            ``http://[user:password@]host[:port][/path]``, with or without ``/api/v1``.

        Raises
        ------
        UsageError
            It is not an http address.
        """
        url = url.strip()
        try:
            parts = urlsplit(url)
            is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is no number, half an IPv6 address
            is_address = False
        if not is_address or not url.isascii() or not url.isprintable() or " " in url:
            raise UsageError("the address of a History Server looks like http://127.0.0.1:18080")
        path = parts.path.rstrip("/").removesuffix("/applications").removesuffix(API).rstrip("/")
        host = parts.netloc.rpartition("@")[2]
        return cls(urlsplit(f"{parts.scheme}://{host}"), path, _authorization(parts))

    @property
    def shown(self) -> str:
        """Host and path, as messages and records may hold them."""
        return shown_address(f"{self.origin.netloc}{self.path}")


def redirected(origin: SplitResult, target: str, location: str) -> tuple[SplitResult, str] | None:
    """Return where a redirect leads, None where that is another server.

    Credentials are for the one server, and a login page is no answer. From http to https on the same host is
    no other server.

    Parameters
    ----------
    origin : SplitResult
        Server that answered.
    target : str
        Path and query that were asked for.
    location : str
        Header of that name.
    """
    try:
        there = urlsplit(urljoin(f"{origin.scheme}://{origin.netloc}{target}", location))
        if not _is_same_server(origin, there):
            return None
    except ValueError:
        return None
    query = f"?{there.query}" if there.query else ""
    return urlsplit(f"{there.scheme}://{there.netloc.rpartition('@')[2]}"), f"{there.path or '/'}{query}"


def _authorization(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _is_same_server(origin: SplitResult, there: SplitResult) -> bool:
    if there.hostname != origin.hostname:
        return False
    if (origin.scheme, there.scheme) == ("http", "https"):
        return True
    return there.scheme == origin.scheme and _port(there) == _port(origin)


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)
