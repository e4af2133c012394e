"""The SQL text of one view per domain.

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

from metaplat.model.field import DType, ListOf, Struct
from metaplat.stores.lake import FILE

if TYPE_CHECKING:
    from metaplat.model.domain import MetadataDomain

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
    types = {field.name: sql_type(field.dtype) for field in domain.columns if field.name != hive}
    columns = ", ".join(f"{identifier(name)}" for name in types)
    nothing = ", ".join(f"NULL::{kind} AS {identifier(name)}" for name, kind in types.items())
    schema = ", ".join(
        f"{literal(name)}: {{name: {literal(name)}, type: {literal(kind)}, default_value: NULL}}"
        for name, kind in types.items()
    )
    pattern = literal(f"/{hive}=([^/]+)/{re.escape(FILE)}$")
    kind = _HIVE_TYPES.get(hive, "VARCHAR")
    return (  # every part is quoted
        f"CREATE OR REPLACE VIEW {identifier(domain.name)} AS "  # noqa: S608
        f"SELECT {columns}, TRY_CAST(regexp_extract({_PATH}, {pattern}, 1) AS {kind}) AS {identifier(hive)} "
        f"FROM (SELECT {nothing}, NULL::VARCHAR AS {_PATH} WHERE false UNION ALL BY NAME "
        f"SELECT * FROM read_parquet({literal(f'{glob_escaped(folder)}/{hive}=*/{FILE}')}, "
        f"filename = {literal(_PATH)}, allow_empty = true, schema = MAP {{{schema}}}))"
    )


def sql_type(dtype: DType) -> str:
    """Return the DuckDB type of a declared type."""
    if isinstance(dtype, Struct):
        members = ", ".join(f"{identifier(field.name)} {sql_type(field.dtype)}" for field in dtype.fields)
        return f"STRUCT({members})"
    if isinstance(dtype, ListOf):
        return f"{sql_type(dtype.item)}[]"
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
