"""The hours of a partition that are judged: closed ones, without those whose loss is excused.

Here: choosing them, and naming hours in a sentence. Not here: what is expected of them (each rule).

An hour that is not over yet is left out, since its job may still run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from metaplat.model.extract import ExcusedHours
from metaplat.model.verdict import Verdict
from metaplat.rules.samples import require_columns
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from metaplat.model.rule import PartitionEvidence

CONFIG, HOUR = "config_name", "hour_utc"
ONE_HOUR = timedelta(hours=1)
MOST_STRETCHES = 6
"""Stretches of hours that a sentence names."""

Excuses = Callable[[], Sequence[ExcusedHours]]
"""Gives the hours whose loss is known and explained. Asked when a partition is judged."""


def no_excuses() -> Sequence[ExcusedHours]:
    """Return none: what rules are given where nothing is excused, or the rows themselves say so."""
    return ()


@dataclass(frozen=True)
class ClosedHours:
    """Rows of the hours that are judged, oldest first, and what was left out.

    Parameters
    ----------
    rows : polars.DataFrame, shape (rows, columns)
        To be judged.
    excused : int
        Excused hours left out, of all configurations.
    """

    rows: pl.DataFrame
    excused: int

    def nothing(
        self, numbers: Mapping[str, int | float], otherwise: str = "No closed hour is known."
    ) -> Verdict:
        """Return the verdict of a partition without a row to judge."""
        sentence = otherwise
        if self.excused:
            are = agreeing(self.excused, "is", "are")
            sentence = f"No hour to judge: {counted(self.excused, 'hour')} {are} excused."
        return Verdict.not_evaluated(sentence, numbers)


def closed_hours(
    evidence: PartitionEvidence, columns: Sequence[str], rule: str, excuses: Excuses | None = None
) -> ClosedHours:
    """Choose the rows of a partition that are judged.

    Parameters
    ----------
    evidence : PartitionEvidence
        Of a domain with columns ``config_name`` and ``hour_utc``.
    columns : sequence of str
        What else the rule needs.
    rule : str
        Its name.
    excuses : callable or None
        See ``Excuses``; None takes column ``excused`` at its word.

    Raises
    ------
    InvalidInputError
        A column is missing.
    """
    import polars as pl

    needed = [CONFIG, HOUR, *columns, *(["excused"] if excuses is None else [])]
    require_columns(evidence.frame, needed, rule)
    left_out = pl.col("excused") if excuses is None else is_excused(excuses())
    closed = evidence.frame.filter(pl.col(HOUR) + ONE_HOUR <= evidence.now)
    return ClosedHours(
        rows=closed.filter(~left_out).sort(HOUR, CONFIG, maintain_order=True),
        excused=closed.filter(left_out).select(CONFIG, HOUR).n_unique(),
    )


def shown_hours(hours: Sequence[datetime]) -> str:
    """Return hours in words: ``2022-05-10 13:00 to 15:00 and 20:00 UTC``; at most six stretches of them."""
    stretches: list[list[datetime]] = []
    for hour in sorted(set(hours)):
        if stretches and hour - stretches[-1][-1] == ONE_HOUR:
            stretches[-1].append(hour)
        else:
            stretches.append([hour])
    told, day = [], ""
    for first, *rest in stretches[:MOST_STRETCHES]:
        words, day = _moment(first, day)
        if rest:
            last, day = _moment(rest[-1], day)
            words += f" to {last}"
        told.append(words)
    if more := sum(map(len, stretches[MOST_STRETCHES:])):
        told.append(f"{more:,} more")
    return (", ".join(told[:-1]) + " and " + told[-1] if len(told) > 1 else "".join(told)) + " UTC"


def _moment(hour: datetime, day: str) -> tuple[str, str]:
    """Return the hour, with its date where that is another than ``day``, and its date."""
    date = f"{hour:%Y-%m-%d}"
    return f"{hour:%H:%M}" if date == day else f"{date} {hour:%H:%M}", date


def is_excused(excuses: Sequence[ExcusedHours]) -> pl.Expr:
    """Return whether the hour of a row is one of those excused."""
    import polars as pl

    stretches = [pl.col(HOUR).is_between(each.first, each.last) for each in excuses]
    return pl.any_horizontal(pl.lit(value=False), *stretches)
