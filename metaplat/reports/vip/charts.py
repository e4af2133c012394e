"""Writing the ten charts: one page, and each chart as PNG and CSV.

Here: what is written where.
Not here: figures (``series``), drawing (``specs``, ``images``), the page (``page``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from metaplat.reports.vip.chart_data import present_marks
from metaplat.reports.vip.chart_list import CHARTS
from metaplat.reports.vip.images import large_image, small_image
from metaplat.reports.vip.page import charts_page
from metaplat.reports.vip.page_data import page_data
from metaplat.reports.vip.series import chart_frames
from metaplat.reports.vip.specs import chart_spec
from metaplat.reports.vip.stretches import find_stretches
from metaplat.reports.vip.summary import summarize
from metaplat.reports.vip.tables import chart_csv
from metaplat.reports.vip.vega import browser_script, compiled
from metaplat.rules.vip.error_budget import Slo

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    import polars as pl

    from metaplat.reports.vip.series import ChartFrames
    from metaplat.reports.vip.stretches import Stretches
    from metaplat.reports.vip.summary import Summary
    from metaplat.stores.objects import ObjectStore

PAGE = "charts.html"
PICTURED = frozenset({"size_hourly", "jobs_ratio_daily", "tables_ratio_daily", "tables_missing_daily"})
"""Charts that have a small image, too: those that tell most, since drawing takes most of the time."""


@dataclass(frozen=True)
class ChartFiles:
    """What was written; charts by name (``chart_list.Chart.name``), in their order.

    Parameters
    ----------
    page : str
        Key of the page.
    images, tables : dict
        Keys of the PNG and CSV files; no images where the history has no hour.
    small_images : dict
        PNG of at most ``images.MAX_SMALL_BYTES`` each, for the metadata of an asset; not written.
    """

    page: str
    images: dict[str, str] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    small_images: dict[str, bytes] = field(default_factory=dict, repr=False)


def write_charts(
    jobs: pl.DataFrame,
    tables: pl.DataFrame,
    sizes: pl.DataFrame,
    config_name: str,
    slo_objective: float,
    store: ObjectStore,
    folder: str,
    now: datetime,
    *,
    slo_days: int = 30,
    small: bool = True,
) -> ChartFiles:
    """Draw the history of one configuration and write page, images and CSV files.

    Parameters
    ----------
    jobs, tables, sizes : polars.DataFrame
        Columns of ``JOB_METRICS_FIELDS``, ``TABLE_METRICS_FIELDS`` and ``JOB_SIZE_FIELDS``; rows of other
        configurations are left out. A history without a row gives a page that says so.
    config_name : str
        The configuration.
    slo_objective : float
        Share of hours that are to be complete, above 0 and below 1.
    store : ObjectStore
        Where the files go.
    folder : str
        Before their names in the keys; empty for none.
    now : datetime
        When they are written, aware UTC.
    slo_days : int
        Days over which the objective is.
    small : bool
        Whether to draw the small images.

    Raises
    ------
    MissingExtraError
        vl-convert is not installed.
    StoreError
        The store fails.
    """
    frames = chart_frames(jobs, tables, sizes, config_name)
    stretches = find_stretches(frames.hours)
    summary = summarize(frames, stretches, Slo(slo_objective, slo_days))
    specs = _specs(frames, stretches, slo_objective)
    within = f"{folder.strip('/')}/".lstrip("/")
    written = ChartFiles(f"{within}{PAGE}")
    for chart in CHARTS:
        written.tables[chart.name] = f"{within}{chart.file_name}.csv"
        store.put(written.tables[chart.name], chart_csv(frames.of(chart)))
    if summary is not None:
        _write_images(written, frames, stretches, specs, _subject(config_name, summary), store, within)
        if small:
            written.small_images.update(
                {
                    chart.name: small_image(specs[chart.name], chart, frames, stretches)
                    for chart in CHARTS
                    if chart.name in PICTURED
                }
            )
    # the page comes last: what it links to is there
    store.put(written.page, _page(config_name, summary, frames, stretches, specs, now).encode())
    return written


def _specs(frames: ChartFrames, stretches: Stretches, objective: float) -> dict[str, dict[str, Any]]:
    present = present_marks(frames, stretches)
    return {chart.name: chart_spec(chart, objective, present) for chart in CHARTS}


def _subject(config_name: str, summary: Summary) -> str:
    return f"{config_name} · {summary.begin:%Y-%m-%d %H:%M} to {summary.end:%Y-%m-%d %H:%M} UTC"


def _write_images(
    written: ChartFiles,
    frames: ChartFrames,
    stretches: Stretches,
    specs: dict[str, dict[str, Any]],
    subject: str,
    store: ObjectStore,
    within: str,
) -> None:
    for chart in CHARTS:
        written.images[chart.name] = f"{within}{chart.file_name}.png"
        image = large_image(specs[chart.name], chart, frames, stretches, subject)
        store.put(written.images[chart.name], image)


def _page(
    config_name: str,
    summary: Summary | None,
    frames: ChartFrames,
    stretches: Stretches,
    specs: dict[str, dict[str, Any]],
    now: datetime,
) -> str:
    if summary is None:
        return charts_page(config_name, None, None, "", now)
    ready = {name: compiled(spec) for name, spec in specs.items()}
    return charts_page(config_name, summary, page_data(frames, stretches, ready), browser_script(), now)
