"""The vendor's schema stays as it was (SchemaMatch in AWS Glue DQDL, against the last delivered hour).

Here: ``schema_compatible``, an error where readers break: fields or tables removed, types changed; and
``schema_unchanged``, a warning of anything else: fields or tables added, fields in another order.
Not here: comparing two schema files (``vip.history``, whose rows say what changed within a table).

A table is in the schema of an hour where it is expected and has an entry in the schema file. Its removal
shows against the last hour before that has a schema file; hours without one say nothing. Each change shows
in the hour in which it came, and only there. A table that came or went is one change, whatever its fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from metaplat.model.rule import History, PartitionEvidence, Rule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.samples import require_columns, shown_rows, shown_value
from metaplat.rules.vip.closed_hours import CONFIG, HOUR, shown_hours
from metaplat.rules.vip.recent import recent
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import polars as pl

HISTORY = History(7, (CONFIG, HOUR, "table", "expected", "schema_hash"))
"""A schema is compared with one of the week before."""
_CHANGES = {
    "fields_removed": "fields removed",
    "fields_changed": "fields changed",
    "fields_added": "fields added",
    "fields_reordered": "fields in another order",
}
_REMOVED, _NEW = "table removed", "new table"
_BREAKING = ("fields_removed", "fields_changed")
_HARMLESS = ("fields_added", "fields_reordered")


@dataclass(frozen=True)
class _Drift:
    """One change of one table."""

    config: str
    hour: datetime
    table: str
    change: str
    fields: Sequence[str] = ()

    @property
    def place(self) -> tuple[str, datetime, str]:
        return self.config, self.hour, self.table


def schema_compatible() -> Rule:
    """Return the rule that no field or table is removed, and no type changed."""
    name = "schema_compatible"
    doc = "No table or field is removed, and no type or nullability changed, since the last delivered hour."
    judge = partial(_judge, name=name, breaking=True)
    return Rule(name, doc, judge, recent(name), history=HISTORY)


def schema_unchanged() -> Rule:
    """Return the rule that no field or table is added, and no order changed; a warning."""
    name = "schema_unchanged"
    doc = "No table or field is added, and fields keep their order, since the last delivered hour."
    judge = partial(_judge, name=name, breaking=False)
    return Rule(name, doc, judge, recent(name), severity=Severity.WARN, history=HISTORY)


def _judge(evidence: PartitionEvidence, *, name: str, breaking: bool) -> Verdict:
    require_columns(evidence.frame, [*HISTORY.columns, *_CHANGES], name)
    schemas = _schemas(evidence)
    judged = sum(not before for _, _, _, before in schemas)
    if not judged:
        return Verdict.not_evaluated("No hour with a schema file.", {"schemas": 0})
    kinds = _BREAKING if breaking else _HARMLESS
    tables = list(_of_tables(schemas, breaking=breaking))
    whole = {drift.place for drift in tables}
    fields = [drift for drift in _of_fields(evidence.frame, kinds) if drift.place not in whole]
    drifts = sorted(
        [*tables, *fields], key=lambda drift: (drift.hour, drift.config, drift.table, drift.change)
    )
    changes = [_REMOVED if breaking else _NEW, *(_CHANGES[kind] for kind in kinds)]
    numbers = {
        "schemas": judged,
        "changes": len(drifts),
        **{word.replace(" ", "_"): sum(drift.change == word for drift in drifts) for word in changes},
    }
    return Verdict.judged(
        passed=not drifts,
        sentence=_sentence(judged, drifts, breaking=breaking),
        numbers=numbers,
        samples=shown_rows([_sample(drift) for drift in drifts], evidence.domain.columns),
    )


_Schema = tuple[str, "datetime", frozenset[str], bool]
"""Configuration, hour, tables, and whether it lies before the partition."""


def _schemas(evidence: PartitionEvidence) -> list[_Schema]:
    """Return the tables of every hour that has a schema file, by configuration and hour."""
    import polars as pl

    columns = list(HISTORY.columns)
    frames = [evidence.frame.select(columns, before=pl.lit(value=False))]
    if evidence.history is not None:
        frames.insert(0, evidence.history.select(columns, before=pl.lit(value=True)))
    has_entry = pl.col("schema_hash").is_not_null()
    found = (
        pl.concat(frames)
        .filter(has_entry.any().over(CONFIG, HOUR))
        .group_by(CONFIG, HOUR, "before")
        .agg(tables=pl.col("table").filter(has_entry & pl.col("expected")))
        .sort(CONFIG, HOUR)
    )
    return [(config, hour, frozenset(tables), before) for config, hour, before, tables in found.iter_rows()]


def _of_tables(schemas: Sequence[_Schema], *, breaking: bool) -> Iterator[_Drift]:
    """Yield tables that came or went within the partition."""
    for (config, _, earlier, _), (following, hour, tables, before) in pairwise(schemas):
        if before or config != following:
            continue
        gone, word = (earlier - tables, _REMOVED) if breaking else (tables - earlier, _NEW)
        yield from (_Drift(config, hour, table, word) for table in gone)


def _of_fields(frame: pl.DataFrame, kinds: Sequence[str]) -> Iterator[_Drift]:
    """Yield changes within tables, which the rows themselves tell."""
    import polars as pl

    for kind in kinds:
        is_list = isinstance(frame.schema[kind], pl.List)
        changed = frame.filter(pl.col(kind).list.len() > 0) if is_list else frame.filter(kind)
        for config, hour, table, fields in changed.select(CONFIG, HOUR, "table", kind).iter_rows():
            yield _Drift(config, hour, table, _CHANGES[kind], tuple(fields) if is_list else ())


def _sentence(schemas: int, drifts: Sequence[_Drift], *, breaking: bool) -> str:
    what = "breaking change" if breaking else "change that breaks nothing"
    if not drifts:
        return f"{counted(schemas, 'schema')}, no {what}."
    first = drifts[0]
    fields = f" ({', '.join(first.fields)})" if first.fields else ""
    sentence = (
        f"{counted(len(drifts), 'change')} in {counted(schemas, 'schema')}, at "
        f"{shown_hours([drift.hour for drift in drifts])}, first {shown_value(first.table)}: "
        f"{shown_value(first.change + fields)}; none expected."
    )
    one = agreeing(len(drifts), "it", "them")
    if breaking:
        return (
            f"{sentence} Whatever reads those tables may break: ask the vendor, adapt the readers to {one}."
        )
    return (
        f"{sentence} Tell those who read the tables of {one}; a reader by position breaks on another order."
    )


def _sample(drift: _Drift) -> dict[str, object]:
    return {
        CONFIG: drift.config,
        HOUR: drift.hour,
        "table": drift.table,
        "change": drift.change,
        "fields": ", ".join(drift.fields) or None,
    }
