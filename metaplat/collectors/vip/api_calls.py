"""The calls of the API, from the settings.

Here: base and path joined, what an address of the API may be, how large each answer may be.
Not here: addresses of files, which come from outside (``safe_addresses``); making a call (``exchange``).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from metaplat.collectors.vip.call import Call
from metaplat.model.errors import SettingsError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from metaplat.settings.vip import VipSettings


FILES_KEYS = "vip.files_url, vip.files_path and vip.company"


@dataclass(frozen=True)
class ApiCalls:
    """The four calls."""

    token: Call
    export: Call
    status: Call
    files: Call


def api_calls(settings: VipSettings) -> ApiCalls:
    """Return the calls of the API, with one slash between base address and path.

    Raises
    ------
    SettingsError
        An address is not https (http is for loopback hosts, where ``allow_insecure`` is set), holds a user or
        a query, there is no company for the list of files, or the proxy is no address.
    """
    _check_proxy(settings)

    def call(method: str, base: str, path: str, purpose: str, largest: float) -> Call:
        address = _address(base, getattr(settings, base), getattr(settings, path), settings)
        keys = f"vip.{base} and vip.{path}" if base != "files_url" else FILES_KEYS
        return Call(method, address, purpose, keys, int(largest))

    largest, largest_list = settings.max_answer_kb * 1024, settings.max_manifest_mb * 1024**2
    export = f"start the export of {settings.config}"
    return ApiCalls(
        token=call("POST", "auth_url", "token_path", "ask for a token", largest),
        export=call("POST", "api_url", "export_path", export, largest),
        status=call("POST", "api_url", "status_path", "ask how a job stands", largest),
        files=call("GET", "files_url", "files_path", "ask for the files of a job", largest_list),
    )


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine, by its name or address alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _with_company(path: str, settings: VipSettings) -> str:
    company = (settings.company or "").strip()
    if "{company}" in path and not company:
        advice = "Set METAPLAT_VIP__COMPANY to your company's name in the address of the list."
        raise SettingsError("vip.company", "the list of files cannot be asked for without", advice)
    return path.replace("{company}", quote(company, safe=""))


def _address(key: str, base: str, path: str, settings: VipSettings) -> str:
    try:
        parts = urlsplit(base.strip())
        problem = _problem(parts, settings.allow_insecure)
    except ValueError:  # a port that is no number, half an IPv6 address
        problem = "is no address"
    if not problem and not f"{base.strip()}{path}".isprintable():
        problem = "holds signs that belong in no address"
    if not problem and ("?" in path or "#" in path):
        problem = "its path holds a query"
    if problem:
        advice = "Give a base address such as https://api.example.com."
        raise SettingsError(f"vip.{key}", problem, advice)
    return f"{base.strip().rstrip('/')}/{_with_company(path, settings).lstrip('/')}"


def _check_proxy(settings: VipSettings) -> None:
    if settings.proxy is None:
        return
    try:
        parts = urlsplit(settings.proxy.get_secret_value())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(
            "vip.proxy", "is no http address", "Give one such as http://proxy.example.com:3128."
        )


def _problem(parts: SplitResult, allow_insecure: bool) -> str | None:  # noqa: FBT001  # as in the settings
    """Return what is wrong with a base address."""
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        return "is no https address"
    if "@" in parts.netloc:
        return "holds a user, and credentials have keys of their own"
    if parts.query or parts.fragment:
        return "holds a query"
    if parts.scheme == "http" and not (allow_insecure and is_loopback(parts.hostname)):
        return "is not https; http is for loopback hosts only, with vip.allow_insecure"
    return None
