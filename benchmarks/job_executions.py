"""A day of 20,000 one-record objects, from landing to the checked partition, against reading the same files.

The floor lists the folder, opens, reads and parses every file, and keeps the records. Ours does that too,
validates, redacts, deduplicates, sorts, writes the lake, the hot store and the receipt, looks if more landed
meanwhile, and judges every rule of the partition.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

OBJECTS = 20_000
ROUNDS = 5
TARGET = 3.0
DAY = (datetime.now(UTC) - timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)


def measure() -> list[tuple[str, str, str]]:
    """Return the wall ratio to the floor, and the peak memory of a process that does it once."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        landed = land_day(home)
        floors, ours = [], []
        ingest_and_judge(home)  # what is measured is the work, not the imports
        for _ in range(ROUNDS):
            floors.append(read_all(landed))
            forget(home)
            ours.append(ingest_and_judge(home))
        forget(home)
        memory = _peak_memory(home)
    floor, own = statistics.median(floors), statistics.median(ours)
    ratio = f"{own / floor:.2f} x ({own:.3f} s against {floor:.3f} s)"
    return [
        (f"{OBJECTS:,} objects, landing to checked partition / read and parse", ratio, f"<= {TARGET:.0f} x"),
        ("peak memory of that process beyond its imports", f"{memory:.0f} MiB", "bounded by the partition"),
    ]


def land_day(home: Path) -> Path:
    """Write one object per execution into the landing folder of one day, and return the folder."""
    folder = home / "landing/job-executions" / DAY.strftime("%Y/%m/%d")
    folder.mkdir(parents=True)
    for number in range(OBJECTS):
        (folder / f"run-{number:05d}.json").write_bytes(orjson.dumps(record(number)))
    return folder


def record(number: int) -> dict[str, object]:
    """Return one finished execution."""
    start = DAY + timedelta(seconds=number * 4)
    return {
        "job_id": f"679ce653-0ca9-4612-8611-{number:012d}",
        "job_name": f"job-{number % 500:03d}",
        "execution_date": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "end_date": (start + timedelta(minutes=12)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": "SUCCESS" if number % 20 else "FAILED",
        "duration_minutes": 12.0,
        "failure_reason": None if number % 20 else "OOMKilled",
        "error_details": None
        if number % 20
        else {"type": "OOMKilled", "message": "killed", "exit_code": 137},
        "resources_used": {"peak_memory_gb": 3.25, "avg_cpu_cores": 1.5, "peak_cpu_cores": 2.0},
        "input_data": {"row_count": 10_000 + number, "size_gb": 1.5, "source_tables": ["raw.orders"]},
        "output_data": {"row_count": 9_000 + number, "size_gb": 1.1},
        "namespace": "data-prod",
        "cluster_name": "prod",
        "attempts": 1,
    }


def read_all(folder: Path) -> float:
    """Return the seconds it takes to list, open, read and parse every file, and keep the records."""
    start = time.perf_counter()
    records = []
    for name in os.listdir(folder):  # noqa: PTH208  # the floor must not pay for Path
        with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123
            records.append(orjson.loads(file.read()))
    seconds = time.perf_counter() - start
    if len(records) != OBJECTS:
        raise RuntimeError(f"{len(records)} records of {OBJECTS}")
    return seconds


def ingest_and_judge(home: Path) -> float:
    """Return the seconds from landing objects to logged verdicts."""
    from metaplat.domains import domain_named
    from metaplat.ingest.partition import PartitionIngest
    from metaplat.orchestration.judging import Judge
    from metaplat.settings import Settings
    from metaplat.stores.home import open_stores

    stores, domain, now = open_stores(Settings(home=home)), domain_named("job_executions"), datetime.now(UTC)
    key = DAY.strftime("%Y-%m-%d")
    start = time.perf_counter()
    receipt = PartitionIngest(domain, stores, now).run(key)
    judgement = Judge(domain, stores, now, None).judge_partitions([key], domain.rules)
    seconds = time.perf_counter() - start
    if receipt.rows != OBJECTS or judgement.errors:
        raise RuntimeError(f"{receipt.rows} rows of {OBJECTS}, errors {judgement.errors}")
    return seconds


def forget(home: Path) -> None:
    """Remove everything derived, so that the next round does all the work again."""
    for name in ("lake", "state", "quarantine"):
        subprocess.run(["rm", "-rf", home / name], check=True)
    for path in home.glob("hot.sqlite*"):
        path.unlink()


def _peak_memory(home: Path) -> float:
    program = (
        "import re; from pathlib import Path\n"
        "import polars, pandera.polars, pydantic, metaplat.stores.home\n"
        "import benchmarks.job_executions as bench\n"
        "status = Path('/proc/self/status')\n"
        "high = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', status.read_text())[1]) / 1024\n"
        "before = high()\n"
        f"bench.ingest_and_judge(Path({str(home)!r}))\n"
        "print(high() - before)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    answer = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment
    )
    return float(answer.stdout)


if __name__ == "__main__":
    for line in measure():
        print(*line, sep=" | ")
