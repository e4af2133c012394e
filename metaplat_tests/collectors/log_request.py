"""A request whose warnings and rejections a test can read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metaplat.collectors.collector import CollectRequest
from metaplat.collectors.spark.log_files.place import open_place
from metaplat.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.collectors.spark.log_files.log import EventLog, LogFile
    from metaplat.collectors.spark.log_files.place import LogPlace


@dataclass
class Asked:
    """A place as a request opens it, and what the request was told.

    Parameters
    ----------
    path, url : Path, str or None
        As in ``CollectRequest``.
    settings : dict
        Settings that differ from the defaults, by section.
    """

    path: Path | None = None
    url: str | None = None
    settings: dict[str, object] = field(default_factory=dict)
    warned: list[str] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> LogPlace:
        """The place, opened anew."""
        settings = Settings.model_validate(self.settings)
        now = datetime(2026, 1, 1, tzinfo=UTC)
        return open_place(
            CollectRequest(
                settings, now, self.warned.append, self.path, self.url, reject=self.rejected.__setitem__
            )
        )

    def logs(self) -> list[EventLog]:
        """Return the logs of the place."""
        return list(self.place.logs())

    def names(self) -> list[str]:
        """Return the names of the logs."""
        return [log.name for log in self.logs()]

    def read(self, file: LogFile, offset: int = 0) -> bytes:
        """Return the stored bytes of a file."""
        return b"".join(self.place.read(file, offset))
