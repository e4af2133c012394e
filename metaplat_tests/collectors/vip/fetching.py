"""Fetching one file as a pull does, and what must hold of every failure.

Here: settings that do not wait, a file with an address, its bytes or its error.
Not here: the host (``sick_file_host``).
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from metaplat.collectors.vip.download import Download, Downloads
from metaplat.collectors.vip.signed_file import SignedFile
from metaplat.model.errors import SourceError
from metaplat.model.extract import PromisedFile
from metaplat.settings.vip import VipSettings
from metaplat_tests.collectors.vip.sick_file_host import CANARY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from metaplat_tests.collectors.vip.sick_file_host import SickFileHost

    Renew = Callable[[], Awaitable[SignedFile | None]]


@dataclass(frozen=True)
class Fetched:
    """A file that came."""

    content: bytes
    download: Download


def patient(**changed: Any) -> VipSettings:
    """Return settings for hosts of this machine, with short pauses."""
    return VipSettings(
        **{
            "allow_insecure": True,
            "backoff_seconds": 0.001,
            "max_backoff_seconds": 0.005,
            "stall_seconds": 20.0,
            "file_retries": 3,
            **changed,
        }
    )


def signed(
    url: str, size: int | None, checksum: str | None = None, key: str = "job/Vessel_1.csv"
) -> SignedFile:
    """Return a file of the list."""
    return SignedFile(PromisedFile(key, size, checksum), SecretStr(url))


async def fetched(
    host: SickFileHost,
    size: int | None,
    settings: VipSettings | None = None,
    *,
    checksum: str | None = None,
    renew: Renew | None = None,
) -> Fetched:
    """Fetch the file of a host; without ``renew`` the new address is the old one."""
    file = signed(host.url(), size, checksum)

    async def same() -> SignedFile:
        return file

    async with Downloads(settings or patient()) as downloads:
        download = downloads.open(file, renew or same)
        pieces = [piece async for piece in download]
    return Fetched(b"".join(pieces), download)


async def failure(
    host: SickFileHost, size: int | None, settings: VipSettings | None = None, **more: Any
) -> SourceError:
    """Fetch the file of a host in vain; return why, after a look for secrets in it."""
    with pytest.raises(SourceError) as raised:
        await fetched(host, size, settings, **more)
    told_no_secret(raised.value)
    return raised.value


def told_no_secret(error: BaseException) -> None:
    """Check that neither an error nor anything that it carries holds a part of the address."""
    told = "".join(traceback.format_exception(error)) + repr(error)
    link: BaseException | None = error
    while link is not None:
        told += f"{link!r} {link.args!r}"
        link = link.__cause__ or link.__context__
    assert CANARY not in told
    assert "X-Amz" not in told
