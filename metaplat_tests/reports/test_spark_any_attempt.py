"""Whatever an attempt holds, it becomes a page and a text, and nothing of it becomes markup or a command."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.cli.spark_compare_text import comparison_entry, comparison_lines
from metaplat.cli.spark_text import application_lines
from metaplat.cli.text_page import rendered
from metaplat.reports.plain_values import plain
from metaplat.reports.spark.application_page import application_page
from metaplat.reports.spark.attempt_reading import read_attempt
from metaplat.reports.spark.comparison import compare
from metaplat_tests.reports.spark_attempt_strategies import ATTEMPTS
from metaplat_tests.reports.spark_report_samples import attempt, large, unknown

if TYPE_CHECKING:
    from metaplat.collectors.spark.attempt import ApplicationAttempt

OURS = {"html", "head", "meta", "link", "title", "style", "script", "body", "header", "main", "footer"}
OURS |= {"section", "article", "h1", "h2", "h3", "p", "span", "b", "a", "div", "dl", "dt", "dd", "small"}
OURS |= {"table", "thead", "tbody", "tr", "th", "td", "button", "details", "summary"}
OURS |= {"svg", "rect", "text", "line", "path"}


class Elements(HTMLParser):
    """Collects the names of all elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element; the parser calls it."""
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def elements(page: str) -> Elements:
    found = Elements()
    found.feed(page)
    return found


@given(ATTEMPTS)
@settings(max_examples=60)
def test_any_attempt_gives_a_page_of_our_elements_only(made: ApplicationAttempt) -> None:
    page = application_page(made.record())
    page.encode()
    found = elements(page)
    assert found.names <= OURS
    assert not {name for name in found.attributes if name.startswith("on") or name == "src"}
    assert page.count("<script>") == 1


@given(ATTEMPTS, st.sampled_from([40, 80, 120, 160]))
@settings(max_examples=60)
def test_any_attempt_gives_a_text_that_commands_no_terminal(made: ApplicationAttempt, width: int) -> None:
    text = rendered(list(application_lines(read_attempt(made.record()), width)), styled=False)
    assert all(line.isprintable() for line in text.split("\n"))


@given(ATTEMPTS, ATTEMPTS)
@settings(max_examples=60)
def test_any_two_attempts_compare(first: ApplicationAttempt, second: ApplicationAttempt) -> None:
    one, other = read_attempt(first.record()), read_attempt(second.record())
    found = compare(one, other)
    text = rendered(list(comparison_lines(one, other, found, 80)), styled=False)
    assert all(line.isprintable() for line in text.split("\n"))
    entry = comparison_entry(one, other, found)
    assert plain(entry) == entry


@given(ATTEMPTS)
@settings(max_examples=60)
def test_a_record_is_read_back_as_it_was_written(made: ApplicationAttempt) -> None:
    known = read_attempt(made.record())
    assert read_attempt(known.record()) == known


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(list(attempt().record())), JUNK, max_size=12))
def test_values_of_a_wrong_type_are_unknown(record: dict[str, Any]) -> None:
    page = application_page(record)
    assert elements(page).names <= OURS


def test_numbers_and_times_of_a_record_survive_the_lake() -> None:
    made = attempt()
    row = made.record()
    row["environment"] = [{"key": key, "value": value} for key, value in made.environment.items()]
    row["start_time"] = made.start_time
    assert read_attempt({**row, "tags": None, "unheard_of": 3}).record() == {**made.record(), "tags": {}}


@pytest.mark.parametrize("width", [80, 120, 160])
@pytest.mark.parametrize("made", [attempt(), large(), unknown()], ids=["attempt", "large", "unknown"])
def test_the_text_fits_the_width(made: ApplicationAttempt, width: int) -> None:
    lines = rendered(list(application_lines(made, width)), styled=False).split("\n")
    assert max(map(len, lines)) <= width
    assert any(len(line) > width - 12 for line in lines) or not made.stages  # and makes use of it
    other = attempt(app_name="x" * 300, environment={"spark." + "y" * 200: "z" * 500})
    compared = rendered(list(comparison_lines(made, other, compare(made, other), width)), styled=False)
    assert max(map(len, compared.split("\n"))) <= width
