"""The page of all Spark applications: which of them need a look, each linked to its own page.

Here: what the template is given. Not here: ranking (``overview_figures``), layout (``templates/``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.reports.spark import units
from metaplat.reports.spark.overview_figures import LEAST_EARLIER, OverviewFigures, Ranked, overview_figures
from metaplat.reports.spark.page_environment import render
from metaplat.reports.spark.page_names import OVERVIEW
from metaplat.reports.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    import polars as pl

DAYS = 30
"""Days that the page is made of."""
FOLDER = f"{OVERVIEW.rpartition('/')[0]}/"


@dataclass(frozen=True)
class EntryView:
    """One line of a ranking: ``share`` is its length beside the first one, ``link`` may be empty."""

    ranked: Ranked
    link: str
    share: float
    cells: Sequence[str]


@dataclass(frozen=True)
class RankingView:
    """One ranking as the page draws it; the first column is the one it is ranked by."""

    anchor: str
    title: str
    nothing: str
    columns: Sequence[str]
    entries: Sequence[EntryView]


def overview_page(frame: pl.DataFrame, now: datetime, pages: Collection[str] = ()) -> str:
    """Render the page of the domain.

    Parameters
    ----------
    frame : polars.DataFrame, shape (rows, columns)
        Rows of ``spark_applications`` of the last ``DAYS`` days, with ``overview_figures.COLUMNS``.
    now : datetime
        Aware UTC.
    pages : collection of str
        Keys of the application pages that there are, as ``page_name`` makes them; others are not linked.
    """
    figures = overview_figures(frame)
    links = {name: name.removeprefix(FOLDER) for name in pages}
    return render(
        "spark_overview.html",
        headline=headline(figures),
        now=now,
        days=DAYS,
        totals=_totals(figures.totals),
        rankings=_rankings(figures, links),
        findings=[(each, links.get(each.newest.page, "")) for each in figures.findings],
    )


def headline(figures: OverviewFigures) -> str:
    """Say of all applications in one line what stands out."""
    total, failed = figures.totals["attempts"], figures.totals["failed"]
    if not total:
        return "No Spark application was seen"
    high = sum(each.severity == "high" for each in figures.findings)
    said = [f"{failed:,} of {counted(total, 'attempt')} failed"] if failed else []
    said += [f"{counted(high, 'kind')} of severe finding"] if high else []
    slow = len(figures.slowest)
    said += [f"{counted(slow, 'application')} slower than usual"] if slow else []
    return "; ".join(said) or f"Nothing stands out among {counted(total, 'attempt')}"


def _totals(totals: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    costs = [units.cost_text(cost, currency) for currency, cost in totals["costs"].items()]
    reserved = totals["executor_seconds"]
    wasted = (units.seconds_text(totals["wasted_executor_seconds"]), f"of {units.seconds_text(reserved)}")
    return [
        ("attempts", units.count_text(totals["attempts"]), f"{totals['running']:,} running"),
        ("applications", units.count_text(totals["applications"]), ""),
        ("failed attempts", units.count_text(totals["failed"]), ""),
        ("spilled to disk", units.bytes_text(totals["disk_spilled_bytes"]), ""),
        ("executors wasted", *(wasted if reserved else ("none", "local mode: there were none"))),
        ("estimated cost", ", ".join(costs) or units.NOT_KNOWN, ""),
    ]


def _rankings(figures: OverviewFigures, links: Mapping[str, str]) -> list[RankingView]:
    return [
        RankingView(
            "slowest",
            "Slowest against their own history",
            f"No application took clearly longer than usual, or none has {LEAST_EARLIER} earlier attempts.",
            ("times its usual duration", "duration", "usual (median)"),
            _entries(figures.slowest, "ratio", links, _slow_cells),
        ),
        RankingView(
            "spill",
            "Most spilled to disk",
            "Nothing was spilled.",
            ("on disk", "in memory"),
            _entries(figures.spill, "disk_spilled_bytes", links, _spill_cells),
        ),
        RankingView(
            "waste",
            "Most executor time wasted",
            "No waste is known.",
            ("wasted", "of all its executors' time", "estimated cost"),
            _entries(figures.waste, "wasted_executor_seconds", links, _waste_cells),
        ),
        RankingView(
            "failures",
            "Most failures",
            "Nothing failed.",
            ("failed attempts", "failed tasks", "failed stages", "failed jobs"),
            _entries(figures.failures, "failed_attempts", links, _failure_cells),
        ),
    ]


def _entries(
    ranked: Sequence[Ranked],
    by: str,
    links: Mapping[str, str],
    cells: Callable[[Mapping[str, Any]], list[str]],
) -> list[EntryView]:
    most = max((each.numbers[by] for each in ranked), default=0) or 1
    return [
        EntryView(each, links.get(each.page, ""), max(each.numbers[by] / most, 0), cells(each.numbers))
        for each in ranked
    ]


def _slow_cells(numbers: Mapping[str, Any]) -> list[str]:
    return [
        units.times_text(numbers["ratio"]),
        units.duration_text(numbers["duration_ms"]),
        units.duration_text(numbers["usual_ms"]),
    ]


def _spill_cells(numbers: Mapping[str, Any]) -> list[str]:
    return [
        units.bytes_text(numbers["disk_spilled_bytes"]),
        units.bytes_text(numbers["memory_spilled_bytes"]),
    ]


def _waste_cells(numbers: Mapping[str, Any]) -> list[str]:
    wasted, reserved = numbers["wasted_executor_seconds"], numbers["executor_seconds"]
    return [
        units.seconds_text(wasted),
        units.share_text(wasted / reserved if reserved else None),
        units.cost_text(numbers["estimated_cost"], numbers["cost_currency"]),
    ]


def _failure_cells(numbers: Mapping[str, Any]) -> list[str]:
    names = ("failed_attempts", "failed_tasks", "failed_stages", "failed_jobs")
    return [units.count_text(numbers[name]) for name in names]
