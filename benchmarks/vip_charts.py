"""The page of the ten charts over 2,689 hours: how much it is, and how soon it is drawn.

A history of 150 tables with planted faults goes through the code that writes the page; a headless Chromium
opens it from the disk. Seconds of the clock from asking for the page until the charts in the window are drawn
(1280 x 900), and until all ten are (a window as high as the page). A browser context of its own each time,
medians of the rounds: ``METAPLAT_BENCH_ROUNDS`` (3). Without Chromium the times are left out.
"""

from __future__ import annotations

import math
import os
import shutil
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.vip_series import volumes
from metaplat.model.extract import JOB_METRICS_FIELDS, JOB_SIZE_FIELDS, TABLE_METRICS_FIELDS
from metaplat.model.polars_schema import polars_schema
from metaplat.reports.vip.chart_list import CHARTS
from metaplat.reports.vip.charts import write_charts
from metaplat.rules.vip.volume_band import score_volumes
from metaplat.stores.local_objects import LocalObjects

if TYPE_CHECKING:
    import polars as pl

    from metaplat.model.field import Field
    from metaplat.reports.vip.charts import ChartFiles

HOURS, TABLES, FILES = 2689, 150, 450
FIRST = datetime(2022, 2, 8, 8, tzinfo=UTC)
CONFIG = "onDemandExtract1DayProd"
ROUNDS = int(os.environ.get("METAPLAT_BENCH_ROUNDS", "3"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
WINDOW, WHOLE = (1280, 900), (1280, 9000)
DRAWN = """height => {
  const figures = [...document.querySelectorAll("figure")];
  const shown = figures.filter((figure) => figure.getBoundingClientRect().top < height);
  return shown.length > 0 && shown.every((figure) => figure.dataset.to !== undefined);
}"""
"""Whether the charts that begin in the window have been drawn."""

Line = tuple[str, str, str]
Frames = tuple["pl.DataFrame", "pl.DataFrame", "pl.DataFrame"]


def chart_lines() -> list[Line]:
    """Return bytes and seconds, each with its target."""
    frames = history()
    with tempfile.TemporaryDirectory(prefix="metaplat-bench-") as name:
        folder = Path(name)
        seconds, written = min((_written(frames, folder) for _ in range(ROUNDS)), key=lambda each: each[0])
        page = folder / written.page
        sizes = {
            kind: sum(file.stat().st_size for file in folder.glob(f"*.{kind}")) for kind in ("png", "csv")
        }
        size = page.stat().st_size
        rows = [
            (f"the page of {HOURS:,} hours, complete in itself", f"{size / 1e6:.2f} MB", "< 1.5 MB"),
            ("PNG and CSV files beside it", f"{sizes['png'] / 1e6:.2f} and {sizes['csv'] / 1e6:.2f} MB", ""),
            ("written with all of these", f"{seconds:.1f} s", ""),
        ]
        return [*rows, *_drawing(page)]


def _written(frames: Frames, folder: Path) -> tuple[float, ChartFiles]:
    begun = time.perf_counter()
    now = FIRST + timedelta(hours=HOURS)
    written = write_charts(*frames, CONFIG, 0.99, LocalObjects(folder), "", now, small=False)
    return time.perf_counter() - begun, written


def _drawing(page: Path) -> list[Line]:
    if CHROMIUM is None:
        return [("drawn in a browser", "there is no Chromium", "< 2 s")]
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        window, whole = (
            statistics.median(_seconds(browser, page, size) for _ in range(ROUNDS))
            for size in (WINDOW, WHOLE)
        )
        browser.close()
    return [
        ("drawn: what the window shows", f"{window:.2f} s", "< 2 s"),
        (f"drawn: all {len(CHARTS)} charts", f"{whole:.2f} s", "< 2 s"),
    ]


def _seconds(browser: Any, page: Path, size: tuple[int, int]) -> float:
    """Open the page in a window of this size, and wait until what it shows is drawn."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True)
    tab = context.new_page()
    begun = time.perf_counter()
    tab.goto(page.as_uri())
    tab.wait_for_function(DRAWN, arg=size[1])
    seconds = time.perf_counter() - begun
    context.close()
    return seconds


def history() -> Frames:
    """Make jobs, tables and sizes: calm hours with a hole, missing tables, anomalies and excused hours."""
    series = volumes(7, HOURS, FIRST.weekday() * 24 + FIRST.hour)
    bands = score_volumes(series.values, FIRST.weekday() * 24 + FIRST.hour, series.values > 0)
    jobs: list[dict[str, Any]] = []
    tables: list[dict[str, Any]] = []
    sizes: list[dict[str, Any]] = []
    for place in range(HOURS):
        key = {"config_name": CONFIG, "hour_utc": FIRST + timedelta(hours=place)}
        gone, excused = place % 301 == 300, 2189 <= place < 2211
        missing = TABLES if gone or excused else (place % 97 == 0) * 3
        status = "missing" if missing == TABLES else "incomplete" if missing else "ok"
        names = [f"Table{number:03d}" for number in range(TABLES)]
        common = {**key, "excused": excused}
        jobs.append(
            common
            | {"status": status, "excuse": "went to another bucket" if excused else None}
            | {"n_tables_expected": TABLES, "n_tables_delivered": TABLES - missing}
            | {
                "completeness": 1 - missing / TABLES,
                "missing_tables": names[:missing],
                "unexpected_tables": [],
            }
        )
        tables.extend(
            key
            | {"table": name, "expected": True, "delivered": number >= missing, "failure": number < missing}
            for number, name in enumerate(names)
        )
        volume = 0 if missing == TABLES else int(series.values[place])
        files = 0 if missing == TABLES else FILES - missing
        sizes.append(
            common
            | {
                "n_files": files,
                "bytes_total": volume,
                "bytes_data": volume,
                "baseline": bands.baseline[place],
            }
            | {"band_lo": _known(bands.low[place]), "band_hi": _known(bands.high[place])}
            | {"score": _known(bands.score[place]), "anomaly": bands.anomaly[place]}
        )
    return (
        _frame(jobs, JOB_METRICS_FIELDS),
        _frame(tables, TABLE_METRICS_FIELDS),
        _frame(sizes, JOB_SIZE_FIELDS),
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _frame(rows: list[dict[str, Any]], fields: tuple[Field, ...]) -> pl.DataFrame:
    import polars as pl

    schema = polars_schema(fields)
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


if __name__ == "__main__":
    for line in chart_lines():
        print(*line, sep=" | ")
