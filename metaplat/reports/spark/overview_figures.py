"""Which Spark applications need a look, out of the rows of some days.

Here: one row an attempt whatever the number of its sources, rankings with one line an application, findings
by kind.
Not here: reading the lake (``pages``), drawing (``overview_page``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from metaplat.collectors.spark.sources import MODULES
from metaplat.reports.plain_values import utc_text
from metaplat.reports.spark.page_names import page_name
from metaplat.reports.spark.wording import SEVERITIES
from metaplat.rules.spark.recurring_name import recurring_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import polars as pl

COLUMNS = (
    "source",
    "app_id",
    "attempt_id",
    "app_name",
    "user",
    "status",
    "application_time",
    "duration_ms",
    "total_tasks",
    "failed_tasks",
    "failed_stages",
    "failed_jobs",
    "memory_spilled_bytes",
    "disk_spilled_bytes",
    "executor_seconds",
    "wasted_executor_seconds",
    "estimated_cost",
    "cost_currency",
    "findings",
    "data_quality",
)
"""Columns of ``spark_applications`` that are read."""
TOP = 10
EARLIER, LEAST_EARLIER = 30, 3
"""The usual duration is the median of so many earlier completed attempts at most, and at least."""
SLOWER, SLOWER_MS = 1.2, 10_000
"""So many times the usual duration, and so much more, is slow."""


@dataclass(frozen=True)
class Ranked:
    """One attempt in a ranking, standing for its application.

    Parameters
    ----------
    name, app_id, attempt_id, source, user, status : str or None
        Whose it is.
    moment : datetime
        When it ended, or began.
    page : str
        Key of its page, whether it is written or not.
    attempts : int
        All attempts of its application.
    numbers : mapping
        By what it is ranked, and what goes with it.
    """

    name: str
    app_id: str
    attempt_id: str | None
    source: str
    user: str | None
    status: str
    moment: datetime
    page: str
    attempts: int
    numbers: Mapping[str, Any]


@dataclass(frozen=True)
class FoundKind:
    """A kind of finding: how many attempts and applications have it, and the newest one."""

    kind: str
    severity: str
    attempts: int
    applications: int
    evidence: str
    newest: Ranked


@dataclass(frozen=True)
class OverviewFigures:
    """All that the page of the domain tells; of all lists the worst comes first."""

    totals: Mapping[str, Any]
    slowest: Sequence[Ranked]
    spill: Sequence[Ranked]
    waste: Sequence[Ranked]
    failures: Sequence[Ranked]
    findings: Sequence[FoundKind]

    def named(self) -> list[Ranked]:
        """Return every attempt that the page names, once."""
        found = [*self.slowest, *self.spill, *self.waste, *self.failures]
        found += [each.newest for each in self.findings]
        return list({each.page: each for each in found}.values())

    def entry(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        entry = asdict(self)
        for ranking in ("slowest", "spill", "waste", "failures"):
            for each in entry[ranking]:
                each["moment"] = utc_text(each["moment"])
        for each in entry["findings"]:
            each["newest"]["moment"] = utc_text(each["newest"]["moment"])
        return entry


def overview_figures(frame: pl.DataFrame) -> OverviewFigures:
    """Rank the attempts of a frame.

    Parameters
    ----------
    frame : polars.DataFrame, shape (rows, columns)
        Rows of ``spark_applications``, with at least ``COLUMNS``.
    """
    import polars as pl

    told = pl.col("data_quality").list.contains("superseded").fill_null(value=False)  # by its log since
    attempts = _one_source(frame.select(COLUMNS).filter(~told))
    spilled = pl.col("disk_spilled_bytes").fill_null(0)
    wasted = pl.col("wasted_executor_seconds").fill_null(0)
    executors = pl.col("executor_seconds") > 0  # in local mode there are none: the driver waits, and no more
    return OverviewFigures(
        totals=_totals(attempts),
        slowest=_slowest(attempts),
        spill=_ranking(attempts.filter(spilled > 0), spilled, ("disk_spilled_bytes", "memory_spilled_bytes")),
        waste=_ranking(
            attempts.filter(wasted > 0, executors),
            wasted,
            ("wasted_executor_seconds", "executor_seconds", "estimated_cost", "cost_currency"),
        ),
        failures=_failures(attempts),
        findings=_findings(attempts),
    )


def _one_source(frame: pl.DataFrame) -> pl.DataFrame:
    """Return one row an attempt, of the source that tells most, in the order of time; with ``recurring``."""
    import polars as pl

    order = {source: place for place, source in enumerate(MODULES)}
    names = frame["app_name"].drop_nulls().unique().to_list()
    recurring = [recurring_name(name) for name in names]
    application = pl.coalesce(
        pl.col("app_name").replace_strict(names, recurring, default=None, return_dtype=pl.String),
        pl.col("app_id"),
    )
    return (
        frame.with_columns(
            place=pl.col("source").replace_strict(order, default=len(order), return_dtype=pl.Int64),
            recurring=application,
        )
        .sort("place", maintain_order=True)
        .unique(["app_id", "attempt_id"], keep="first", maintain_order=True)
        .sort("application_time", "app_id", maintain_order=True)
        .with_columns(attempts=pl.len().over("recurring", "user"))
    )


def _totals(attempts: pl.DataFrame) -> dict[str, Any]:
    import polars as pl

    costs = (
        attempts.drop_nulls("estimated_cost").group_by("cost_currency").agg(pl.col("estimated_cost").sum())
    )
    on_executors = attempts.filter(pl.col("executor_seconds") > 0)
    return {
        "attempts": attempts.height,
        "applications": attempts.select("recurring", "user").n_unique(),
        "failed": attempts.filter(pl.col("status") == "FAILED").height,
        "running": attempts.filter(pl.col("status") == "RUNNING").height,
        "disk_spilled_bytes": _sum(attempts["disk_spilled_bytes"]),
        "executor_seconds": _sum(attempts["executor_seconds"]),
        "wasted_executor_seconds": _sum(on_executors["wasted_executor_seconds"]),
        "costs": {
            row["cost_currency"] or "": row["estimated_cost"]
            for row in costs.sort("cost_currency").to_dicts()
        },
    }


def _sum(numbers: pl.Series) -> Any:  # noqa: ANN401, RUF100  # a whole number or not, as the column
    """Return the sum of what is known; None where nothing is."""
    return numbers.sum() if numbers.count() else None


def _slowest(attempts: pl.DataFrame) -> list[Ranked]:
    """Rank by the duration over the usual one, that of completed attempts of the application before."""
    import polars as pl

    earlier = pl.col("duration_ms").shift(1).rolling_median(window_size=EARLIER, min_samples=LEAST_EARLIER)
    compared = (
        attempts.filter(pl.col("status") == "COMPLETED", pl.col("duration_ms").is_not_null())
        .with_columns(usual_ms=earlier.over("recurring", "user"))
        .with_columns(ratio=pl.col("duration_ms") / pl.col("usual_ms"))
        .filter(
            pl.col("ratio").is_finite(),
            pl.col("ratio") >= SLOWER,
            pl.col("duration_ms") - pl.col("usual_ms") >= SLOWER_MS,
        )
    )
    return _ranking(compared, pl.col("ratio"), ("ratio", "duration_ms", "usual_ms"))


def _ranking(attempts: pl.DataFrame, by: pl.Expr, numbers: Sequence[str]) -> list[Ranked]:
    """Return the worst attempt of each application, the worst application first."""
    import polars as pl

    ordered = attempts.sort(by, pl.col("application_time"), descending=True)
    worst = ordered.unique(["recurring", "user"], keep="first", maintain_order=True).head(TOP)
    return [_ranked(row, numbers) for row in worst.to_dicts()]


def _failures(attempts: pl.DataFrame) -> list[Ranked]:
    """Rank applications by failed attempts, then by failed tasks; its newest failure stands for each."""
    import polars as pl

    tasks = pl.col("failed_tasks").fill_null(0)
    failed = attempts.with_columns(failed=(pl.col("status") == "FAILED").cast(pl.Int64)).filter(
        (pl.col("failed") > 0) | (tasks > 0) | (pl.col("failed_stages").fill_null(0) > 0)
    )
    sums = ("failed_tasks", "failed_stages", "failed_jobs")
    counted = failed.with_columns(
        failed_attempts=pl.col("failed").sum().over("recurring", "user"),
        **{name: pl.col(name).sum().over("recurring", "user") for name in sums},
    ).sort("failed", "application_time", descending=True)
    newest = counted.unique(["recurring", "user"], keep="first", maintain_order=True)
    worst = newest.sort("failed_attempts", "failed_tasks", descending=True, maintain_order=True).head(TOP)
    return [_ranked(row, ("failed_attempts", *sums)) for row in worst.to_dicts()]


def _findings(attempts: pl.DataFrame) -> list[FoundKind]:
    import polars as pl

    told = (
        attempts.explode("findings")
        .drop_nulls("findings")
        .with_columns(
            pl.col("findings").struct.field("kind"),
            pl.col("findings").struct.field("severity"),
            pl.col("findings").struct.field("evidence"),
        )
        .sort("application_time", descending=True, maintain_order=True)
    )
    order = {severity: place for place, severity in enumerate(SEVERITIES)}
    kinds = told.group_by("kind", "severity", maintain_order=True).agg(
        found_in=pl.struct("app_id", "attempt_id").n_unique(),
        applications=pl.struct("recurring", "user").n_unique(),
        **{name: pl.col(name).first() for name in (*_IDENTITY, "attempts", "evidence")},
    )
    found = [
        FoundKind(
            row["kind"],
            row["severity"],
            row["found_in"],
            row["applications"],
            row["evidence"],
            _ranked(row, ()),
        )
        for row in kinds.to_dicts()
    ]
    return sorted(found, key=lambda each: (order.get(each.severity, len(order)), -each.attempts, each.kind))


_IDENTITY = ("source", "app_id", "attempt_id", "app_name", "user", "status", "application_time")


def _ranked(row: Mapping[str, Any], numbers: Sequence[str]) -> Ranked:
    return Ranked(
        name=row["app_name"] or row["app_id"],
        app_id=row["app_id"],
        attempt_id=row["attempt_id"],
        source=row["source"],
        user=row["user"],
        status=row["status"],
        moment=row["application_time"],
        page=page_name(row),
        attempts=row["attempts"],
        numbers={name: row[name] for name in numbers},
    )
