"""Page tokens: they lead back to where they were written, and to nowhere else."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.catalog.tokens import query_digest, read_token, write_token
from metaplat.model.errors import UsageError

DIGEST = query_digest(["a"])
ORDER = ("observation_timestamp", "data_quality_score", "target_object", "file_size", "dataset_id")
NOW = datetime(2026, 3, 1, 12, 0, 0, 1, UTC)
places = st.tuples(
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.integers(-(2**63), 2**63 - 1),
    st.text("0123456789abcdef", min_size=32, max_size=32),
)


def forged(document: Any) -> str:
    """Return a token with a right checksum around any document."""
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    checksum = hashlib.blake2b(body, digest_size=8, person=b"page").digest()
    return base64.urlsafe_b64encode(checksum + body).rstrip(b"=").decode()


@given(values=places)
def test_a_token_gives_back_the_values_it_was_written_with(values: tuple[Any, ...]) -> None:
    token = write_token(DIGEST, ORDER, values)
    assert token.isascii()
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert read_token(token, DIGEST, ORDER) == values


def test_a_token_of_another_query_is_refused() -> None:
    token = write_token(DIGEST, ORDER, (NOW, 0.5, "M31", 1, "x"))
    with pytest.raises(UsageError, match="belongs to another query"):
        read_token(token, query_digest(["b"]), ORDER)


@given(place=st.integers(0, 200), letter=st.sampled_from("AZaz09-_=. \n\u0661"))
def test_a_changed_token_is_refused(place: int, letter: str) -> None:
    token = write_token(DIGEST, ORDER, (NOW, 0.5, "M31", 1, "x"))
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    try:
        same = base64.urlsafe_b64decode(changed + "=" * (-len(changed) % 4)) == raw and len(
            changed.rstrip("=")
        ) == len(token)
    except ValueError:
        same = False
    if not same:  # the last letter has bits that mean nothing
        with pytest.raises(UsageError, match="search again without a token"):
            read_token(changed, DIGEST, ORDER)


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 8, 11, 12, 40])
def test_a_cut_token_is_refused(cut: int) -> None:
    token = write_token(DIGEST, ORDER, (NOW, 0.5, "M31", 1, "x"))
    with pytest.raises(UsageError, match="is damaged"):
        read_token(token[:cut], DIGEST, ORDER)


FORGED: dict[str, Any] = {
    "no list": {"a": 1},
    "no JSON": b"\xff\xfe",
    "NaN": b'[1,"x",[NaN]]',
    "deep": b"[" * 5000,
    "another version": [2, DIGEST, []],
    "no digest": [1],
    "no values": [1, DIGEST, 5],
    "too few values": [1, DIGEST, [1]],
    "a text for a time": [1, DIGEST, ["2026", 0.5, "x", 1, "x"]],
    "a fraction for a time": [1, DIGEST, [1.5, 0.5, "x", 1, "x"]],
    "a time out of range": [1, DIGEST, [2**62, 0.5, "x", 1, "x"]],
    "a boolean for a number": [1, DIGEST, [1, True, "x", 1, "x"]],
    "a number for a text": [1, DIGEST, [1, 0.5, 5, 1, "x"]],
    "a fraction for an integer": [1, DIGEST, [1, 0.5, "x", 1.5, "x"]],
    "an integer beyond 64 bits": f'[1,"{DIGEST}",[1,0.5,"x",18446744073709551615,"x"]]'.encode(),
    "null for the id": [1, DIGEST, [1, 0.5, "x", 1, None]],
    "null for a column without nulls": [1, DIGEST, [1, 0.5, "x", None, "x"]],
    "a list for a text": [1, DIGEST, [1, 0.5, ["x"], 1, "x"]],
    "a NUL in a text": [1, DIGEST, [1, 0.5, "x\0", 1, "x"]],
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_opens_nothing(name: str) -> None:
    with pytest.raises(UsageError):
        read_token(forged(FORGED[name]), DIGEST, ORDER)


@pytest.mark.parametrize("token", ["", "x", "é", "=", "A" * 100_000, "../../etc", "a b", "\x00", "\ud800"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="is damaged"):
        read_token(token, DIGEST, ORDER)


def test_a_value_too_long_to_page_by_is_an_error_that_names_the_columns() -> None:
    with pytest.raises(UsageError, match="a value of target_object, dataset_id is too long to page by"):
        write_token(DIGEST, ("target_object", "dataset_id"), ("x" * 100_000, "x"))
