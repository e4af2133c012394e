"""The three histories in the lake, a day a partition: written from the folders of delivered files.

Here: which hours are due, the earlier rows they are judged by, writing days side by side, their receipts.
Not here: the rows (``vip.history``), Dagster (``assets``).

Some hours of a day may be written anew while the others stay: rows are replaced by configuration and hour, so
that two configurations share a partition, and an hour that is closed is never listed again.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from metaplat.domains import domain_named
from metaplat.ingest.receipts import Receipts
from metaplat.model.errors import MetaplatError, UsageError
from metaplat.model.extract import ExtractStatus, hours_between
from metaplat.model.landed import IngestReceipt
from metaplat.orchestration.vip.deliveries import configured_deliveries
from metaplat.orchestration.vip.pulled_days import outermost_extracts
from metaplat.vip.pulling.remembered import ExtractMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import polars as pl

    from metaplat.ingest.cataloged import Results
    from metaplat.model.domain import MetadataDomain
    from metaplat.model.extract import Extract
    from metaplat.stores.home import Stores
    from metaplat.vip.history.histories import Histories

JOBS, TABLES, SIZES = "historical_job_metrics", "historical_table_metrics", "historical_job_size"
NAMES = (JOBS, TABLES, SIZES)
ONE_HOUR, ONE_DAY = timedelta(hours=1), timedelta(days=1)
WRITERS = 16
"""Days written side by side: on S3 each takes some eight requests."""


@dataclass(frozen=True)
class Span:
    """Hours from ``first`` to ``last``, both included, aware UTC."""

    first: datetime
    last: datetime

    @classmethod
    def read(cls, text: str) -> Span:
        """Read what ``str`` gave; raises ValueError."""
        first, last = (datetime.fromisoformat(part).astimezone(UTC) for part in text.split("/"))
        return cls(first, last)

    def __str__(self) -> str:
        return f"{self.first.isoformat()}/{self.last.isoformat()}"

    def within(self, other: Span) -> Span | None:
        """Return the hours that both have; None where there is none."""
        both = Span(max(self.first, other.first), min(self.last, other.last))
        return both if both.first <= both.last else None


def calendar(stores: Stores, now: datetime) -> Span | None:
    """Return the hours that the histories of the configuration must have; None where nothing was delivered.

    They begin with the first that anything is known of. Where pulling is set up they end with the last closed
    hour, so that hours without a pull show; else with the last that anything is known of.

    Raises
    ------
    SettingsError, StoreError
        The deliveries cannot be listed.
    """
    from metaplat.vip.history.calendar import closed_hours, known_range
    from metaplat.vip.history.imported import load_imported

    settings, config = stores.settings, stores.settings.vip.config
    extracts = outermost_extracts(stores)
    known = known_range(configured_deliveries(settings), settings, extracts)
    moments = [*(known or ()), *(load_imported(stores.state, config).span() or ())]
    if not moments:
        return None
    closed = closed_hours(min(moments), now, settings)
    while closed and _is_running(extracts.get(closed[-1])):
        closed.pop()
    if settings.vip.company is None:
        closed = [hour for hour in closed if hour <= max(moments)]
    return Span(closed[0], closed[-1]) if closed else None


def due_span(stores: Stores, now: datetime) -> Span | None:
    """Return the hours that are new since the last time, and some before them; None where none is.

    Files come late: the newest ``relist_hours`` are looked at once more.
    """
    whole = calendar(stores, now)
    if whole is None:
        return None
    newest = newest_hour(stores)
    if newest is None:
        return whole
    if newest >= whole.last and stores.settings.vip.company is None:
        return None
    relisted = newest - timedelta(hours=stores.settings.vip.relist_hours - 1)
    return Span(max(relisted, whole.first), whole.last) if relisted <= whole.last else None


def newest_hour(stores: Stores) -> datetime | None:
    """Return the newest hour of the configuration in the history; None where it has none."""
    import polars as pl

    domain, config = domain_named(JOBS), stores.settings.vip.config
    for day in reversed(Receipts(stores.state, domain).load_all()):
        rows = stores.lake.read(domain, [day], ["config_name", "hour_utc"])
        newest = rows.filter(pl.col("config_name") == config)["hour_utc"].max()
        if isinstance(newest, datetime):
            return newest
    return None


def days_of(span: Span) -> list[str]:
    """Return the partitions that hold the hours of a span, in order; raises UsageError before the first."""
    partitions = domain_named(JOBS).partitions
    days = list(dict.fromkeys(partitions.key_of(hour) for hour in hours_between(span.first, span.last)))
    try:
        return [partitions.check(day, span.last) for day in days]
    except UsageError as error:
        raise UsageError(f"the histories do not go that far back: {error}") from None


def write_histories(
    domains: Sequence[MetadataDomain],
    stores: Stores,
    days: Sequence[str],
    now: datetime,
    span: Span | None = None,
) -> dict[str, Results]:
    """Write days of the histories.

    Parameters
    ----------
    domains : sequence of MetadataDomain
        Those to write, of the three.
    stores : Stores
        Where the lake and the receipts are.
    days : sequence of str
        Contiguous partitions.
    now : datetime
        Aware UTC.
    span : Span or None
        The hours to look at; the others of the days stay as they are. None means all of the calendar.

    Returns
    -------
    dict
        By domain, receipt or error by day.

    Raises
    ------
    SettingsError, StoreError
        The deliveries or the earlier rows cannot be read.
    """
    from metaplat.vip.history.histories import Histories

    asked = span or calendar(stores, now)
    whole = Span(_day_start(days[0]), _day_start(days[-1]) + ONE_DAY - ONE_HOUR)
    chosen = asked.within(whole) if asked else None
    built = Histories.empty() if chosen is None else _built(stores, chosen)
    frames = {JOBS: built.jobs, TABLES: built.tables, SIZES: built.sizes}
    recomputed = set(hours_between(chosen.first, chosen.last)) if chosen else set()

    def write(domain: MetadataDomain, day: str) -> IngestReceipt | MetaplatError:
        try:
            return _write_day(domain, stores, day, frames[domain.name], recomputed)
        except MetaplatError as error:
            return error

    tasks = [(domain, day) for domain in domains for day in days]
    results: dict[str, Results] = {domain.name: {} for domain in domains}
    for (domain, day), result in zip(tasks, _side_by_side(write, tasks), strict=True):
        results[domain.name][day] = result
    return results


def read_histories(stores: Stores, first: datetime, last: datetime) -> Histories:
    """Return the rows of the configuration from ``first`` to ``last``, both included."""
    from metaplat.vip.history.histories import Histories

    frames = [_rows(stores, domain_named(name), first, last) for name in NAMES]
    return Histories(*frames)


def _built(stores: Stores, span: Span) -> Histories:
    """Return the rows of the hours of a span, as they are now in the folders."""
    from metaplat.vip.history.build import build_history
    from metaplat.vip.history.imported import load_imported

    settings = stores.settings
    hours = hours_between(span.first, span.last)
    before = timedelta(
        weeks=settings.vip.season_weeks, hours=settings.vip.spread_hours + settings.vip.level_hours
    )
    earlier = read_histories(stores, span.first - before, span.first - ONE_HOUR)
    extracts = ExtractMemory(stores.state).load_range(settings.vip.config, span.first, span.last)
    deliveries = configured_deliveries(settings)
    known = earlier.merged(load_imported(stores.state, settings.vip.config).at(hours))
    return build_history(settings, deliveries, hours, known, extracts, settings.vip.config)


def _write_day(
    domain: MetadataDomain, stores: Stores, day: str, rows: pl.DataFrame, recomputed: Iterable[datetime]
) -> IngestReceipt:
    """Replace the recomputed hours of a day, and keep its other rows."""
    import polars as pl

    start = _day_start(day)
    hour = pl.col("hour_utc")
    new = rows.filter(hour >= start, hour < start + ONE_DAY)
    stored = stores.lake.read(domain, [day])
    of_day = [each for each in recomputed if start <= each < start + ONE_DAY]
    replaced = (pl.col("config_name") == stores.settings.vip.config) & hour.is_in(of_day)
    kept = stored.filter(~replaced)
    frame = pl.concat([kept, new.select(kept.columns)]).sort(*domain.keys)
    written = stores.lake.write(domain, day, frame)
    newest, oldest = frame["hour_utc"].max(), frame["hour_utc"].min()
    receipt = IngestReceipt(
        partition=day,
        rows=frame.height,
        records=frame.height,
        newest=newest if isinstance(newest, datetime) else None,
        oldest=oldest if isinstance(oldest, datetime) else None,
        stored=written.identity,
    )
    Receipts(stores.state, domain).save(receipt)
    return receipt


def _rows(stores: Stores, domain: MetadataDomain, first: datetime, last: datetime) -> pl.DataFrame:
    import polars as pl

    known = Receipts(stores.state, domain).load_all()
    days = [day for day in known if first - ONE_DAY < _day_start(day) <= last]
    hour = pl.col("hour_utc")
    rows = stores.lake.read(domain, days)
    return rows.filter(pl.col("config_name") == stores.settings.vip.config, hour >= first, hour <= last)


def _is_running(extract: Extract | None) -> bool:
    """Whether a job may still deliver: its hour is not judged yet."""
    return extract is not None and extract.status is ExtractStatus.RUNNING


def _day_start(day: str) -> datetime:
    return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)


def _side_by_side(
    write: Callable[[MetadataDomain, str], IngestReceipt | MetaplatError],
    tasks: Sequence[tuple[MetadataDomain, str]],
) -> Iterable[IngestReceipt | MetaplatError]:
    with ThreadPoolExecutor(min(WRITERS, len(tasks)) or 1, thread_name_prefix="history") as pool:
        return list(pool.map(lambda task: write(*task), tasks))
