"""The rows of the three histories, from what lies in the bucket.

Here: the order of the work: read, count, go through the hours, make the rows.
Not here: which hours (``calendar``), where the rows are kept (``orchestration``).
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from metaplat.model.extract import ExtractStatus, hour_start, hours_between
from metaplat.vip.history.counts import hour_counts, table_counts
from metaplat.vip.history.evidence import gather
from metaplat.vip.history.histories import Histories
from metaplat.vip.history.job_rows import excuse, job_rows
from metaplat.vip.history.passage import go_through
from metaplat.vip.history.size_rows import size_rows
from metaplat.vip.history.table_rows import table_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from metaplat.model.extract import Extract
    from metaplat.settings import Settings
    from metaplat.stores.deliveries import Deliveries
    from metaplat.vip.history.evidence import Evidence


def build_history(
    settings: Settings,
    deliveries: Deliveries,
    hours: Sequence[datetime],
    earlier: Histories,
    extracts: Mapping[datetime, Extract],
    config_name: str,
) -> Histories:
    """Make the rows of some hours.

    Parameters
    ----------
    settings : Settings
        Section ``[vip]``.
    deliveries : Deliveries
        Where the hour folders are.
    hours : sequence of datetime
        Hours to make rows of, aware; each gets one, whether anything lies there or not. Hours between
        them are read too, since an hour depends on those before it.
    earlier : Histories
        What is known already. Of hours before the first: the more the better, since expectations look back
        over ``expected_jobs`` jobs and ``absent_days``, the volume band over 14 weeks. Of ``hours``
        themselves: rows that tell of files whose folder is empty now stay, with their volume judged anew.
        So put in here what was imported from CSV, and it fills the hours that do not lie in the bucket; and
        leave out the rows of hours that are to be made anew whatever was known of them.
    extracts : mapping of datetime to Extract
        What is remembered of pulls, by hour: times, jobs that failed.
    config_name : str
        The configuration. An hour whose manifest names another one is missing in this history.

    Returns
    -------
    Histories
        Rows of ``hours`` alone; put them into the others with ``earlier.merged``. Extending a history so
        gives the same rows as making all of it anew.

    Raises
    ------
    StoreError
        The bucket fails: an outage never looks like missing hours.
    """
    asked = sorted({hour_start(hour.astimezone(UTC)) for hour in hours})
    if not asked:
        return Histories.empty()
    span = hours_between(asked[0], asked[-1])
    known = earlier.only(config_name)
    before = known.before(asked[0])
    evidence = gather(settings, deliveries, span, before, extracts, config_name)
    kept = _gone(known.at(span), evidence)
    counts = hour_counts(evidence)
    judged = go_through(settings, evidence, counts, before, kept)
    jobs = job_rows(judged, settings, config_name)
    missing = [*_missing(before.jobs), *_missing(jobs)]
    sizes = size_rows(_sizes(counts, kept), before.sizes, missing, settings, config_name)
    tables = table_rows(judged, table_counts(evidence), config_name)
    made = _with_sizes(jobs, tables, sizes)
    return made.merged(_with_sizes(_excused(kept.jobs, settings), kept.tables, sizes)).at(asked)


def _gone(known: Histories, evidence: Evidence) -> Histories:
    """Return the rows of hours that had files, and whose folder is empty now."""
    import polars as pl

    left = set(evidence.files["hour_utc"].unique()) | evidence.others
    return known.at(known.sizes.filter(pl.col("n_files") > 0)["hour_utc"].to_list()).without(left)


def _sizes(counts: pl.DataFrame, kept: Histories) -> pl.DataFrame:
    """Return hours, files and bytes: as counted, and of the kept hours as they were."""
    import polars as pl

    names = ["hour_utc", "n_files", "bytes_total", "bytes_data", "bytes_schema", "bytes_script"]
    counted = counts.join(kept.jobs, on="hour_utc", how="anti")
    return pl.concat([counted.select(names), kept.sizes.select(names)])


def _missing(jobs: pl.DataFrame) -> list[datetime]:
    import polars as pl

    return jobs.filter(pl.col("status") == ExtractStatus.MISSING)["hour_utc"].to_list()


def _with_sizes(jobs: pl.DataFrame, tables: pl.DataFrame, sizes: pl.DataFrame) -> Histories:
    return Histories(jobs, tables, sizes.join(jobs, on="hour_utc", how="semi"))


def _excused(jobs: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Return the rows with what the settings say now of excused hours."""
    import polars as pl

    reasons = pl.Series("excuse", [excuse(hour, settings) for hour in jobs["hour_utc"]], pl.String())
    return jobs.with_columns(excused=reasons.is_not_null(), excuse=reasons)
