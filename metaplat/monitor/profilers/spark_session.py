"""A Spark session to count with, and what Spark's failures mean.

Here: Spark Connect, a session that is already there, or one that is started and stopped.
Not here: what is counted (``spark``).
"""

from __future__ import annotations

import os
import re
import socket
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from metaplat.model.errors import MissingExtraError, PermanentSourceError, SettingsError, TransientSourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

CONNECT_SECONDS = 5.0
"""Spark's own client would knock for ten minutes."""
CONNECT_PORT = 15002
QUIET = {"spark.log.level": "OFF", "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
"""Failures come as exceptions, so nothing is lost."""
EXACT = {"spark.sql.caseSensitive": "true", "spark.sql.ansi.enabled": "true"}
"""Parquet columns differ by case; ANSI writes small decimals without an exponent, as everybody else does."""

_one_at_a_time = threading.RLock()


@contextmanager
def spark_session(remote: str | None, master: str) -> Iterator[SparkSession]:
    """Yield a session, and stop it afterwards where it was opened here.

    Parameters
    ----------
    remote : str or None
        Address of a Spark Connect server, ``sc://host:15002``.
    master : str
        Master of the Spark started here, where there is neither a server nor a session already; under
        ``spark-submit`` its own master counts.

    Raises
    ------
    MissingExtraError
        pyspark is not installed.
    SettingsError
        ``remote`` is no such address, or what pyspark needs for Spark Connect is not installed.
    TransientSourceError, PermanentSourceError
        The server cannot be reached, or Spark cannot be started.
    """
    with _one_at_a_time:  # one process has one Spark: nobody stops it while another counts
        active = _session_already_there() if remote is None else None
        if active is not None:
            yield active
            return
        session = _start(master) if remote is None else _connect(remote)
        try:
            yield session
        finally:
            session.stop()


def spark_failures() -> tuple[type[Exception], ...]:
    """Return the exceptions that Spark raises, from the session or from Java."""
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # ships no types
    from pyspark.errors import PySparkException

    return PySparkException, Py4JError


def spark_error(attempted: str, error: Exception) -> PermanentSourceError:
    """Say what Spark answered, in one line."""
    answer = spark_reason(error)
    advice = "Check the settings monitor.spark_remote and monitor.spark_master, and Spark's own log."
    if "S3AFileSystem not found" in str(error):
        advice = "Give Spark the package org.apache.hadoop:hadoop-aws in the version of its Hadoop."
    return PermanentSourceError("Spark", attempted, answer, advice)


def spark_reason(error: Exception) -> str:
    """Return the innermost reason that a failure names, without Java's stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    headlines = [line for line in lines if line.startswith(": ")]  # below "An error occurred while calling"
    line = (causes[-1:] or headlines[:1] or lines[:1] or [type(error).__name__])[0]
    return re.sub(r"^(Caused by: |: )?([\w$]+\.)+[\w$]+(Exception|Error): ", "", line)[:300].rstrip(".")


def _session_already_there() -> SparkSession | None:
    spark = _library()
    from pyspark.errors import PySparkRuntimeError

    try:
        session: SparkSession = spark.active()
    except PySparkRuntimeError:  # there is none
        return None
    return session


def _library() -> Any:
    """Import the class SparkSession."""
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"pyspark", "py4j"}:
            raise
        raise MissingExtraError("the engine spark", "pyspark", "spark") from error
    return SparkSession


def _start(master: str) -> SparkSession:
    builder = _library().builder.appName("metaplat")
    for key, value in (QUIET | EXACT).items():
        builder = builder.config(key, value)
    if "PYSPARK_GATEWAY_PORT" not in os.environ:  # else spark-submit started us, and its master counts
        builder = builder.master(master)
        if master.startswith("local"):
            builder = builder.config("spark.driver.host", "127.0.0.1")  # the host's name need not resolve
            warehouse = Path(tempfile.gettempdir()) / "metaplat-spark-warehouse"
            builder = builder.config("spark.sql.warehouse.dir", str(warehouse))  # else in the working folder
    try:
        session: SparkSession = builder.getOrCreate()
    except spark_failures() as error:
        advice = "Check monitor.spark_master, and that Java 17 or newer is installed (JAVA_HOME)."
        reason = spark_reason(error)
        raise PermanentSourceError("Spark", f"start with master {master}", reason, advice) from error
    return session


def _connect(remote: str) -> SparkSession:
    host, port = _address(remote)
    _knock(host, port)
    _library()
    from pyspark.errors import PySparkException, PySparkImportError

    try:
        from pyspark.sql.connect.session import SparkSession as ConnectSession

        builder = ConnectSession.builder.remote(remote)
        for key, value in EXACT.items():
            builder = builder.config(key, value)
        session = cast("SparkSession", builder.create())  # another class, of the same methods
    except (PySparkImportError, ModuleNotFoundError) as error:
        problem = f"Spark Connect needs more than is installed ({spark_reason(error)})"
        raise SettingsError("monitor.spark_remote", problem, "pip install 'pyspark[connect]'") from error
    except PySparkException as error:
        advice = "Check monitor.spark_remote, and that pyspark is not newer than the server."
        raise PermanentSourceError(
            "Spark", f"connect to {host}:{port}", spark_reason(error), advice
        ) from error
    return session


def _address(remote: str) -> tuple[str, int]:
    """Host and port of a Spark Connect address; the rest of it may hold a token."""
    found = re.fullmatch(r"sc://([^:/;@]+|\[[0-9a-fA-F:]+\])(?::(\d+))?(?:/.*)?", remote)
    if not found:
        raise SettingsError("monitor.spark_remote", "is no address sc://host:15002", "Correct or remove it.")
    return found[1].strip("[]"), int(found[2] or CONNECT_PORT)


def _knock(host: str, port: int) -> None:
    """Fail at once where nobody listens."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        advice = "Check monitor.spark_remote, and that the Spark Connect server runs."
        answer = error.strerror or type(error).__name__
        raise TransientSourceError("Spark", f"connect to {host}:{port}", answer, advice) from error
