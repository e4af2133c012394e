"""All that the rules of monitored tables may know.

Here: facts gathered by ``monitor``, and the limits they are judged by.
Not here: gathering (``monitor``), judging (``rules.tables``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    import polars as pl

    from metaplat.model.glue_table import GluePartition, GlueTable
    from metaplat.model.table import MonitoredTable, RepairMode
    from metaplat.model.table_metrics import TableProfile


@dataclass(frozen=True)
class TableLimits:
    """Thresholds; the names are those of section ``[monitor]``."""

    freshness_window_days: int = 45
    strict_snapshot: bool = True
    count_check_enabled: bool = True
    count_tolerance_pct: float = 0.0
    file_size_check: bool = False
    file_size_min_mb: float = 64
    file_size_max_mb: float = 1024
    file_size_all: bool = False
    skew_factor: float = 4.0
    skew_floor_rows: int = 10_000
    volume_runs: int = 7
    volume_change_pct: float = 50.0
    volume_floor_rows: int = 10_000


@dataclass(frozen=True)
class SourceFacts:
    """The table that rows are counted against.

    Parameters
    ----------
    found : bool
        Whether it exists: in Glue where it has a database, else as a folder or prefix with data files.
    rows : int or None
        None where it does not exist or could not be counted.
    glue : GlueTable or None
        What Glue says of it.
    problem : str or None
        Why it could not be counted, in one sentence.
    """

    found: bool
    rows: int | None = None
    glue: GlueTable | None = None
    problem: str | None = None


@dataclass(frozen=True)
class SnapshotFacts:
    """The snapshot file beside the table.

    Parameters
    ----------
    address : str
        Where it was looked for.
    text : str or None
        Its content without white space and byte-order mark, cut to 100 characters; None where it is missing.
    day : date or None
        The content as a date; None where it is missing or not ``YYYY-MM-DD``.
    """

    address: str
    text: str | None = None
    day: date | None = None


@dataclass(frozen=True)
class RawInputFacts:
    """The raw input of the snapshot: its prefix, and how many objects lie there; None where unlisted."""

    address: str
    objects: int | None = None


@dataclass(frozen=True)
class RepairPlan:
    """What a repair would register, and what it leaves to a person.

    Parameters
    ----------
    mode : RepairMode
        How.
    add : sequence of (int, str)
        Bucket and location: on S3, and not in Glue.
    drop_list : sequence of str
        Registered partitions whose prefix holds nothing, as ``id_bucket=N``; printed, never executed.
    """

    mode: RepairMode
    add: Sequence[tuple[int, str]] = ()
    drop_list: Sequence[str] = ()


@dataclass(frozen=True)
class RepairOutcome:
    """What a repair did: registered partitions before and after, as Glue itself says.

    Parameters
    ----------
    plan : RepairPlan
        What was to be done.
    before, after : int
        Registered expected partitions.
    still_missing : sequence of int
        Buckets of the plan that Glue still does not list.
    problem : str or None
        Why it failed, in one sentence.
    """

    plan: RepairPlan
    before: int
    after: int
    still_missing: Sequence[int] = ()
    problem: str | None = None

    @property
    def failed(self) -> bool:
        """Whether anything of the plan was not done."""
        return self.problem is not None or bool(self.still_missing)


@dataclass(frozen=True)
class TableFacts:
    """Evidence about one monitored table at one time.

    Parameters
    ----------
    table : MonitoredTable
        The table.
    profile : TableProfile
        What was measured.
    limits : TableLimits
        By which it is judged.
    now : datetime
        Aware UTC.
    glue : GlueTable or None
        None where the table is not in Glue.
    partitions : sequence of GluePartition or None
        After any repair; None where Glue was not asked.
    source : SourceFacts or None
        None where nothing is compared.
    snapshot : SnapshotFacts or None
        None where the table has no parent prefix to look in.
    raw_input : RawInputFacts or None
        None without a data bucket or a snapshot.
    repair : RepairOutcome or None
        None where nothing was repaired.
    history : polars.DataFrame, shape (rows, columns)
        Metrics frames of earlier runs, columns of ``METRICS``, oldest first; this run is not among them.
    """

    table: MonitoredTable
    profile: TableProfile
    limits: TableLimits
    now: datetime
    history: pl.DataFrame
    glue: GlueTable | None = None
    partitions: Sequence[GluePartition] | None = None
    source: SourceFacts | None = None
    snapshot: SnapshotFacts | None = None
    raw_input: RawInputFacts | None = None
    repair: RepairOutcome | None = None
    missing_before_repair: Sequence[int] = field(default_factory=tuple)
