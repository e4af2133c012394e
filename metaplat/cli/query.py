"""``metaplat query``: SQL over the lake."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from metaplat.cli.options import Config, Json, configured_stores
from metaplat.cli.output import print_json, print_table
from metaplat.domains import all_domains


def query(
    sql: Annotated[str, typer.Argument(help="One SELECT, in DuckDB's SQL; quote it for the shell.")],
    json: Json = False,
    config: Config = None,
) -> None:
    """Run SQL over the lake, where every domain is a view of its name. With --json, one JSON line per row.

    A view has the columns of its domain and the partition (date, hour or id_bucket); times are in UTC.
    table_profiles holds what was measured of monitored tables, run by run. `describe NAME` lists the columns.

    Example: metaplat query "select status, count(*) from job_executions group by 1"
    """
    from metaplat.stores.sql import connect
    from metaplat.stores.sql import query as run

    with closing(connect(configured_stores().lake, all_domains())) as connection:
        frame = run(connection, sql)
    if json:
        for row in frame.iter_rows(named=True):
            print_json(row)
        return
    print_table(frame.columns, frame.iter_rows(), width=None)
