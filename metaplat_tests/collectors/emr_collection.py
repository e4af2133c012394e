"""Collections from EMR, as the tests of the source ``emr`` make them.

Here: one account with its settings, memory and log folder, collected again and again.
Not here: tests, EMR itself (``standins.emr_clusters``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from metaplat.collectors.collector import CollectRequest
from metaplat.collectors.spark.emr import collect
from metaplat.settings import Settings, SparkSettings
from metaplat_tests.standins.emr_clusters import CREATED

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat_tests.standins.emr_clusters import EmrFront

NOW = CREATED + timedelta(hours=12)


class Notebook:
    """A memory that keeps at once what it is told: every record counts as landed."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, bytes]] = {}

    def fingerprint(self, name: str) -> str | None:
        """Return what is kept."""
        return self.kept[name][0] if name in self.kept else None

    def note(self, name: str) -> bytes | None:
        """Return what is kept."""
        return self.kept[name][1] if name in self.kept else None

    def remember(self, name: str, fingerprint: str, note: bytes = b"") -> None:
        """Keep it."""
        assert len(fingerprint.encode()) <= 120
        self.kept[name] = (fingerprint, note)


@dataclass
class Account:
    """One account, and the collections of it."""

    emr: EmrFront
    home: Path
    settings: SparkSettings = field(default_factory=SparkSettings)
    notebook: Notebook = field(default_factory=Notebook)
    warnings: list[str] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)

    def request(self, **changes: Any) -> CollectRequest:
        """Return what is asked, with changes; what was told before is forgotten."""
        self.warnings.clear()
        self.rejected.clear()
        self.emr.asked.clear()
        request = CollectRequest(
            Settings(home=self.home, spark=self.settings),
            NOW,
            self.warnings.append,
            reject=self.rejected.__setitem__,
            memory=self.notebook,
        )
        return replace(request, **changes)

    def collect(self, **changes: Any) -> dict[str, dict[str, Any]]:
        """Collect once; records by application id."""
        records = list(collect(self.request(**changes)))
        assert len({record["app_id"] for record in records}) == len(records)
        return {record["app_id"]: dict(record) for record in records}
