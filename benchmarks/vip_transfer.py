"""One large file from a file host into an S3: as a pull does it, from socket to socket, as a script does it.

Host and S3 are processes of their own on this machine, the same for every way: the host sends by
``sendfile``, the S3 counts what comes in and keeps none of it. Each way runs in a process of its own, in
turn; seconds of the clock after the imports, medians of the rounds. ``METAPLAT_BENCH_VIP_BYTES`` says how
large the file is (1 GiB), ``METAPLAT_BENCH_ROUNDS`` how many rounds (3).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass

from benchmarks.vip_file_host import file_host
from benchmarks.vip_transfer_ways import WAYS
from metaplat_tests.standins.stub_s3 import StubS3, stub_s3

BYTES = int(os.environ.get("METAPLAT_BENCH_VIP_BYTES", str(2**30)))
ROUNDS = int(os.environ.get("METAPLAT_BENCH_ROUNDS", "3"))

Line = tuple[str, str, str]


@dataclass(frozen=True)
class Cost:
    """What one transfer took: seconds of the clock and of CPU in its process, and its peak memory, MiB."""

    seconds: float
    cpu: float
    mb: float


def transfer_lines() -> list[Line]:
    """Return ratios and peak memory, each with its target."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ.setdefault(variable, "none")
    rounds: defaultdict[str, list[Cost]] = defaultdict(list)
    with file_host(BYTES) as url, stub_s3() as s3:
        for _ in range(ROUNDS):
            for way in WAYS:
                rounds[way].append(_cost(way, url, s3))
    cost = {way: _median(costs) for way, costs in rounds.items()}
    begun = f"{BYTES / 2**30:.3g} GiB from a file host into S3: ours"
    return [
        (f"{begun} / from socket to socket", _speed(cost, "raw"), ">= 0.7 x"),
        ("ours / from socket to socket, with the SHA-256 of the file", _speed(cost, "raw-verified"), ""),
        ("ours / read all, then `put_object`", _speed(cost, "whole"), ">= 6 x"),
        ("the same, content not signed", _speed(cost, "whole-unsigned"), ""),
        ("ours / read a stream, `upload_fileobj`, content not signed", _speed(cost, "parts-unsigned"), ""),
        ("CPU of the process", _cpu(cost), ""),
        ("peak memory of the process, imports included", _memory(cost), "<= 150 MiB"),
    ]


def _cost(way: str, url: str, s3: StubS3) -> Cost:
    command = [sys.executable, "-m", "benchmarks.vip_transfer_ways", way, url, s3.endpoint, str(BYTES)]
    before = s3.counts()["received"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    assert s3.counts()["received"] - before >= BYTES, way
    return Cost(**json.loads(done.stdout))


def _median(costs: list[Cost]) -> Cost:
    each = ((cost.seconds, cost.cpu, cost.mb) for cost in costs)
    return Cost(*(statistics.median(values) for values in zip(*each, strict=True)))


def _speed(cost: dict[str, Cost], other: str) -> str:
    mine, theirs = (BYTES / 1e6 / cost[name].seconds for name in ("ours", other))
    return f"{mine / theirs:.2f} x ({mine:,.0f} MB/s against {theirs:,.0f} MB/s)"


def _cpu(cost: dict[str, Cost]) -> str:
    others = ", ".join(f"{way} {each.cpu:.1f} s" for way, each in cost.items() if way != "ours")
    return f"{cost['ours'].cpu:.1f} s ({others})"


def _memory(cost: dict[str, Cost]) -> str:
    return f"{cost['ours'].mb:,.0f} MiB (`put_object`: {cost['whole'].mb:,.0f} MiB)"


if __name__ == "__main__":
    for line in transfer_lines():
        print(*line, sep=" | ")
