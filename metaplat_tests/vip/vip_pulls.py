"""Pulls from the stand-in vendor into a folder, and what is left of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from metaplat.settings import Settings, VipSettings
from metaplat.stores.local_objects import LocalObjects
from metaplat.vip.pulling.bench import unheard
from metaplat.vip.pulling.pull import Pulled, pull
from metaplat.vip.pulling.remembered import ExtractMemory
from metaplat.vip.pulling.repair import repair
from metaplat.vip.pulling.verify import verify
from metaplat_tests.standins.vip import CANARY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from metaplat.model.extract import Extract
    from metaplat_tests.standins.vip import VipServer

HOUR = datetime(2022, 2, 8, 8, tzinfo=UTC)
NOW = HOUR + timedelta(minutes=10)
TEST = "onDemandExtract1DayTest"
FOLDER = "DEV/IMOSDL/Hourly/20220208/08/"
QUICK = {
    "export_apart": False,
    "deadline_minutes": 0.5,
    "stall_seconds": 5.0,
    "file_retries": 2,
    "retries": 2,
    "poll_seconds": 0.01,
    "backoff_seconds": 0.005,
}


@dataclass
class Hand:
    """A clock that stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """Return the time on it."""
        return self.now


@dataclass
class Site:
    """One installation of metaplat that pulls from a vendor.

    Parameters
    ----------
    home : Path
        Everything of it.
    server : VipServer
        The vendor.
    clock : Hand
        Its clock.
    changes : mapping
        Settings of section ``vip`` that differ.
    hears : callable
        Acts on what is told.
    """

    home: Path
    server: VipServer
    clock: Hand = field(default_factory=Hand)
    changes: Mapping[str, Any] = field(default_factory=dict)
    hears: Callable[[str], None] = unheard
    told: list[str] = field(default_factory=list)
    saved: list[Extract] = field(default_factory=list)
    state: LocalObjects = field(init=False)

    def __post_init__(self) -> None:
        self.state = LocalObjects(self.home / "state")

    @property
    def settings(self) -> Settings:
        """Its settings."""
        vip = VipSettings(**{**self.server.settings, **QUICK, **self.changes})
        return Settings(home=self.home, vip=vip)

    @property
    def memory(self) -> ExtractMemory:
        """What it remembers."""
        return ExtractMemory(self.state)

    def pull(self, hour: datetime | None = None, **further: Any) -> Pulled:
        """Pull, and keep what was told and saved."""
        saved = self.saved.append
        return pull(self.settings, self.state, self.clock, hour=hour, tell=self.tell, saved=saved, **further)

    def tell(self, sentence: str) -> None:
        """Keep what is told, and act on it."""
        self.told.append(sentence)
        self.hears(sentence)

    def verify(self, hour: datetime = HOUR, **further: Any) -> Extract:
        """Verify an hour."""
        return verify(self.settings, self.state, hour, self.clock, **further)

    def repair(self, hour: datetime = HOUR) -> Extract:
        """Repair an hour."""
        return repair(self.settings, self.state, hour, self.clock, tell=self.tell)

    def remembered(self, hour: datetime = HOUR) -> Extract | None:
        """Return what is remembered of an hour."""
        return self.memory.load(self.settings.vip.config, hour)

    def files(self, folder: str = FOLDER) -> dict[str, bytes]:
        """Return the files of an hour's folder by name, ours included; not what a killed writer left."""
        found = (self.home / folder).glob("[!.]*")
        return {each.name: each.read_bytes() for each in found}

    def document(self, name: str) -> Any:
        """Return one of our own files."""
        return json.loads(self.files()[name])

    def is_as_sent(self, extract: Extract) -> bool:
        """Whether every delivered file is what the vendor has, byte for byte, and no other file is there."""
        files = self.files(extract.folder)
        own = {"_manifest.json", "_PresignedUrls.json"} if extract.delivered else set()
        guid = str(extract.job_guid)
        sent = {
            each.promised.name: self.server.expected_bytes(guid, each.promised.key)
            for each in extract.delivered
        }
        return {name: files[name] for name in files.keys() - own} == sent and own <= files.keys()

    def leaks(self) -> list[str]:
        """Return files of this installation that hold a secret, and sentences that do."""
        files = [path for path in self.home.rglob("*") if path.is_file()]
        found = [str(path) for path in files if CANARY.encode() in path.read_bytes()]
        texts = [*self.told, *map(repr, self.saved)]
        return found + [text for text in texts if CANARY in text]
