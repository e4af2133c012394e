"""Spark's properties as they were in force, defaults of the version included.

Here: typed look-ups for conclusions, so that advice never contradicts what is set.
Not here: which of them may be shown (``secret_values``). Properties set by a running program
(``spark.conf.set``) are in no log's list of properties, and not known here.

Defaults are those of Spark's pages "Configuration" and "Performance Tuning"; adaptive execution came in 3.0
and is on since 3.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.collectors.spark.attempt import ApplicationAttempt

MIB = 2**20
UNITS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
SIZE = re.compile(r"(\d{1,15})\s*([bkmgtp]?)(?:i?b)?", re.IGNORECASE)
WHOLE = re.compile(r"\d{1,9}")
ADAPTIVE = "spark.sql.adaptive.enabled"
SKEW_JOIN = "spark.sql.adaptive.skewJoin.enabled"
COALESCE = "spark.sql.adaptive.coalescePartitions.enabled"
SHUFFLE_PARTITIONS = "spark.sql.shuffle.partitions"
ADVISORY = "spark.sql.adaptive.advisoryPartitionSizeInBytes"
READ_BYTES = "spark.sql.files.maxPartitionBytes"
DYNAMIC = "spark.dynamicAllocation.enabled"
TASK_CPUS = "spark.task.cpus"
DEFAULT_PARTITIONS = 200
DEFAULT_ADVISORY = 64 * MIB
DEFAULT_READ_BYTES = 128 * MIB


@dataclass(frozen=True)
class Properties:
    """Properties of one application.

    Parameters
    ----------
    values : mapping of str to str
        As Spark says them; what is not set is absent.
    version : (int, int) or None
        Major and minor version of Spark.
    """

    values: Mapping[str, str]
    version: tuple[int, int] | None

    @classmethod
    def of(cls, attempt: ApplicationAttempt) -> Properties:
        """Return those of an attempt."""
        found = re.match(r"(\d{1,4})\.(\d{1,4})", attempt.spark_version or "")
        return cls(attempt.environment, (int(found[1]), int(found[2])) if found else None)

    @property
    def databricks(self) -> bool:
        """Whether a Databricks cluster set them."""
        return any(name.startswith("spark.databricks.") for name in self.values)

    @property
    def adaptive(self) -> bool | None:
        """Whether SQL runs adaptively; None where neither a property nor a version says."""
        default = self.at_least(3, 2) or (True if self.databricks else None)
        return self.flag(ADAPTIVE, default=False if self.at_least(3, 2) is False else default)

    @property
    def coalescing(self) -> bool:
        """Whether adaptive execution merges small shuffle partitions."""
        return bool(self.adaptive) and self.flag(COALESCE, default=True) is not False

    @property
    def task_cpus(self) -> int:
        """Cores that a task takes."""
        return self.whole(TASK_CPUS) or 1

    def at_least(self, major: int, minor: int) -> bool | None:
        """Whether Spark has this version or a later one; None where its version is not known."""
        return None if self.version is None else self.version >= (major, minor)

    def flag(self, name: str, *, default: bool | None) -> bool | None:
        """Return a property that is true or false."""
        said = self.values.get(name, "").strip().lower()
        return {"true": True, "false": False}.get(said, default)

    def whole(self, name: str) -> int | None:
        """Return a property that is a whole number; None where it is not set, or is none."""
        said = self.values.get(name, "").strip()
        return int(said) if WHOLE.fullmatch(said) else None

    def size(self, name: str, unit: str = "b") -> int | None:
        """Return a property that is a size, in bytes; a bare number counts in ``unit``."""
        return size_of(self.values.get(name, ""), unit)


def size_of(text: str, unit: str = "b") -> int | None:
    """Return a size as Spark writes it (``6G``, ``512m``, ``64MB``) in bytes; None where it is none."""
    found = SIZE.fullmatch(text.strip())
    return int(found[1]) * 1024 ** UNITS[found[2].lower() or unit] if found else None
