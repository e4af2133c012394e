"""What profiling a bucketed table costs, against the SQL of the old job and against data-quality tools.

All read the same files of 25.6 million rows (``METAPLAT_BENCH_ROWS``) in 256 buckets, each in a process of
its own, in turn; every answer is compared with the truth. Peers get environments of their own from PyPI, made
once in ``METAPLAT_BENCH_CACHE``; one that cannot be installed is reported, and the others go on. Times are
wall times after the imports, medians of the rounds.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
CACHE = Path(os.environ.get("METAPLAT_BENCH_CACHE", Path(tempfile.gettempdir()) / "metaplat-bench"))
ROWS = int(os.environ.get("METAPLAT_BENCH_ROWS", "25600000"))
FEWER_ROWS = min(ROWS, 2_560_000)
ROUNDS = int(os.environ.get("METAPLAT_BENCH_ROUNDS", "3"))
SLOWEST_SECONDS = 600

Row = tuple[str, str, str]


@dataclass
class Way:
    """One way to count: a script of ``table_peers``, and what it cost in each round.

    Parameters
    ----------
    script : str
        Module in ``benchmarks.table_peers``.
    arguments : tuple of str
        Beside the folder.
    packages : tuple of str
        What its environment needs; none means the environment of metaplat.
    rows : int
        Of the table that it reads.
    """

    script: str
    arguments: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    rows: int = ROWS
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    problem: str = ""

    @property
    def wall(self) -> float:
        """Median seconds after the imports."""
        return statistics.median(self.seconds)

    @property
    def memory(self) -> float:
        """Median of the largest memory of the whole process, MiB."""
        return statistics.median(self.megabytes)


SQL, LOOP = Way("duckdb_sql"), Way("polars_loop")
BUCKET = Way("ours", ("bucket", "none"))
VERIFIED = Way("ours", ("bucket", "crc32"))
GLOBAL = Way("ours", ("global", "none"))
FOOTER = Way("ours", ("footer", "none"))
BUCKET_FEWER = Way("ours", ("bucket", "none"), rows=FEWER_ROWS)
PEERS = {
    "Polars, whole table": Way("polars_whole"),
    "Soda": Way("with_soda", packages=("soda-core", "soda-duckdb", "duckdb")),
    "pointblank": Way("with_pointblank", packages=("pointblank", "polars")),
    "pandera": Way("with_pandera", packages=("pandera[polars]",)),
    f"Great Expectations at {FEWER_ROWS:,} rows": Way(
        "with_great_expectations", packages=("great_expectations", "pandas", "pyarrow"), rows=FEWER_ROWS
    ),
}


def measure() -> list[Row]:
    """Return ratios of wall time and memory, each with its target."""
    ways = [SQL, LOOP, BUCKET, VERIFIED, GLOBAL, FOOTER, BUCKET_FEWER, *PEERS.values()]
    for rows in {ROWS, FEWER_ROWS}:
        _table(rows)
    for _ in range(ROUNDS):
        for way in ways:
            if not way.problem:
                _run(way)
    return [
        _ratio("bucket, function not verified / SQL in DuckDB", BUCKET, SQL, "<= 0.4 x"),
        _memory("memory of that", BUCKET, SQL, "<= 0.1 x, < 200 MiB"),
        _ratio("the same / loop written by hand", BUCKET, LOOP, "<= 1 x"),
        _ratio("bucket, function verified on every key / SQL in DuckDB", VERIFIED, SQL, "<= 0.7 x"),
        _memory("memory of that", VERIFIED, SQL, "< 200 MiB"),
        _ratio("global / SQL in DuckDB", GLOBAL, SQL, "<= 0.8 x"),
        _memory("memory of that", GLOBAL, SQL, "8 bytes a row and a base"),
        _ratio("footer / SQL in DuckDB", FOOTER, SQL, "no data read"),
        *(
            _ratio(
                f"{name} / bucket, function not verified",
                way,
                BUCKET if way.rows == ROWS else BUCKET_FEWER,
                ">= 2 x",
            )
            for name, way in PEERS.items()
        ),
        *_again(),
    ]


def _run(way: Way) -> None:
    """Run one way once; a failure or a wrong answer is its problem, and ends its rounds."""
    python = _environment(way)
    if python is None:
        return
    folder = _table(way.rows)
    module = f"benchmarks.table_peers.{way.script}"
    cost = str(ROOT / "benchmarks/table_peers/cost.py")
    command = [sys.executable, cost, python, "-m", module, str(folder), *way.arguments]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=SLOWEST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        way.problem = f"did not end within {SLOWEST_SECONDS} s"
        return
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or len(lines) < 2:
        way.problem = f"failed: {(done.stderr.strip().splitlines() or ['no answer'])[-1][:150]}"
        return
    answer, figures = json.loads(lines[-2]), json.loads(lines[-1])
    way.problem = _wrong(answer, json.loads(folder.with_suffix(".json").read_text()))
    way.seconds.append(answer["seconds"])
    way.cpu.append(figures["cpu"])
    way.megabytes.append(figures["megabytes"])


def _wrong(answer: dict[str, object], truth: dict[str, int]) -> str:
    """Say what is wrong in an answer; empty where nothing is."""
    duplicates = {
        "rows": truth["duplicates"],
        "rows, NULLs as one group": truth["duplicates"] + truth["nulls"],
        "surplus rows": truth["repeated"],
    }
    expected = {
        "rows": truth["rows"],
        "nulls": truth["nulls"],
        "duplicates": duplicates[str(answer["counts"])],
    }
    wrong = [
        f"{name} {answer[name]} instead of {value}"
        for name, value in expected.items()
        if answer[name] not in (value, None)  # None: not looked for
    ]
    return f"wrong answer: {', '.join(wrong)}" if wrong else ""


def _again() -> list[Row]:
    """Return what a second profile costs: of an unchanged table, and of one with one changed bucket."""
    command = [sys.executable, "-m", "benchmarks.table_peers.ours_again", str(_table(ROWS)), "bucket", "none"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    seconds = json.loads(done.stdout.splitlines()[-1])
    full = seconds["full"]
    return [
        (what, f"{seconds[name] / full:.1%} ({1000 * seconds[name]:.0f} ms of {full:.2f} s)", target)
        for what, name, target in (
            ("unchanged table again / full profile", "unchanged", "<= 2 %"),
            ("one bucket changed / full profile", "one", "<= 4 %"),
        )
    ]


def _ratio(what: str, way: Way, other: Way, target: str) -> Row:
    if problem := way.problem or other.problem:
        return what, problem, target
    cpu, other_cpu = statistics.median(way.cpu), statistics.median(other.cpu)
    times = f"{way.wall:.2f} s against {other.wall:.2f} s, CPU with imports {cpu:.1f} against {other_cpu:.1f}"
    return what, f"{way.wall / other.wall:.2f} x ({times})", target


def _memory(what: str, way: Way, other: Way, target: str) -> Row:
    if problem := way.problem or other.problem:
        return what, problem, target
    both = f"{way.memory:.0f} MiB against {other.memory:.0f} MiB"
    return what, f"{way.memory / other.memory:.2f} x ({both})", target


def _table(rows: int) -> Path:
    """Return the folder of the table, written on the first call."""
    folder = CACHE / f"table-{rows}"
    if not folder.with_suffix(".json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        program = (
            f"from benchmarks.table_peers.key_table import *; write_key_table(Path({str(folder)!r}), {rows})"
        )
        command = [sys.executable, "-c", f"from pathlib import Path; {program}"]
        subprocess.run(command, check=True, cwd=ROOT)
    return folder


def _environment(way: Way) -> str | None:
    """Return the Python of a way's environment, made on the first call; None where that fails."""
    if not way.packages:
        return sys.executable
    folder = CACHE / f"venv-{way.script}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        try:
            _install(folder, way.packages)
        except (OSError, subprocess.CalledProcessError) as error:
            said = str(getattr(error, "stderr", None) or error).strip().splitlines()
            way.problem = f"cannot be installed: {said[-1][:150] if said else 'no reason given'}"
            return None
        (folder / "ready").touch()
    return str(folder / "bin/python")


def _install(folder: Path, packages: tuple[str, ...]) -> None:
    python = str(folder / "bin/python")
    if uv := shutil.which("uv"):
        commands = [
            [uv, "venv", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--python", python, *packages],
        ]
    else:
        commands = [
            [sys.executable, "-m", "venv", str(folder)],
            [python, "-m", "pip", "install", "--quiet", *packages],
        ]
    for command in commands:
        subprocess.run(command, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    for line in measure():
        print(*line, sep=" | ")
