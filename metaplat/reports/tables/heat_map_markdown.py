"""The heat map of a table as Markdown, for the metadata of the Dagster UI.

Here: rows of squares with a legend; buckets that need a look are named too, since colours do not tell all.
Not here: states (``heat_map``), the maps of the HTML page (``heat_views``).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from metaplat.reports.tables.bucket_words import bucket_list
from metaplat.reports.tables.heat_map import COLUMNS, heat_cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from metaplat.model.verdict import Severity, Verdict

SQUARES = {"passed": "🟩", "failed": "🟥", "warning": "🟨", "not evaluated": "⬜", "missing": "⬛"}
NEED_A_LOOK = ("failed", "warning", "missing")


def heat_map_markdown(
    frame: pl.DataFrame,
    verdicts: Mapping[int, Mapping[str, Verdict]],
    severities: Mapping[str, Severity] | None = None,
) -> str:
    """Draw the states of all buckets of a table by all rules.

    Parameters
    ----------
    frame : polars.DataFrame
        The metrics frame, columns of ``METRICS``.
    verdicts : mapping of int to mapping of str to Verdict
        By bucket, by rule; a bucket without any is not evaluated, one without files is missing.
    severities : mapping of str to Severity, optional
        Of a failure, by rule; a rule that is not named fails as an error.

    Returns
    -------
    str
        Rows of 16 squares, each with the number of its first bucket, then a legend with counts.
    """
    cells = heat_cells(frame, verdicts, severities)
    rows = [cells[start : start + COLUMNS] for start in range(0, len(cells), COLUMNS)]
    shared = cells[0].last - cells[0].first + 1 if cells else 1
    named = {
        state: [b for cell in cells if cell.state == state for b in range(cell.first, cell.last + 1)]
        for state in NEED_A_LOOK
    }
    return _drawn(
        [(row[0].first, [cell.state for cell in row]) for row in rows],
        f" (a square is {shared} buckets)" if shared > 1 else "",
        named,
    )


def _drawn(rows: Sequence[tuple[int, Sequence[str]]], note: str, named: Mapping[str, Sequence[int]]) -> str:
    if not rows:
        return "The table has no buckets."
    width = max(len(str(first)) for first, _ in rows)
    lines = [f"{first:>{width}} {''.join(SQUARES[state] for state in states)}" for first, states in rows]
    counts = Counter(state for _, states in rows for state in states)
    legend = " · ".join(f"{square} {counts[state]:,} {state}" for state, square in SQUARES.items())
    said = [f"\n{state.capitalize()}: {bucket_list(buckets)}" for state, buckets in named.items() if buckets]
    return "\n".join(["```", *lines, "```", "", legend + note, *said])
