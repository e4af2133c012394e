"""The records that ``metaplat spark`` is asked about: from the lake, or from event logs read on the spot."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from metaplat.cli.collect import Told
from metaplat.cli.output import progress_bar
from metaplat.collectors.collector import CollectRequest
from metaplat.domains import domain_named
from metaplat.ingest.decode import decode
from metaplat.ingest.landing import Landing
from metaplat.ingest.redact import build_redactor
from metaplat.model.errors import InvalidInputError, UnknownNameError, UsageError
from metaplat.orchestration.clock import utc_now
from metaplat.reports.spark.attempts import MOST_ATTEMPTS, SparkTables, find_attempts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from metaplat.reports.spark.attempts import Record
    from metaplat.stores.home import Stores

APPLICATIONS = "spark_applications"
SOURCE = "event-logs"
LISTED = 10
"""Applications of a folder that are named where one of them must be said."""


@dataclass(frozen=True)
class Wanted:
    """Which attempts are asked for; None means any."""

    application: str | None
    source: str | None = None
    attempt: str | None = None

    def fits(self, record: Mapping[str, Any]) -> bool:
        """Whether a record is one of them."""
        key = "/".join((record["source"], record["app_id"], record["attempt_id"] or ""))
        named = (record["app_id"], record["app_name"], key)
        return (
            (self.application is None or self.application in named or self._is_like(record["app_name"]))
            and (self.source is None or self.source == record["source"])
            and (self.attempt is None or self.attempt == record["attempt_id"])
        )

    def _is_like(self, name: str | None) -> bool:
        return name is not None and self.application is not None and fnmatchcase(name, self.application)


def spark_tables(stores: Stores) -> SparkTables:
    """Return where attempts are kept; landed records are read without personal data."""
    domain = domain_named(APPLICATIONS)
    redact = build_redactor(domain, stores.settings.privacy)
    most = stores.settings.ingest.max_object_mb << 20

    def landed(content: bytes) -> Iterator[Mapping[str, Any]]:
        return (redact(record) for _, record in decode(content, most) if isinstance(record, dict))

    return SparkTables(stores, domain, domain_named("spark_stages"), domain_named("spark_executors"), landed)


@contextmanager
def find_records(
    stores: Stores, wanted: Wanted, places: Sequence[str], *, whole: int | None
) -> Iterator[Sequence[Record]]:
    """Give the records that are wanted, the newest first, at least one.

    What could not be read below ``places`` is told at the end, and the command ends with exit code 1.

    Parameters
    ----------
    stores : Stores
        The lake, where ``places`` is empty.
    wanted : Wanted
        Which.
    places : sequence of str
        Folders, logs and ``s3://`` addresses to read instead.
    whole : int or None
        So many of the first ones need their stages and executors; None means all.
    """
    if not places:
        found = find_attempts(
            spark_tables(stores),
            wanted.application or "",
            source=wanted.source,
            attempt_id=wanted.attempt,
            whole=whole,
        )
        yield found
        return
    told = Told()
    try:
        yield _read(stores, wanted, places, told)
    finally:
        told.tell()
    if told.rejected:
        raise typer.Exit(1)


def _read(stores: Stores, wanted: Wanted, places: Sequence[str], told: Told) -> list[Record]:
    """Read event logs; at most ``MOST_ATTEMPTS`` records are held, the names of others to tell of them."""
    domain, now = domain_named(APPLICATIONS), utc_now()
    preview = Landing(domain, stores, now).preview
    others: dict[str, str] = {}
    found: list[Record] = []
    with progress_bar() as draw:
        requests = [_request(stores, place, told) for place in places]
        for count, record in enumerate(_records(domain.collectors[SOURCE], requests), 1):
            draw("event logs", count, None)
            others[record["app_id"]] = record["app_name"] or ""
            if wanted.fits(record):
                found = sorted([*found, dict(preview(record))], key=_moment, reverse=True)[:MOST_ATTEMPTS]
    if not found:
        known, where = {*others, *others.values()} - {""}, ", ".join(places)
        if not known and told.rejected:
            raise InvalidInputError(f"no Spark application can be read in {where}")
        if wanted.application is None or not known:
            raise UsageError(f"no Spark application that is asked for is in {where}")
        raise UnknownNameError("Spark application", wanted.application, known)
    if wanted.application is None and len(others) > 1:
        named = [f"{app_id} ({name})" for app_id, name in deque(others.items(), LISTED)]
        raise UsageError(f"{len(others)} applications are there: say one, for example {', '.join(named)}")
    return found


def _request(stores: Stores, place: str, told: Told) -> CollectRequest:
    is_address = "://" in place  # s3://, s3a://, file://, as metaplat collect reads it
    return CollectRequest(
        stores.settings,
        utc_now(),
        told.warnings.append,
        path=None if is_address else Path(place),
        url=place if is_address else None,
        reject=told.reject,
    )


def _records(
    collector: Callable[..., Iterable[Mapping[str, Any]]], requests: Iterable[CollectRequest]
) -> Iterator[Mapping[str, Any]]:
    for request in requests:
        yield from collector(request)


def _moment(record: Mapping[str, Any]) -> str:
    """When an attempt ended, or was seen last, as a text in the order of time."""
    return str(record["end_time"] or record["observed_end"] or record["start_time"] or "")
