"""The History Server of the installed pyspark: the CPU seconds of the replay that a first question costs.

Its start, and the listing for which it reads a log a first time, are not counted.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.spark_peers.answer import files


def main() -> None:
    """Answer as every way does, with what the server sums over executors; its GC time is the JVM's own."""
    if "JAVA_HOME" not in os.environ and shutil.which("java") is None:
        sys.exit("there is no Java")
    os.environ.setdefault("SPARK_DAEMON_MEMORY", "4g")
    from metaplat_tests.standins.history_server import history_server

    [file] = files()
    with tempfile.TemporaryDirectory() as work:
        logs = Path(work) / "logs"
        logs.mkdir()
        (logs / file.name).symlink_to(file)
        with history_server(logs, Path(work) / "server", 1) as server:
            [(app_id, _)] = server.attempts()
            before = _cpu_seconds(server.process.pid)
            executors = server.ask(f"applications/{app_id}/allexecutors")
            cpu = _cpu_seconds(server.process.pid) - before
    names = {
        "total_tasks": "totalTasks",
        "failed_tasks": "failedTasks",
        "input_bytes": "totalInputBytes",
        "shuffle_read_bytes": "totalShuffleRead",
        "shuffle_write_bytes": "totalShuffleWrite",
    }
    totals = {ours: sum(each[theirs] for each in executors) for ours, theirs in names.items()}
    print(json.dumps({"totals": [totals], "cpu": cpu}))


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far, user and system (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
