"""Attempts of Spark applications read back: found by a name in the lake, whole with stages and executors.

Here: which attempts a name means, and one record of each as it was landed.
Not here: what a record says (``attempt_reading``), which domains there are (the caller names them).
The newest days are asked first, and older ones only where those know nothing: on S3 every day is a file.
"""

from __future__ import annotations

import difflib
import re
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from metaplat.collectors.spark.sources import MODULES
from metaplat.model.errors import InvalidInputError, UsageError
from metaplat.reports.spark.attempt_reading import read_attempt
from metaplat.reports.spark.wording import shortened
from metaplat.stores.sql_views import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date, datetime

    import duckdb

    from metaplat.model.domain import MetadataDomain
    from metaplat.stores.home import Stores

    Stretch = tuple[date | None, date | None]
    Landed = Callable[[bytes], Iterable[Mapping[str, Any]]]

Record = dict[str, Any]

MOST_ATTEMPTS = 20
"""Newest attempts of a name that are returned."""
WINDOWS = (7, 60)
"""Days back from the newest one that are asked, one stretch after the other; then everything before."""
NEAR_NAMES = 3
PATTERN = re.compile(r"[*?\[]")
SOURCE_ORDER = {source: place for place, source in enumerate(MODULES)}
"""Of two sources of one attempt, the first one tells more."""
IDENTITY = ("source", "app_id", "attempt_id")
ADVICE = (
    "Collect it with `metaplat collect spark_applications` and `metaplat materialize spark_applications "
    "--missing`, or read its log with --path."
)


@dataclass(frozen=True)
class SparkTables:
    """Where attempts are kept.

    Parameters
    ----------
    stores : Stores
        The lake, and the landing zone.
    applications, stages, executors : MetadataDomain
        ``spark_applications`` and its two parts.
    landed : callable or None
        Content of a landing object -> the records in it, without personal data. It is asked where an attempt
        is in the lake, and its parts are not yet; None asks nobody.
    """

    stores: Stores
    applications: MetadataDomain
    stages: MetadataDomain
    executors: MetadataDomain
    landed: Landed | None = None


def find_attempts(
    tables: SparkTables,
    app: str,
    *,
    source: str | None = None,
    attempt_id: str | None = None,
    whole: int | None = None,
) -> list[Record]:
    """Find the attempts that a name means.

    Parameters
    ----------
    tables : SparkTables
        Where to look.
    app : str
        An application id, ``source/app_id/attempt_id``, or the name of an application, or a pattern of
        names: ``etl-*``.
    source, attempt_id : str or None
        Only what this source says, only this attempt.
    whole : int or None
        So many of the first ones with their stages and executors; None means all.

    Returns
    -------
    list of dict
        Records as they are landed, at most ``MOST_ATTEMPTS`` and at least one, the newest attempt first; of
        one attempt that several sources know, the source that tells most first.

    Raises
    ------
    UsageError
        There is none; the text names those that are near.
    StoreError
        The lake cannot be read.
    """
    from metaplat.stores.sql import connect

    domains = (tables.applications, tables.stages, tables.executors)
    only = _only(source=source, attempt_id=attempt_id)
    known: set[str] = set()
    with closing(connect(tables.stores.lake, domains)) as connection:
        stretches = _stretches(tables)
        for place, stretch in enumerate(stretches):
            if rows := _rows(connection, app, stretch, only):
                if rows[0]["app_id"] == app:  # a long-running one may have been tried long before
                    rows += [
                        row
                        for earlier in stretches[place + 1 :][:1]
                        for row in _rows(connection, app, earlier, only)
                    ]
                return [
                    _record(connection, tables, row, with_parts=whole is None or number < whole)
                    for number, row in enumerate(_ordered(rows)[:MOST_ATTEMPTS])
                ]
            known |= _names(connection, stretch)
    if only and known & {app}:
        raise UsageError(_not_as_asked(app, source, attempt_id))
    raise UsageError(_not_found(app, known))


def _stretches(tables: SparkTables) -> list[Stretch]:
    """Return stretches of days, the newest first, back from the newest day that is stored."""
    stored = tables.stores.lake.partitions(tables.applications)
    window = tables.applications.partitions.window(stored[-1]) if stored else None
    if window is None:
        return []
    newest = window[0].date()
    borders = [None, *(newest - timedelta(days=days) for days in WINDOWS), None]
    return [(since, until) for until, since in pairwise(borders)]


def _between(stretch: Stretch) -> str:
    since, until = stretch
    bounds = ["true"]
    if since is not None:
        bounds.append(f"date >= DATE {literal(since.isoformat())}")
    if until is not None:
        bounds.append(f"date < DATE {literal(until.isoformat())}")
    return " AND ".join(bounds)


def _only(**wanted: str | None) -> str:
    return "".join(f" AND {identifier(name)} = {literal(value)}" for name, value in wanted.items() if value)


def _rows(connection: duckdb.DuckDBPyConnection, app: str, stretch: Stretch, only: str) -> list[Record]:
    """Return the newest rows that ``app`` means; an id or a key is preferred to a name."""
    named = [f"{identifier(column)} = {literal(app)}" for column in ("attempt_key", "app_id", "app_name")]
    if PATTERN.search(app):
        named.append(f"app_name GLOB {literal(app)}")
    for condition in named:
        where = f"{condition} AND {_between(stretch)}{only}"
        newest = f"ORDER BY application_time DESC LIMIT {MOST_ATTEMPTS}"
        rows = _ask(connection, f"spark_applications WHERE {where} {newest}")
        if rows:
            return rows
    return []


def _ordered(rows: Sequence[Record]) -> list[Record]:
    """Return rows with the newest attempt first, and of one attempt the source that tells most."""
    newest: dict[tuple[str, str | None], datetime] = {}
    for row in rows:
        attempt = (row["app_id"], row["attempt_id"])
        newest[attempt] = max(newest.get(attempt, row["application_time"]), row["application_time"])
    by_source = sorted(rows, key=lambda row: SOURCE_ORDER.get(row["source"], len(SOURCE_ORDER)))
    return sorted(by_source, key=lambda row: newest[row["app_id"], row["attempt_id"]], reverse=True)


def _record(
    connection: duckdb.DuckDBPyConnection, tables: SparkTables, row: Record, *, with_parts: bool
) -> Record:
    """Return the record of a row: with its parts from the lake, as landed where they are not there yet."""
    if not with_parts:
        return read_attempt(row).record()
    where = f"date = DATE {literal(row['date'].isoformat())} AND attempt_key = {literal(row['attempt_key'])}"
    parts: dict[str, Any] = {
        "stages": _ask(connection, f"spark_stages WHERE {where} ORDER BY stage_id, stage_attempt_id"),
        "executors": _ask(connection, f"spark_executors WHERE {where} ORDER BY add_time, executor_id"),
    }
    if not all(parts.values()):
        landed = _landed(tables, row)
        parts = {name: found or landed.get(name) for name, found in parts.items()}
    return read_attempt({**row, **parts}).record()


def _landed(tables: SparkTables, row: Record) -> Mapping[str, Any]:
    """Return the landed record of a row; empty where it is gone, or nobody can read it."""
    if tables.landed is None:
        return {}
    identity = tuple(row[name] for name in IDENTITY)
    with suppress(KeyError, InvalidInputError):
        for record in tables.landed(tables.stores.landing.get(row["source_object"])):
            if tuple(record.get(name) for name in IDENTITY) == identity:
                return record
    return {}


def _names(connection: duckdb.DuckDBPyConnection, stretch: Stretch) -> set[str]:
    names = "SELECT unnest([app_name, app_id]) AS name FROM spark_applications"
    found = _ask(connection, f"({names} WHERE {_between(stretch)}) WHERE name IS NOT NULL GROUP BY name")
    return {row["name"] for row in found}


def _not_as_asked(app: str, source: str | None, attempt_id: str | None) -> str:
    asked = " and ".join(
        text
        for text in (f"source {source!r}" if source else "", f"attempt {attempt_id!r}" if attempt_id else "")
        if text
    )
    return f"Spark application {shortened(app, 100)!r} is in the lake, but not with {asked}"


def _not_found(app: str, known: set[str]) -> str:
    said = f"no Spark application {shortened(app, 100)!r} is in the lake"
    if not known:
        return f"{said}: it holds none. {ADVICE}"
    longer = sorted(name for name in known if app in name)
    near = [*longer, *difflib.get_close_matches(app, sorted(known), n=NEAR_NAMES, cutoff=0.5)]
    near = [repr(shortened(name, 100)) for name in dict.fromkeys(near)][:NEAR_NAMES]
    return f"{said}; did you mean {' or '.join(near)}?" if near else f"{said}. {ADVICE}"


def _ask(connection: duckdb.DuckDBPyConnection, asked: str) -> list[Record]:
    from metaplat.stores.sql import query

    return query(connection, f"SELECT * FROM {asked}").to_dicts()  # noqa: S608  # every part is quoted
