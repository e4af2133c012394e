"""SQL over the lake: DuckDB in memory, one view per domain and one of table profiles.

Here: making the views on a connection, and running one question.
Not here: the text of a view (``sql_views``). There is never a ``.duckdb`` file: one process that writes it
would shut out all others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.errors import PermanentStoreError, UsageError
from metaplat.stores.lake import FILE
from metaplat.stores.sql_views import glob_escaped, identifier, literal, profiles_statement, view_statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb
    import polars as pl

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.errors import MetaplatError
    from metaplat.stores.lake import Lake

_REMOTE_THREADS = 16
"""Threads on S3: each waits for one object at a time."""


def connect(lake: Lake, domains: Iterable[MetadataDomain]) -> duckdb.DuckDBPyConnection:
    """Return a connection that sees the lake and nothing else.

    Use a ``cursor()`` of it in each thread, and close it before the program ends (``contextlib.closing``):
    DuckDB writes of leaks to stderr where a connection to S3 is still open then.

    Parameters
    ----------
    lake : Lake
        Where the tables are.
    domains : iterable of MetadataDomain
        One view each, named like the domain: its columns, then the partition (``date``, ``hour``,
        ``id_bucket``).
    """
    import duckdb

    connection = duckdb.connect()
    create_views(connection, lake, domains)
    folder = f"{lake.objects.address}/lake/"
    settings = {
        "python_enable_replacements": "false",  # a name is never a variable of this program
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allowed_directories": f"[{literal(folder)}, {literal(glob_escaped(folder))}]",  # as views name it
        "enable_external_access": "false",
        "lock_configuration": "true",
    }
    for name, value in settings.items():
        _run(connection, f"SET GLOBAL {name} = {value}")
    return connection


def create_views(
    connection: duckdb.DuckDBPyConnection, lake: Lake, domains: Iterable[MetadataDomain]
) -> None:
    """Create or replace the views on a connection that somebody else opened; its times become UTC."""
    _run(connection, "SET GLOBAL TimeZone = 'UTC'")
    scheme, remote, _ = lake.objects.address.partition("://")
    if remote and not connection.filesystem_is_registered(scheme):
        from metaplat.stores.sql_files import StoreFiles

        connection.register_filesystem(StoreFiles(lake.objects))
        _run(connection, f"SET GLOBAL threads = {_REMOTE_THREADS}")
        _run(
            connection, "SET GLOBAL enable_external_file_cache = false"
        )  # it would miss rewritten partitions
    for domain in domains:
        _run(connection, view_statement(domain, lake.address(domain)))
    _run(connection, profiles_statement(f"{lake.objects.address}/lake"))


def query(connection: duckdb.DuckDBPyConnection, text: str) -> pl.DataFrame:
    """Answer one ``SELECT`` (or ``FROM``, ``WITH``, ``VALUES``, ``DESCRIBE``, ``SUMMARIZE``, ``SHOW``).

    Returns
    -------
    polars.DataFrame, shape (rows, columns)
        Times in UTC; intervals as text.

    Raises
    ------
    UsageError
        The text is not a single question, or names what does not exist.
    StoreError
        The lake cannot be read.
    """
    import duckdb
    import polars as pl

    # The function query() takes nothing that writes; a statement run as it is may hide a COPY in a WITH.
    asked = f"query({literal(text)})"
    try:
        relation = connection.sql(f"FROM {asked}")
        kinds = zip(relation.columns, map(str, relation.types), strict=True)
        if foreign := [name for name, kind in kinds if re.search("INTERVAL|UNION|BIT", kind)]:
            as_text = ", ".join(f"{identifier(name)}::VARCHAR AS {identifier(name)}" for name in foreign)
            relation = connection.sql(f"SELECT * REPLACE ({as_text}) FROM {asked}")  # noqa: S608  # quoted
        return _whole_numbers(pl.DataFrame(_Answer(relation)))
    except duckdb.Error as error:
        raise _error_of(error) from None
    except pl.exceptions.ComputeError as error:
        raise _error_while_streaming(error) from None


@dataclass(frozen=True)
class _Answer:
    """The stream of a relation. DuckDB's own ``pl()`` needs pyarrow.

    Polars remembers the type of what it is given: that of DuckDB would outlive DuckDB, which then writes of
    leaks to stderr when the process ends.
    """

    relation: duckdb.DuckDBPyRelation

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Run the question; Arrow's own name."""
        return self.relation.__arrow_c_stream__(requested_schema)


def _run(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    import duckdb

    try:
        connection.execute(statement).fetchall()  # an answer that is not fetched blocks the connection
    except duckdb.Error as error:
        raise _error_of(error) from None


def _whole_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """Return sums of whole numbers, which DuckDB gives 38 digits, as Int64 where they fit."""
    import polars as pl

    wide = [name for name, dtype in frame.schema.items() if dtype == pl.Decimal(38, 0)]
    fitting = [
        pl.col(name).cast(pl.Int64)
        for name in wide
        if frame[name].cast(pl.Int64, strict=False).null_count() == frame[name].null_count()
    ]
    return frame.with_columns(fitting)


def _error_of(error: duckdb.Error) -> MetaplatError:
    """Whose fault it is: the question's, or the lake's."""
    import duckdb

    from metaplat.stores.sql_files import error_told

    ours = isinstance(error, duckdb.IOException | duckdb.FatalException | duckdb.InternalException)
    text = str(error)
    if told := error_told(text):
        return told
    said = _sentence(text)
    if ours or (FILE in said and not isinstance(error, duckdb.PermissionException)):
        return _unreadable(said)
    return UsageError(f"SQL: {said}")


def _error_while_streaming(error: Exception) -> MetaplatError:
    """Whose fault it is when DuckDB fails after the first rows: Polars passes on its text, not its type."""
    from metaplat.stores.sql_files import error_told

    text = str(error).removeprefix("got external error: ")
    if told := error_told(text):
        return told
    said = _sentence(text)
    ours = said.startswith(("IO Error", "FATAL Error", "INTERNAL Error"))
    return _unreadable(said) if ours or FILE in said else UsageError(f"SQL: {said}")


def _unreadable(said: str) -> PermanentStoreError:
    advice = "Materialize the partition it names again."
    return PermanentStoreError("SQL over the lake", "read", said, advice)


def _sentence(text: str) -> str:
    """Return what DuckDB says before it repeats the question, in one line."""
    said = re.split(r"\n\s*\n|\nLINE ", text.strip(), maxsplit=1)[0]
    return " ".join(said.split()).rstrip(".")
