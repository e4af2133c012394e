"""Going through the hours in order: what was expected in each, what came, how it stands.

Here: the one step in which an hour depends on the hours before it.
Not here: reading (``evidence``), the frames (``job_rows``, ``table_rows``, ``size_rows``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.extract import ExtractStatus
from metaplat.vip.history.drift import Drift, schema_drift
from metaplat.vip.history.evidence import delivered_tables
from metaplat.vip.history.expected import EarlierJobs, Expectation, expected_tables, in_scope
from metaplat.vip.history.papers import Papers
from metaplat.vip.history.status import HourFacts, hour_status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import polars as pl

    from metaplat.settings import Settings
    from metaplat.vip.history.evidence import Evidence
    from metaplat.vip.history.histories import Histories
    from metaplat.vip.history.papers import Schema

GOOD = frozenset({ExtractStatus.OK, ExtractStatus.LATE})
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Hour:
    """One hour, judged.

    Parameters
    ----------
    hour : datetime
        Its start, aware UTC.
    counts : mapping of str to int or None
        Its row of ``hour_counts``.
    papers : Papers
        What papers and memory say.
    expectation : Expectation
        Which tables were expected.
    delivered : frozenset of str
        Tables in scope with a file.
    status : ExtractStatus
        How it stands.
    lag_min : float or None
        Minutes from the start of the hour to the end of the pull.
    schema : Schema or None
        Its own schema file.
    drift : mapping of str to Drift
        Tables whose schema changed since the last delivered hour.
    """

    hour: datetime
    counts: Mapping[str, int | None]
    papers: Papers
    expectation: Expectation
    delivered: frozenset[str]
    status: ExtractStatus
    lag_min: float | None
    schema: Schema | None
    drift: Mapping[str, Drift]

    @property
    def missing_tables(self) -> frozenset[str]:
        """Expected tables without a file."""
        return (self.expectation.tables or _NOTHING) - self.delivered

    @property
    def unexpected_tables(self) -> frozenset[str]:
        """Tables with a file that are not expected; none where nothing says which are."""
        return _NOTHING if self.expectation.tables is None else self.delivered - self.expectation.tables


def go_through(
    settings: Settings, evidence: Evidence, counts: pl.DataFrame, earlier: Histories, kept: Histories
) -> list[Hour]:
    """Judge the hours, oldest first.

    Parameters
    ----------
    settings : Settings
        Section ``[vip]``.
    evidence : Evidence
        What is known of the hours.
    counts : polars.DataFrame
        ``hour_counts`` of it.
    earlier : Histories
        Of this configuration, before the hours.
    kept : Histories
        Hours among them that are not judged, since only earlier history knows them.

    Returns
    -------
    list of Hour
        All hours of the evidence but the kept ones.
    """
    jobs = EarlierJobs(settings.vip)
    _tell(jobs, earlier, settings)
    delivered = delivered_tables(evidence, settings)
    kept_jobs = _known_jobs(kept)
    last_job, drifts = evidence.schema_of_last_job, _Drifts(settings)
    judged = []
    for row in counts.iter_rows(named=True):
        hour = row["hour_utc"]
        if hour in kept_jobs:
            jobs.tell(hour, *kept_jobs[hour][:1], good=kept_jobs[hour][1])
            continue
        tables = delivered.get(hour, _NOTHING)
        schema = evidence.schemas.get(hour) or (None if tables else last_job)
        expectation = expected_tables(settings.vip, schema, jobs)
        drift = drifts.between(evidence.before.get(hour), evidence.schemas.get(hour))
        judged.append(_judged(settings, evidence, row, expectation, tables, drift))
        jobs.tell(hour, tables, good=judged[-1].status in GOOD)
        last_job = evidence.schemas.get(hour) if tables else last_job
    return judged


def _judged(
    settings: Settings,
    evidence: Evidence,
    row: Mapping[str, int | None],
    expectation: Expectation,
    delivered: frozenset[str],
    drift: Mapping[str, Drift],
) -> Hour:
    hour: datetime = row["hour_utc"]  # type: ignore[assignment]  # the one column that is no count
    papers, extract = evidence.papers.get(hour, Papers()), evidence.extracts.get(hour)
    lag = None if papers.finished_at is None else (papers.finished_at - hour).total_seconds() / 60
    lag_min = None if lag is None or lag < 0 else lag  # an end before the begin is a clock set wrong
    missing = (expectation.tables or _NOTHING) - delivered
    facts = HourFacts(
        row["n_vendor"] or 0, extract, delivered, missing, row["n_promised"], row["n_kept"],
        lag_min, settings.vip.late_minutes,
    )  # fmt: skip
    status = hour_status(facts)
    return Hour(hour, row, papers, expectation, delivered, status, lag_min, evidence.schemas.get(hour), drift)


class _Drifts:
    """Compares schema files, each pair of them once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[tuple[int, int], Mapping[str, Drift]] = {}

    def between(self, before: Schema | None, after: Schema | None) -> Mapping[str, Drift]:
        """Return what changed in the tables in scope; nothing where there is no file to compare with."""
        if before is None or after is None or before is after:
            return {}
        pair = (id(before), id(after))
        if pair not in self._known:
            drift = schema_drift(before, after)
            self._known[pair] = {table: drift[table] for table in in_scope(drift.keys(), self._settings.vip)}
        return self._known[pair]


def _tell(jobs: EarlierJobs, earlier: Histories, settings: Settings) -> None:
    """Tell of the jobs of earlier history: the newest good ones, and when each table was last there."""
    import polars as pl

    delivered = earlier.tables.filter("delivered").select("hour_utc", "table")
    good = earlier.jobs.filter(pl.col("status").is_in([each.value for each in GOOD])).select("hour_utc")
    newest = good.join(delivered.select("hour_utc").unique(), on="hour_utc").sort("hour_utc")
    window = newest.tail(settings.vip.expected_jobs)["hour_utc"].to_list()
    last_seen = delivered.group_by("table").agg(pl.col("hour_utc").max())
    needed = set(window) | set(last_seen["hour_utc"].to_list())
    known = _known_jobs(earlier.at(needed))
    for hour in sorted(needed):
        tables, is_good = known[hour]
        jobs.tell(hour, tables, good=is_good and hour in set(window))


def _known_jobs(histories: Histories) -> dict[datetime, tuple[frozenset[str], bool]]:
    """Return tables and goodness of every hour of a history."""
    import polars as pl

    held = histories.tables.filter("delivered").group_by("hour_utc").agg("table")
    good = pl.col("status").is_in([each.value for each in GOOD])
    rows = histories.jobs.select("hour_utc", good).join(held, on="hour_utc", how="left").iter_rows()
    return {hour: (frozenset(tables or ()), is_good) for hour, is_good, tables in rows}
