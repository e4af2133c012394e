"""The small XML document by which a file host says what went wrong.

Here: recognising it, also with status 200 in place of the file; whether it means an expired address.
Not here: what is done about it (``download``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_BYTES = 64 << 10
"""No error document is larger."""
START = re.compile(rb"\A(\xef\xbb\xbf)?\s*(<\?xml[^>]{0,200}\?>\s*)?<Error\b[^>]{0,200}>")
LONGEST_START = 512
CODE = re.compile(rb"<Code>\s*([A-Za-z0-9.]{1,64})\s*</Code>")
EXPIRED_CODES = frozenset({"ExpiredToken", "RequestExpired", "TokenRefreshRequired"})
EXPIRED_TEXT = re.compile(rb"expired", re.IGNORECASE)


@dataclass(frozen=True)
class ErrorDocument:
    """What an error document says.

    Parameters
    ----------
    code : str
        Its code, for example ``SlowDown``; safe to show.
    expired : bool
        Whether the signed address is too old.
    """

    code: str
    expired: bool


def may_be_error(start: bytes) -> bool:
    """Whether a body that begins so can be an error document.

    Parameters
    ----------
    start : bytes
        First bytes of a body, at best 512 or more.
    """
    return START.match(start[:LONGEST_START]) is not None


def read_error(body: bytes) -> ErrorDocument | None:
    """Return what a body says as an error document of S3, None where it is none.

    Parameters
    ----------
    body : bytes
        Whole body, or its first 64 KiB.

    Notes
    -----
    Form: "Error responses" of the Amazon S3 API reference, ``<Error><Code>...</Code><Message>...``.
    It is read by patterns: a parser of XML would resolve what strangers wrote.
    """
    code = CODE.search(body[:MOST_BYTES])
    if code is None or not may_be_error(body):
        return None
    word = code[1].decode("ascii")
    return ErrorDocument(word, word in EXPIRED_CODES or EXPIRED_TEXT.search(body[:MOST_BYTES]) is not None)
