"""What is remembered of every extract, in the state store: one object an hour, and one for its job.

Here: saving after each step, loading an hour or a range.
Not here: the JSON of it (``saved_form``), what each step is (``steps``).

The job is an object of its own that only the pull whose export was accepted writes: another machine that
saves what it knows of the same hour cannot make it forgotten.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from metaplat.model.errors import InvalidInputError
from metaplat.model.extract import ExtractStatus, FileOutcome
from metaplat.vip.pulling.saved_form import extract_from_json, extract_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metaplat.model.extract import Extract
    from metaplat.stores.objects import ObjectStore

FOLDER = "vip"
_END, _JOB_END = ".json", ".job.json"
_logger = logging.getLogger(__name__)


class ExtractMemory:
    """Extracts in the state store, by configuration and hour.

    Parameters
    ----------
    state : ObjectStore
        Keys are ``vip/<configuration>/YYYYMMDD/HH.json`` and ``HH.job.json``.
    """

    def __init__(self, state: ObjectStore) -> None:
        self._state = state

    def load(self, config_name: str, hour: datetime) -> Extract | None:
        """Return what is remembered of one hour; None where nothing is.

        Raises
        ------
        InvalidInputError
            What is remembered cannot be read; the text names the object.
        TransientStoreError, PermanentStoreError
            The state store fails.
        """
        key = _key(config_name, hour)
        try:
            kept = self._read(f"{key}{_END}")
        except InvalidInputError:
            if job := self._read(f"{key}{_JOB_END}"):
                return job  # all else can be found out again
            raise
        if kept is not None and kept.job_guid:
            return kept
        return _with_job(kept, self._read(f"{key}{_JOB_END}"))

    def save(self, extract: Extract) -> None:
        """Remember an extract as it is now, in one atomic step.

        Raises
        ------
        TransientStoreError, PermanentStoreError
            The state store fails.
        """
        self._state.put(f"{_key(extract.config_name, extract.hour)}{_END}", extract_to_json(extract))

    def save_job(self, extract: Extract) -> None:
        """Remember the job that was accepted just now, before anything else, and for good."""
        self._state.put(f"{_key(extract.config_name, extract.hour)}{_JOB_END}", extract_to_json(extract))
        self.save(extract)

    def load_range(self, config_name: str, first: datetime, last: datetime) -> dict[datetime, Extract]:
        """Return what is remembered of the hours from ``first`` to ``last``, both included.

        What cannot be read is left out, with a warning in the log: one bad object never hides the others.
        """
        days = (last.date() - first.date()).days
        dates = [first.date() + timedelta(days=number) for number in range(days + 1)]
        prefixes = [f"{_prefix(config_name)}{day:%Y%m%d}/" for day in dates]
        listed = self._state.list_prefixes(prefixes)
        keys = [info.key for prefix in prefixes for info in listed[prefix]]
        found = self._read_many(key for key in keys if _within(key, first, last))
        return dict(sorted(found.items()))

    def unfinished(self, config_name: str, since: datetime) -> list[Extract]:
        """Return the extracts from ``since`` on whose job may still bring files, oldest first.

        Those are running, incomplete, and failed ones that have a job.
        """
        days = self._state.list_folders(_prefix(config_name), 1)
        newest = max((day for day in days if len(day) == 8 and day.isdigit()), default="")
        if not newest or newest < f"{since:%Y%m%d}":
            return []
        last = datetime.strptime(newest, "%Y%m%d").replace(tzinfo=UTC) + timedelta(hours=23)
        return [each for each in self.load_range(config_name, since, last).values() if is_open(each)]

    def _read(self, key: str) -> Extract | None:
        try:
            return extract_from_json(self._state.get(key))
        except KeyError:
            return None
        except InvalidInputError as error:
            advice = "Look at it, and delete it where it cannot be repaired"
            raise InvalidInputError(f"{self._state.address}/{key}: {error}. {advice}") from None

    def _read_many(self, keys: Iterable[str]) -> dict[datetime, Extract]:
        kept: dict[datetime, Extract] = {}
        jobs: dict[datetime, Extract] = {}
        for key, content in self._state.get_many(list(keys)):
            if content is None:
                continue
            try:
                extract = extract_from_json(content)
            except InvalidInputError as error:
                _logger.warning("%s/%s: %s; it is left out", self._state.address, key, error)
                continue
            (jobs if key.endswith(_JOB_END) else kept)[extract.hour] = extract
        return {**kept, **_joined(kept, jobs)}


def _joined(kept: Mapping[datetime, Extract], jobs: Mapping[datetime, Extract]) -> dict[datetime, Extract]:
    """Return the extracts that have an object for their job, with that job."""
    joined = {hour: _with_job(kept.get(hour), job) for hour, job in jobs.items()}
    return {hour: extract for hour, extract in joined.items() if extract is not None}


def _with_job(kept: Extract | None, job: Extract | None) -> Extract | None:
    """Return what is kept, with the job that another machine may have got meanwhile."""
    if kept is None or job is None or kept.job_guid:
        return kept or job
    calls = max(kept.export_calls, job.export_calls)
    return replace(job, asked_at=job.asked_at or kept.asked_at, export_calls=calls)


def is_open(extract: Extract) -> bool:
    """Whether its job may still bring files; those that were refused will never be asked for."""
    if extract.status is ExtractStatus.INCOMPLETE and extract.mismatches:
        return any(each.outcome is not FileOutcome.REFUSED for each in extract.mismatches)
    if extract.status in {ExtractStatus.RUNNING, ExtractStatus.INCOMPLETE}:
        return True
    return extract.status is ExtractStatus.FAILED and extract.job_guid is not None


def _prefix(config_name: str) -> str:
    """Return the folder of a configuration: its name is a setting, and may hold anything."""
    return f"{FOLDER}/{safe_segment(config_name)}/"


def safe_segment(name: str) -> str:
    """Return a name as one segment of a key or path."""
    quoted = quote(name, safe="")
    return quoted.replace(".", "%2E") if quoted.startswith(".") else quoted


def _key(config_name: str, hour: datetime) -> str:
    return f"{_prefix(config_name)}{hour:%Y%m%d}/{hour:%H}"


def _within(key: str, first: datetime, last: datetime) -> bool:
    """Whether ``key`` is an object of ours, of an hour from ``first`` to ``last``."""
    day, _, name = key.removeprefix(f"{FOLDER}/").partition("/")[2].partition("/")
    number = name.partition(".")[0]
    if name not in {f"{number}{_END}", f"{number}{_JOB_END}"}:
        return False
    try:
        hour = datetime.strptime(f"{day}{number}", "%Y%m%d%H").replace(tzinfo=UTC)
    except ValueError:  # a foreign object
        return False
    return first <= hour <= last
