"""Hour folders of deliveries, filled by hand, one file at a time.

Here: writing small folders exactly as a test wants them, and making their history.
Not here: months of realistic deliveries (``vip.history_tree``).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from metaplat.model.extract import MANIFEST_FILE, PROMISE_FILE, Extract, ExtractStatus
from metaplat.settings import Settings, VipSettings
from metaplat.stores.deliveries import open_deliveries
from metaplat.vip.history.build import build_history
from metaplat.vip.history.histories import Histories

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FIRST = datetime(2022, 2, 8, 8, tzinfo=UTC)
CONFIG = "onDemandExtract1DayProd"
SCHEMA_FILE = "_MasterTableSchema.json"


class HourFolders:
    """Folders of hours, numbered from ``FIRST``, below a local root; settings as keywords."""

    def __init__(self, root: Path, **vip: Any) -> None:
        self.root = root
        vip.setdefault("environment", "Prod")
        self.settings = Settings(home=root / "home", vip=VipSettings(target=str(root), **vip))
        self.deliveries = open_deliveries(self.settings)

    def hour(self, number: int) -> datetime:
        """Return the start of an hour."""
        return FIRST + timedelta(hours=number)

    def hours(self, count: int, first: int = 0) -> list[datetime]:
        """Return ``count`` hours from number ``first`` on."""
        return [self.hour(number) for number in range(first, first + count)]

    def put(self, number: int, files: Mapping[str, int | bytes | str]) -> None:
        """Write files into the folder of an hour: their sizes, or their content."""
        for name, content in files.items():
            path = self.root / self.settings.vip.folder(self.hour(number)) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, int):
                content = b"x" * content
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def schema(self, number: int, *tables: str | Mapping[str, Any]) -> None:
        """Write the schema file: names of tables, or whole entries."""
        entries = [{"DataObjectName": each} if isinstance(each, str) else each for each in tables]
        self.put(number, {SCHEMA_FILE: json.dumps(entries)})

    def promise(self, number: int, sizes: Mapping[str, int | None]) -> None:
        """Write the saved promise."""
        self.put(number, {PROMISE_FILE: json.dumps(promise_entries(sizes))})

    def manifest(self, number: int, **fields: Any) -> None:
        """Write our manifest."""
        self.put(number, {MANIFEST_FILE: json.dumps({"config_name": CONFIG, **fields})})

    def build(
        self,
        hours: Sequence[datetime],
        earlier: Histories | None = None,
        extracts: Mapping[datetime, Extract] | None = None,
    ) -> Histories:
        """Return the history of some hours."""
        known = Histories.empty() if earlier is None else earlier
        return build_history(self.settings, self.deliveries, hours, known, extracts or {}, CONFIG)

    def job(self, number: int = 0, extracts: Mapping[datetime, Extract] | None = None) -> dict[str, Any]:
        """Return the row of one hour in the history of jobs, made with the hours before it."""
        return self.build(self.hours(number + 1), extracts=extracts).jobs.row(number, named=True)

    def tables(self, number: int = 0) -> dict[str, dict[str, Any]]:
        """Return the rows of one hour in the history of tables, by table."""
        rows = self.build(self.hours(number + 1)).at([self.hour(number)]).tables
        return {row["table"]: row for row in rows.to_dicts()}


def extract(hour: datetime, status: ExtractStatus, **fields: Any) -> Extract:
    """Return what a pull remembers of an hour."""
    return Extract(CONFIG, "Prod", hour, "", status, **fields)


def promise_entries(sizes: Mapping[str, int | None]) -> list[dict[str, Any]]:
    """Return the entries of a promise as the vendor lists them, with live addresses."""
    address = "https://vendor.s3.amazonaws.com/job"
    return [
        {
            "key": f"job/{name}",
            "presignedDownloadURL": f"{address}/{name}?X-Amz-Signature=s3cr3t",
            "size": size,
        }
        for name, size in sizes.items()
    ]
