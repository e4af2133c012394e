"""The real History Server of the installed pyspark, on a free port, over a folder of event logs.

Here: starting it, waiting until it lists what it should, asking its REST interface, ending it.
Not here: the logs (``spark_jobs``), a server that misbehaves (``spark_rest``).
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from metaplat_tests.standins.spark_jobs import needs_java, spark_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

CLASS = "org.apache.spark.deploy.history.HistoryServer"
STARTED = re.compile(r"started at http://\S+:(\d+)")
PATIENCE_SECONDS = 300.0
"""Far beyond the usual 15 seconds: the machine may be busy."""


@dataclass(frozen=True)
class HistoryServer:
    """A running History Server.

    Parameters
    ----------
    url : str
        Its address, as a user would give it to metaplat.
    work : Path
        Folder of its log, ``history-server.log``.
    process : subprocess.Popen
        The Java process.
    """

    url: str
    work: Path
    process: subprocess.Popen[bytes]

    def ask(self, path: str) -> Any:
        """Return what ``GET /api/v1/<path>`` answers, replaying the log where that is needed."""
        with urlopen(f"{self.url}/api/v1/{path}", timeout=PATIENCE_SECONDS) as answer:
            return json.load(answer)

    def attempts(self) -> set[tuple[str, str | None]]:
        """Return id and attempt of all that it lists now."""
        listed = self.ask("applications")
        return {(one["id"], attempt.get("attemptId")) for one in listed for attempt in one["attempts"]}

    def wait_for(self, count: int) -> None:
        """Wait until it lists ``count`` attempts."""
        self.until(lambda: len(self.attempts()) >= count, f"list {count} attempts")

    def until(self, reached: Callable[[], bool], what: str) -> None:
        """Wait until ``reached()`` is true; a server that ended, or never gets there, is an error."""
        wait_until(reached, self.process, self.work / LOG_NAME, what)


LOG_NAME = "history-server.log"


def wait_until(reached: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, what: str) -> None:
    """Wait for a server to do something, looking again every quarter of a second."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(encoding="utf-8", errors="replace")[-3_000:]
            raise AssertionError(f"the History Server did not {what}:\n{tail}")
        time.sleep(0.25)


@contextmanager
def history_server(
    logs: Path, work: Path, attempts: int = 0, settings: Mapping[str, str] | None = None
) -> Iterator[HistoryServer]:
    """Start a History Server and end it; without Java the test is skipped.

    Parameters
    ----------
    logs : Path
        Folder of event logs.
    work : Path
        Empty or absent folder for its settings, its log and what it stores.
    attempts : int
        It is waited for until it lists so many.
    settings : mapping of str to str, optional
        Further Spark properties.
    """
    needs_java()
    work.mkdir(parents=True, exist_ok=True)
    properties = {
        "spark.history.fs.logDirectory": logs.as_uri(),
        "spark.history.fs.update.interval": "1s",
        "spark.history.ui.port": "0",
        **(settings or {}),
    }
    lines = "".join(f"{name} {value}\n" for name, value in properties.items())
    (work / "server.properties").write_text(lines, encoding="utf-8")
    environment = spark_environment(work / "spark")
    command = [f"{work}/spark/bin/spark-class", CLASS, "--properties-file", f"{work}/server.properties"]
    with (work / LOG_NAME).open("wb") as log:
        process = subprocess.Popen(
            command, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            server = HistoryServer(f"http://127.0.0.1:{_port(process, work / LOG_NAME)}", work, process)
            server.wait_for(attempts)
            yield server
        finally:
            process.kill()  # spark-class became the Java process, and it has nothing to save
            process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the port that it says it listens on."""
    text = ""

    def says() -> bool:
        nonlocal text
        text = log.read_text(encoding="utf-8", errors="replace")
        return STARTED.search(text) is not None

    wait_until(says, process, log, "start")
    return next(STARTED.finditer(text))[1]
