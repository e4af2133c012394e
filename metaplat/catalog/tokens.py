"""The token that leads to the next page of a search: where the last page ended, tied to its query.

Here: writing and reading tokens.
Not here: pages (``search``). A token holds no secret and opens nothing: its values are bound as parameters
of their columns' types, and the checksum is against damage, not against people.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from metaplat.catalog.query_columns import fields
from metaplat.catalog.query_values import checked_text
from metaplat.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = 1
CHECKSUM_BYTES = 8
DIGEST_BYTES = 12
MAX_CHARACTERS = 64 << 10
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
ADVICE = "search again without a token, from the first page"


def query_digest(query: object) -> str:
    """Return the digest of a query, given as a JSON document: what a token is tied to."""
    return hashlib.blake2b(orjson.dumps(query), digest_size=DIGEST_BYTES).hexdigest()


def write_token(digest: str, columns: Sequence[str], values: Sequence[Any]) -> str:
    """Return the token of a place in a query.

    Parameters
    ----------
    digest : str
        Of the query.
    columns : sequence of str
        What it is sorted by, ``dataset_id`` included.
    values : sequence
        Of these columns in the last row of the page; None where it is null.

    Raises
    ------
    UsageError
        A value is too long for a token.
    """
    written = [(value - EPOCH) // TICK if isinstance(value, datetime) else value for value in values]
    body = orjson.dumps([VERSION, digest, written])
    token = base64.urlsafe_b64encode(_checksum(body) + body).rstrip(b"=").decode("ascii")
    if len(token) > MAX_CHARACTERS:
        raise UsageError(f"a value of {', '.join(columns)} is too long to page by; sort by another column")
    return token


def read_token(token: str, digest: str, columns: Sequence[str]) -> tuple[Any, ...]:
    """Return the values of a token.

    Parameters
    ----------
    token : str
        Anything.
    digest : str
        Of the query it must belong to.
    columns : sequence of str
        What that is sorted by, ``dataset_id`` included.

    Raises
    ------
    UsageError
        It is damaged, of another query, or no token at all.
    """
    document = _document(token)
    if not (isinstance(document, list) and len(document) == 3 and document[0] == VERSION):
        raise UsageError(f"the page token is of another version; {ADVICE}")
    if document[1] != digest:
        raise UsageError(
            f"the page token belongs to another query: filter and sort must stay the same; {ADVICE}"
        )
    values = document[2]
    if not isinstance(values, list) or len(values) != len(columns):
        raise _damaged()
    return tuple(_value(column, value) for column, value in zip(columns, values, strict=True))


def _document(token: str) -> object:
    if not token.isascii() or len(token) > MAX_CHARACTERS:
        raise _damaged()
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        checksum, body = raw[:CHECKSUM_BYTES], raw[CHECKSUM_BYTES:]
        if checksum != _checksum(body):
            raise _damaged()
        return orjson.loads(body)
    except (binascii.Error, orjson.JSONDecodeError) as error:
        raise _damaged() from error


def _value(column: str, value: object) -> object:
    """Return the value of a sort column; raises UsageError where it is not of its type."""
    field = fields()[column]
    if value is None and field.nullable:
        return None
    if field.dtype is str and isinstance(value, str):
        return checked_text(value, "the page token")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _damaged()
    if field.dtype is float:
        return float(value)
    if not isinstance(value, int):
        raise _damaged()
    if field.dtype is datetime:
        return _moment(value)
    if field.dtype is int and -(2**63) <= value < 2**63:
        return value
    raise _damaged()


def _moment(microseconds: int) -> datetime:
    try:
        return EPOCH + microseconds * TICK
    except OverflowError as error:
        raise _damaged() from error


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=CHECKSUM_BYTES, person=b"page").digest()


def _damaged() -> UsageError:
    return UsageError(f"the page token is damaged; {ADVICE}")
