"""The page of a Spark application in a real browser: harmless, sortable, usable at any size."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from metaplat.collectors.spark.attempt import Finding
from metaplat.reports.spark.application_page import application_page
from metaplat_tests.reports.spark_report_samples import ATTACK, attempt, large, stage, unknown
from metaplat_tests.reports.test_report_in_browser import FLAGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from metaplat.collectors.spark.attempt import ApplicationAttempt

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def hostile() -> ApplicationAttempt:
    made = attempt(
        app_name=ATTACK,
        user=ATTACK,
        data_quality=[ATTACK],
        source_coverage=[ATTACK],
        tags={ATTACK: ATTACK},
        environment={ATTACK: ATTACK},
        stages=[stage(0, 5, 300, name=ATTACK, failure_reason=ATTACK, status="FAILED"), stage(1, 310, 20)],
        findings=[Finding(ATTACK, ATTACK, ATTACK, ATTACK, 0, 0)],
    )
    for executor in made.executors:
        executor.executor_id = executor.host = executor.removed_reason = ATTACK
    return made


SAMPLES: dict[str, Callable[[], ApplicationAttempt]] = {
    "attempt": attempt,
    "large": large,
    "unknown": unknown,
    "hostile": hostile,
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for name, made in SAMPLES.items():
        (folder / f"{name}.html").write_text(application_page(made().record()), encoding="utf-8")
    return folder


@pytest.fixture
def said() -> list[str]:
    """Return what the page asked for, or complained of."""
    return []


@pytest.fixture
def page(browser: Browser, said: list[str]) -> Iterator[Page]:
    page = browser.new_page()
    page.on("request", lambda request: said.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    yield page
    page.close()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_asks_for_nothing_but_itself_and_complains_of_nothing(
    page: Page, folder: Path, said: list[str], name: str
) -> None:
    address = (folder / f"{name}.html").as_uri()
    page.goto(address)
    assert page.title().endswith("· Spark application")
    assert [text for text in said if not text.startswith("data:")] == [address]


def test_text_of_outsiders_is_shown_as_text_wherever_it_is(page: Page, folder: Path) -> None:
    page.goto((folder / "hostile.html").as_uri())
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1  # our own
    assert page.locator("h1").inner_text() == ATTACK
    for place in (".sentence", ".advice", ".remark", ".facts", "td.text", "td small", ".timeline"):
        assert ATTACK in " ".join(page.locator(place).all_text_contents()), place
    assert all(ATTACK in text for text in page.locator(".pairs").all_text_contents())


def test_findings_come_first_and_lead_to_their_stage(page: Page, folder: Path) -> None:
    page.goto((folder / "attempt.html").as_uri())
    assert page.locator("main > section").first.locator("h2").inner_text() == "2 findings: 1 high, 1 medium"
    first = page.locator(".failure").first
    assert first.locator("h3").inner_text().startswith("high · task skew")
    target = first.locator("a").get_attribute("href") or ""
    assert page.locator(f"tr{target} td").first.inner_text() == "2"


def test_every_job_stage_and_executor_is_a_bar_that_says_what_it_is(page: Page, folder: Path) -> None:
    page.goto((folder / "attempt.html").as_uri())
    counts = {kind: page.locator(f"svg.{kind} rect").count() for kind in ("jobs", "stages", "executors")}
    assert counts == {"jobs": 2, "stages": 4, "executors": 3}
    titles = page.locator("svg.stages title").all_text_contents()
    assert titles[2].startswith(
        "Stage 2 (count at Orders.scala:22): failed, 1 min from 2025-11-20 02:20:32 UTC"
    )
    places = [box["x"] for each in page.locator("svg.stages rect").all() if (box := each.bounding_box())]
    assert places == sorted(places)


def test_a_click_on_a_heading_sorts_and_what_is_not_known_stays_last(page: Page, folder: Path) -> None:
    page.goto((folder / "attempt.html").as_uri())
    table = page.locator("table.sortable").last
    heading = table.locator("th", has_text="tasks")
    column = heading.evaluate("head => head.cellIndex")

    def cells() -> list[str]:
        return [row.locator("td").nth(column).inner_text() for row in table.locator("tbody tr").all()]

    heading.locator("button").click()
    assert cells() == ["410", "380", "not known"]
    heading.locator("button").click()
    assert cells() == ["380", "410", "not known"]
    assert heading.get_attribute("aria-sort") == "ascending"


def test_thousands_of_stages_are_capped_and_the_page_says_so(page: Page, folder: Path) -> None:
    page.goto((folder / "large.html").as_uri())
    assert page.locator("svg.stages rect").count() == 200
    assert page.locator("table.sortable").first.locator("tbody tr").count() == 300
    text = page.locator("body").inner_text()
    assert "the 200 longest of 3,000 stages" in text
    assert "the 300 longest of 3,000 stages" in text


def test_what_is_not_known_is_never_nothing(page: Page, folder: Path) -> None:
    page.goto((folder / "unknown.html").as_uri())
    figures = page.locator(".counts dd:not(.note)").all_inner_texts()
    assert set(figures) == {"not known"}
    assert "No event log could be read" in page.locator(".remark").inner_text()


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
@pytest.mark.parametrize("name", SAMPLES)
def test_the_page_fits_its_window(page: Page, folder: Path, name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((folder / f"{name}.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_and_light_are_two_papers(page: Page, folder: Path) -> None:
    papers = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto((folder / "attempt.html").as_uri())
        papers.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert papers == ["rgb(255, 255, 255)", "rgb(20, 23, 26)"]
