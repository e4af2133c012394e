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


class Partitioning(Protocol):
    """What every partitioning answers."""

    @property
    def by(self) -> str:
        """Column that decides the partition."""

    @property
    def column(self) -> str:
        """Name of the hive segment in the lake path: ``date``, ``hour`` or ``id_bucket``."""

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

    def window(self, key: str) -> tuple[datetime, datetime] | None:
        """Start (inclusive) and end (exclusive) of a time partition; None for a bucket."""

    def check(self, key: str, now: datetime) -> str:
        """Return ``key`` in its canonical spelling; raises UsageError where no such partition exists."""


@dataclass(frozen=True)
class _TimeWindows:
    """Common form of Daily and Hourly: windows of one length from ``start`` on."""

    start: str
    by: str = "execution_date"

    column: ClassVar[str]
    length: ClassVar[timedelta]
    key_format: ClassVar[str]
    folder_format: ClassVar[str]
    segment_format: ClassVar[str]

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


@dataclass(frozen=True)
class Hourly(_TimeWindows):
    """One partition an hour in UTC; ``start`` is the first, for example ``2025-01-01-00:00``."""

    column: ClassVar[str] = "hour"
    length: ClassVar[timedelta] = ONE_HOUR
    key_format: ClassVar[str] = "%Y-%m-%d-%H:%M"
    folder_format: ClassVar[str] = "%Y/%m/%d/%H"
    segment_format: ClassVar[str] = "%Y-%m-%d-%H"


@dataclass(frozen=True)
class IdBuckets:
    """A fixed number of buckets, keys ``"0"`` to ``str(count - 1)`` without padding."""

    count: int = 256
    by: str = "id_bucket"

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
