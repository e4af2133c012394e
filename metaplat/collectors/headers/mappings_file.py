"""The form of a mappings file: which keys it may hold, and of which type.

Here: reading and checking one file. Every wrong key or value is one SettingsError that names it.
Not here: what the bundled file and the user's say together (``mappings``), the bundled file itself
(``mappings.toml``, which explains every key).
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from metaplat.collectors.headers.time_scales import SCALES
from metaplat.model.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

FAMILIES = ("fits", "attributes")
"""Keywords of FITS, and attributes of everything else: two ways to name and to compare them."""


def _entry(value: object) -> object:
    return {"key": value} if isinstance(value, str) else value


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return text


def _dated_pattern(text: str) -> str:
    groups = set(re.compile(_pattern(text)).groupindex)
    if "year" not in groups or not ({"month", "day"} <= groups or "doy" in groups):
        raise ValueError("needs the groups year, month and day, or year and doy")
    return text


def _scale(text: str) -> str:
    if text not in SCALES.values():
        raise ValueError(f"is no time scale; there are: {', '.join(sorted(set(SCALES.values())))}")
    return text


def _moment(value: object) -> object:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise ValueError("is no date: write 2018-04-18 without quotes")


Name = Annotated[str, Field(min_length=1)]
Names = list[Name]
Patterns = Annotated[list[Annotated[str, AfterValidator(_pattern)]], BeforeValidator(_listed)]
Scale = Annotated[str, AfterValidator(_scale)]
Moment = Annotated[datetime, BeforeValidator(_moment)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TimeEntry(_Table):
    """A keyword that holds a time; ``TimeKey`` says what the rest means."""

    key: Name
    form: Literal["text", "mjd", "jd", "unix", "gps", "ymd"] = "text"
    time: Names = []
    scale: Scale | None = None


class QualityEntry(_Table):
    """A keyword that holds a quality, from 0 to 1, or to 100 where it is a percentage."""

    key: Name
    percent: bool = False


class Direction(_Table):
    """Two keywords that hold right ascension and declination; they are read together or not at all."""

    ra: Name
    dec: Name


TimeEntries = list[Annotated[TimeEntry, BeforeValidator(_entry)]]


class Keywords(_Table):
    """What a format or a mission may say of its keywords; None leaves it as it is."""

    mission_id: Names | None = None
    satellite_name: Names | None = None
    instrument_type: Names | None = None
    target_object: Names | None = None
    version: Names | None = None
    calibration_status: Names | None = None
    data_quality_score: list[Annotated[QualityEntry, BeforeValidator(_entry)]] | None = None
    processing_status: Names | None = None
    processing_words: dict[str, Literal["raw", "processed", "archived"]] | None = None
    direction: list[Direction] | None = None
    observation_timestamp: TimeEntries | None = None
    observation_end: TimeEntries | None = None
    exposure: Names | None = None
    timesys: Names | None = None
    time_scale: Scale | None = None
    date_order: Literal["dmy", "mdy"] | None = None
    time_path: (
        Annotated[list[Annotated[str, AfterValidator(_dated_pattern)]], BeforeValidator(_listed)] | None
    ) = None


class Layer(Keywords):
    """Keywords of all formats, and of each family."""

    fits: Keywords = Keywords()
    attributes: Keywords = Keywords()

    def of(self, family: str) -> dict[str, Any]:
        """Return what is said of a family, by key; its own table wins."""
        both = {name: getattr(self, name) for name in Keywords.model_fields}
        own = {name: getattr(getattr(self, family), name) for name in Keywords.model_fields}
        return {name: value for name, value in (both | drop_none(own)).items() if value is not None}


class Mission(Layer):
    """How files of a mission are recognised, when it observed, and what its keywords are."""

    mission: Names | None = None
    telescop: Names | None = None
    path: Patterns | None = None
    start: Moment | None = None
    end: Moment | None = None


class MappingsFile(_Table):
    """One file."""

    default: Layer = Layer()
    missions: dict[Name, Mission] = {}


def drop_none(values: dict[str, Any]) -> dict[str, Any]:
    """Return what is set."""
    return {name: value for name, value in values.items() if value is not None}


def read_mappings_file(path: Path) -> MappingsFile:
    """Read and check a mappings file.

    Raises
    ------
    SettingsError
        It cannot be read, is not TOML, or holds an unknown key or a wrong value, which is named.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            "catalog.mappings", f"{path}: cannot be read ({error.strerror})", "Correct the path."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            "catalog.mappings", f"{path}: is not TOML: {error}", "Correct the file."
        ) from error
    try:
        return MappingsFile.model_validate(content)
    except ValidationError as error:
        raise _wrong(error, path) from None
    except RecursionError:
        raise SettingsError("catalog.mappings", f"{path}: is nested too deep", "Correct the file.") from None


def _wrong(error: ValidationError, path: Path) -> SettingsError:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return SettingsError(
            f"catalog.mappings: {key}",
            "no such key",
            f"Correct {path}; docs/header_mappings.md lists the keys.",
        )
    problem = first["msg"].removeprefix("Value error, ")
    return SettingsError(f"catalog.mappings: {key}", problem, f"Correct {path}.")
