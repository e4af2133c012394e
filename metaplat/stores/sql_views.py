"""The SQL text of one view per domain, and of the profiles of monitored tables.

Here: DuckDB types of declared columns, and the statement that makes a lake table a view.
Not here: connections (``sql``).
A view names its columns and types itself and takes the partition from the file name, so that DuckDB opens
no file to learn a schema, reads only the partitions that a filter on the hive column leaves, gives nulls for
columns that older files lack, and works on a table without any file; new partitions show up by themselves.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from metaplat.model.field import DType, ListOf, MapOf, Struct
from metaplat.model.partitioning import HIVE_NULL
from metaplat.model.table_metrics import METRICS, TABLE_PROFILES
from metaplat.stores.lake import FILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.field import Field

_TYPES = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN", datetime: "TIMESTAMPTZ"}
_PATH = "_lake_file"  # no column of a domain begins with an underscore
_HIVE_TYPES = {"date": "DATE", "id_bucket": "BIGINT"}


def view_statement(domain: MetadataDomain, folder: str) -> str:
    """Return ``CREATE OR REPLACE VIEW`` of a domain.

    Parameters
    ----------
    domain : MetadataDomain
        The declaration.
    folder : str
        Folder or ``s3://`` address of its lake table.
    """
    hive = domain.partitions.column
    fields = [field for field in domain.columns if field.name != hive]
    pattern = literal(f"/{hive}=([^/]+)/{re.escape(FILE)}$")
    kind = _HIVE_TYPES.get(hive, "VARCHAR")
    segment = f"NULLIF(regexp_extract({_PATH}, {pattern}, 1), {literal(HIVE_NULL)})"
    partition = f", TRY_CAST({segment} AS {kind}) AS {identifier(hive)}"
    return _statement(domain.name, fields, f"{glob_escaped(folder)}/{hive}=*/{FILE}", partition)


def profiles_statement(lake_folder: str) -> str:
    """Return ``CREATE OR REPLACE VIEW`` of the metrics frames of all monitored tables, run by run.

    Parameters
    ----------
    lake_folder : str
        Folder or ``s3://`` address of the lake.
    """
    files = f"{glob_escaped(lake_folder)}/{TABLE_PROFILES}/table=*/date=*/*.parquet"
    return _statement(TABLE_PROFILES, METRICS, files)


def _statement(name: str, fields: Sequence[Field], files: str, further: str = "") -> str:
    """Return the view ``name`` of the columns ``fields`` over ``files``, a glob, and of ``further`` ones."""
    types = {field.name: sql_type(field.dtype) for field in fields}
    columns = ", ".join(_column(field) for field in fields)
    nothing = ", ".join(f"NULL::{kind} AS {identifier(column)}" for column, kind in types.items())
    schema = ", ".join(
        f"{literal(column)}: {{name: {literal(column)}, type: {literal(kind)}, default_value: NULL}}"
        for column, kind in types.items()
    )
    return (  # every part is quoted
        f"CREATE OR REPLACE VIEW {identifier(name)} AS SELECT {columns}{further} "  # noqa: S608
        f"FROM (SELECT {nothing}, NULL::VARCHAR AS {_PATH} WHERE false UNION ALL BY NAME "
        f"SELECT * FROM read_parquet({literal(files)}, "
        f"filename = {literal(_PATH)}, allow_empty = true, schema = MAP {{{schema}}}))"
    )


def _column(field: Field) -> str:
    """Return a column as the view shows it: ``environment['spark.app.name']`` works on a map only."""
    name = identifier(field.name)
    return f"map_from_entries({name}) AS {name}" if isinstance(field.dtype, MapOf) else name


def sql_type(dtype: DType) -> str:
    """Return the DuckDB type of a declared type."""
    if isinstance(dtype, Struct):
        members = ", ".join(f"{identifier(field.name)} {sql_type(field.dtype)}" for field in dtype.fields)
        return f"STRUCT({members})"
    if isinstance(dtype, ListOf):
        return f"{sql_type(dtype.item)}[]"
    if isinstance(dtype, MapOf):
        return "STRUCT(key VARCHAR, value VARCHAR)[]"
    return _TYPES[dtype]


def identifier(name: str) -> str:
    """Return ``name`` quoted as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return ``text`` quoted as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def glob_escaped(path: str) -> str:
    """Return ``path`` with the letters that a glob would interpret taken literally."""
    return re.sub(r"([*?\[])", r"[\1]", path)
