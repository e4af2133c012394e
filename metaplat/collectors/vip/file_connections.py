"""How connections to a file host fail, in plain words: texts of libraries may hold whole addresses.

Here: the errors of the library as errors of ours.
Not here: answers that say no (``file_refusals``), connections to the API (``broken_connections``).
"""

from __future__ import annotations

from metaplat.collectors.vip.file_answers import AskAgainError
from metaplat.collectors.vip.file_errors import FILE_HOST
from metaplat.model.errors import PermanentSourceError, SettingsError

PROXY_ADVICE = "Give one such as http://proxy.example.com:3128."
CERTIFICATE_ADVICE = "Give this machine the certificates of the proxy that reads along, or ask the vendor."
PROXY_WANTS_CREDENTIALS = 407


def connection_trouble(error: Exception, name: str) -> Exception:
    """Return what an error of a connection means.

    Parameters
    ----------
    error : aiohttp.ClientError or OSError
        As the library raised it; time-outs are of the latter kind.
    name : str
        Of the file, as messages show it.

    Returns
    -------
    AskAgainError, PermanentSourceError or SettingsError
        To be raised.
    """
    import aiohttp

    attempted = f"fetch {name}"
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):  # its own was judged before
        return SettingsError("vip.proxy", "is no http address", PROXY_ADVICE)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return PermanentSourceError(
            FILE_HOST, attempted, "its certificate cannot be verified", CERTIFICATE_ADVICE
        )
    if isinstance(error, aiohttp.ClientHttpProxyError):
        answer = f"the proxy answered HTTP {error.status}"
        if error.status == PROXY_WANTS_CREDENTIALS:
            return PermanentSourceError(FILE_HOST, attempted, answer, "Check the user in vip.proxy.")
        return AskAgainError(answer)
    return AskAgainError(_words(error))


def _words(error: Exception) -> str:
    import aiohttp

    words: tuple[tuple[type[Exception], str], ...] = (
        (aiohttp.ClientConnectorDNSError, "its name cannot be resolved"),
        (aiohttp.ClientProxyConnectionError, "the proxy cannot be reached"),
        (aiohttp.ClientSSLError, "no TLS connection"),
        (aiohttp.ClientConnectorError, "it cannot be reached"),
        (aiohttp.ConnectionTimeoutError, "no connection within vip.file_connect_seconds"),
        (TimeoutError, "silence for vip.stall_seconds"),
        (aiohttp.ClientResponseError, "what came back is no HTTP"),
    )
    return next((text for kind, text in words if isinstance(error, kind)), "the connection was cut")
