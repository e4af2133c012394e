"""The page of the ten charts in a real browser: offline, drawn when in view, moved by one range, harmless."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat.reports.vip.chart_list import CHARTS
from metaplat.reports.vip.charts import write_charts
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.reports.test_report_in_browser import FLAGS
from metaplat_tests.reports.vip_chart_samples import BEGIN, CONFIG, Planted, history

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

ATTACK = '</script><script>alert(1)</script><img src=http://127.0.0.1:9/x.png onerror="alert(2)">'
HOURS = 40 * 24
NAMES = [chart.name for chart in CHARTS]
PLANTED = Planted(
    missing=[100, 101, 300, 301],
    incomplete={HOURS - 10: ["table1", ATTACK]},
    excused={300: "moved", 301: "moved"},
    anomalies={400: "high"},
)
SAMPLES = {
    "planted": (CONFIG, history(HOURS, PLANTED)),
    "hostile": (
        ATTACK,
        history(30, Planted(incomplete={2: [ATTACK]}, excused={5: ATTACK}, missing=[5]), config_name=ATTACK),
    ),
    "single": (CONFIG, history(1)),
    "empty": (CONFIG, history(0)),
}
DRAWN = "figure => figure.dataset.to !== undefined"
INK = """figure => {
  const canvas = figure.querySelector("canvas");
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return new Set(new Uint32Array(pixels.buffer)).size;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("charts")
    for name, (config_name, (jobs, tables, sizes)) in SAMPLES.items():
        now = BEGIN + timedelta(hours=jobs.height)
        write_charts(jobs, tables, sizes, config_name, 0.99, LocalObjects(folder), name, now, small=False)
    return folder


@pytest.fixture
def said() -> list[str]:
    """Return what the page asked for, or complained of."""
    return []


@pytest.fixture
def page(browser: Browser, said: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page = context.new_page()
    page.on("request", lambda request: said.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    yield page
    context.close()


def opened(page: Page, folder: Path, name: str) -> str:
    address = (folder / name / "charts.html").as_uri()
    page.goto(address)
    return address


def shown(page: Page, name: str) -> Locator:
    """Scroll to a chart and wait until it is drawn with the range of the control."""
    figure = page.locator(f"#{name}")
    figure.scroll_into_view_if_needed()
    first, last = (page.locator(f"#control input.{end}").input_value() for end in ("from", "to"))
    page.locator(f"#{name}[data-from='{first}'][data-to='{last}']").wait_for()
    return figure


@pytest.mark.parametrize("sample", SAMPLES)
def test_all_charts_are_drawn_without_a_request_or_a_complaint(
    page: Page, folder: Path, said: list[str], sample: str
) -> None:
    address = opened(page, folder, sample)
    for name in NAMES if sample != "empty" else []:
        assert shown(page, name).evaluate(INK) > 10, name
    assert [text for text in said if not text.startswith("data:")] == [address]


def test_charts_below_the_window_are_drawn_only_when_they_are_scrolled_to(page: Page, folder: Path) -> None:
    opened(page, folder, "planted")
    shown(page, NAMES[0])
    assert not page.locator(f"#{NAMES[-1]}").evaluate(DRAWN)
    shown(page, NAMES[-1])


def test_one_range_moves_all_charts(page: Page, folder: Path) -> None:
    opened(page, folder, "planted")
    for name in NAMES:
        shown(page, name)
    page.locator("button", has_text="7 d").click()
    assert "(7 d)" in page.locator("output").inner_text()
    ranges = {name: shown(page, name).evaluate("figure => ({...figure.dataset})") for name in NAMES}
    assert {(each["from"], each["to"]) for each in ranges.values()} == {(str(HOURS - 168), str(HOURS))}
    page.locator("button", has_text="All").click()
    assert shown(page, NAMES[-1]).get_attribute("data-from") == "0"


def test_the_handles_of_the_range_follow_the_keyboard_and_never_cross(page: Page, folder: Path) -> None:
    opened(page, folder, "planted")
    page.get_by_label("Begin of the range").press("End")
    assert page.locator("output").inner_text().endswith("(6 h)")
    page.get_by_label("End of the range").press("ArrowLeft")
    assert page.locator("output").inner_text().endswith("(6 h)")
    page.get_by_label("Begin of the range").press("Home")
    assert page.locator("output").inner_text().startswith("2022-02-08 08:00")


def test_dragging_over_a_chart_narrows_the_range_and_a_double_click_widens_it(
    page: Page, folder: Path
) -> None:
    opened(page, folder, "planted")
    box = shown(page, "size_hourly").locator("canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 110, steps=3)
    page.mouse.up()
    assert 0 < int(shown(page, "size_hourly").get_attribute("data-from") or 0) < HOURS / 2
    page.mouse.dblclick(box["x"] + 400, box["y"] + 100)
    assert shown(page, "size_hourly").get_attribute("data-from") == "0"


def hovered(page: Page, name: str, hour: int) -> list[str]:
    """Move over a chart, by halves, until the tip tells of an hour (or its day); return the tip's lines."""
    box = shown(page, name).locator("canvas").bounding_box()
    assert box is not None
    wanted = f"{BEGIN + timedelta(hours=hour):%Y-%m-%d %H:%M}"
    left, right = box["x"], box["x"] + box["width"]
    while right - left > 0.1:
        middle = (left + right) / 2
        page.mouse.move(middle, box["y"] + 120)
        lines = page.locator("#tip").inner_text().split("\n")
        time = lines[0].removesuffix(" UTC")
        if time == wanted[: len(time)]:
            return lines
        left, right = (middle, right) if time < wanted else (left, middle)
    raise AssertionError(f"no tip of {wanted}")


def test_the_tip_tells_value_time_and_what_was_expected(page: Page, folder: Path) -> None:
    opened(page, folder, "planted")
    lines = hovered(page, "size_hourly", 400)
    assert lines[0] == "2022-02-25 00:00 UTC"
    assert lines[lines.index("anomaly") + 1] == "high, score 9.5"
    assert lines[lines.index("size") + 1].endswith("MB")
    assert " to " in lines[lines.index("expected") + 1]


def test_the_tip_tells_why_an_hour_is_excused_and_which_tables_are_missing(page: Page, folder: Path) -> None:
    opened(page, folder, "planted")
    lines = hovered(page, "tables_hourly", 300)
    assert "Excused: moved" in lines
    assert lines[lines.index("status") + 1] == "missing"
    lines = hovered(page, "tables_missing_hourly", HOURS - 10)
    assert lines[-1] == f"Missing: table1, {ATTACK[:80]}"


def test_the_tip_of_a_day_counts_its_hours(page: Page, folder: Path) -> None:
    opened(page, folder, "planted")
    lines = hovered(page, "jobs_daily", 5)
    assert lines[0] == "2022-02-08 UTC"
    assert lines[lines.index("partial day") + 1] == "16 of 24 hours"
    assert "2 missing hours" in hovered(page, "jobs_ratio_daily", 100)


def test_text_of_outsiders_is_shown_as_text_wherever_it_is(page: Page, folder: Path) -> None:
    opened(page, folder, "hostile")
    assert page.locator("h1").inner_text() == ATTACK
    assert page.locator("#missing-tables td.name").inner_text() == ATTACK
    assert page.locator("#excused-hours td.name").inner_text() == ATTACK
    assert page.locator("script").count() == 3  # data, library, ours
    assert page.locator("img").count() == 0
    shown(page, "files_hourly").locator("canvas").hover()
    assert page.locator("#tip img").count() == 0


def test_without_scripts_the_charts_are_the_images_beside_the_page(browser: Browser, folder: Path) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 9000})
    page = context.new_page()
    opened(page, folder, "planted")
    images = page.locator("figure img")
    assert images.count() == 10
    for place in range(10):
        images.nth(place).scroll_into_view_if_needed()
        box = images.nth(place).bounding_box()
        assert box is not None
        assert box["height"] > 150
    assert page.locator(".remark").is_visible()
    assert not page.locator("#control").is_visible()
    context.close()


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_page_fits_its_window(page: Page, folder: Path, sample: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    opened(page, folder, sample)
    if sample != "empty":
        shown(page, NAMES[0])
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_page_without_hours_says_so(page: Page, folder: Path) -> None:
    opened(page, folder, "empty")
    assert "holds no hour" in page.locator("main").inner_text()
    assert page.locator("figure").count() == 0
