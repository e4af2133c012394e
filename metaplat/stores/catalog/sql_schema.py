"""The tables of a catalog in SQL, made from the declared fields.

Here: every table and index, and why there is one.
Not here: what is written into the rollups (``sql_rollup``); connections.

An index on data quality is left out on purpose: most rows pass a usual minimum, and with it SQLite reads and
sorts all of them instead of walking a mission from its newest row.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from metaplat.stores.catalog.sql_values import TABLE_FIELDS, UNIT

if TYPE_CHECKING:
    from metaplat.model.field import Field
    from metaplat.stores.catalog.sql_dialect import Dialect

PRESENT = "file_state = 'present'"
"""Condition of the partial indexes; a query has to say it in these very words."""
ABSENT = "file_state <> 'present'"
LONG = 86_400_000_000
"""Observations that last longer, in microseconds, have an index of their own: a search for what overlaps a
time looks so far back for all others."""
IS_LONG = f"observation_end - observation_timestamp > {LONG}"
INDEXES = (
    f"observations_mission ON observations (mission_id, observation_timestamp, dataset_id) WHERE {PRESENT}",
    f"observations_time ON observations (observation_timestamp, dataset_id) WHERE {PRESENT}",
    f"observations_target ON observations (target_object, observation_timestamp, dataset_id) WHERE {PRESENT}",
    # a band of the sky holds many rows: with the vectors in the index, only those inside a cone are looked up
    f"observations_dec ON observations (dec_deg, unit_x, unit_y, unit_z)"
    f" WHERE {PRESENT} AND dec_deg IS NOT NULL",
    f"observations_absent ON observations (observation_timestamp, dataset_id) WHERE {ABSENT}",
    f"observations_long ON observations (observation_end, observation_timestamp) WHERE {IS_LONG}",
    "observations_path ON observations (file_path, row_id)",
    "observations_due ON observations (file_path, row_id) WHERE next_attempt IS NOT NULL",
    "observations_seq ON observations (change_seq)",
    "relationships_child ON dataset_relationships (child_dataset_id, parent_dataset_id, relationship_type)",
    "relationships_time ON dataset_relationships (recorded_at, change_seq)",
    "events_run ON processing_events (run_id, change_seq)",
    "events_time ON processing_events (occurred_at, change_seq)",
)
ROLLUPS = (
    """counters (name {text} PRIMARY KEY, value {integer} NOT NULL)""",
    """changed_days (
        table_name {text} NOT NULL, day {integer} NOT NULL, change_seq {integer} NOT NULL,
        PRIMARY KEY (table_name, day))""",
    """rollup_missions (
        mission {text} PRIMARY KEY, datasets {integer} NOT NULL, bytes {integer} NOT NULL,
        quality_sum {real}, quality_count {integer} NOT NULL, calibrated {integer} NOT NULL,
        first_time {integer}, last_time {integer})""",
    """rollup_days (
        mission {text} NOT NULL, day {integer} NOT NULL,
        datasets {integer} NOT NULL, bytes {integer} NOT NULL, PRIMARY KEY (mission, day))""",
    """rollup_values (
        mission {text} NOT NULL, column_name {text} NOT NULL, day {integer} NOT NULL, value {text} NOT NULL,
        datasets {integer} NOT NULL, PRIMARY KEY (mission, column_name, day, value))""",
)


def schema(dialect: Dialect) -> list[str]:
    """Return the statements that create what is missing."""
    edge = "parent_dataset_id, child_dataset_id, relationship_type"
    tables = [
        f"observations (row_id {dialect.row_id}, {_columns('observations', dialect)},"
        f" {', '.join(f'{axis} {dialect.real}' for axis in UNIT)}, UNIQUE (dataset_id)){dialect.table_end}",
        f"observation_revisions ({_columns('observations', dialect)},"
        f" PRIMARY KEY (dataset_id, revision)){dialect.table_end}",
        f"dataset_relationships ({_columns('dataset_relationships', dialect)},"
        f" PRIMARY KEY ({edge})){dialect.clustered}",
        f"processing_events ({_columns('processing_events', dialect)},"
        f" PRIMARY KEY (event_id)){dialect.table_end}",
        *(
            table.format(text=dialect.text, integer=dialect.integer, real=dialect.real) + dialect.clustered
            for table in ROLLUPS
        ),
    ]
    creating = [f"CREATE TABLE IF NOT EXISTS {table}" for table in tables]
    return creating + [f"CREATE INDEX IF NOT EXISTS {index}" for index in INDEXES]


def _columns(table: str, dialect: Dialect) -> str:
    return ", ".join(_column(field, dialect) for field in TABLE_FIELDS[table])


def _column(field: Field, dialect: Dialect) -> str:
    types = {str: dialect.text, int: dialect.integer, datetime: dialect.integer, float: dialect.real}
    assert isinstance(field.dtype, type)  # noqa: S101  # the catalog's fields are scalars
    return f"{field.name} {types[field.dtype]}{'' if field.nullable else ' NOT NULL'}"
