"""All that is known of some hours before anything is judged: files, papers, schemas, memory of pulls.

Here: reading it, and leaving out what belongs to another configuration.
Not here: what follows from it (``passage``, ``job_rows``, ``table_rows``, ``size_rows``).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.vip.history.expected import in_scope
from metaplat.vip.history.inventory import DATA, list_hours, with_kind
from metaplat.vip.history.papers import Papers, SchemaReader, read_papers, read_schemas
from metaplat.vip.history.promises import promised_files, remembered_promise
from metaplat.vip.history.table_names import with_tables, without_foreign

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from metaplat.model.extract import Extract
    from metaplat.settings import Settings
    from metaplat.stores.deliveries import Deliveries
    from metaplat.vip.history.histories import Histories
    from metaplat.vip.history.papers import Schema

_PROBES = 24
"""Earlier schema files read at once, where the newest of them cannot be read."""


@dataclass(frozen=True)
class Evidence:
    """What is known of some hours.

    Parameters
    ----------
    hours : sequence of datetime
        All of them, oldest first, also those of which nothing is known.
    files : polars.DataFrame
        What lies there: ``hour_utc``, ``name``, ``size``, ``kind``, ``table`` (null where it is of none).
    promised : polars.DataFrame
        What was promised: ``hour_utc``, ``name``, ``size``, ``spoiled``, ``table``.
    papers : mapping of datetime to Papers
        What manifest and promise say.
    schemas : mapping of datetime to Schema
        The schema file of the hour.
    before : mapping of datetime to Schema
        The newest schema file before the hour.
    schema_of_last_job : Schema or None
        That of the last hour with tables before all of these.
    extracts : mapping of datetime to Extract
        What is remembered of pulls of this configuration.
    others : frozenset of datetime
        Hours whose manifest is of another configuration: nothing in them counts.
    """

    hours: Sequence[datetime]
    files: pl.DataFrame
    promised: pl.DataFrame
    papers: Mapping[datetime, Papers]
    schemas: Mapping[datetime, Schema]
    before: Mapping[datetime, Schema]
    schema_of_last_job: Schema | None
    extracts: Mapping[datetime, Extract]
    others: frozenset[datetime]


def gather(
    settings: Settings,
    deliveries: Deliveries,
    hours: Sequence[datetime],
    earlier: Histories,
    extracts: Mapping[datetime, Extract],
    config_name: str,
) -> Evidence:
    """Read all that is known of ``hours``, which follow each other without a gap.

    Parameters
    ----------
    settings, deliveries, hours, extracts, config_name
        As of ``build_history``.
    earlier : Histories
        Of this configuration, before ``hours``: they tell where the newest schema file before lies.

    Raises
    ------
    StoreError
        The bucket fails.
    """
    import polars as pl

    files = list_hours(deliveries, settings, hours)
    reader = SchemaReader(settings.vip)
    with_schema = (
        files.filter(pl.col("name") == settings.vip.schema_file)["hour_utc"].unique().sort().to_list()
    )
    with ThreadPoolExecutor(1, thread_name_prefix="schemas") as beside:  # both wait for the bucket
        reading = beside.submit(read_schemas, deliveries, settings, with_schema, reader)
        papers = read_papers(deliveries, settings, files)
    schemas = reading.result()
    others = frozenset(hour for hour, told in papers.items() if told.config_name not in {None, config_name})
    if others:
        asked = pl.Series(sorted(others), dtype=pl.Datetime("us", "UTC"))
        files = files.filter(~pl.col("hour_utc").is_in(asked.implode()))
        papers = {hour: told for hour, told in papers.items() if hour not in others}
        schemas = {hour: schema for hour, schema in schemas.items() if hour not in others}
    extracts = {hour: each for hour, each in extracts.items() if each.config_name == config_name}
    papers = _with_memory(papers, extracts, hours)

    newest, last_job = _schemas_before(settings, deliveries, earlier, reader)
    before = _before(hours, schemas, newest)
    known = _known_tables(settings, hours, schemas, before)

    promised = with_tables(with_kind(promised_files(_promises(papers)), settings.vip), known)
    named = without_foreign(with_tables(files, known), promised, known)
    return Evidence(hours, named, promised, papers, schemas, before, last_job, extracts, others)


def _promises(papers: Mapping[datetime, Papers]) -> dict[datetime, pl.DataFrame]:
    return {hour: told.promise for hour, told in papers.items() if told.promise is not None}


def _with_memory(
    papers: Mapping[datetime, Papers], extracts: Mapping[datetime, Extract], hours: Sequence[datetime]
) -> dict[datetime, Papers]:
    """Return the papers, with the promise that the memory of a pull holds where the folder holds none."""
    joined = dict(papers)
    for hour in hours:
        extract = extracts.get(hour)
        told = papers.get(hour, Papers())
        if extract is None:
            continue
        promise = remembered_promise(extract.files) if told.promise is None else told.promise
        joined[hour] = Papers(
            told.config_name,
            extract.job_guid or told.job_guid,
            extract.accepted_at or told.accepted_at,
            extract.finished_at or told.finished_at,
            promise,
        )
    return joined


def _schemas_before(
    settings: Settings, deliveries: Deliveries, earlier: Histories, reader: SchemaReader
) -> tuple[Schema | None, Schema | None]:
    """Return the newest schema file before all hours, and that of the last hour with tables."""
    import polars as pl

    with_schema = (
        earlier.jobs.filter(pl.col("n_files_schema") > 0)["hour_utc"].sort(descending=True).to_list()
    )
    delivered = earlier.tables.filter("delivered")["hour_utc"].unique().sort().tail(1).to_list()
    last_job = [hour for hour in delivered if hour in with_schema]
    newest_ones = [hour for hour in with_schema[:_PROBES] if hour in with_schema[:1] or [hour] >= last_job]
    found = read_schemas(deliveries, settings, sorted({*newest_ones, *last_job}), reader)
    for start in range(1, len(with_schema), _PROBES):
        if found:
            break
        found = read_schemas(deliveries, settings, with_schema[start : start + _PROBES], reader)
    newest = found[max(found)] if found else None
    return newest, next((found[hour] for hour in last_job if hour in found), None)


def _before(
    hours: Sequence[datetime], schemas: Mapping[datetime, Schema], newest: Schema | None
) -> dict[datetime, Schema]:
    before: dict[datetime, Schema] = {}
    for hour in hours:
        if newest is not None:
            before[hour] = newest
        newest = schemas.get(hour, newest)
    return before


def _known_tables(
    settings: Settings,
    hours: Sequence[datetime],
    schemas: Mapping[datetime, Schema],
    before: Mapping[datetime, Schema],
) -> dict[datetime, frozenset[str]]:
    """Return the tables whose names are known in each hour; out-of-scope ones are no strangers either."""
    named = frozenset(settings.vip.reference_tables) | frozenset(settings.vip.out_of_scope)
    seen: dict[int, frozenset[str]] = {}
    known = {}
    for hour in hours:
        schema = schemas.get(hour) or before.get(hour) or {}
        known[hour] = seen.setdefault(id(schema), frozenset(schema) | named) if schema else named
    return known


def delivered_tables(evidence: Evidence, settings: Settings) -> dict[datetime, frozenset[str]]:
    """Return the tables in scope with a file, by hour; hours without one are left out."""
    import polars as pl

    rows = (
        evidence.files.filter((pl.col("kind") == DATA) & pl.col("table").is_not_null())
        .group_by("hour_utc")
        .agg(pl.col("table").unique())
        .iter_rows()
    )
    found = {hour: in_scope(set(tables), settings.vip) for hour, tables in rows}
    return {hour: tables for hour, tables in found.items() if tables}
