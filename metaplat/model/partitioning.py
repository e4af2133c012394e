"""How a domain is cut into partitions, and what each partition is called in every place.

Here: the one mapping between a record's value, the partition key that Dagster and a person use, the
landing folder and the hive segment of the lake path.
Not here: Dagster's partitions definitions (``orchestration``), reading folders (``stores``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Protocol

from metaplat.model.errors import UsageError

ONE_DAY = timedelta(days=1)
ONE_HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
"""Segment of rows whose partitioning value is null, as Hive, Spark and DuckDB write it."""
UNKNOWN = "unknown"
"""What a person may write for the partition of rows without a usable time."""


class Partitioning(Protocol):
    """What every partitioning answers."""

    @property
    def by(self) -> str:
        """Column that decides the partition."""

    @property
    def column(self) -> str:
        """Name of the hive segment in the lake path: ``date``, ``hour``, ``month`` or ``id_bucket``."""

    @property
    def unknown(self) -> str | None:
        """Key of the partition of rows whose ``by`` is null; None where there is none such."""

    def key_of(self, value: object) -> str:
        """Partition key of a row whose ``by`` column holds ``value``."""

    def keys(self, now: datetime) -> list[str]:
        """All keys that exist at ``now``, in order."""

    def folder(self, key: str) -> str:
        """Landing folder of ``key`` below the domain's prefix, without slashes around it."""

    def key_of_folder(self, folder: str) -> str | None:
        """Key of a landing folder, or None where the folder is not one of a partition."""

    def segment(self, key: str) -> str:
        """Value of the hive segment of ``key``."""

    def key_of_segment(self, segment: str) -> str | None:
        """Key of a hive segment's value, or None where it is not one of a partition."""

    def file_name(self, key: str) -> str:
        """Return the name of ``key`` in names of files: no two keys have the same."""

    def window(self, key: str) -> tuple[datetime, datetime] | None:
        """Start (inclusive) and end (exclusive) of a time partition; None for a bucket."""

    def check(self, key: str, now: datetime) -> str:
        """Return ``key`` in its canonical spelling; raises UsageError where no such partition exists."""


@dataclass(frozen=True)
class _TimeWindows:
    """Common form of Daily and Hourly: windows of one length from ``start`` on."""

    start: str
    by: str = "execution_date"

    unknown: ClassVar[str | None] = None
    column: ClassVar[str]
    length: ClassVar[timedelta]
    key_format: ClassVar[str]
    folder_format: ClassVar[str]
    segment_format: ClassVar[str]
    file_format: ClassVar[str]

    def __post_init__(self) -> None:
        self._moment(self.start)

    def _moment(self, key: str) -> datetime:
        moment = datetime.strptime(key, self.key_format).replace(tzinfo=UTC)
        if moment.strftime(self.key_format) != key or (moment - EPOCH) % self.length:
            raise ValueError(f"{key!r} is not the start of a window, or not written as keys are")
        return moment

    def key_of(self, value: object) -> str:
        """Partition key of an aware time."""
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise TypeError(f"a time partition is decided by an aware time, not by {type(value).__name__}")
        moment = value.astimezone(UTC)
        return (moment - (moment - EPOCH) % self.length).strftime(self.key_format)

    def keys(self, now: datetime) -> list[str]:
        """All keys from ``start`` to the window that holds ``now``."""
        moment, found = self._moment(self.start), []
        while moment <= now:
            found.append(moment.strftime(self.key_format))
            moment += self.length
        return found

    def folder(self, key: str) -> str:
        """Landing folder, for example ``2025/11/29``."""
        return self._moment(key).strftime(self.folder_format)

    def key_of_folder(self, folder: str) -> str | None:
        """Key of a landing folder, or None where it is not a dated one."""
        return self._key_written(folder, self.folder_format)

    def segment(self, key: str) -> str:
        """Value of the hive segment, for example ``2025-11-29``."""
        return self._moment(key).strftime(self.segment_format)

    def key_of_segment(self, segment: str) -> str | None:
        """Key of a hive segment's value, or None where it is not written as ``segment`` writes it."""
        return self._key_written(segment, self.segment_format)

    def file_name(self, key: str) -> str:
        """Return the name in names of files, for example ``2025-11-29``."""
        return self._moment(key).strftime(self.file_format)

    def _key_written(self, text: str, form: str) -> str | None:
        """Key of a time written in ``form``, or None where ``text`` is not exactly that."""
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            return None
        return moment.strftime(self.key_format) if moment.strftime(form) == text else None

    def window(self, key: str) -> tuple[datetime, datetime]:
        """Start (inclusive) and end (exclusive) of the window."""
        start = self._moment(key)
        return start, start + self.length

    def check(self, key: str, now: datetime) -> str:
        """Return ``key`` where it is a window between ``start`` and ``now``."""
        try:
            moment = self._moment(key)
        except ValueError:
            example = self._moment(self.start).strftime(self.key_format)
            raise UsageError(
                f"no partition {key!r}: a {self.column} partition is written like {example}"
            ) from None
        last = self.key_of(now)
        if moment < self._moment(self.start) or moment > now:
            raise UsageError(f"no partition {key!r}: partitions run from {self.start} to {last} (UTC)")
        return key


@dataclass(frozen=True)
class Daily(_TimeWindows):
    """One partition a day in UTC; ``start`` is the first, for example ``2025-01-01``."""

    column: ClassVar[str] = "date"
    length: ClassVar[timedelta] = ONE_DAY
    key_format: ClassVar[str] = "%Y-%m-%d"
    folder_format: ClassVar[str] = "%Y/%m/%d"
    segment_format: ClassVar[str] = "%Y-%m-%d"
    file_format: ClassVar[str] = "%Y-%m-%d"


@dataclass(frozen=True)
class Hourly(_TimeWindows):
    """One partition an hour in UTC; ``start`` is the first, for example ``2025-01-01-00:00``."""

    column: ClassVar[str] = "hour"
    length: ClassVar[timedelta] = ONE_HOUR
    key_format: ClassVar[str] = "%Y-%m-%d-%H:%M"
    folder_format: ClassVar[str] = "%Y/%m/%d/%H"
    segment_format: ClassVar[str] = "%Y-%m-%d-%H"
    file_format: ClassVar[str] = "%Y-%m-%d-%H"


@dataclass(frozen=True)
class DailyOrUnknown(_TimeWindows):
    """One partition a day in UTC, and one more for rows without a usable time; files hold a month each.

    Dagster's daily partitions are windows and nothing else, so the partition of the unknown is ``start``
    itself, a day on which nothing can have happened; days count from the one after it. Only its key is such a
    stand-in: the rows keep their null, and so does ``month`` in SQL. Rows dated before the first day or after
    the current one lie there too.
    """

    column: ClassVar[str] = "month"
    length: ClassVar[timedelta] = ONE_DAY
    key_format: ClassVar[str] = "%Y-%m-%d"
    folder_format: ClassVar[str] = "%Y/%m/%d"
    segment_format: ClassVar[str] = "%Y-%m"
    file_format: ClassVar[str] = "%Y-%m-%d"

    @property
    def unknown(self) -> str:  # type: ignore[override]  # it depends on the start
        """Key of the partition of rows without a usable time."""
        return self.start

    def key_of(self, value: object) -> str:
        """Partition key of an aware time, or of null."""
        early = value is None or (isinstance(value, datetime) and value < self.first_time)
        return self.start if early else super().key_of(value)

    def key_at(self, value: datetime | None, now: datetime) -> str:
        """Partition key of a row as things are at ``now``: what lies ahead has no partition yet."""
        return self.start if value is not None and value >= self.end_time(now) else self.key_of(value)

    @property
    def first_time(self) -> datetime:
        """The first moment that has a day of its own."""
        return self._moment(self.start) + ONE_DAY

    def end_time(self, now: datetime) -> datetime:
        """End (exclusive) of the current day."""
        return now - (now - EPOCH) % ONE_DAY + ONE_DAY

    def segment(self, key: str) -> str:
        """Value of the hive segment: the month, or what Hive writes for null."""
        return HIVE_NULL if key == self.start else super().segment(key)

    def key_of_segment(self, segment: str) -> str | None:
        """Key of the unknown for its own segment; None for a month, which holds many."""
        return self.start if segment == HIVE_NULL else None

    def window(self, key: str) -> tuple[datetime, datetime] | None:  # type: ignore[override]  # see above
        """Start (inclusive) and end (exclusive) of a day; None for the unknown."""
        return None if key == self.start else super().window(key)

    def check(self, key: str, now: datetime) -> str:
        """Return ``key`` where it is a day between ``start`` and ``now``, or ``unknown``."""
        return self.start if key == UNKNOWN else super().check(key, now)


@dataclass(frozen=True)
class IdBuckets:
    """A fixed number of buckets, keys ``"0"`` to ``str(count - 1)`` without padding."""

    count: int = 256
    by: str = "id_bucket"

    unknown: ClassVar[str | None] = None
    column: ClassVar[str] = "id_bucket"

    def key_of(self, value: object) -> str:
        """Partition key of a bucket number."""
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < self.count:
            raise TypeError(f"a bucket is a whole number from 0 to {self.count - 1}, not {value!r}")
        return str(value)

    def keys(self, now: datetime) -> list[str]:
        """All buckets; ``now`` does not matter."""
        del now
        return [str(number) for number in range(self.count)]

    def folder(self, key: str) -> str:
        """Landing folder, for example ``id_bucket=17``."""
        return f"id_bucket={key}"

    def key_of_folder(self, folder: str) -> str | None:
        """Key of a landing folder, or None where it is not that of a bucket."""
        found = re.fullmatch(r"id_bucket=(0|[1-9][0-9]{0,8})", folder)
        return found[1] if found and int(found[1]) < self.count else None

    def segment(self, key: str) -> str:
        """Value of the hive segment: the key itself."""
        return key

    def key_of_segment(self, segment: str) -> str | None:
        """Key of a hive segment's value, or None where it is not that of a bucket."""
        return self.key_of_folder(f"id_bucket={segment}")

    def file_name(self, key: str) -> str:
        """Return the name in names of files: the key itself."""
        return key

    def window(self, key: str) -> None:
        """Return None: a bucket has no time."""
        del key

    def check(self, key: str, now: datetime) -> str:
        """Return ``key`` where it is one of the buckets."""
        if key not in self.keys(now):
            raise UsageError(f"no partition {key!r}: buckets run from 0 to {self.count - 1}")
        return key


def stretches(keys: set[str], order: list[str]) -> list[tuple[str, str]]:
    """First and last key of each contiguous stretch of ``keys`` in ``order``: what one run can hold."""
    found: list[tuple[str, str]] = []
    previous: str | None = None
    for key in order:
        if key in keys:
            found.append((key, key) if previous is None else (found.pop()[0], key))
        previous = key if key in keys else None
    return found
