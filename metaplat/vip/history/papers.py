"""What the papers in the folders say: our manifest, the saved promise, the schema file.

Here: reading those of many hours in parallel, each tolerantly: one that cannot be read is noted, and its hour
has none.
Not here: writing them (``vip.pulling``), the entries of a promise (``promises``), comparing them with what is
there (``counts``).
The promise of an hour is that of its manifest, which also knows what became of each file; else the saved
list. Folders that others filled hold live addresses in it: keys and sizes are taken, never an address.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from metaplat.model.extract import MANIFEST_FILE, PROMISE_FILE
from metaplat.vip.history.promises import manifest_promise, saved_promise
from metaplat.vip.history.schema_tables import SchemaTable, schema_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl

    from metaplat.settings import Settings, VipSettings
    from metaplat.stores.deliveries import Deliveries

    Schema = Mapping[str, SchemaTable]

MEGABYTE = 1 << 20
_SURROGATES = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Papers:
    """What the papers of one hour say; None where they do not. The promise is a frame of ``promises``."""

    config_name: str | None = None
    job_guid: str | None = None
    accepted_at: datetime | None = None
    finished_at: datetime | None = None
    promise: pl.DataFrame | None = None


@dataclass
class SchemaReader:
    """Reads schema files; the same bytes are parsed once and give the same object."""

    settings: VipSettings
    _parsed: dict[bytes, Schema | None] = field(default_factory=dict, repr=False)

    def read(self, content: bytes | None) -> Schema | None:
        """Return the tables of a schema file; None where there are none in it, or there is no file."""
        if content is None:
            return None
        if content not in self._parsed:
            self._parsed[content] = schema_tables(content, self.settings)
        return self._parsed[content]


def read_papers(deliveries: Deliveries, settings: Settings, files: pl.DataFrame) -> dict[datetime, Papers]:
    """Read manifest and promise of every hour that has one.

    Parameters
    ----------
    deliveries : Deliveries
        Where they are.
    settings : Settings
        Section ``[vip]``: names of fields, the largest manifest.
    files : polars.DataFrame
        What lies in the folders: ``hour_utc``, ``name``.

    Returns
    -------
    dict of datetime to Papers
        For the hours with a paper that can be read.

    Raises
    ------
    StoreError
        The bucket fails.
    """
    manifests = {
        hour: _manifest(document)
        for hour, document in _documents(
            deliveries, settings, _hours_with(files, MANIFEST_FILE), MANIFEST_FILE
        )
        if isinstance(document, dict)
    }
    lacking = [
        hour
        for hour in _hours_with(files, PROMISE_FILE)
        if hour not in manifests or manifests[hour].promise is None
    ]
    papers = dict(manifests)
    for hour, document in _documents(deliveries, settings, lacking, PROMISE_FILE):
        told = papers.get(hour, Papers())
        papers[hour] = replace(told, promise=saved_promise(document, settings.vip))
    return papers


def config_names(
    deliveries: Deliveries, settings: Settings, hours: Sequence[datetime]
) -> dict[datetime, str | None]:
    """Return the configuration that the manifest of each of these hours names; None where it names none."""
    documents = _documents(deliveries, settings, hours, MANIFEST_FILE)
    return {hour: _manifest(each).config_name for hour, each in documents if isinstance(each, dict)}


def read_schemas(
    deliveries: Deliveries, settings: Settings, hours: Sequence[datetime], reader: SchemaReader
) -> dict[datetime, Schema]:
    """Read the schema files of some hours.

    Returns
    -------
    dict of datetime to mapping of str to SchemaTable
        For the hours whose file names at least one table.

    Raises
    ------
    StoreError
        The bucket fails.
    """
    name = settings.vip.schema_file
    read = ((hour, reader.read(content)) for hour, content in _contents(deliveries, settings, hours, name))
    found = {hour: schema for hour, schema in read if schema is not None}
    _note([hour for hour in hours if hour not in found], name, settings)
    return found


def _hours_with(files: pl.DataFrame, name: str) -> list[datetime]:
    import polars as pl

    return files.filter(pl.col("name") == name)["hour_utc"].unique().sort().to_list()


def _contents(
    deliveries: Deliveries, settings: Settings, hours: Sequence[datetime], name: str
) -> Iterator[tuple[datetime, bytes | None]]:
    keys = {f"{settings.vip.folder(hour)}{name}": hour for hour in hours}
    largest = int(settings.vip.max_manifest_mb * MEGABYTE)
    for key, content in deliveries.objects.get_many(list(keys), largest):
        yield keys[key], content


def _documents(
    deliveries: Deliveries, settings: Settings, hours: Sequence[datetime], name: str
) -> Iterator[tuple[datetime, Any]]:
    unread = []
    for hour, content in _contents(deliveries, settings, hours, name):
        document = None if content is None else _json(content)
        if isinstance(document, dict | list):
            yield hour, document
        else:
            unread.append(hour)
    _note(unread, name, settings)


def _note(hours: Sequence[datetime], name: str, settings: Settings) -> None:
    if hours:
        _logger.warning(
            "%s cannot be read in %d hours, the first in %s: they count as having none",
            name, len(hours), settings.vip.folder(hours[0]),
        )  # fmt: skip


def _json(content: bytes) -> Any:
    """Return the document; None where it is none. Surrogates become ``?``: no frame holds halves of them."""
    import orjson

    text = content.removeprefix(b"\xef\xbb\xbf")
    for each in (text, _SURROGATES.sub(b"?", text)):
        try:
            return orjson.loads(each)
        except orjson.JSONDecodeError:
            continue
    return None


def _manifest(document: Mapping[str, Any]) -> Papers:
    files = document.get("files")
    return Papers(
        _text(document.get("config_name")),
        _text(document.get("job_guid")),
        _time(document.get("accepted_at")),
        _time(document.get("finished_at")),
        manifest_promise(files) if isinstance(files, list) else None,
    )


def _text(value: object) -> str | None:
    return str(value) if value else None


def _time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None
