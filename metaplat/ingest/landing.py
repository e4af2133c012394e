"""Raw objects are put into the landing zone: files given by a person, records given by a collector.

Here: which folder an object lands in, and never replacing what is known by something that knows less.
Not here: reading outside systems (``collectors``), making rows (``partition``).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from metaplat.ingest.decode import decode
from metaplat.ingest.partition import landing_prefix
from metaplat.ingest.reader import ReadResult, RecordReader
from metaplat.ingest.redact import scrub
from metaplat.ingest.strays import land_strays, put_if_changed
from metaplat.model.errors import InvalidInputError, UsageError
from metaplat.model.landed import ObjectInfo

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from metaplat.model.domain import MetadataDomain, Record, Row
    from metaplat.stores.home import Stores


@dataclass(frozen=True)
class Landed:
    """What became of one file or record.

    Parameters
    ----------
    key : str
        Landing object; empty where nothing was landed.
    partition : str
        Partition it was landed for.
    also : tuple of str
        Other partitions its records belong to; those were landed there as well.
    status : str
        ``landed``, ``unchanged``, ``kept`` (what is there knows more) or ``rejected``.
    problem : str or None
        What is wrong with it, where something is.
    """

    key: str
    partition: str
    also: tuple[str, ...]
    status: str
    problem: str | None = None


class Landing:
    """Lands objects of one domain.

    Parameters
    ----------
    domain : MetadataDomain
        Whose objects they are.
    stores : Stores
        Where to.
    now : datetime
        Aware UTC.
    """

    def __init__(self, domain: MetadataDomain, stores: Stores, now: datetime) -> None:
        if domain.parent is not None:
            raise UsageError(f"{domain.name} is made of what lands for {domain.parent}: land it there")
        if domain.cataloged:
            advice = "catalog files with `metaplat catalog ingest PLACE`"
            raise UsageError(f"nothing lands for {domain.name}, it comes from the catalog: {advice}")
        if not domain.lands:
            advice = "write them with `metaplat vip history`"
            raise UsageError(f"nothing lands for {domain.name}, it is made of delivered files: {advice}")
        self._domain, self._stores, self._now = domain, stores, now
        self._reader = RecordReader(domain, stores.settings, now)
        self._max_bytes = stores.settings.ingest.max_object_mb << 20

    def land_files(self, paths: Sequence[Path], partition: str | None = None) -> list[Landed]:
        """Land files unchanged, each in the folder of its first record's partition.

        Records of other partitions are landed again where they belong. A file that names no partition goes
        to ``partition``, else to the newest one, where its ingest puts it into quarantine.

        Raises
        ------
        UsageError
            A file cannot be read, or there is no such partition.
        """
        if partition is not None:
            self._domain.partitions.check(partition, self._now)
        names = Counter(path.name for path in paths)
        return [self._land_file(path, partition, unique=names[path.name] == 1) for path in paths]

    def land_record(self, record: Record) -> Landed:
        """Land one collected record, redacted, as an object of its own.

        A record in a final state is replaced only by one that knows more: what an outside system has
        forgotten since (pods, events) stays known here.
        """
        record, row, problem = self._accepted(record)
        partition = self._reader.partition_of(record) or self._newest()
        try:
            content = orjson.dumps(record)
        except TypeError as error:
            return Landed("", partition, (), "rejected", f"it cannot be written as JSON: {error}")
        key = landing_prefix(self._domain, partition) + self._name(row, content)
        if row and self._knows_more(key, row, record):
            return Landed(key, partition, (), "kept")
        put = put_if_changed(self._stores.landing, key, content)
        return Landed(key, partition, (), "landed" if put else "unchanged", problem)

    def preview(self, record: Record) -> Record:
        """Return a collected record as ``land_record`` would write it."""
        return self._accepted(record)[0]

    def _accepted(self, record: Record) -> tuple[Record, Row | None, str | None]:
        """Return a record without personal data, and its typed row or what is wrong with it.

        A bad one is landed all the same: its ingest quarantines it with the reason.
        """
        row, problem = None, None
        try:
            record = self._reader.accept(record)
            row = self._reader.typed(next(iter(self._domain.parts(record)), record))
        except InvalidInputError as error:
            record, problem = self._reader.redact(record), scrub(str(error))
        return self._reader.scrub_undeclared(record), row, problem

    def _name(self, row: Row | None, content: bytes) -> str:
        """Name of a collected object: the same record, the same name, and one that every store can hold."""
        if row is None or self._domain.object_name is None:
            return f"{hashlib.sha256(content).hexdigest()[:16]}.json"
        name = self._domain.object_name(row)
        if re.fullmatch(r"[\w=+@:,-][\w=+@:,. -]{0,199}", name, re.ASCII):
            return name
        return f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"

    def _land_file(self, path: Path, partition: str | None, *, unique: bool) -> Landed:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UsageError(f"cannot land {path}: {error.strerror}") from error
        home = partition or self._home(content) or self._newest()
        key = landing_prefix(self._domain, home) + path.name
        if not unique or self._holds_another(key, content):  # a raw object never gives way to another
            digest = hashlib.sha256(content).hexdigest()[:8]
            key = f"{landing_prefix(self._domain, home)}{digest}-{path.name}"
        read = ReadResult()  # what its ingest will find in it, so that both agree about the strays
        self._reader.read(home, ObjectInfo(key, len(content), self._now, ""), content, read)
        also = tuple(other for other, _ in read.strays)
        problem = _first_problem(read)
        try:
            put = put_if_changed(self._stores.landing, key, content)
        except InvalidInputError as error:
            return Landed("", home, (), "rejected", str(error))
        routed = land_strays(self._stores.landing, self._domain, read.strays)
        return Landed(key, home, also, "landed" if put or routed else "unchanged", problem)

    def _holds_another(self, key: str, content: bytes) -> bool:
        try:
            return self._stores.landing.get(key) != content
        except (KeyError, InvalidInputError):  # a name no store can hold is told when it is put
            return False

    def _home(self, content: bytes) -> str | None:
        """Partition of the first record that says one."""
        with suppress(InvalidInputError):
            for _, record in decode(content, self._max_bytes):
                home = self._reader.partition_of(record) if isinstance(record, dict) else None
                if home is not None:
                    return home
        return None

    def _newest(self) -> str:
        keys = self._domain.partitions.keys(self._now)
        if not keys:
            raise UsageError(f"{self._domain.name} has no partition yet: its first one lies in the future")
        return keys[-1]

    def _knows_more(self, key: str, row: Row, record: Record) -> bool:
        progress = self._domain.progress
        if progress is None or row[progress.column] == progress.running:
            return False
        try:
            stored = orjson.loads(self._stores.landing.get(key))
        except (KeyError, orjson.JSONDecodeError):
            return False
        if self._domain.knows_more is not None:
            return stored != record and self._domain.knows_more(stored, record)
        return stored != record and _known_values(stored) >= _known_values(record)


def _first_problem(read: ReadResult) -> str | None:
    if not read.bad:
        return None
    first = read.bad[0]
    place = "" if first.position is None else f"record {first.position}: "
    more = f" (and {len(read.bad) - 1} more)" if len(read.bad) > 1 else ""
    return f"{place}{first.reason}{more}"


def _known_values(value: Any) -> int:  # noqa: ANN401, RUF100  # any JSON value
    """Count the values that are not null."""
    if isinstance(value, dict):
        return sum(_known_values(item) for item in value.values())
    return int(value is not None)
