"""How long files of a mission take from observation to catalog, as far as they arrive by themselves.

Here: the delay that rules about missing files allow for. Not here: those rules.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

TIME, MISSION, SEEN = "observation_timestamp", "mission_id", "first_seen"
COLUMNS = (TIME, MISSION, SEEN)
"""What rules about missions know of the days before."""
USUAL = 0.9
"""So many of the files are in the catalog after the delay."""


def delivery_delays(rows: pl.DataFrame, longest: timedelta) -> Mapping[str, timedelta]:
    """Return the usual delay of each mission.

    Parameters
    ----------
    rows : polars.DataFrame, shape (rows, columns)
        Observations with ``COLUMNS``.
    longest : timedelta
        Files that came later are those of an archive that was cataloged at once, and are left out.
    """
    import polars as pl

    delay = pl.col(SEEN) - pl.col(TIME)
    found = (
        rows.select(MISSION, delay=delay)
        .filter(pl.col(MISSION).is_not_null(), pl.col("delay").is_between(timedelta(0), longest))
        .group_by(MISSION)
        .agg(pl.col("delay").dt.total_microseconds().quantile(USUAL, "higher"))
    )
    return {mission: timedelta(microseconds=delay) for mission, delay in found.iter_rows()}
