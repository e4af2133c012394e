"""The Dagster instance that the UI, the daemon and the command line share.

Here: where it is (``<home>/dagster``) and its ``dagster.yaml``, written from the settings.
Not here: the ``dagster.yaml`` at the top of the repository, which serves plain ``dagster dev``.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import MissingExtraError, PermanentStoreError, TransientStoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dagster as dg

    from metaplat.settings import Settings

POSTGRES_VARIABLE = "METAPLAT_DAGSTER__POSTGRES_URL"
TABLE_TAG = "metaplat/table"
"""Of the runs of one monitored table the daemon starts one at a time: two would each judge the table without
what the other measures."""


def dagster_environment(settings: Settings) -> dict[str, str]:
    """Write ``dagster.yaml`` below the home, and return the variables by which Dagster finds its storage.

    Raises
    ------
    PermanentStoreError
        The folder cannot be written.
    MissingExtraError
        PostgreSQL is wanted and its driver is not installed.
    """
    variables = {"DAGSTER_HOME": str(_prepare_home(settings))}
    if url := settings.dagster.postgres_url:
        if not find_spec("dagster_postgres"):
            raise MissingExtraError("Dagster's storage on PostgreSQL", "dagster-postgres", "postgres")
        # The driver is named, because SQLAlchemy 2.1 takes another for an address without it.
        plain = re.compile(r"\Apostgres(ql)?://")
        variables[POSTGRES_VARIABLE] = plain.sub("postgresql+psycopg2://", url.get_secret_value())
    return variables


def _prepare_home(settings: Settings) -> Path:
    import yaml

    folder = settings.home / "dagster"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(_instance_settings(settings), sort_keys=False)
        target = folder / "dagster.yaml"
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            aside = folder / f".dagster.yaml.{os.getpid()}.tmp"
            aside.write_text(text, encoding="utf-8")
            aside.replace(target)
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from error
    return folder


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Open the instance for the duration of a ``with`` block.

    Raises
    ------
    PermanentStoreError
        Its storage cannot be opened.
    TransientStoreError
        Its storage failed while the block ran.
    """
    import dagster as dg
    from sqlalchemy.exc import SQLAlchemyError

    variables = dagster_environment(settings)
    folder = variables.pop("DAGSTER_HOME")
    os.environ.update(variables)  # dagster.yaml names the variable, never the address
    try:
        with _alone_in(Path(folder)):
            instance = dg.DagsterInstance.from_config(folder)
    except (OSError, SQLAlchemyError) as error:  # their texts can hold the address with password
        raise _unwritable(folder, type(error).__name__) from None
    try:
        with instance:
            yield instance
    except SQLAlchemyError as error:
        answer, advice = type(error).__name__, "See whether its disk or database server is well."
        raise TransientStoreError(folder, "record a run in Dagster's storage", answer, advice) from None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait while another process opens the storage: two that create its tables at once hinder each other."""
    import fcntl

    with (folder / ".opening.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ends with the file, also where this process is killed
        yield


def _instance_settings(settings: Settings) -> dict[str, Any]:
    one_a_table = {"key": TABLE_TAG, "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
    content: dict[str, Any] = {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        "concurrency": {
            "runs": {
                "max_concurrent_runs": settings.dagster.max_concurrent_runs,
                "tag_concurrency_limits": [one_a_table],
            }
        },
        "run_monitoring": {"enabled": True},
        "freshness": {"enabled": True},
        "retention": {
            "sensor": {"purge_after_days": {"skipped": 1, "started": 30, "success": 30, "failure": 30}}
        },
        "code_servers": {"local_startup_timeout": 180},
    }
    if settings.dagster.postgres_url:
        content["storage"] = {"postgres": {"postgres_url": {"env": POSTGRES_VARIABLE}}}
    return content


def _unwritable(folder: Path | str, answer: str) -> PermanentStoreError:
    return PermanentStoreError(
        str(folder),
        "open Dagster's storage",
        answer,
        "Make home writable, or choose another by METAPLAT_HOME.",
    )
