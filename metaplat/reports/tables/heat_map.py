"""The buckets of a table as cells of a heat map.

Here: state and figures of each cell; many buckets are folded, so that a map is never larger than a page.
Not here: drawing: ``heat_map_markdown`` for the Dagster UI, ``heat_views`` and the style sheet for the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.model.verdict import Outcome, Severity
from metaplat.reports.rule_report import worst_severity
from metaplat.reports.wording import state_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from metaplat.model.verdict import Verdict

COLUMNS = 16
MOST_CELLS = 1024
"""Cells drawn of one table; of more buckets, neighbours share a cell."""
STATES = ("passed", "failed", "warning", "not evaluated", "missing")
WORST_FIRST = ("failed", "warning", "missing", "passed", "not evaluated")
FIGURES = ("files", "bytes", "rows", "key_nulls", "duplicate_rows", "newest_modified")


@dataclass(frozen=True)
class Cell:
    """One bucket, or neighbours that share a cell.

    Parameters
    ----------
    first, last : int
        Buckets.
    state : str
        One of ``STATES``; of several buckets the worst.
    failing : tuple of str
        Rules that fail.
    rows, key_nulls, duplicate_rows : int or None
        Sums; None where unknown.
    newest_modified : datetime or None
        None where there is no file.
    """

    first: int
    last: int
    state: str
    failing: tuple[str, ...]
    rows: int | None
    key_nulls: int | None
    duplicate_rows: int | None
    newest_modified: datetime | None

    @property
    def name(self) -> str:
        """``bucket 7`` or ``buckets 8 to 15``."""
        return f"bucket {self.first}" if self.first == self.last else f"buckets {self.first} to {self.last}"


def heat_cells(
    frame: pl.DataFrame,
    verdicts: Mapping[int, Mapping[str, Verdict]],
    severities: Mapping[str, Severity] | None = None,
) -> list[Cell]:
    """Return the cells of a table, by bucket.

    Parameters
    ----------
    frame : polars.DataFrame
        The metrics frame, columns of ``METRICS``.
    verdicts : mapping of int to mapping of str to Verdict
        By bucket, by rule; a bucket without any is not evaluated.
    severities : mapping of str to Severity, optional
        Of a failure, by rule; a rule that is not named fails as an error.
    """
    rows = list(frame.sort("id_bucket").select("id_bucket", *FIGURES).iter_rows(named=True))
    shared = -(-len(rows) // MOST_CELLS) or 1
    groups = (rows[start : start + shared] for start in range(0, len(rows), shared))
    return [_cell(group, verdicts, severities or {}) for group in groups]


def _cell(
    group: Sequence[Mapping[str, Any]],
    verdicts: Mapping[int, Mapping[str, Verdict]],
    severities: Mapping[str, Severity],
) -> Cell:
    found = {row["id_bucket"]: verdicts.get(row["id_bucket"], {}) for row in group}
    states = {bucket_state(found[row["id_bucket"]], severities, present=bool(row["files"])) for row in group}
    failing = (
        rule for judged in found.values() for rule, said in judged.items() if said.outcome is Outcome.FAILED
    )
    return Cell(
        first=group[0]["id_bucket"],
        last=group[-1]["id_bucket"],
        state=next(state for state in WORST_FIRST if state in states),
        failing=tuple(dict.fromkeys(failing)),
        rows=_sum(row["rows"] for row in group),
        key_nulls=_sum(row["key_nulls"] for row in group),
        duplicate_rows=_sum(row["duplicate_rows"] for row in group),
        newest_modified=max(filter(None, (row["newest_modified"] for row in group)), default=None),
    )


def bucket_state(
    verdicts: Mapping[str, Verdict], severities: Mapping[str, Severity], *, present: bool
) -> str:
    """Return the state of one bucket; without files it is missing, whatever its rules say."""
    if not present:
        return "missing"
    outcomes = {verdict.outcome for verdict in verdicts.values()}
    if Outcome.FAILED not in outcomes:
        return (Outcome.PASSED if Outcome.PASSED in outcomes else Outcome.NOT_EVALUATED).value
    failing = [rule for rule, verdict in verdicts.items() if verdict.outcome is Outcome.FAILED]
    return state_word(
        Outcome.FAILED, worst_severity([severities.get(rule, Severity.ERROR) for rule in failing])
    )


def _sum(values: Iterable[int | None]) -> int | None:
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)
