"""A folder of real event logs, written once a test session by the installed pyspark.

Here: the folder, what is made of the logs that the applications wrote, and the same applications in the form
that a History Server can read.
Not here: the applications (``spark_workloads``), the server (``history_server``).
"""

from __future__ import annotations

import fcntl
import gzip
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_SECONDS = 1_200
"""For a minute's work: the machine may be busy."""

WHOLE = ("busy", "zstd", "lz4", "snappy", "lzf", "rolling", "rolling-zstd", "cluster")
"""Applications whose logs are left as Spark wrote them."""
CUT_AT = 0.6


@dataclass(frozen=True)
class SparkLogs:
    """Logs of the applications of ``spark_workloads``.

    Parameters
    ----------
    logs : Path
        What metaplat is to read: single logs (plain, each codec, gzip, a wrong suffix), rolling ones, two
        attempts of one application, and two applications that are not ended, one cut within a zstd frame.
    served : Path
        The same attempts, named and packed so that a History Server reads all of them.
    events : Path
        The events of each attempt in one unpacked file; of a cut log those before the cut.
    """

    logs: Path
    served: Path
    events: Path

    @property
    def attempts(self) -> int:
        """How many attempts there are."""
        return len(list(self.events.iterdir()))

    def events_of(self, app_id: str, attempt_id: str | None = None) -> Path:
        """Return the file of the events of an attempt."""
        return self.events / (app_id if attempt_id is None else f"{app_id}_{attempt_id}")

    def rolled(self, name: str) -> Path:
        """Return the folder of the log of ``rolling`` or ``rolling-zstd``."""
        marker = f'"App Name":"{name}"'.encode()
        [app_id] = [path.name for path in self.events.iterdir() if marker in path.read_bytes()]
        return self.logs / f"eventlog_v2_{app_id}"


def needs_java() -> None:
    """Skip the test where there is no Java."""
    if "JAVA_HOME" not in os.environ and shutil.which("java") is None:
        pytest.skip("Spark needs Java")


def spark_environment(home: Path) -> dict[str, str]:
    """Return the environment of a process of Spark whose home is the folder ``home``, made here.

    The folder shows the installed pyspark; what Spark writes into its home lands beside it.
    """
    import pyspark

    home.mkdir(parents=True, exist_ok=True)
    for name in ("bin", "jars", "sbin"):  # Python's part it finds where this process does, compiled
        link = home / name
        if not link.is_symlink():
            link.symlink_to(Path(pyspark.__file__).with_name(name))
    own = {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    return {name: value for name, value in os.environ.items() if "SPARK_" not in name} | own


def spark_logs(factory: pytest.TempPathFactory) -> SparkLogs:
    """Return the logs; whichever test, of whichever worker, asks first writes them. Not to be changed."""
    needs_java()
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "spark-logs"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        logs = SparkLogs(folder / "logs", folder / "served", folder / "events")
        if not (folder / "done").exists():
            for left in (*vars(logs).values(), folder / "applications"):
                shutil.rmtree(left, ignore_errors=True)  # by a worker that was killed
            _write_logs(folder / "applications")
            _arrange(folder / "applications" / "logs", logs)
            shutil.rmtree(folder / "applications")
            (folder / "done").touch()
    return logs


def _write_logs(folder: Path) -> None:
    """Run the applications in a process of their own."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "metaplat_tests.standins.spark_workloads", folder],
        cwd=Path(__file__).parents[2],
        env=spark_environment(folder / "spark") | {"PYSPARK_PYTHON": sys.executable},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5_000:]


def _arrange(applications: Path, to: SparkLogs) -> None:
    """Lay out what the applications wrote as ``SparkLogs`` describes it."""
    for folder in vars(to).values():
        folder.mkdir()
    written = {folder.name: _log_in(folder) for folder in applications.iterdir()}
    for log in written.values():
        shutil.copy(log.with_name("events"), to.events_of(app_id_of(log)))
    for name in WHOLE:
        _link(written[name], to.logs / written[name].name)
        _link(written[name], to.served / written[name].name)
    plain = written["gzip"]
    (to.logs / f"{plain.name}.gz").write_bytes(gzip.compress(plain.read_bytes()))
    shutil.copy(plain, to.served / plain.name)
    packed = written["suffix"]
    shutil.copy(packed, to.logs / packed.with_suffix(".lz4").name)
    shutil.copy(packed, to.served / packed.name)
    for name in ("cut", "cut-zstd"):
        _cut(written[name], to)
    first, second = written["first"], written["second"]
    renamed = {f'"{second.name}"': f'"{first.name}"', '"second"': '"first"'}
    _number(first, first.name, "1", {}, to)
    _number(second, first.name, "2", renamed, to)


def app_id_of(log: Path) -> str:
    """Return the application id from the name of a log."""
    return log.name.removeprefix("eventlog_v2_").partition(".")[0]


def _log_in(folder: Path) -> Path:
    return next(path for path in folder.iterdir() if path.name != "events")


def _link(log: Path, target: Path) -> None:
    """Show a log in another place; nobody changes it in either."""
    if log.is_dir():
        shutil.copytree(log, target, copy_function=os.link)
    else:
        os.link(log, target)


def _cut(log: Path, to: SparkLogs) -> None:
    """Leave the first part of a log, as of an application that is not ended."""
    import zstandard

    whole = log.read_bytes()
    left = whole[: int(len(whole) * CUT_AT)]
    for folder in (to.logs, to.served):
        (folder / f"{log.name}.inprogress").write_bytes(left)
    if log.suffix == ".zstd":
        left = zstandard.ZstdDecompressor().stream_reader(left, read_across_frames=True).read()
    to.events_of(app_id_of(log)).write_bytes(left[: left.rindex(b"\n") + 1])


def _number(log: Path, app_id: str, attempt_id: str, renamed: Mapping[str, str], to: SparkLogs) -> None:
    """Make an application an attempt of ``app_id``, as on a cluster that starts a failed one again."""
    events = log.read_text(encoding="utf-8")
    for old, new in renamed.items():
        events = events.replace(old, new)
    user = re.compile(r'(\{"Event":"SparkListenerApplicationStart".*"User":"[^"]*")')
    events = user.sub(rf'\1,"App Attempt ID":"{attempt_id}"', events)
    to.events_of(log.name).unlink()
    for folder in (to.events, to.logs, to.served):
        (folder / f"{app_id}_{attempt_id}").write_text(events, encoding="utf-8")
