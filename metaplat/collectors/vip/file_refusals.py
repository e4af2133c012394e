"""Answers of a file host that hold no file: what they mean, and which of them are worth another try.

Here: status and error document, told apart into: ask again, ask for a new address, give up.
Not here: answers with a file (``file_answers``), pauses (``file_patience``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.vip.file_answers import AskAgainError
from metaplat.collectors.vip.file_errors import FILE_HOST, RefusedFileError
from metaplat.collectors.vip.file_patience import asked_pause
from metaplat.model.errors import PermanentSourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.collectors.vip.error_documents import ErrorDocument

CROWDED = frozenset({429, 503})
CROWDED_CODES = frozenset(
    {"SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequests"}
)
TIMED_OUT = frozenset({408, 425})
TIMED_OUT_CODES = frozenset({"RequestTimeout", "InternalError"})
STALE = frozenset({400, 401, 403, 404, 410})
STALE_CODES = frozenset(
    {
        "AccessDenied",
        "InvalidAccessKeyId",
        "InvalidToken",
        "NoSuchKey",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)


class StaleAddressError(AskAgainError):
    """An address that is not accepted; a new one may be.

    Parameters
    ----------
    answer : str
        What came, in a few words.
    expired : bool
        Whether the answer says that the address is too old.
    """

    def __init__(self, answer: str, *, expired: bool) -> None:
        super().__init__(answer)
        self.expired = expired


def refusal(status: int, headers: Mapping[str, str], document: ErrorDocument | None, name: str) -> Exception:
    """Return what an answer without a file means.

    Parameters
    ----------
    status : int
        Of the answer; 200 where an error document came in place of the file.
    headers : mapping
        Of the answer.
    document : ErrorDocument or None
        Its body, where it is one.
    name : str
        Of the file, as messages show it.

    Returns
    -------
    AskAgainError, StaleAddressError, RefusedFileError or PermanentSourceError
        To be raised.
    """
    code = document.code if document else ""
    answer = f"HTTP {status} {code}".rstrip()
    if 300 <= status < 400:
        advice = "Files are fetched from the listed hosts only: tell the vendor."
        return RefusedFileError(FILE_HOST, f"fetch {name}", f"HTTP {status}, a redirect", advice)
    if status in CROWDED or code in CROWDED_CODES:
        return AskAgainError(answer, asked_pause(headers), crowded=True)
    if status >= 500 or status in TIMED_OUT or code in TIMED_OUT_CODES:
        return AskAgainError(answer, asked_pause(headers))
    if status in STALE or code in STALE_CODES or (document and document.expired):
        return StaleAddressError(answer, expired=document is not None and document.expired)
    if status == 200:
        return AskAgainError(answer)
    return PermanentSourceError(
        FILE_HOST, f"fetch {name}", answer, "Check vip.allowed_hosts and vip.proxy, and what the vendor says."
    )
