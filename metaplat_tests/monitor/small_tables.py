"""A small table on disk or on S3, profiled run after run; what is read of it is written down.

Here: what tests of profiles share.
Not here: writing key files and counting them one by one (``standins.key_tables``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from metaplat.model.table import BucketFunction, Engine, MonitoredTable
from metaplat.monitor.profile import profile_table
from metaplat.settings import S3Settings
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.tables.files import TableFiles, open_table_files
from metaplat_tests.standins.key_tables import write_file, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from metaplat.model.landed import ObjectInfo
    from metaplat.model.table_metrics import TableProfile

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)


@dataclass
class WatchedFiles:
    """The files of a table; ``listed`` and ``read`` say how often what was asked for.

    Parameters
    ----------
    inner : TableFiles
        The real ones.
    after_listing : callable
        Called once, as soon as the table was listed.
    """

    inner: TableFiles
    after_listing: Callable[[], object] = lambda: None
    listed: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)

    @property
    def address(self) -> str:
        """Where they are."""
        return self.inner.address

    @property
    def parallel(self) -> int:
        """As the real ones."""
        return self.inner.parallel

    def list_objects(self) -> list[ObjectInfo]:
        """List all, then do what was asked for."""
        self.listed["."] += 1
        found = self.inner.list_objects()
        self.after_listing()
        return found

    def list_folder(self, folder: str) -> list[ObjectInfo]:
        """List one folder."""
        self.listed[folder] += 1
        return self.inner.list_folder(folder)

    def local_path(self, info: ObjectInfo) -> str | None:
        """Path of a local file."""
        return self.inner.local_path(info)

    def read_tail(self, info: ObjectInfo, size: int) -> bytes:
        """Read the end of a file."""
        self.read[info.key] += 1
        return self.inner.read_tail(info, size)

    def read_ranges(self, info: ObjectInfo, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Read parts of a file."""
        self.read[info.key] += 1
        return self.inner.read_ranges(info, ranges)


@dataclass
class SmallTable:
    """A table of four buckets below ``folder``, key column ``k``, and the state kept of it."""

    folder: Path
    function: BucketFunction = BucketFunction.NONE
    engine: Engine = Engine.BUCKET
    count: int = 4
    runs: int = 0

    @property
    def location(self) -> Path:
        """Folder of the table."""
        return self.folder / "table"

    @property
    def table(self) -> MonitoredTable:
        """Its declaration, by the settings of now."""
        return MonitoredTable(
            "part_t",
            str(self.location),
            "k",
            self.count,
            bucket_function=self.function,
            engine=self.engine,
        )

    @property
    def state(self) -> LocalObjects:
        """Return the state store."""
        return LocalObjects(self.folder / "state")

    def write(
        self, keys: Mapping[int, Sequence[Sequence[Any]]], kind: pa.DataType | None = None
    ) -> SmallTable:
        """Write keys by bucket and file."""
        write_table(self.location, keys, kind or pa.string())
        return self

    def write_file(self, name: str, keys: Sequence[Any], kind: pa.DataType | None = None) -> Path:
        """Write one file of keys; ``name`` is relative to the table."""
        path = self.location / name
        write_file(path, keys, kind or pa.string())
        return path

    def watched(self, after_listing: Callable[[], object] = lambda: None) -> WatchedFiles:
        """Open its files."""
        return WatchedFiles(open_table_files(str(self.location), S3Settings()), after_listing)

    def profile(self, files: TableFiles | None = None, **options: Any) -> TableProfile:
        """Profile once more; the runs are called ``run-1``, ``run-2`` and so on."""
        self.runs += 1
        given: dict[str, Any] = {"run_id": f"run-{self.runs}", "now": NOW, "clear_samples": True, **options}
        state = given.pop("state", self.state)
        return profile_table(self.table, files or self.watched(), state, **given)


def column(profile: TableProfile, name: str) -> list[Any]:
    """Return a column of the metrics frame."""
    return profile.frame[name].to_list()
