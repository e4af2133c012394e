"""The files of a job: what lies on the file host, and how the vendor lists it, wrongly where asked to.

Here: keys, sizes and contents; the faults ``list_*`` that change entries.
Not here: the call that returns the list (``vendor``), signatures (``signing``), sending (``file_host``).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

from metaplat_tests.standins.vip import content
from metaplat_tests.standins.vip.tables import (
    SCHEMA_FILE,
    SCRIPT_FILE,
    TABLE_NAMES,
    schema,
    schema_bytes,
    script_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from metaplat_tests.standins.vip.faults import FaultPlan
    from metaplat_tests.standins.vip.scenario import Scenario

WRONG_BYTES = 1_000
HOSTILE_KEYS = {
    "list_dotdot": ("../../x.csv", "folder/.."),
    "list_backslash": ("folder/..\\..\\x.csv",),
    "list_percent": ("folder/%2e%2e%2fx.csv",),
    "list_nul": ("folder/Voyages\0_9.csv.gz",),
    "list_long_name": ("folder/" + "L" * 2_040 + "_0.csv",),
    "list_reserved_name": ("folder/_manifest.json", "folder/_PresignedUrls.json"),
    "list_markup_name": ("folder/<img src=x onerror=alert(1)>_0.csv",),
}
ADDRESSES = {
    "list_foreign_host": "https://files.example.com",
    "list_http": "http://bucket.s3.amazonaws.com",
    "list_link_local": "http://169.254.169.254",
    "list_private": "https://10.0.0.1",
    "list_user_info": "http://user:password@{host}",
}


@dataclass(frozen=True)
class HostedFile:
    """A file on the file host.

    Parameters
    ----------
    key : str
        The vendor's key.
    size : int
        Bytes.
    label : str
        What the content depends on.
    body : bytes or None
        The content, where it is not made of ``label``.
    """

    key: str
    size: int
    label: str
    body: bytes | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Base name."""
        return self.key.rpartition("/")[2]

    @property
    def is_data(self) -> bool:
        """Whether it is a file of a table, and no schema or script."""
        return self.body is None

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield a part of the content."""
        if self.body is None:
            return content.chunks(self.label, self.size, start, stop)
        return iter([self.body[start:stop]])

    def bytes(self) -> bytes:
        """Return the whole content."""
        return b"".join(self.chunks())

    def sha256(self) -> str:
        """Return the checksum of the content, hexadecimal."""
        digest = sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()


@dataclass(frozen=True)
class Entry:
    """One entry of the list: a file, and what is said of it.

    Parameters
    ----------
    file : HostedFile
        What is served.
    size : int or None
        What is said of its size; None: nothing.
    base : str or None
        Another host than the right one, with its scheme.
    checksum : str or None
        What is said of its content.
    """

    file: HostedFile
    size: int | None
    base: str | None = None
    checksum: str | None = None


@dataclass
class Job:
    """One accepted export.

    Parameters
    ----------
    guid : str
        Its identifier.
    config_name : str
        What is exported.
    accepted : datetime
        When, on the vendor's clock.
    scenario : Scenario
        How much it delivers.
    polls : int
        Times it was asked for.
    """

    guid: str
    config_name: str
    accepted: datetime
    scenario: Scenario
    polls: int = 0

    def minutes(self, now: datetime) -> float:
        """Return how far it is: the time since it was accepted, and what each poll added."""
        return (now - self.accepted).total_seconds() / 60 + self.polls * self.scenario.minutes_per_poll

    def is_complete(self, now: datetime) -> bool:
        """Whether its files are there."""
        return self.minutes(now) >= self.scenario.job_minutes

    @cached_property
    def files(self) -> list[HostedFile]:
        """What it delivers: data files in the order of the tables, then schema and script."""
        content_of_schema = schema(self._tables)
        return [
            *self._data_files(),
            self._real_file(SCHEMA_FILE, schema_bytes(content_of_schema)),
            self._real_file(SCRIPT_FILE, script_bytes(content_of_schema)),
        ]

    @property
    def victims(self) -> list[HostedFile]:
        """The files that faults hit."""
        return [each for each in self.files if each.is_data][: self.scenario.victims]

    @property
    def folder(self) -> str:
        """What stands before the base name in every key."""
        return f"{self.scenario.company}/{self.accepted:%Y%m%d_%H%M%S}/"

    @property
    def _tables(self) -> tuple[str, ...]:
        scenario = self.scenario
        wanted = scenario.tables if scenario.files is None else min(scenario.tables, scenario.files)
        return TABLE_NAMES[:wanted]

    def _data_files(self) -> Iterator[HostedFile]:
        scenario = self.scenario
        tables = self._tables
        for number, table in enumerate(tables):
            rng = random.Random(f"{scenario.seed}/{table}")
            partitions = rng.randint(1, 4)
            if scenario.files is not None:
                more = number < scenario.files % len(tables)
                partitions = scenario.files // len(tables) + more
            for partition in range(partitions):
                size = int(scenario.size * (1 + scenario.spread * rng.uniform(-1, 1)))
                yield self.made(f"{self.folder}{table}_{partition}.csv.gz", size)

    def made(self, key: str, size: int) -> HostedFile:
        """Return a file of this job whose content follows from the key."""
        return HostedFile(key, size, f"{self.scenario.seed}/{self.guid}/{key}")

    def _real_file(self, name: str, body: bytes) -> HostedFile:
        key = self.folder + name
        return HostedFile(key, len(body), f"{self.scenario.seed}/{self.guid}/{key}", body)


def listed(job: Job, faults: FaultPlan, host: str) -> list[Entry]:
    """Return the entries of a job's list, as the faults have them.

    Parameters
    ----------
    job : Job
        A complete one.
    faults : FaultPlan
        What is wrong.
    host : str
        Host and port of the server.
    """
    victims = {each.key for each in job.victims}
    entries = [Entry(each, each.size) for each in job.files]
    entries = [_changed(each, faults, host) if each.file.key in victims else each for each in entries]
    if faults.has("list_checksum", "list_checksum_wrong"):
        entries = [_with_checksum(each, victims, faults) for each in entries]
    if faults.has("list_missing_table"):
        gone = job.files[0].name.partition("_")[0]
        entries = [each for each in entries if each.file.name.partition("_")[0] != gone]
    return entries + _repeated(job, faults) + _further(job, faults)


def hidden_files(job: Job, faults: FaultPlan) -> dict[str, HostedFile]:
    """Return all that the file host has of a job, by key: also what only a fault lists."""
    return {each.file.key: each.file for each in reversed(listed(job, faults, ""))}


def _changed(entry: Entry, faults: FaultPlan, host: str) -> Entry:
    base = next((address for name, address in ADDRESSES.items() if faults.has(name)), None)
    entry = replace(entry, base=base.format(host=host) if base else None)
    if faults.has("list_wrong_size"):
        return replace(entry, size=entry.file.size + WRONG_BYTES)
    if faults.has("list_size_zero"):
        return replace(entry, size=0, file=replace(entry.file, size=0))
    if faults.has("list_zero_but_full"):
        return replace(entry, size=0)
    return replace(entry, size=None) if faults.has("list_no_size") else entry


def _with_checksum(entry: Entry, victims: set[str], faults: FaultPlan) -> Entry:
    wrong = faults.has("list_checksum_wrong") and entry.file.key in victims
    return replace(entry, checksum="0" * 64 if wrong else entry.file.sha256())


def _repeated(job: Job, faults: FaultPlan) -> list[Entry]:
    entries = []
    for victim in job.victims:
        if faults.has("list_duplicate_keys"):
            entries.append(Entry(victim, victim.size))
        if faults.has("list_duplicate_sizes"):
            entries.append(Entry(victim, victim.size + WRONG_BYTES))
        if faults.has("list_same_name_two_folders"):
            entries.append(Entry(job.made(f"elsewhere/{victim.name}", victim.size), victim.size))
    return entries


def _further(job: Job, faults: FaultPlan) -> list[Entry]:
    keys = [key for name, hostile in HOSTILE_KEYS.items() if faults.has(name) for key in hostile]
    if faults.has("list_extra_table"):
        keys.append(f"{job.folder}Surprises_0.csv.gz")
    return [Entry(job.made(key, 500), 500) for key in keys]
