"""Collecting from a platform's stand-in, with what was warned of, rejected and remembered.

Here: requests to the real collectors, so that a test says only what it plants and what it expects.
Not here: the stand-ins (``databricks_api``, ``dataproc_api``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from metaplat.collectors.collector import CollectRequest
from metaplat.ingest.collector_memory import LONGEST
from metaplat.settings import S3Settings, Settings, SparkSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@dataclass
class RememberedThings:
    """A memory that lives as long as the test."""

    things: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def fingerprint(self, name: str) -> str | None:
        """Return the fingerprint of ``name``."""
        return self.things[name][0] if name in self.things else None

    def note(self, name: str) -> bytes | None:
        """Return what was remembered with ``name``."""
        return self.things[name][1] if name in self.things else None

    def remember(self, name: str, fingerprint: str, note: bytes = b"") -> None:
        """Remember ``name``."""
        assert len(fingerprint.encode()) <= LONGEST
        self.things[name] = (fingerprint, note)


@dataclass
class Collection:
    """What came of collecting, again and again with one memory."""

    collector: Callable[[CollectRequest], Iterator[Mapping[str, Any]]]
    settings: dict[str, Any]
    s3: dict[str, Any] = field(default_factory=dict)
    memory: RememberedThings = field(default_factory=RememberedThings)
    warnings: list[str] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)

    def run(self, now: datetime = NOW, **asked: Any) -> dict[tuple[str, str | None], Mapping[str, Any]]:
        """Collect, and return the records by ``app_id`` and ``attempt_id``, each of which comes once."""
        self.warnings.clear()
        self.rejected.clear()
        found = list(self.collector(self.request(now, **asked)))
        records = {(record["app_id"], record["attempt_id"]): record for record in found}
        assert len(records) == len(found)
        return records

    def request(self, now: datetime = NOW, **asked: Any) -> CollectRequest:
        """Return what is asked of the collector."""
        return CollectRequest(
            Settings(spark=SparkSettings(**self.settings), s3=S3Settings(**self.s3)),
            now,
            self.warnings.append,
            reject=self.rejected.__setitem__,
            memory=self.memory,
            **asked,
        )
