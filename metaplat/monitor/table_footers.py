"""The footers of some buckets' files: what each file says, and which of them can have their keys counted.

Here: footers to ``FileFacts``.
Not here: reading a footer (``stores.tables.footers``), counting (``profilers``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from metaplat.model.table_metrics import FileFacts
from metaplat.monitor.profilers.footer import told_nulls
from metaplat.monitor.profilers.key_reader import GONE
from metaplat.stores.tables.files import PERMISSION_DENIED
from metaplat.stores.tables.footers import read_footers
from metaplat.stores.tables.parquet_footer import Footer

if TYPE_CHECKING:
    from collections.abc import Collection

    from metaplat.model.landed import ObjectInfo
    from metaplat.model.table import MonitoredTable
    from metaplat.model.table_metrics import Inventory
    from metaplat.stores.tables.files import TableFiles


@dataclass
class TableFooters:
    """What the footers of some buckets say.

    Parameters
    ----------
    facts : mapping of str to FileFacts
        By key of the file as listed.
    keyed : mapping of int to list of (ObjectInfo, Footer)
        Readable files with the key column, for each of the buckets.
    schemas : mapping of str to mapping of str to str
        Columns and types by fingerprint.
    unknown : set of int
        Buckets with a file that cannot be read: nothing of them is counted.
    gone : set of int
        Those of them whose files changed since they were listed, or may be read once the permission is
        given, which the listing does not tell: the next run must look again.
    """

    facts: dict[str, FileFacts] = field(default_factory=dict)
    keyed: dict[int, list[tuple[ObjectInfo, Footer]]] = field(default_factory=dict)
    schemas: dict[str, dict[str, str]] = field(default_factory=dict)
    unknown: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)

    @property
    def countable(self) -> dict[int, list[tuple[ObjectInfo, Footer]]]:
        """The buckets whose keys can be counted, with their files."""
        return {bucket: pairs for bucket, pairs in self.keyed.items() if pairs and bucket not in self.unknown}

    def add(self, other: TableFooters) -> None:
        """Take in what the footers of other buckets say."""
        self.facts |= other.facts
        self.keyed |= other.keyed
        self.schemas |= other.schemas
        self.unknown |= other.unknown
        self.gone |= other.gone

    def spoil(self, info: ObjectInfo, bucket: int, problem: str) -> None:
        """Note that a file cannot be read."""
        self.facts[info.key] = FileFacts(info.shown_key, info.identity, bucket, info.size, problem=problem)
        self.unknown.add(bucket)
        if problem in (GONE, PERMISSION_DENIED):
            self.gone.add(bucket)


def read_table_footers(
    table: MonitoredTable, files: TableFiles, inventory: Inventory, buckets: Collection[int]
) -> TableFooters:
    """Read the footer of every data file of some buckets."""
    found = TableFooters(keyed={bucket: [] for bucket in buckets})
    wanted = [(bucket, info) for bucket in sorted(buckets) for info in inventory.buckets[bucket]]
    answers = read_footers(files, [info for _, info in wanted], table.key_column)
    for (bucket, _), (info, answer) in zip(wanted, answers, strict=True):
        if not isinstance(answer, Footer):
            found.spoil(info, bucket, GONE if isinstance(answer, KeyError) else str(answer))
            continue
        found.schemas.setdefault(answer.schema, dict(answer.columns))
        nulls = None
        if table.key_column in answer.columns:
            found.keyed[bucket].append((info, answer))
            nulls = told_nulls(answer.chunks(table.key_column))
        found.facts[info.key] = FileFacts(
            info.shown_key, info.identity, bucket, info.size, answer.rows, nulls, answer.schema
        )
    return found
