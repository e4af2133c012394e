"""Pre-flight: whether a pipeline may start. Everything that fails is told at once.

Here: the request, the checks on what is cataloged, and the answer.
Not here: files as they are now (``presence``), room for the output (``room``), recording it (``pipelines``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from metaplat.catalog.presence import absent_files
from metaplat.catalog.room import Room, measure_room
from metaplat.model.errors import UsageError
from metaplat.model.filters import EVERYTHING, And, Compare, Filter
from metaplat.model.observation import ExtractionStatus
from metaplat.stores.catalog.index import Query, Sort

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from metaplat.model.observation import Row
    from metaplat.settings import Settings
    from metaplat.stores.catalog.index import CatalogIndex

MAX_SAMPLES = 20
MAX_WINDOW_DAYS = 365_000
"""Nearly all the time there is: the calendar begins in the year 1."""
MAX_RATIO = 1e15
PAGE = 5000
COLUMNS = ("dataset_id", "file_path", "file_size", "modified_time", "content_tag", "observation_timestamp")
TIME = "observation_timestamp"


class State(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It could not be found out, so that nobody may rely on it."""


@dataclass(frozen=True)
class Check:
    """One check: what was expected, what was found, what to do.

    Parameters
    ----------
    name : str
        ``datasets``, ``quality``, ``completeness``, ``files`` or ``storage``.
    state : State
        How it ended; only ``passed`` is good.
    message : str
        One sentence for a person.
    numbers : mapping
        Figures under stable names.
    samples : sequence of mapping
        At most 20 of what fails.
    """

    name: str
    state: State
    message: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    samples: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class PreflightRequest:
    """What a pipeline needs.

    Parameters
    ----------
    where : Filter
        Which datasets it reads.
    min_datasets : int
        How many it needs at least.
    max_datasets : int or None
        How many it reads at most, the newest; None means all.
    min_quality : float or None
        Quality they must state, 0 to 1; None asks for none.
    window_days : float or None
        How far back they may lie, in days; None means any time.
    out_ratio : float
        Bytes of output per byte of input.
    output : str or None
        Folder or ``s3://bucket/prefix`` the output goes to; None checks no room.
    """

    where: Filter = EVERYTHING
    min_datasets: int = 1
    max_datasets: int | None = None
    min_quality: float | None = 0.8
    window_days: float | None = 30.0
    out_ratio: float = 2.5
    output: str | None = None

    def __post_init__(self) -> None:
        _require(self.min_datasets >= 1, "min_datasets", self.min_datasets, "at least 1")
        _require(
            self.max_datasets is None or self.max_datasets >= 1,
            "max_datasets",
            self.max_datasets,
            "at least 1",
        )
        quality = self.min_quality
        _require(quality is None or 0 <= quality <= 1, "min_quality", quality, "from 0 to 1")
        enough = self.max_datasets is None or self.max_datasets >= self.min_datasets
        _require(enough, "max_datasets", self.max_datasets, f"at least min_datasets, {self.min_datasets}")
        window = self.window_days
        _require(
            window is None or 0 < window <= MAX_WINDOW_DAYS,
            "window_days",
            window,
            f"above 0 and at most {MAX_WINDOW_DAYS}",
        )
        _require(0 <= self.out_ratio <= MAX_RATIO, "out_ratio", self.out_ratio, f"from 0 to {MAX_RATIO:g}")


@dataclass(frozen=True)
class PreflightResult:
    """Whether it may start.

    Parameters
    ----------
    ok : bool
        Every check passed.
    checks : sequence of Check
        All of them, also those after a failed one.
    datasets : sequence of str
        Ids of the datasets to read, newest first.
    bytes : int
        Their size.
    required, available : int or None
        Room for the output, bytes; None where there was no target, or where it has no limit.
    """

    ok: bool
    checks: Sequence[Check]
    datasets: Sequence[str]
    bytes: int
    required: int | None
    available: int | None

    @property
    def failures(self) -> list[str]:
        """What does not pass, one sentence each."""
        return [check.message for check in self.checks if check.state is not State.PASSED]


def preflight(
    index: CatalogIndex, request: PreflightRequest, settings: Settings, now: datetime
) -> PreflightResult:
    """Check everything a pipeline needs.

    Raises
    ------
    StoreError
        The index cannot be read: that is no answer.
    """
    filters = _Filters(request, now)
    rows = list(_rows(index, filters.chosen, request.max_datasets))
    total = sum(row["file_size"] for row in rows)
    checks = [*_selection_checks(index, request, filters, len(rows)), _files_check(rows, settings)]
    room = None
    if request.output is not None:
        room = measure_room(request.output, settings)
        checks.append(_storage_check(room, total, request))
    return PreflightResult(
        ok=all(check.state is State.PASSED for check in checks),
        checks=checks,
        datasets=[row["dataset_id"] for row in rows],
        bytes=total,
        required=_required(total, request) if request.output is not None else None,
        available=room.available if room else None,
    )


class _Filters:
    """The conditions of a request, each with those before it, to tell which one is too much."""

    def __init__(self, request: PreflightRequest, now: datetime) -> None:
        self.asked: Filter = request.where
        window: Filter = EVERYTHING
        if request.window_days is not None:
            start = now - timedelta(days=request.window_days)
            window = And((Compare(TIME, ">=", start), Compare(TIME, "<=", now)))
        self.recent: Filter = And((self.asked, window))
        complete = Compare("extraction_status", "=", ExtractionStatus.OK.value)
        self.complete: Filter = And((self.recent, complete))
        good: Filter = EVERYTHING
        if request.min_quality is not None:
            good = Compare("data_quality_score", ">=", request.min_quality)
        self.chosen: Filter = And((self.complete, good))


def _selection_checks(
    index: CatalogIndex, request: PreflightRequest, filters: _Filters, chosen: int
) -> Iterator[Check]:
    least = request.min_datasets
    matching, recent = index.count(filters.asked), index.count(filters.recent)
    complete = index.count(filters.complete)
    numbers = {"matching": matching, "in_window": recent, "needed": least}
    window = "" if request.window_days is None else f" in the last {request.window_days:g} days"
    message = f"{recent:,} datasets match{window}; at least {least:,} needed."
    if recent < least:
        hint = f" {matching:,} match at any time." if window else ""
        message = f"No suitable datasets{window}: {recent:,} found, {least:,} needed.{hint}"
    yield Check("datasets", _state(recent >= least), message, numbers)
    message = f"{complete:,} of {recent:,} files are complete; at least {least:,} needed."
    yield Check("completeness", _state(complete >= least), message, {"complete": complete})
    if request.min_quality is not None:
        good = chosen if request.max_datasets is None else index.count(filters.chosen)
        message = (
            f"{good:,} of {complete:,} complete datasets state a quality of {request.min_quality:g} or more; "
            f"at least {least:,} needed."
        )
        yield Check("quality", _state(good >= least), message, {"good": good})


def _files_check(rows: Sequence[Row], settings: Settings) -> Check:
    gone, unknown = absent_files(rows, settings)
    numbers = {"files": len(rows), "changed_or_gone": len(gone), "not_looked_at": len(unknown)}
    samples = [{"file_path": path, "found": found} for path, found in (*gone, *unknown)][:MAX_SAMPLES]
    if gone:
        message = (
            f"{len(gone):,} of {len(rows):,} files are gone or changed since they were cataloged; "
            "run `metaplat catalog reconcile`, then try again."
        )
        return Check("files", State.FAILED, message, numbers, samples)
    if unknown:
        message = f"{len(unknown):,} of {len(rows):,} files could not be looked at: {unknown[0][1]}."
        return Check("files", State.UNKNOWN, message, numbers, samples)
    message = f"All {len(rows):,} files are there, with the size and time that were cataloged."
    if not rows:
        message = "There is no file to look at."
    return Check("files", State.PASSED, message, numbers)


def _storage_check(room: Room, total: int, request: PreflightRequest) -> Check:
    required = _required(total, request)
    numbers = {"required": required, "available": room.available}
    if room.problem:
        return Check("storage", State.FAILED, f"The target cannot be written: {room.problem}.", numbers)
    if room.unknown:
        return Check("storage", State.UNKNOWN, f"Room at the target is unknown: {room.unknown}.", numbers)
    if room.available is None:
        message = f"The target takes objects, and has no limit of its own; {required:,} bytes needed."
        return Check("storage", State.PASSED, message, numbers)
    enough = room.available >= required
    word = "Enough" if enough else "Insufficient"
    message = f"{word} storage: need {required:,} bytes, have {room.available:,} bytes."
    return Check("storage", _state(enough), message, numbers)


def _rows(index: CatalogIndex, where: Filter, most: int | None) -> Iterator[Row]:
    """Yield the chosen datasets, newest first."""
    after: list[Any] | None = None
    left = most
    while left is None or left > 0:
        limit = PAGE if left is None else min(PAGE, left)
        page = index.search(
            Query(where, sort=(Sort(TIME, descending=True),), columns=COLUMNS, limit=limit, after=after)
        )
        yield from page
        if len(page) < limit:
            return
        after = [page[-1][TIME], page[-1]["dataset_id"]]
        left = None if left is None else left - len(page)


def _required(total: int, request: PreflightRequest) -> int:
    return -int(-total * request.out_ratio // 1)


def _state(passed: bool) -> State:  # noqa: FBT001  # it names what the flag says
    return State.PASSED if passed else State.FAILED


def _require(holds: bool, name: str, value: object, wanted: str) -> None:  # noqa: FBT001
    if not holds:
        raise UsageError(f"{name} {value}: it must be {wanted}")
