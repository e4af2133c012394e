"""Which keywords fill which column, for every mission: data, read once a process.

Here: what the bundled ``mappings.toml`` and a file of the settings say together, and finding the mission of a
file.
Not here: the form of such a file (``mappings_file``), filling columns (``observation``).

A key of the user's file replaces that of the bundled one; what is said of a mission replaces what is said of
all; what is said of a format family (``fits``, ``attributes``) replaces what is said of both beside it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaplat.collectors.headers.mappings_file import (
    FAMILIES,
    MappingsFile,
    Mission,
    TimeEntry,
    drop_none,
    read_mappings_file,
)
from metaplat.collectors.headers.time_keys import TimeKey, TimeKeys
from metaplat.model.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

Window = tuple["datetime | None", "datetime | None"]

BUNDLED = Path(__file__).with_name("mappings.toml")
TEXT_COLUMNS = ("satellite_name", "instrument_type", "target_object", "version", "calibration_status")
_IDENTITY = ("mission", "telescop", "path", "start", "end")
_FOLD = str.maketrans("- ", "__")


@dataclass(frozen=True)
class Plan:
    """The keywords of one family of formats and one mission, ready to be looked up.

    Parameters
    ----------
    mission : tuple of str
        Keywords of ``mission_id``.
    texts : tuple of (str, tuple of str)
        Column and its keywords, of ``TEXT_COLUMNS`` in order.
    directions : tuple of (str, str)
        Pairs of right ascension and declination.
    quality : tuple of (str, bool)
        Keyword, and whether it is a percentage.
    status : tuple of str
        Keywords of ``processing_status``.
    status_words : mapping of str to str
        What they may say, in lower case, and the status it means.
    times : TimeKeys
        Keywords of times.
    expected : tuple of four tuples of str
        What a complete header states: mission, satellite, instrument, time; each by any of its keywords.
    """

    mission: tuple[str, ...]
    texts: tuple[tuple[str, tuple[str, ...]], ...]
    directions: tuple[tuple[str, str], ...]
    quality: tuple[tuple[str, bool], ...]
    status: tuple[str, ...]
    status_words: Mapping[str, str]
    times: TimeKeys
    expected: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Mappings:
    """All that is known of missions and their keywords; the same content has the same digest.

    Parameters
    ----------
    digest : str
        Eight hexadecimal digits; rows read with other mappings carry another one.
    mission_windows : mapping of str to (datetime or None, datetime or None)
        Begin and end of each mission, UTC, by every ``mission_id`` it goes by; None is open.
    plans : mapping of (family, mission or None) to Plan
        None is a file of no known mission.
    by_name, by_telescope : mapping of str to str
        Mission by folded name and telescope.
    prefixes : tuple of (str, str)
        Begin of a folded telescope, and the mission; longest first.
    paths : tuple of (pattern, str)
        Pattern of a path, and the mission.
    """

    digest: str
    mission_windows: Mapping[str, Window]
    plans: Mapping[tuple[str, str | None], Plan] = field(repr=False)
    by_name: Mapping[str, str] = field(repr=False)
    by_telescope: Mapping[str, str] = field(repr=False)
    prefixes: tuple[tuple[str, str], ...] = field(repr=False)
    paths: tuple[tuple[re.Pattern[str], str], ...] = field(repr=False)

    def plan(self, file_format: str, mission: str | None) -> Plan:
        """Return the keywords of a format and a mission that this knows, or None."""
        return self.plans["fits" if file_format == "fits" else "attributes", mission]

    def mission_named(self, text: str) -> str | None:
        """Return the mission that a header names so."""
        return self.by_name.get(text.casefold())

    def mission_of_telescope(self, text: str) -> str | None:
        """Return the mission of a satellite or telescope, in any case."""
        name = _spaced(text)
        found = self.by_telescope.get(name)
        if found is None:
            found = next((mission for prefix, mission in self.prefixes if name.startswith(prefix)), None)
        return found

    def mission_of_path(self, path: str) -> str | None:
        """Return the first mission one of whose patterns is in a path."""
        return next((mission for pattern, mission in self.paths if pattern.search(path)), None)


def folded(name: str) -> str:
    """Return an attribute's name as attributes are compared: case, blank and hyphen make no difference."""
    return name.lower().translate(_FOLD)


def load_mappings(path: Path | None = None) -> Mappings:
    """Return the bundled mappings, with the user's file over them.

    Parameters
    ----------
    path : Path or None
        The user's TOML file (``catalog.mappings`` of the settings); None where there is none.

    Raises
    ------
    SettingsError
        The file cannot be read, or a key or value in it is wrong.
    """
    files = [read_mappings_file(BUNDLED)] + ([read_mappings_file(path)] if path else [])
    for each in files:
        _refuse_shared_telescopes(each)
    missions = _merged_missions(files)
    telescopes = _by_telescope(missions)
    return Mappings(
        digest=_digest(files),
        mission_windows=_windows(missions),
        plans=_plans(files, missions),
        by_name={each.casefold(): name for name, said in missions.items() for each in _names(name, said)},
        by_telescope={text: name for text, name in telescopes.items() if not text.endswith("*")},
        prefixes=tuple(
            (text[:-1], name)
            for text, name in sorted(telescopes.items(), key=lambda item: (-len(item[0]), item))
            if text.endswith("*")
        ),
        paths=tuple(
            (re.compile(text), name) for name, said in missions.items() for text in said.get("path", ())
        ),
    )


def _spaced(text: str) -> str:
    return " ".join(text.split()).casefold()


def _names(name: str, said: Mapping[str, Any]) -> tuple[str, ...]:
    return (name, *said.get("mission", ()))


def _refuse_shared_telescopes(read: MappingsFile) -> None:
    owners: dict[str, str] = {}
    for name, mission in read.missions.items():
        for text in mission.telescop or ():
            if (other := owners.setdefault(_spaced(text), name)) != name:
                raise SettingsError(
                    f"catalog.mappings: missions.{name}.telescop",
                    f"{text!r} is a telescope of {other} as well",
                    "Leave it in one of the two.",
                )


def _merged_missions(files: Iterable[MappingsFile]) -> dict[str, dict[str, Any]]:
    """Return what identifies each mission; those of a later file come last, and so win."""
    merged: dict[str, dict[str, Any]] = {}
    for each in files:
        for name, mission in each.missions.items():
            said = drop_none({key: getattr(mission, key) for key in _IDENTITY})
            merged[name] = merged.pop(name, {}) | said
    for name, said in merged.items():
        start, end = said.get("start"), said.get("end")
        if start and end and start >= end:
            raise SettingsError(
                f"catalog.mappings: missions.{name}.end", "is not after start", "Correct one of the two."
            )
    return merged


def _plans(files: Sequence[MappingsFile], missions: Iterable[str]) -> dict[tuple[str, str | None], Plan]:
    """Return the plan of every family and mission; one object where a mission changes nothing."""
    plans: dict[tuple[str, str | None], Plan] = {}
    for family in FAMILIES:
        usual = plans[family, None] = _plan(_keywords(files, family, None), family)
        for name in missions:
            plan = _plan(_keywords(files, family, name), family)
            plans[family, name] = usual if plan == usual else plan
    return plans


def _keywords(files: Iterable[MappingsFile], family: str, mission: str | None) -> dict[str, Any]:
    """Return what all files say of a family and a mission together."""
    merged: dict[str, Any] = {}
    layers = [each.default for each in files]
    layers += [each.missions.get(mission, Mission()) for each in files] if mission else []
    for layer in layers:
        said = layer.of(family)
        words = {**merged.get("processing_words", {}), **said.get("processing_words", {})}
        merged |= said | {"processing_words": words}
    return merged


def _plan(said: Mapping[str, Any], family: str) -> Plan:
    fold: Callable[[str], str] = folded if family == "attributes" else str

    def keys(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(fold(each) for each in said.get(name, ())))

    begin = _time_keys(said.get("observation_timestamp", ()), fold)
    times = TimeKeys(
        begin=begin,
        end=_time_keys(said.get("observation_end", ()), fold),
        exposure=keys("exposure"),
        timesys=keys("timesys"),
        scale=said.get("time_scale", "UTC"),
        date_order=said.get("date_order"),
        paths=tuple(re.compile(text) for text in said.get("time_path", ())),
    )
    expected = (
        (("MISSION",), ("TELESCOP",), ("INSTRUME",), ("DATE-OBS",))
        if family == "fits"
        else (keys("mission_id"), keys("satellite_name"), keys("instrument_type"), _names_of(begin))
    )
    return Plan(
        mission=keys("mission_id"),
        texts=tuple((column, keys(column)) for column in TEXT_COLUMNS),
        directions=tuple((fold(each.ra), fold(each.dec)) for each in said.get("direction", ())),
        quality=tuple((fold(each.key), each.percent) for each in said.get("data_quality_score", ())),
        status=keys("processing_status"),
        status_words={word.lower(): status for word, status in said["processing_words"].items()},
        times=times,
        expected=expected,
    )


def _time_keys(entries: Iterable[TimeEntry], fold: Callable[[str], str]) -> tuple[TimeKey, ...]:
    return tuple(
        TimeKey(fold(each.key), each.form, tuple(fold(name) for name in each.time), each.scale)
        for each in entries
    )


def _names_of(keys: Iterable[TimeKey]) -> tuple[str, ...]:
    return tuple(key.name for key in keys)


def _by_telescope(missions: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {_spaced(text): name for name, said in missions.items() for text in said.get("telescop", ())}


def _windows(missions: Mapping[str, Mapping[str, Any]]) -> dict[str, Window]:
    return {
        each: (said.get("start"), said.get("end"))
        for name, said in missions.items()
        for each in _names(name, said)
        if "start" in said or "end" in said
    }


def _digest(files: Iterable[MappingsFile]) -> str:
    """Return the digest of everything that rows depend on; when a mission began is not of that kind."""
    said = [each.model_dump(mode="json", exclude_none=True) for each in files]
    for each in said:
        for mission in each["missions"].values():
            mission.pop("start", None), mission.pop("end", None)
    text = json.dumps(said, sort_keys=True).encode()
    return hashlib.blake2b(text, digest_size=4).hexdigest()
