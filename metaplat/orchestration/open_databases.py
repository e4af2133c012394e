"""Dagster's SQLite files are kept open while a run in this process writes to them.

Dagster opens and closes a connection for every event, and the last one to close a database in WAL mode copies
the whole log back into the file. One more connection that stays open spares that: a run with thousands of
check results takes two thirds of the time.

Here: the two databases a run writes to. Not here: what is written, databases that are no files.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dagster as dg

FOLDER = Path("history", "runs")
INDEX = "index.db"


@contextmanager
def databases_open(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Keep the databases of a run open where the instance has them as files."""
    folder = Path(instance.root_directory, FOLDER)
    with ExitStack() as stack:
        if (folder / INDEX).exists():
            for name in (INDEX, f"{run_id}.db"):
                connection = stack.enter_context(closing(sqlite3.connect(folder / name)))
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("SELECT count(*) FROM sqlite_master").fetchall()  # only now is it open
        yield
