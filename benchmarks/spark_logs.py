"""What reading a Spark event log costs, against a plain script, Spark's own History Server and the floor.

All read the same log of 500 MB unpacked (``METAPLAT_BENCH_SPARK_MB``), packed with zstd, each in a process of
its own, in turn; the totals of every way must be the same. The log is scaled from that of a real job, run
once and kept in ``METAPLAT_BENCH_CACHE``; without Java there is neither a log nor a History Server. Times are
CPU seconds after the imports, medians of the rounds. Ours unpacks, replays and concludes.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
CACHE = Path(os.environ.get("METAPLAT_BENCH_CACHE", Path(tempfile.gettempdir()) / "metaplat-bench"))
MEGABYTES = int(os.environ.get("METAPLAT_BENCH_SPARK_MB", "500"))
ROUNDS = int(os.environ.get("METAPLAT_BENCH_ROUNDS", "3"))

Row = tuple[str, str, str]


@dataclass
class Way:
    """One way to read the log: a script of ``spark_peers``, and what it cost in each round."""

    script: str
    rounds: int = ROUNDS
    cpu: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)
    problem: str = ""

    @property
    def seconds(self) -> float:
        """Median CPU seconds."""
        return statistics.median(self.cpu)


def measure() -> list[Row]:
    """Return ratios of CPU time and memory, each with its target."""
    if "JAVA_HOME" not in os.environ and shutil.which("java") is None:
        return [("reading an event log", "there is no Java, and so no log of a real job", "")]
    ours, plain, floor, server = Way("ours"), Way("json_lines"), Way("floor"), Way("server", rounds=1)
    walked = Way("walked")
    log = _log()
    for number in range(ROUNDS):
        for way in (ours, plain, floor, walked, server):
            if number < way.rounds and not way.problem:
                _run(way, log)
    for other in (plain, server):
        _compare(ours, other)
    return [
        _ratio("json.loads on every line / ours", plain, ours, ">= 5 x"),
        _ratio("History Server's replay / ours", server, ours, ">= 15 x"),
        _ratio("ours / unpack and split into lines", ours, floor, "<= 3 x"),
        _ratio("ours / unpack and walk over the lines, none kept", ours, walked, "no line is kept"),
        _speed(ours),
        _memory(ours),
        _two_processes(log),
    ]


def _run(way: Way, *logs: Path) -> None:
    """Run one way once; a failure is its problem."""
    done = subprocess.run(_command(way, *logs), capture_output=True, text=True, cwd=ROOT)
    answers = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or len(answers) < 2:
        way.problem = f"failed: {(done.stderr.strip().splitlines() or ['no answer'])[-1][:150]}"
        return
    answer, cost = json.loads(answers[-2]), json.loads(answers[-1])
    way.cpu.append(answer["cpu"])
    way.megabytes.append(cost["megabytes"])
    way.totals = answer["totals"][0] if answer["totals"] else {}


def _command(way: Way, *logs: Path) -> list[str]:
    cost = str(ROOT / "benchmarks/table_peers/cost.py")
    module = f"benchmarks.spark_peers.{way.script}"
    return [sys.executable, cost, sys.executable, "-m", module, *map(str, logs)]


def _compare(ours: Way, other: Way) -> None:
    """Check that two ways say the same of what both say; else that is the other's problem."""
    wrong = [
        f"{name} {value}, ours {ours.totals.get(name)}"
        for name, value in other.totals.items()
        if value != ours.totals.get(name)
    ]
    if wrong and not ours.problem and not other.problem:
        other.problem = f"other totals: {'; '.join(wrong)}"


def _ratio(what: str, way: Way, other: Way, target: str) -> Row:
    if problem := way.problem or other.problem:
        return what, problem, target
    return (
        what,
        f"{way.seconds / other.seconds:.1f} x ({way.seconds:.2f} s against {other.seconds:.2f} s)",
        target,
    )


def _speed(ours: Way) -> Row:
    what = f"ours, {MEGABYTES} MB and {ours.totals.get('total_tasks', 0):,} tasks"
    return what, ours.problem or f"{MEGABYTES / ours.seconds:,.0f} MB per CPU second", ""


def _memory(ours: Way) -> Row:
    what, target = "memory of ours beyond its imports", "< 100 MiB"
    idle = Way("ours")
    _run(idle)
    if problem := ours.problem or idle.problem:
        return what, problem, target
    return what, f"{max(ours.megabytes) - max(idle.megabytes):.0f} MiB", target


def _two_processes(log: Path) -> Row:
    """Return how much faster two processes read four logs than one does, by the clock."""
    what, target = "one process / two, four logs, wall time", ">= 1.7 x"
    half = _command(Way("ours"), log, log)
    seconds = []
    for commands in ([[*half, str(log), str(log)]], [half, half]):
        start = time.perf_counter()
        running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT) for command in commands]
        if any(process.wait() for process in running):
            return what, "failed", target
        seconds.append(time.perf_counter() - start)
    return what, f"{seconds[0] / seconds[1]:.2f} x ({seconds[0]:.1f} s against {seconds[1]:.1f} s)", target


def _log() -> Path:
    """Return the log, written on the first call."""
    target = CACHE / f"spark-{MEGABYTES}.zstd"
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".unfinished")
        command = [sys.executable, "-m", "benchmarks.spark_peers.scaled_log", str(unfinished), str(MEGABYTES)]
        subprocess.run(command, check=True, cwd=ROOT)
        unfinished.rename(target)
    return target


if __name__ == "__main__":
    for line in measure():
        print(*line, sep=" | ")
