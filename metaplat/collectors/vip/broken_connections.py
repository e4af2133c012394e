"""What it means that a call was not answered: whose fault it is, and whether the request may have arrived.

Here: the errors of the library as errors of ours; of theirs only the kind is told, some hold whole addresses.
Not here: answers that say no (``refusals``), connections to file hosts (``download``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.vip.retrying import PassingError
from metaplat.model.errors import PermanentSourceError

if TYPE_CHECKING:
    from metaplat.collectors.vip.call import Call
    from metaplat.model.errors import SourceError
    from metaplat.settings.vip import VipSettings

PROXY_KEY = "vip.proxy (METAPLAT_VIP__PROXY)"
PROXY_WANTS_CREDENTIALS = 407


def broken(error: Exception, call: Call, settings: VipSettings) -> SourceError:
    """Return what is to be raised for an error of the connection.

    Parameters
    ----------
    error : aiohttp.ClientError or OSError
        As the library raised it; time-outs are of the latter kind.
    call : Call
        What was asked.
    settings : VipSettings
        Time limits, and whether there is a proxy.
    """
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        answer = "its certificate was not accepted"
        advice = "If a proxy of yours signs certificates, name a file with its authority by SSL_CERT_FILE."
        return PermanentSourceError(call.system, call.attempted, answer, advice)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return _refused_by_proxy(error.status, call)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        advice = f"Check the network, {call.keys}" + (f" and {PROXY_KEY}." if settings.proxy else ".")
        return PassingError(
            call.system, call.attempted, _unconnected(error, settings), advice, None, may_have_arrived=False
        )
    return PassingError(call.system, call.attempted, _cut(error, settings), "Wait a little first.")


def _refused_by_proxy(status: int, call: Call) -> SourceError:
    answer = f"the proxy answered HTTP {status}"
    if status == PROXY_WANTS_CREDENTIALS:
        return PermanentSourceError(call.system, call.attempted, answer, f"Check the user in {PROXY_KEY}.")
    return PassingError(
        call.system, call.attempted, answer, f"Check {PROXY_KEY}.", None, may_have_arrived=False
    )


def _unconnected(error: Exception, settings: VipSettings) -> str:
    """Say why there is no connection."""
    import aiohttp

    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"no connection within {settings.connect_seconds:g} s"
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return "the proxy cannot be reached"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ConnectionRefusedError):
        return "it refuses connections"
    return f"no connection ({type(error).__name__})"


def _cut(error: Exception, settings: VipSettings) -> str:
    """Say how an answer was lost."""
    import aiohttp

    if isinstance(error, TimeoutError):
        return f"no complete answer in time (vip.read_seconds is {settings.read_seconds:g})"
    if isinstance(error, aiohttp.ClientResponseError):
        return "what came back is no HTTP"
    return f"the connection was cut before the answer was complete ({type(error).__name__})"
