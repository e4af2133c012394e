"""Months of hourly deliveries as a tree of folders, with faults planted and told.

Here: volumes with seasons, files of the right sizes that take no room on the disk, real papers, a program:
``python -m metaplat_tests.standins.vip.history_tree --to DIR --hours 1008``.
Not here: which faults, and the record of them (``history_faults``), the papers (``history_papers``),
a vendor that answers (``server``).
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaplat_tests.standins.vip.history_faults import HistoryFaults, SchemaChange, TreeFacts
from metaplat_tests.standins.vip.history_papers import (
    MANIFEST_FILE,
    PROMISE_FILE,
    DeliveredFile,
    iso,
    manifest_of,
    promise,
)
from metaplat_tests.standins.vip.tables import (
    SCHEMA_FILE,
    SCRIPT_FILE,
    TABLE_NAMES,
    Schema,
    schema,
    schema_bytes,
    script_bytes,
)

if TYPE_CHECKING:
    from metaplat_tests.standins.vip.history_faults import SchemaChangeKind

__all__ = ["HistoryFaults", "TreeFacts", "copy_to_s3", "season", "write_history"]

NOISE = 0.06
TREND = 0.15 / (16 * 168)
"""A rise of 15 % over 16 weeks, an hour."""


def write_history(
    target: Path,
    first: datetime,
    hours: int,
    *,
    prefix: str = "IMOSDL/Hourly/",
    config_name: str = "onDemandExtract1DayProd",
    tables: int = 6,
    mean_bytes: int = 40_000_000,
    seed: int = 0,
    faults: HistoryFaults | None = None,
) -> TreeFacts:
    """Write folders ``<prefix>YYYYMMDD/HH/`` below ``target``.

    Parameters
    ----------
    target : Path
        A folder; what is in it stays.
    first : datetime
        Start of the first hour, aware UTC.
    hours : int
        How many.
    prefix : str
        Before the day, with a slash at the end.
    config_name : str
        Of the manifests.
    tables : int
        At most 30.
    mean_bytes : int
        Of all data files of an hour; the files are sparse.
    seed : int
        Of volumes and job identifiers.
    faults : HistoryFaults, optional
        What is planted; None: nothing.

    Returns
    -------
    TreeFacts
        What was written.
    """
    names = TABLE_NAMES[:tables]
    facts = TreeFacts(first, hours, prefix, config_name, names)
    writer = _Writer(target, facts, faults or HistoryFaults(), seed, mean_bytes, schema(names))
    for number in range(hours):
        writer.write_hour(number)
    return facts


def season(moment: datetime) -> float:
    """Return the usual volume of an hour of the week, around 1: little at night and at weekends."""
    day = 1 + 0.35 * math.sin(2 * math.pi * (moment.hour - 8) / 24)
    return day * (0.6 if moment.weekday() >= 5 else 1.0)


def copy_to_s3(target: Path, client: Any, bucket: str, key_prefix: str = "") -> int:
    """Put every file of a small tree into a bucket, and return how many.

    Parameters
    ----------
    target : Path
        Where ``write_history`` wrote; its files are sent in full, so ask for few bytes.
    client : boto3 client of S3
        Where to.
    bucket : str
        An existing one.
    key_prefix : str
        Before every key.
    """
    paths = sorted(path for path in target.rglob("*") if path.is_file())
    for path in paths:
        key = key_prefix + path.relative_to(target).as_posix()
        client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    return len(paths)


@dataclass
class _Writer:
    target: Path
    facts: TreeFacts
    faults: HistoryFaults
    seed: int
    mean_bytes: int
    schema: Schema

    def write_hour(self, number: int) -> None:
        hour = self.facts.hour(number)
        if kind := self.faults.schema_changes.get(number):
            self._change_schema(hour, kind)
        if number in self.faults.missing:
            self.facts.missing.append(hour)
            return
        rng = random.Random(f"{self.seed}/{hour.isoformat()}")
        files = self._data_files(number, hour, rng)
        self._plant(number, hour, files, rng)
        files += self._papers(number, hour)
        times = self._times(number, hour, rng)
        self._note(hour, files, times, str(uuid.UUID(int=rng.getrandbits(128), version=4)))
        folder = self.target / self.facts.folder(hour)
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            _write(folder / file.name, file.there, file.body, times[1])
        self._write_promise(number, hour, folder, files)
        self._write_foreign(number, hour, folder, times[1])

    def _data_files(self, number: int, hour: datetime, rng: random.Random) -> list[DeliveredFile]:
        volume = self.mean_bytes * season(hour) * (1 + TREND * number) * math.exp(rng.gauss(0, NOISE))
        if number in self.faults.volumes:
            volume *= self.faults.volumes[number]
            self.facts.volumes[hour] = self.faults.volumes[number]
        shares = [1 / (place + 2) for place in range(len(self.facts.tables))]
        files = []
        for table, share in zip(self.facts.tables, shares, strict=True):
            partitions = 2 if share > 0.3 else 1
            size = int(volume * share / sum(shares) / partitions)
            files += [DeliveredFile(f"{table}_{part}.csv.gz", size, size) for part in range(partitions)]
        return files

    def _plant(self, number: int, hour: datetime, files: list[DeliveredFile], rng: random.Random) -> None:
        tables = self.facts.tables
        if number in self.faults.incomplete:
            gone = tuple(sorted(rng.sample(tables, min(rng.randint(1, 2), len(tables)))))
            self.facts.incomplete[hour] = gone
            for file in files:
                file.there = None if file.name.partition("_")[0] in gone else file.there
        if number in self.faults.short:
            file = next(each for each in files if each.there)
            file.there = file.promised // 2
            self.facts.short[hour] = file.name
        if number in self.faults.unexpected:
            files.append(DeliveredFile("Surprises_0.csv.gz", 1_234, 1_234))
            self.facts.unexpected[hour] = "Surprises"

    def _papers(self, number: int, hour: datetime) -> list[DeliveredFile]:
        script = script_bytes(self.schema)
        papers = [DeliveredFile(SCRIPT_FILE, len(script), len(script), script)]
        if number in self.faults.no_schema:
            self.facts.no_schema.append(hour)
        else:
            content = schema_bytes(self.schema)
            papers.append(DeliveredFile(SCHEMA_FILE, len(content), len(content), content))
        return papers

    def _times(self, number: int, hour: datetime, rng: random.Random) -> tuple[datetime, datetime]:
        accepted = hour + timedelta(seconds=rng.randint(60, 180))
        finished = accepted + timedelta(seconds=rng.randint(18 * 60, 26 * 60))
        if number in self.faults.late:
            self.facts.late.append(hour)
            finished = hour + timedelta(minutes=85)
        return accepted, finished

    def _note(
        self, hour: datetime, files: list[DeliveredFile], times: tuple[datetime, datetime], guid: str
    ) -> None:
        self.facts.accepted[hour], self.facts.finished[hour] = times
        self.facts.job_guids[hour] = guid
        self.facts.files[hour] = {each.name: each.there for each in files if each.there is not None}

    def _write_promise(self, number: int, hour: datetime, folder: Path, files: list[DeliveredFile]) -> None:
        finished = self.facts.finished[hour]
        if number in self.faults.no_promise:
            self.facts.no_promise.append(hour)
        else:
            content = promise(hour, files)
            if number in self.faults.broken_promise:
                self.facts.broken_promise.append(hour)
                content = content[: len(content) // 2]
            self.facts.files[hour][PROMISE_FILE] = len(content)
            _write(folder / PROMISE_FILE, len(content), content, finished)
        lacks = {*self.faults.no_manifest, *self.faults.no_promise, *self.faults.broken_promise}
        if number in lacks or not self.faults.manifests:
            self.facts.no_manifest.append(hour)
            return
        manifest = manifest_of(self.facts, hour, files)
        _write(folder / MANIFEST_FILE, len(manifest), manifest, finished)

    def _write_foreign(self, number: int, hour: datetime, folder: Path, at: datetime) -> None:
        if number not in self.faults.foreign:
            return
        (folder / "backup").mkdir(exist_ok=True)
        for name in ("notes from Bob.xlsx", "backup/Voyages_0.csv.gz"):
            _write(folder / name, 777, None, at)
            self.facts.files[hour][name] = 777
            self.facts.foreign.append(self.facts.folder(hour) + name)

    def _change_schema(self, hour: datetime, kind: SchemaChangeKind) -> None:
        """Change one field of one table, each kind in a table of its own; the first field is its key."""
        kinds = ("added", "removed", "retyped", "reordered")
        changed = copy.deepcopy(self.schema)
        entry = changed[kinds.index(kind) % len(changed)]
        fields: list[dict[str, Any]] = entry["Fields"]
        if kind == "added":
            name = f"Added{len(self.facts.schema_changes)}"
            fields.append({"Name": name, "Type": "int", "Nullable": True})
        elif kind == "removed":
            name = fields.pop(1)["Name"]
        elif kind == "retyped":
            name = fields[1]["Name"]
            fields[1]["Type"] = "float" if fields[1]["Type"] != "float" else "int"
        else:
            name = fields[1]["Name"]
            fields.append(fields.pop(1))
        self.schema = changed
        self.facts.schema_changes.append(SchemaChange(hour, entry["DataObjectName"], kind, name))


def _write(path: Path, size: int | None, body: bytes | None, at: datetime) -> None:
    """Write a file of ``size`` bytes, without using the disk where there is no body; None: nothing."""
    if size is None:
        return
    with path.open("wb") as file:
        if body is None:
            file.truncate(size)
        else:
            file.write(body)
    os.utime(path, (at.timestamp(), at.timestamp()))


def main() -> int:
    """Write a tree with faults, and print where they are as one line of JSON."""
    options = _options()
    first = datetime.fromisoformat(options.first).replace(tzinfo=UTC)
    faults = HistoryFaults() if options.no_faults else HistoryFaults.spread_over(options.hours, options.seed)
    facts = write_history(
        options.to, first, options.hours, prefix=options.prefix, config_name=options.config_name,
        tables=options.tables, mean_bytes=options.mean_bytes, seed=options.seed, faults=faults,
    )  # fmt: skip
    shown = {
        "first": iso(facts.first), "last": iso(facts.last), "hours": facts.hours,
        "files": sum(map(len, facts.files.values())),
        **{name: [iso(each) for each in getattr(facts, name)] for name in PLANTED},
        "schema_changes": [iso(each.hour) for each in facts.schema_changes],
    }  # fmt: skip
    print(json.dumps(shown))  # noqa: T201
    return 0


PLANTED = ("missing", "incomplete", "short", "unexpected", "volumes", "late")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m metaplat_tests.standins.vip.history_tree",
        description="Write months of hourly deliveries, with faults; the data files are sparse.",
    )
    parser.add_argument("--to", type=Path, required=True, help="folder to write to")
    parser.add_argument("--first", default="2022-02-08T08:00", help="start of the first hour, UTC")
    parser.add_argument("--hours", type=int, default=1_008, help="how many")
    parser.add_argument("--prefix", default="IMOSDL/Hourly/", help="before YYYYMMDD/HH/")
    parser.add_argument("--config-name", default="onDemandExtract1DayProd", help="of the manifests")
    parser.add_argument("--tables", type=int, default=6, help="at most 30")
    parser.add_argument("--mean-bytes", type=int, default=40_000_000, help="of an hour")
    parser.add_argument("--seed", type=int, default=0, help="of volumes and faults")
    parser.add_argument("--no-faults", action="store_true", help="plant nothing")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
