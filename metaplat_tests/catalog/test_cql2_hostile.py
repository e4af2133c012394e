"""Hostile filters: whatever comes, it is a filter or a UsageError, and reading it takes linear time."""

from __future__ import annotations

import pickle
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.catalog.cql2 import parse_json, parse_text
from metaplat.catalog.queryables import checked
from metaplat.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

MILLION = 1_000_000
LONG = {
    "opening brackets": "(" * MILLION,
    "closing brackets": ")" * MILLION,
    "negations": "NOT " * MILLION,
    "literals in literals": "a = " + "DATE(" * MILLION,
    "intervals in intervals": "T_BEFORE(a, " + "INTERVAL(" * MILLION,
    "functions in functions": "f(" * MILLION,
    "a text without end": "a = '" + "x" * MILLION,
    "quotes, an odd number": "'" * (MILLION + 1),
    "quotes of a name": '"' * (MILLION + 1),
    "a number": "a = " + "1" * MILLION,
    "a number of dots": "a = 1" + ".1" * MILLION,
    "a name": "a" * MILLION + " = 1",
    "spaces": " " * MILLION,
    "signs": "<" * MILLION,
    "commas": "a IN (" + "," * MILLION,
    "a pattern of wildcards": "a LIKE '" + "%" * MILLION + "x'",
    "a pattern of backslashes": "a LIKE '" + "\\" * (MILLION + 1) + "%'",
    "a time": "a = DATE('" + "2" * MILLION + "')",
    "words": "TEXT('" + "x " * MILLION + "')",
}
SMALL = [
    "mission_id = 'x' OR 1=1",
    "mission_id = 'x'; DROP TABLE observations; --",
    "mission_id = 'x' UNION SELECT * FROM sqlite_master",
    "../../etc/passwd",
    "..\\..\\windows",
    "file://etc/passwd",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "a = \x00",
    "a\u202e = 1",
    "\ufeffmission_id = 'x'",
    "mission_id = \u2018x\u2019",
    "mission_id LIKE '' ESCAPE ''",
    "a = \u0663",
    "x" + "\ud800",
]


@pytest.mark.parametrize("name", LONG)
def test_a_megabyte_of_nonsense_is_one_short_error(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked(parse_text(LONG[name]))
    assert len(str(caught.value)) < 2_000


@pytest.mark.parametrize("place", range(len(SMALL)))
def test_what_is_no_filter_is_refused_in_words_that_can_be_printed(place: int) -> None:
    with pytest.raises(UsageError) as caught:
        checked(parse_text(SMALL[place]))
    assert str(caught.value).encode("utf-8")
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args


def test_sql_inside_a_text_is_only_text() -> None:
    hostile = "x' OR 1=1; DROP TABLE observations; --"
    where = checked(parse_text("mission_id = '" + hostile.replace("'", "''") + "'"))
    assert where.value == hostile  # type: ignore[union-attr]


def test_a_text_longer_than_any_filter_is_refused_unread() -> None:
    with pytest.raises(UsageError, match="more than 16777216 characters"):
        parse_text(" " * (16 * 1024 * 1024 + 1))


def test_brackets_as_deep_as_allowed_are_read() -> None:
    assert parse_text("(" * 100 + "a = 1" + ")" * 100) == parse_text("a = 1")


def nested(levels: int) -> dict[str, Any]:
    """Return negations inside each other."""
    document: dict[str, Any] = {"op": "isNull", "args": [{"property": "mission_id"}]}
    for _ in range(levels):
        document = {"op": "not", "args": [document]}
    return document


def test_deep_documents_are_refused_parsed_and_as_text() -> None:
    with pytest.raises(UsageError, match="nested more than 100 deep"):
        parse_json(nested(sys.getrecursionlimit() * 10))
    with pytest.raises(UsageError, match="this is no JSON"):
        parse_json("[" * MILLION)
    with pytest.raises(UsageError, match="nested more than 100 deep"):
        parse_json('{"op":"not","args":[' * 150 + "true" + "]}" * 150)


@pytest.mark.parametrize("parse", [parse_text, parse_json], ids=["text", "json"])
@given(text=st.text(max_size=60))
def test_any_text_is_a_filter_or_a_usage_error(parse: Callable[[str], Any], text: str) -> None:
    try:
        checked(parse(text))
    except UsageError as error:
        assert str(error).isprintable()  # noqa: PT017  # both outcomes are right


LANGUAGE = "a 'x' 1 ( ) , = < AND OR NOT IN LIKE BETWEEN IS NULL TRUE DATE TIMESTAMP INTERVAL CONE T_DURING"


@given(
    words=st.lists(
        st.sampled_from([*LANGUAGE.split(), "mission_id", "'2026-03-01'", "datetime", "'%'"]), max_size=12
    )
)
def test_any_words_of_the_language_are_a_filter_or_a_usage_error(words: list[str]) -> None:
    try:
        checked(parse_text(" ".join(words)))
    except UsageError as error:
        assert str(error).isprintable()  # noqa: PT017  # both outcomes are right


documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just({"property": "mission_id"}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries(
            {"op": st.sampled_from(["and", "not", "=", "in", "like", "t_before", "isNull"]), "args": inner}
        )
        | st.dictionaries(st.sampled_from(["op", "args", "property", "date", "interval"]), inner, max_size=2)
    ),
    max_leaves=12,
)


@given(document=documents)
def test_any_document_is_a_filter_or_a_usage_error(document: Any) -> None:
    if isinstance(document, str):
        document = [document]
    try:
        checked(parse_json(document))
    except UsageError as error:
        assert str(error).isprintable()  # noqa: PT017  # both outcomes are right
