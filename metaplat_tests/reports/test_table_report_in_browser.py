"""The page of the table monitor in a real browser: complete in itself, harmless, legible without colours."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from metaplat.model.table_metrics import KeySample
from metaplat.reports.tables.html_report import as_html
from metaplat_tests.reports.table_report_samples import faulty, judged, named, not_examined, report
from metaplat_tests.reports.test_report_in_browser import FLAGS
from metaplat_tests.rules.tables.facts_builder import healthy, with_profile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from metaplat.reports.tables.report_document import MonitorResult

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

ATTACK = '"><script>alert(1)</script><img src=http://127.0.0.1:9/x.png>'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture(scope="module")
def result() -> MonitorResult:
    attacked = with_profile(
        faulty(buckets=256),
        notes=[ATTACK],
        samples=[KeySample(1, "duplicate", ATTACK, 2), KeySample(7, "misplaced", "0a1b", 1, 0)],
    )
    return report(
        judged(healthy()),
        not_examined(problem=f"S3: {ATTACK}"),
        judged(named(attacked, f"part_{ATTACK}")),
        bucket_count=256,
    )


@pytest.fixture(scope="module")
def report_file(result: MonitorResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "tables.html"
    path.write_text(as_html(result), encoding="utf-8")
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
    assert page.title() == "1 of 3 tables needs a look; 1 not evaluated · table monitor"
    assert [text for text in said if not text.startswith("data:")] == [report_file.as_uri()]


def test_text_of_outsiders_is_shown_as_text(page: Page) -> None:
    assert page.locator("script, img").count() == 0
    assert page.locator("h2").first.inner_text() == f"part_{ATTACK}"
    assert page.locator(".remark").first.inner_text() == ATTACK
    assert (
        ATTACK in page.locator(".failure").filter(has_text="key_uniqueness").locator("td").all_inner_texts()
    )
    assert f"S3: {ATTACK}" in page.locator(".nothing").inner_text()


def test_the_worst_table_comes_first_and_each_name_leads_to_its_section(page: Page) -> None:
    names = page.locator(".overview tbody th a")
    assert [name.split("_")[1] for name in names.all_inner_texts()] == [ATTACK, "gone", "x"]
    assert page.locator(".overview tbody tr").first.locator("svg").get_attribute("aria-label") == "failed"
    for place in range(3):
        target = names.nth(place).get_attribute("href") or ""
        assert page.locator(f"section{target} h2").inner_text() == names.nth(place).inner_text()


def test_every_bucket_is_a_square_in_every_map_and_says_what_it_stands_for(page: Page) -> None:
    section = page.locator("section").first
    maps = section.locator(".map")
    assert [text.split("\n")[0] for text in maps.locator("figcaption").all_inner_texts()] == [
        "checks",
        "rows",
        "null keys",
        "duplicate rows",
        "age",
    ]
    assert [maps.nth(place).locator("i").count() for place in range(5)] == 5 * [256]
    title = section.locator(".map").nth(2).locator("i").nth(2).get_attribute("title")
    assert title == "bucket 2: 5 null keys; failed: key_completeness"
    missing = section.locator(".map").nth(1).locator("i").nth(5).get_attribute("title")
    assert missing == "bucket 5; missing: s3_partition"
    newest = section.locator(".map").nth(4).locator("i").nth(9).get_attribute("title")
    assert newest == "bucket 9: newest file 2025-11-19 12:00 UTC; passed"


def test_the_maps_say_the_same_in_words(page: Page) -> None:
    section = page.locator("section").first
    labels = [section.locator(".cells").nth(place).get_attribute("aria-label") or "" for place in range(5)]
    assert labels == [
        "checks by bucket: 251 passed, 4 failed, 1 missing",
        "rows by bucket: 100,000 a bucket",
        "null keys by bucket: 5 in 1 bucket",
        "duplicate rows by bucket: 8 in 2 buckets",
        "age by bucket: 24 hours",
    ]


def test_failed_buckets_are_outlined_in_the_maps_of_figures(page: Page) -> None:
    rows = page.locator("section").first.locator(".map").nth(1).locator("i")
    outlined = [place for place in range(10) if "fo" in (rows.nth(place).get_attribute("class") or "")]
    assert outlined == [1, 2, 3, 7]


def test_counts_stand_beside_the_source(page: Page) -> None:
    counts = " ".join(page.locator("section").first.locator(".counts").first.inner_text().split())
    assert "rows of db.ext_x 25,500,030" in counts
    assert "difference 30 0.000118 %" in counts
    assert "null keys 5" in counts
    assert "duplicate rows 8 4 keys, 4 surplus" in counts


def test_the_repair_is_told_before_and_after(page: Page) -> None:
    section = " ".join(page.locator("section").first.inner_text().split())
    assert "registered before 254 planned 1 registered after 255 still missing 0" in section
    assert "to be dropped by hand: id_bucket=5" in section


def test_failing_rules_have_their_sentence_and_buckets(page: Page) -> None:
    failures = page.locator("section").first.locator(".failure")
    headings = failures.locator("h3").all_inner_texts()
    assert [heading.strip() for heading in headings][:2] == ["row_count_match", "key_completeness"]
    assert "Buckets 1, 3" in failures.filter(has_text="key_uniqueness").inner_text()


def test_trends_of_earlier_runs_are_drawn(page: Page) -> None:
    trends = page.locator("section").first.locator(".trend")
    assert trends.locator("figcaption").all_inner_texts()[:3] == ["rows", "null keys", "duplicate rows"]
    assert trends.first.inner_text().split("\n")[-1] == "25,500,000 to 25,600,000"


def test_keys_are_said_to_be_digests_unless_they_are_not(result: MonitorResult) -> None:
    clear = result.settings.model_copy(update={"clear_key_samples": True})
    assert "shown as digests" in as_html(result)
    assert "shown as digests" not in as_html(replace(result, settings=clear))


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_fits_its_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_and_light_are_two_papers_with_two_ramps(page: Page) -> None:
    seen = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        seen.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        seen.append(page.evaluate("getComputedStyle(document.querySelector('.s7')).backgroundColor"))
    assert len(set(seen)) == 4


def test_many_passing_tables_are_folded(browser: Browser, tmp_path: Path) -> None:
    many = report(*(judged(named(healthy(), f"part_{number:02}")) for number in range(20)))
    (tmp_path / "many.html").write_text(as_html(many), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((tmp_path / "many.html").as_uri())
    assert page.locator("h1").inner_text() == "Nothing fails"
    assert page.locator(".overview tbody tr").count() == 20
    assert not page.locator(".map").first.is_visible()
    page.close()


@pytest.mark.parametrize("tables", [(), (not_examined(problem=""),)])
def test_a_page_without_facts_says_so(tables: tuple[object, ...]) -> None:
    page = as_html(report(*tables))  # type: ignore[arg-type]  # a tuple of results
    assert ("Nothing could be examined" if tables else "No table was found") in page
