"""The page in a real browser: nothing leaves it, nothing runs in it, it fits a phone."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from metaplat.model.verdict import Outcome
from metaplat.reports.check_report import build_report
from metaplat.reports.html_page import as_html
from metaplat_tests.reports.report_samples import NOW, days, domain, receipt, record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

ATTACK = "<script>alert(1)</script>"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture
def report_file(tmp_path: Path) -> Path:
    keys = days(28)
    records = [
        record(
            key,
            Outcome.FAILED if key == keys[3] else Outcome.PASSED,
            numbers={"duplicates": place % 4},
            sentence=f"Job {ATTACK} came twice.",
            samples=[{"job": ATTACK, "<img src=http://127.0.0.1:9/x.png>": '"><svg onload=alert(2)>'}],
        )
        for place, key in enumerate(keys)
        if key != keys[9]
    ]
    receipts = {key: receipt(key, 5, **{ATTACK: 2}) for key in keys if key != keys[9]}
    report = build_report([domain()], {"jobs": records}, {"jobs": receipts}, NOW)
    path = tmp_path / "report.html"
    path.write_text(as_html(report), encoding="utf-8")
    return path


@pytest.fixture
def said() -> list[str]:
    """Return what the page asked for, or complained of."""
    return []


@pytest.fixture
def page(browser: Browser, report_file: Path, said: list[str]) -> Iterator[Page]:
    page = browser.new_page()
    page.on("request", lambda request: said.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto(report_file.as_uri())
    yield page
    page.close()


def test_the_page_asks_for_nothing_but_itself_and_complains_of_nothing(
    page: Page, report_file: Path, said: list[str]
) -> None:
    assert page.title() == "jobs fails · asset checks"
    assert [text for text in said if not text.startswith("data:")] == [report_file.as_uri()]


def test_text_of_outsiders_is_shown_as_text(page: Page) -> None:
    assert page.locator("script, img").count() == 0
    assert page.locator(".samples td").first.inner_text() == ATTACK
    assert ATTACK in page.locator(".reasons").inner_text()
    assert f"Job {ATTACK} came twice." in page.locator(".sentence").inner_text()


def test_every_cell_says_what_it_stands_for(page: Page) -> None:
    strip = page.get_by_role("group", name="primary_key: fails on 1 of 27 partitions")
    cells = strip.get_by_role("img")
    assert cells.count() == 28
    titles = [cells.nth(place).get_attribute("title") or "" for place in range(28)]
    keys = days(28)
    assert titles[0] == f"{keys[0]}: passed"
    assert titles[3] == f"{keys[3]}: failed since 2025-11-12 06:30 UTC. duplicates 3"
    assert titles[9] == f"{keys[9]}: missing"


def test_the_top_says_what_is_wrong_and_since_when(page: Page) -> None:
    top = " ".join(page.locator(".top").inner_text().split())
    assert f"primary_key fails on 1 of 27 partitions · partition {days(28)[3]} since 2025-11-12" in top
    assert "All times are in UTC" in top


@pytest.mark.parametrize("width", [360, 400, 768, 1280])
def test_the_page_fits_its_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_and_light_are_two_papers(page: Page) -> None:
    papers = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        papers.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert papers == ["rgb(255, 255, 255)", "rgb(20, 23, 26)"]
