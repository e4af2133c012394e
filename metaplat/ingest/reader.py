"""Contents of landing objects become typed rows, bad records and strays.

Here: the way of one record: decode, redact, flatten, validate, and where it belongs.
Not here: which objects are read (``partition``), what is written of the result.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from metaplat.ingest.decode import decode
from metaplat.ingest.flatten import build_flattener
from metaplat.ingest.quarantine import BadRecord
from metaplat.ingest.redact import build_redactor, build_undeclared_scrubber, scrub, scrub_all
from metaplat.ingest.validate import build_validator
from metaplat.model.errors import InvalidInputError, UsageError

if TYPE_CHECKING:
    from metaplat.model.domain import MetadataDomain, Record, Row
    from metaplat.model.landed import ObjectInfo
    from metaplat.settings import Settings

ONE_DAY = timedelta(days=1)


@dataclass
class ReadResult:
    """What the objects of a partition hold.

    Parameters
    ----------
    rows : list of Row
        Typed rows of the partition, in landed order, not yet deduplicated.
    bad : list of BadRecord
        For the quarantine.
    strays : dict
        Records of other partitions, by (their partition key, the object they were found in).
    records : int
        Records found; an unreadable object counts as one.
    unknown_fields : int
        Undeclared fields that went into ``extra``.
    """

    rows: list[Row] = field(default_factory=list)
    bad: list[BadRecord] = field(default_factory=list)
    strays: dict[tuple[str, str], list[Record]] = field(default_factory=dict)
    records: int = 0
    unknown_fields: int = 0


class RecordReader:
    """Reads landing objects of one domain.

    Parameters
    ----------
    domain : MetadataDomain
        Its declaration decides everything.
    settings : Settings
        Sections ``ingest`` and ``privacy``.
    now : datetime
        Aware UTC; decides which partitions exist.

    Raises
    ------
    SettingsError
        The privacy settings do not fit the domain.
    """

    def __init__(self, domain: MetadataDomain, settings: Settings, now: datetime) -> None:
        self._domain, self._now = domain, now
        self.redact = build_redactor(domain, settings.privacy)
        self.scrub_undeclared = build_undeclared_scrubber(domain.landed_fields)
        self._flatten = build_flattener(domain.landed_fields)
        self._validate = build_validator(domain.landed_fields)
        self._by = domain.field(domain.partitions.by)
        self._find_home = build_flattener([self._by])
        self._type_home = build_validator([self._by])
        self._times = [each.name for each in domain.landed_fields if each.dtype is datetime]
        self._skew = timedelta(seconds=settings.ingest.clock_skew_seconds)
        self._max_bytes = settings.ingest.max_object_mb << 20
        self._window = lru_cache(maxsize=1)(domain.partitions.window)  # asked once a record

    def read(self, partition: str, item: ObjectInfo, content: bytes, result: ReadResult) -> None:
        """Add the records of one object to ``result``; never raises for what the object holds."""
        latest = item.modified + self._skew  # the clock of the landing, so that a later run judges alike
        try:
            for position, record in decode(content, self._max_bytes):
                if isinstance(record, InvalidInputError):
                    result.records += 1
                    result.bad.append(BadRecord(item.shown_key, position, str(record)))
                else:
                    self._read_whole(partition, item, position, record, latest, result)
        except InvalidInputError as error:
            result.records += 1
            result.bad.append(BadRecord(item.shown_key, None, str(error)))

    def part(self, record: Record) -> Record | None:
        """Return the first record of the domain in a landed one; None where it holds none, or is broken."""
        with suppress(InvalidInputError):
            return next(iter(self._domain.parts(record)), None)
        return None

    def accept(self, record: Record) -> Record:
        """Return a landed record in the declared shape, without personal data; raises InvalidInputError."""
        return self.redact(self._domain.parse(record))

    def partition_of(self, record: Record) -> str | None:
        """Key of the partition a landed record belongs to, or None where it does not say; a bad one may."""
        with suppress(InvalidInputError):  # then it is in the declared shape already, or says nothing
            record = self.accept(record)
        part = self.part(record)
        if part is None:
            return None
        try:
            if self._by.derived:
                return self._home(self.typed(part)[self._by.name])
            return self._home(self._type_home(self._find_home(part)[0])[self._by.name])
        except InvalidInputError:
            return None

    def typed(self, record: Record) -> Row:
        """Return the typed row of an accepted record; raises InvalidInputError."""
        flat, extra = self._flatten(record)
        row = self._validate(flat)
        self._domain.derive(row)
        if problems := list(self._domain.problems(row)):
            raise InvalidInputError("; ".join(problems))
        row["extra"] = _extra_text(extra) if extra else None
        return row

    def _read_whole(  # noqa: PLR0913, RUF100  # the parts of one place
        self,
        partition: str,
        item: ObjectInfo,
        position: int,
        record: Record,
        latest: datetime,
        result: ReadResult,
    ) -> None:
        """Read every record of the domain that one landed record holds."""
        try:
            parts = list(self._domain.parts(record))
        except InvalidInputError as error:
            result.records += 1
            kept = self.scrub_undeclared(self.redact(record))
            result.bad.append(BadRecord(item.shown_key, position, scrub(str(error)), kept))
            return
        for part in parts:
            result.records += 1
            home = self._read_record(partition, item, position, part, latest, result)
            if home is not None:
                whole = record if self._domain.parent is None else part
                stray = self.scrub_undeclared(self.redact(self._domain.parse(whole)))
                result.strays.setdefault((home, item.key), []).append(stray)

    def _read_record(  # noqa: PLR0913, RUF100  # the parts of one place
        self,
        partition: str,
        item: ObjectInfo,
        position: int,
        record: Record,
        latest: datetime,
        result: ReadResult,
    ) -> str | None:
        """Add one record to ``result``; where it belongs to another partition, return the key of that."""
        try:
            record = self.accept(record)
            row = self.typed(record)
            self._refuse_future(row, latest)
            home = self._home(row[self._domain.partitions.by], partition)
        except InvalidInputError as error:
            kept = self.redact(record)  # again, where the record was refused before it was accepted
            result.bad.append(BadRecord(item.shown_key, position, scrub(str(error)), kept))
            return None
        if home != partition:
            return home
        row["source_object"] = item.shown_key
        if row["extra"] is not None:
            result.unknown_fields += len(orjson.loads(row["extra"]))
        result.rows.append(row)
        return None

    def _refuse_future(self, row: Row, latest: datetime) -> None:
        for name in self._times:
            if row[name] is not None and row[name] > latest:
                raise InvalidInputError(f"{name}: lies in the future, seen from the time of landing")

    def _home(self, value: Any, expected: str | None = None) -> str:  # noqa: ANN401, RUF100  # any column type
        partitions = self._domain.partitions
        if expected is not None and (window := self._window(expected)) and window[0] <= value < window[1]:
            return expected
        try:
            return partitions.check(partitions.key_of(value), self._now + ONE_DAY)
        except (UsageError, TypeError) as error:  # the texts would change from day to day
            raise InvalidInputError(f"{partitions.by}: lies outside of all partitions") from error


def _extra_text(extra: dict[str, Any]) -> str:
    try:
        return orjson.dumps(scrub_all(extra), option=orjson.OPT_SORT_KEYS).decode()
    except TypeError as error:  # a lone surrogate, a number beyond 64 bits, nesting without end
        raise InvalidInputError(f"undeclared fields {sorted(extra)[:5]} cannot be kept: {error}") from error
