"""What a server sends: a status, headers, bytes, and the way it ends.

Here: the shapes that ``vendor`` and ``file_host`` return and ``wire`` sends; what is remembered of a request.
Not here: either of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

Ending = Literal["whole", "cut", "silent"]
"""After the last byte: as promised; the connection ends; nothing more comes while the server runs."""


@dataclass(frozen=True)
class Answer:
    """One answer.

    Parameters
    ----------
    status : int
        Of HTTP; 0: no answer at all, only the ending.
    headers : mapping of str to str
        All but Date and Server.
    body : iterable of bytes
        What is really sent.
    ending : str
        What comes then.
    bytes_per_second : int or None
        How fast at most.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Iterable[bytes] = ()
    ending: Ending = "whole"
    bytes_per_second: int | None = None


@dataclass(frozen=True)
class Request:
    """One request that was answered.

    Parameters
    ----------
    at : datetime
        On the server's clock.
    method, path : str
        Without the query, which is secret.
    status : int
        Of the answer; 0: none was given.
    range : str or None
        The part that was asked for.
    """

    at: datetime
    method: str
    path: str
    status: int
    range: str | None = None


DROPPED = Answer(0, ending="cut")
SILENT = Answer(0, ending="silent")
LOGIN_PAGE = b"<!DOCTYPE html><html><title>Sign in</title><body>Please sign in</body></html>"


def answer_bytes(status: int, kind: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer of known content."""
    return Answer(status, {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}, [body])


def answer_json(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer in JSON."""
    return answer_bytes(status, "application/json; charset=utf-8", json.dumps(content).encode(), headers)


def answer_message(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer as the vendor words its refusals."""
    return answer_json(status, {"Message": text}, headers)


def answer_xml(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an error as S3 words it."""
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{error}'
    return answer_bytes(status, "application/xml", body.encode(), headers)


def answer_page() -> Answer:
    """Return a page to sign in, as a proxy or a login may put in place of an answer."""
    return answer_bytes(200, "text/html", LOGIN_PAGE)
