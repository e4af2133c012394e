"""One kind of operational metadata, declared once; everything about it is derived from here.

Here: ``MetadataDomain`` and what can be said of it without reading anything.
Not here: any particular domain (``metaplat.domains``), schemas compiled from it (``rules``, ``ingest``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from metaplat.model.field import Field, Personal

if TYPE_CHECKING:
    from datetime import timedelta

    from metaplat.model.partitioning import Partitioning
    from metaplat.model.retention import HotTable, Retention
    from metaplat.model.rule import Rule

Record = Mapping[str, Any]
"""One record as an outside system said it: JSON values under the names of that system."""

Row = dict[str, Any]
"""One flat row: a value or None under every column name."""

EXTRA = Field(
    "extra",
    str,
    nullable=True,
    personal=Personal.SCRUB,
    doc="Fields of the landed record that the domain does not declare, as a JSON object.",
)
SOURCE_OBJECT = Field(
    "source_object", str, doc="Landing object the row was read from, below the landing root."
)


class Origin(StrEnum):
    """Where the rows of a domain come from."""

    LANDING = "landing"
    """Raw objects in its landing folders."""
    CATALOG = "catalog"
    """The index of ``metaplat catalog``; nothing lands."""
    DELIVERIES = "deliveries"
    """The folders of delivered files of ``metaplat vip``; nothing lands."""


@dataclass(frozen=True)
class MetadataDomain:
    """The declaration of one kind of metadata.

    Parameters
    ----------
    name : str
        Plural noun; name of the asset, the lake table and the SQL view.
    doc : str
        One sentence: what one row is.
    fields : sequence of Field
        The declared columns, keys among them.
    partitions : Partitioning
        How rows are cut into partitions; its ``by`` names one of the fields.
    landing : str
        Prefix in the landing zone, with a trailing slash.
    rules : sequence of Rule
        Judged after every materialization.
    retention : Retention
        How long each store keeps it.
    cadence : str
        Cron expression (UTC) of the schedule that ingests the newest partition.
    fresh_within : timedelta
        How old the newest row may be before the table counts as stale.
    owners : sequence of str
        E-mail addresses or ``team:name``.
    collectors : mapping of str to Collector
        By source name, what ``metaplat collect`` can run (``metaplat.collectors.collector``).
    object_name : callable or None
        Typed row -> name of the landing object a collector writes it to; the same record, the same name.
    parse : callable
        Landed record -> the same record in the declared shape; identity by default. It may raise
        InvalidInputError, and leaves what it has made itself as it is. For adapters of foreign shapes.
    derive : callable
        Fills columns of a typed row from others, in place (``execution_timestamp``).
    problems : callable
        Yields what is wrong with a typed row beyond types and limits, one sentence each.
    provisional : Provisional or None
        How a row under a stand-in key is known to be obsolete.
    progress : Progress or None
        How a row with the same key may lawfully change over time.
    hot : HotTable or None
        Its table in the hot store, where it has one.
    streams : bool
        Whether ``metaplat collect --json`` prints each record on a line of its own, also where it lands them.
    origin : Origin
        Where its rows come from.
    parent : str or None
        Name of the domain whose landing objects this one reads too: what lands, lands for the parent.
    parts : callable
        Landed record -> the records of this domain in it; itself by default. It may raise InvalidInputError.
    knows_more : callable or None
        (Landed record, new record of the same final run) -> whether the landed one is to stay; by default
        the one with fewer unknown values stays, and of two with equally many the landed one.
    """

    name: str
    doc: str
    fields: Sequence[Field]
    partitions: Partitioning
    landing: str
    rules: Sequence[Rule]
    retention: Retention
    cadence: str
    fresh_within: timedelta
    owners: Sequence[str] = ("team:data-platform",)
    collectors: Mapping[str, Callable[..., Iterable[Record]]] = field(default_factory=dict)
    object_name: Callable[[Row], str] | None = None
    parse: Callable[[Record], Record] = lambda record: record
    derive: Callable[[Row], None] = lambda row: None  # noqa: ARG005  # the signature says what it is given
    problems: Callable[[Row], Iterable[str]] = lambda row: ()  # noqa: ARG005
    provisional: Provisional | None = None
    progress: Progress | None = None
    hot: HotTable | None = None
    streams: bool = False
    origin: Origin = Origin.LANDING
    parent: str | None = None
    parts: Callable[[Record], Iterable[Record]] = lambda record: (record,)
    knows_more: Callable[[Record, Record], bool] | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name) or "__" in self.name:
            raise ValueError(f"domain {self.name!r}: a name is lower case with single underscores")
        if not re.fullmatch(r"[a-z0-9-]+/", self.landing):
            raise ValueError(
                f"domain {self.name}: landing prefix {self.landing!r} must look like 'job-executions/'"
            )
        names = [column.name for column in self.columns]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"domain {self.name}: declared twice: {sorted(twice)}")
        by = self.partitions.by
        may_be_null = self.partitions.unknown is not None
        if not self.keys or by not in names or (self.field(by).nullable and not may_be_null):
            raise ValueError(f"domain {self.name}: needs key fields and a column {by}, never null")
        paths = sorted(field.landed_path for field in self.landed_fields)
        for path, following in pairwise(paths):
            if following[: len(path)] == path:
                raise ValueError(f"domain {self.name}: several fields are landed at {'.'.join(path)}")
        rules = [rule.name for rule in self.rules]
        if len(set(rules)) < len(rules):
            raise ValueError(f"domain {self.name}: a rule is named twice among {rules}")

    @property
    def columns(self) -> tuple[Field, ...]:
        """Every column of the lake table: the declared ones, then what ingest adds."""
        return (*self.fields, EXTRA, SOURCE_OBJECT) if self.lands else tuple(self.fields)

    @property
    def lands(self) -> bool:
        """Whether raw objects land for it."""
        return self.origin is Origin.LANDING

    @property
    def cataloged(self) -> bool:
        """Whether its rows come from the catalog index."""
        return self.origin is Origin.CATALOG

    @property
    def landed_fields(self) -> tuple[Field, ...]:
        """The declared fields that are read from the landed record."""
        return tuple(field for field in self.fields if not field.derived)

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the key columns."""
        return tuple(field.name for field in self.fields if field.key)

    def field(self, name: str) -> Field:
        """Return the column called ``name``; raises KeyError where there is none."""
        return {column.name: column for column in self.columns}[name]


@dataclass(frozen=True)
class Progress:
    """A row that changes state under one key: running, then terminal, never the reverse.

    Parameters
    ----------
    column : str
        Column of the state.
    running : str
        The state that a later record of the same run may replace.
    identity : str
        Column that tells two runs with one key apart; null matches any.
    """

    column: str
    running: str
    identity: str


@dataclass(frozen=True)
class Provisional:
    """A row whose key is a stand-in until the real one is known.

    Parameters
    ----------
    column : str
        Column that says where the key came from.
    value : str
        Its value on a provisional row; any other value makes provisional rows of the same run obsolete.
    identity : str
        Column by which the two rows are known to be one run.
    """

    column: str
    value: str
    identity: str
