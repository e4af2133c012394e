"""What loading the code location costs, against ``import dagster``."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

ROUNDS = 7
TARGET = 1.25


def measure() -> list[tuple[str, str, str]]:
    """Return the CPU ratio of loading ``metaplat.definitions`` to importing dagster, in fresh processes."""
    floor, ours = [], []
    for _ in range(ROUNDS):  # in turn, so that a busy moment hits both
        floor.append(_cpu_seconds("import dagster"))
        ours.append(_cpu_seconds("import metaplat.definitions as location; location.defs()"))
    low, high = statistics.median(floor), statistics.median(ours)
    text = f"{high / low:.2f} x ({high:.2f} s against {low:.2f} s CPU)"
    return [("load the code location / import dagster", text, f"<= {TARGET} x")]


def _cpu_seconds(program: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    for line in measure():
        print(*line, sep=" | ")
