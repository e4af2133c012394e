"""One call of the API: what is asked, what is sent with it, and what came back.

Here: the three nouns of an exchange; none of them shows a secret when it is printed.
Not here: the exchange itself (``exchange``), what an answer means (``refusals``, ``client``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pydantic import SecretStr

ACCEPTED, NO_CONTENT, CONFLICT = 202, 204, 409
BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 400, 401, 403, 404


@dataclass(frozen=True)
class Call:
    """One of the calls of the API, without anything secret.

    Parameters
    ----------
    method : str
        Of HTTP.
    address : str
        Absolute, without a query.
    purpose : str
        What it is for, in words for a person.
    keys : str
        Settings that decide where it goes.
    largest_bytes : int
        Of its answer.
    """

    method: str
    address: str
    purpose: str
    keys: str
    largest_bytes: int

    @property
    def system(self) -> str:
        """Who is asked: host and port."""
        return urlsplit(self.address).netloc

    @property
    def attempted(self) -> str:
        """What is attempted, for messages."""
        return f"{self.purpose} ({self.method} {urlsplit(self.address).path})"


@dataclass(frozen=True)
class Content:
    """What is sent with a call; a value may be a secret.

    Parameters
    ----------
    bearer : SecretStr or None
        Token in the header ``Authorization``.
    query, form : mapping of str to str or SecretStr, or None
        Parameters of the address, and fields of a form.
    document : mapping of str to str, or None
        Body as JSON.
    """

    bearer: SecretStr | None = None
    query: Mapping[str, str | SecretStr] | None = None
    form: Mapping[str, str | SecretStr] | None = None
    document: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Answer:
    """What came back.

    Parameters
    ----------
    call : Call
        What was asked.
    status : int
        Of HTTP.
    content : bytes or None
        The body; None where it is larger than the call allows.
    retry_after : str or None
        Header of that name.
    server_time : datetime or None
        Header ``Date``, aware UTC.
    """

    call: Call
    status: int
    content: bytes | None = field(repr=False)
    retry_after: str | None = None
    server_time: datetime | None = None

    @property
    def is_success(self) -> bool:
        """Whether the status says that all went well."""
        return 200 <= self.status < 300
