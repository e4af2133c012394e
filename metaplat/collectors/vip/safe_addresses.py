"""Which addresses files may be fetched from.

Here: what an address may look like (``check_address``), what its host may resolve to (``guarded_resolver``).
Not here: names, sizes and duplicates (``safe_files``), fetching (``download``).

An address is remote input: without these rules the vendor's list, or whoever can change it, makes us read the
metadata service of our own cloud. Behind ``vip.proxy`` the proxy resolves, so only the names are judged then.
"""

from __future__ import annotations

import re
import socket
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from metaplat.collectors.vip.file_errors import FILE_HOST, RefusedFileError

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver, ResolveResult
    from yarl import URL

    from metaplat.settings.vip import VipSettings

__all__ = [
    "RefusedFileError",
    "check_address",
    "check_resolved",
    "guarded_resolver",
    "is_public",
    "refused_address",
]

LONGEST_ADDRESS = 8192
HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
)
"""A DNS name. Its last label begins with a letter, so no spelling of an IP address is one: 0x7f.1."""
LOOPBACK_NAME = "localhost"
NAT64 = IPv6Network("64:ff9b::/96")
ADVICE = "Ask the vendor which hosts its files come from; allow them in vip.allowed_hosts."


def check_address(url: str, settings: VipSettings) -> None:
    """Refuse an address that files must not be fetched from.

    Parameters
    ----------
    url : str
        Signed address, remote text. No part of it but its host gets into a message.
    settings : VipSettings
        ``allowed_hosts`` are patterns of host names, in any case. ``allow_insecure`` lets addresses of
        this machine pass, with http and ports; nothing else becomes less strict by it.

    Raises
    ------
    RefusedFileError
        It is not https, names a user or a port, its host is an IP address or not allowed, or it is no
        address at all.
    """
    address = _parsed(url)
    host = (address.raw_host or "").lower().removesuffix(".")
    if address.raw_user is not None or address.raw_password is not None:
        raise refused_address("its address holds a user name")
    if settings.allow_insecure and address.scheme in {"http", "https"} and _is_loopback_name(host):
        return
    if address.scheme != "https":
        raise refused_address("its address is not https")
    if address.explicit_port is not None:
        raise refused_address("its address names a port")
    if not HOST_NAME.fullmatch(host):
        raise refused_address("its host is an IP address or no DNS name")
    if _is_loopback_name(host):
        raise refused_address("its host is this machine")
    if not any(fnmatchcase(host, pattern.lower().removesuffix(".")) for pattern in settings.allowed_hosts):
        raise refused_address(f"its host {host} is not among vip.allowed_hosts")


def guarded_resolver(settings: VipSettings) -> AbstractResolver:
    """Return a resolver that answers only with addresses that may be connected to.

    A connection goes to the very addresses that this resolver returned, so a name cannot be judged by one
    answer and connected to by another.

    Parameters
    ----------
    settings : VipSettings
        With ``allow_insecure``, ``localhost`` resolves, and to this machine only.

    Returns
    -------
    aiohttp.abc.AbstractResolver
        Raises ``RefusedFileError`` where any answer is private, link-local, loopback, multicast or reserved,
        in IPv6 also as an embedded IPv4 address.
    """
    from aiohttp import ThreadedResolver
    from aiohttp.abc import AbstractResolver

    class GuardedResolver(AbstractResolver):
        """Asks the system, and judges its answers."""

        def __init__(self) -> None:
            self._system = ThreadedResolver()

        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            """Return the addresses of ``host``."""
            answers = await self._system.resolve(host, port, family)
            check_resolved(host, [answer["host"] for answer in answers], settings)
            return answers

        async def close(self) -> None:
            """Close what it asks."""
            await self._system.close()

    return GuardedResolver()


def check_resolved(host: str, answers: list[str], settings: VipSettings) -> None:
    """Refuse a host that resolves to an address which files must not be fetched from.

    Parameters
    ----------
    host : str
        Its name.
    answers : list of str
        IP addresses, as a resolver returned them.
    settings : VipSettings
        As of ``guarded_resolver``.

    Raises
    ------
    RefusedFileError
        Any of them is not safe; with one bad answer the others are not trusted either.
    """
    local = settings.allow_insecure and _is_loopback_name(host.lower().removesuffix("."))
    for answer in answers:
        address = ip_address(answer)
        if not (address.is_loopback if local else is_public(address)):
            raise refused_address("its host resolves to an address inside a private network or this machine")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an IP address belongs to the public internet, and what is embedded in it, too.

    Parameters
    ----------
    address : IPv4Address or IPv6Address
        IPv4-mapped, 6to4, Teredo and NAT64 addresses are judged by the IPv4 addresses that they lead to.
    """
    if isinstance(address, IPv6Address) and (embedded := _embedded(address)):
        return all(is_public(each) for each in embedded)
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def refused_address(answer: str) -> RefusedFileError:
    """Return the error of an address that is not safe, without the address."""
    return RefusedFileError(FILE_HOST, "fetch a file", answer, ADVICE)


def _parsed(url: str) -> URL:
    """Take it apart with the very parser that connects later: two parsers may see two hosts."""
    from yarl import URL

    plain = url.isascii() and url.isprintable() and not set(url) & set(' \\"<>^`{|}')
    if not plain or len(url) > LONGEST_ADDRESS:
        raise refused_address("its address is none")
    try:
        address = URL(url, encoded=True)
        _ = address.explicit_port, address.raw_host  # parsed when asked for
    except ValueError:
        raise refused_address("its address is none") from None
    return address


def _is_loopback_name(host: str) -> bool:
    """Whether a host is this machine, in its plain spellings."""
    if host == LOOPBACK_NAME or host.endswith(f".{LOOPBACK_NAME}"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _embedded(address: IPv6Address) -> list[IPv4Address]:
    if address in NAT64:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    return [each for each in found if each is not None]
