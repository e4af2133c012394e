"""No observation before its mission began, after it ended, or in the future.

Here: times against the windows of missions and against now; also in the partition of the unknown, where times
lie that have no day.
Not here: when missions observed (``collectors.headers.mappings``), times that cannot be read
(``flagged_files``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import Verdict
from metaplat.rules.catalog.file_rows import file_samples, present_files
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    import polars as pl

Window = tuple[datetime | None, datetime | None]
MissionWindows = Callable[[], Mapping[str, Window]]
"""Gives begin and end of missions by ``mission_id``; None is open. Asked when a partition is judged."""

NAME = "time_within_mission"
TIME = "observation_timestamp"
_SHOWN = ("mission_id", TIME, "observation_time_raw", "time_rule", "problem")
_ONE_DAY = timedelta(days=1)
_PROBLEMS = ("before_start", "after_end", "in_future")


def time_within_mission(windows: MissionWindows, slack: timedelta = timedelta(hours=1)) -> Rule:
    """Return the rule that observations lie within the windows of their missions, and none in the future.

    Parameters
    ----------
    windows : callable
        See ``MissionWindows``. An end at midnight means that whole day.
    slack : timedelta
        How far ahead of now a time may be, since clocks differ.
    """
    doc = "Every observation is of a time at which its mission observed, and of none in the future."
    return Rule(NAME, doc, partial(_judge, windows=windows, slack=slack))


def last_moment(end: datetime) -> datetime:
    """Return where a window ends (exclusive): an end that is a date means that whole day."""
    return end + _ONE_DAY if end == end.replace(hour=0, minute=0, second=0, microsecond=0) else end


def _judge(evidence: PartitionEvidence, *, windows: MissionWindows, slack: timedelta) -> Verdict:
    import polars as pl

    files = present_files(evidence, [TIME, *_SHOWN[:-1]], NAME).filter(pl.col(TIME).is_not_null())
    known = windows()
    limits = {name.casefold(): limit for name, limit in known.items()}
    marked = files.with_columns(problem=_problem(_bounds(files, limits), evidence.now + slack))
    wrong = marked.filter(pl.col("problem").is_not_null())
    found = wrong["problem"]
    numbers = {
        "files": files.height,
        "out_of_window": wrong.height,
        **{problem: int((found == problem).sum()) for problem in _PROBLEMS},
        "without_window": files.height - _with_window(files, limits),
    }
    if files.is_empty():
        return Verdict.not_evaluated("No files with a time that are there.", numbers)
    return Verdict.judged(
        passed=wrong.is_empty(),
        sentence=_sentence(numbers),
        numbers=numbers,
        samples=file_samples(wrong, _SHOWN, evidence),
    )


def _bounds(files: pl.DataFrame, limits: Mapping[str, Window]) -> pl.DataFrame:
    """Return the time of each file, and begin and end of its mission."""
    import polars as pl

    missions = files["mission_id"].drop_nulls().unique().to_list()
    pairs = [limits.get(mission.casefold(), (None, None)) for mission in missions]
    kind = files.schema[TIME]
    table = pl.DataFrame(
        {
            "mission_id": pl.Series(missions, dtype=pl.String),
            "start": pl.Series([start for start, _ in pairs], dtype=kind),
            "end": pl.Series([end and last_moment(end) for _, end in pairs], dtype=kind),
        }
    )
    return files.select("mission_id", TIME).join(table, on="mission_id", how="left", maintain_order="left")


def _problem(bounds: pl.DataFrame, latest: datetime) -> pl.Series:
    import polars as pl

    moment = pl.col(TIME)
    return bounds.select(
        problem=pl.when(moment > latest)
        .then(pl.lit("in_future"))
        .when(moment < pl.col("start"))
        .then(pl.lit("before_start"))
        .when(moment >= pl.col("end"))
        .then(pl.lit("after_end"))
    )["problem"]


def _with_window(files: pl.DataFrame, limits: Mapping[str, Window]) -> int:
    counts = files.group_by("mission_id").len()
    return sum(count for mission, count in counts.iter_rows() if mission and mission.casefold() in limits)


def _sentence(numbers: Mapping[str, int]) -> str:
    wrong = numbers["out_of_window"]
    if not wrong:
        return f"{counted(numbers['files'], 'file')}, none of a time outside of its mission or in the future."
    kinds = {
        "before the mission began": numbers["before_start"],
        "after it ended": numbers["after_end"],
        "in the future": numbers["in_future"],
    }
    told = ", ".join(f"{count:,} {words}" for words, count in kinds.items() if count)
    return (
        f"{wrong:,} of {counted(numbers['files'], 'file')} {agreeing(wrong, 'is', 'are')} of a time that "
        f"cannot be: {told}. Where the header is wrong, correct it at the source; where it is misread, or "
        "the mission did observe then, say so in the file of catalog.mappings; then run "
        "`metaplat catalog ingest PLACE`."
    )
