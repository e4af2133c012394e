"""Copying hour folders that are missing here from where else they were delivered.

Here: which hours, which files, streamed one by one, so that each becomes visible when it is whole.
Not here: the history of them (``build``): make its rows anew after a copy.

An hour is copied where nothing of it is here, or what is here is the begin of such a copy: only files that
the source has with the same size. Any other hour here is that of another job, and stays as it is. An hour is
never copied where its manifest names another configuration, there or here. The saved promise is copied
without the query strings of its addresses, which the old program saved with it; the manifest comes last, so
that an hour that has one is whole.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import InvalidInputError, StoreError, TransientStoreError
from metaplat.model.extract import MANIFEST_FILE, PROMISE_FILE
from metaplat.vip.history.papers import MEGABYTE, config_names

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from metaplat.settings import Settings
    from metaplat.stores.deliveries import Deliveries

PART_BYTES = 4 * MEGABYTE
HOURS_AT_ONCE = 4
"""Each hour has hundreds of files."""


@dataclass
class Consolidated:
    """What a copy did.

    Parameters
    ----------
    copied : list of datetime
        Hours of which at least one file was copied.
    already_here : list of datetime
        Hours of which every file was here.
    kept : list of datetime
        Hours that hold files of another job here, and stay as they are.
    other_configuration : list of datetime
        Hours whose manifest, there or here, names another configuration.
    nowhere : list of datetime
        Hours of which nothing is there to be copied.
    failed : dict of datetime to str
        Hours that could not be copied whole, and why; copying again goes on with them.
    files, bytes : int
        Copied.
    """

    copied: list[datetime] = field(default_factory=list)
    already_here: list[datetime] = field(default_factory=list)
    kept: list[datetime] = field(default_factory=list)
    other_configuration: list[datetime] = field(default_factory=list)
    nowhere: list[datetime] = field(default_factory=list)
    failed: dict[datetime, str] = field(default_factory=dict)
    files: int = 0
    bytes: int = 0

    def __str__(self) -> str:
        told = {
            "already here": self.already_here,
            "of another job here": self.kept,
            "of another configuration": self.other_configuration,
            "nowhere": self.nowhere,
            "failed": self.failed,
        }
        others = "".join(f", {len(hours)} {words}" for words, hours in told.items() if hours)
        first = next((f": {hour:%Y-%m-%dT%H}: {why}" for hour, why in sorted(self.failed.items())), "")
        return f"{len(self.copied)} hours copied ({self.files} files, {self.bytes} bytes){others}{first}"


def copy_missing_hours(
    source: Deliveries, target: Deliveries, settings: Settings, hours: Sequence[datetime]
) -> Consolidated:
    """Copy the folders of some hours where they are missing.

    Parameters
    ----------
    source, target : Deliveries
        From where, to where; folders have the same names in both.
    settings : Settings
        Section ``[vip]``: configuration, prefix, ``parallel_files``.
    hours : sequence of datetime
        Aware UTC.

    Returns
    -------
    Consolidated
        What was done, hour by hour. Copying again copies nothing.

    Raises
    ------
    StoreError
        One of the two cannot be listed or read at all. Where single files fail, the others go on, and
        ``failed`` names the hours.
    """
    done = Consolidated()
    plans = _plans(source, target, settings, sorted(set(hours)), done)
    asyncio.run(_Copy(source, target, settings, done).run(plans))
    return done


def _plans(
    source: Deliveries,
    target: Deliveries,
    settings: Settings,
    hours: Sequence[datetime],
    done: Consolidated,
) -> dict[datetime, dict[str, int]]:
    """Return what is to be copied, sizes by name, and note what is not."""
    there, here = _files(source, settings, hours), _files(target, settings, hours)
    others = _others(source, settings, there) | _others(target, settings, here)
    plans: dict[datetime, dict[str, int]] = {}
    for hour in hours:
        wanted, found = there.get(hour, {}), here.get(hour, {})
        lacking = {name: size for name, size in wanted.items() if name not in found}
        if not wanted:
            done.nowhere.append(hour)
        elif hour in others:
            done.other_configuration.append(hour)
        elif not _is_begin_of(found, wanted):
            done.kept.append(hour)
        elif not lacking:
            done.already_here.append(hour)
        else:
            plans[hour] = lacking
    return plans


def _files(
    deliveries: Deliveries, settings: Settings, hours: Sequence[datetime]
) -> dict[datetime, dict[str, int]]:
    folders = {settings.vip.folder(hour): hour for hour in hours}
    files: dict[datetime, dict[str, int]] = {}
    for folder, name, size in deliveries.listing(list(folders)).select("folder", "name", "size").iter_rows():
        files.setdefault(folders[folder], {})[name] = size
    return files


def _others(
    deliveries: Deliveries, settings: Settings, files: Mapping[datetime, Mapping[str, int]]
) -> set[datetime]:
    """Return the hours whose manifest names another configuration."""
    told = config_names(
        deliveries, settings, [hour for hour, names in files.items() if MANIFEST_FILE in names]
    )
    return {hour for hour, name in told.items() if name not in {None, settings.vip.config}}


def _is_begin_of(found: Mapping[str, int], wanted: Mapping[str, int]) -> bool:
    """Whether all that is here could have come from there: the promise is shorter without queries."""
    return all(
        name in wanted and (name == PROMISE_FILE or wanted[name] == size) for name, size in found.items()
    )


class _Copy:
    """Copies files: ``parallel_files`` at a time, of a few hours at a time."""

    def __init__(
        self, source: Deliveries, target: Deliveries, settings: Settings, done: Consolidated
    ) -> None:
        self._source, self._target, self._settings, self._done = source, target, settings, done
        self._hours = asyncio.Semaphore(HOURS_AT_ONCE)
        self._files = asyncio.Semaphore(settings.vip.parallel_files)

    async def run(self, plans: Mapping[datetime, Mapping[str, int]]) -> None:
        """Copy all of ``plans``."""
        await asyncio.gather(*(self._hour(hour, files) for hour, files in plans.items()))
        self._done.copied.sort()

    async def _hour(self, hour: datetime, files: Mapping[str, int]) -> None:
        async with self._hours:
            first = [name for name in files if name != MANIFEST_FILE]
            problems = await asyncio.gather(*(self._file(hour, name, files[name]) for name in first))
            problem = next((each for each in problems if each), None)
            if problem is None and MANIFEST_FILE in files:
                problem = await self._file(hour, MANIFEST_FILE, files[MANIFEST_FILE])
        if problem is None:
            self._done.copied.append(hour)
        else:
            self._done.failed[hour] = problem

    async def _file(self, hour: datetime, name: str, size: int) -> str | None:
        """Copy one file; return why that failed, or None."""
        key = f"{self._settings.vip.folder(hour)}{name}"
        async with self._files:
            try:
                if name == PROMISE_FILE:
                    await asyncio.to_thread(self._promise, key)
                else:
                    self._done.bytes += await self._target.write(key, self._chunks(key, size), size)
            except (StoreError, InvalidInputError) as error:  # one bad file never stops the others
                return str(error)
        self._done.files += 1
        return None

    def _promise(self, key: str) -> None:
        try:
            content = without_queries(self._source.objects.get(key))
        except KeyError:
            raise self._changed(key) from None
        self._target.objects.put(key, content)
        self._done.bytes += len(content)

    async def _chunks(self, key: str, size: int) -> AsyncIterator[bytes]:
        for start in range(0, size, PART_BYTES):
            length = min(PART_BYTES, size - start)
            try:
                chunk = await asyncio.to_thread(self._source.read_range, key, start, length)
            except KeyError:
                raise self._changed(key) from None
            if len(chunk) != length:
                raise self._changed(key)
            yield chunk

    def _changed(self, key: str) -> TransientStoreError:
        answer = "the file went, or got shorter, while it was read"
        return TransientStoreError(self._source.address, f"copy {key!r}", answer, "Copy the hour again.")


def without_queries(content: bytes) -> bytes:
    """Return a saved promise without the query strings of its addresses: they are secrets.

    Raises
    ------
    InvalidInputError
        It is no JSON, so that nobody can tell what in it is an address.
    """
    import orjson

    try:
        document = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        problem = f"{PROMISE_FILE} is no JSON, and may hold secrets: it is not copied"
        raise InvalidInputError(f"{problem}. Remove it there, and copy again") from None
    return orjson.dumps(_stripped(document))


def _stripped(value: Any) -> Any:
    if isinstance(value, str):
        return value.partition("?")[0] if "://" in value else value
    if isinstance(value, list):
        return [_stripped(each) for each in value]
    if isinstance(value, dict):
        return {key: _stripped(each) for key, each in value.items()}
    return value
