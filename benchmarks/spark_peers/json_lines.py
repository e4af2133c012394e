"""The script that everybody writes: json.loads on every line, the same fields and totals."""

import io
import json
import time
from pathlib import Path
from typing import Any

import zstandard

from benchmarks.spark_peers.answer import files, tell

FAILURES = {"Success", "TaskKilled", "TaskCommitDenied", "Resubmitted"}


def read(file: Path) -> dict[str, int]:
    """Return the totals of a log."""
    totals = dict.fromkeys(("run", "cpu", "gc", "in", "out", "read", "write", "memory", "disk"), 0)
    ended, failed = set(), set()
    with file.open("rb") as stream:
        unpacked = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
        for line in io.BufferedReader(unpacked, 1 << 20):
            event = json.loads(line)
            if event["Event"] != "SparkListenerTaskEnd":
                continue
            ended.add(event["Task Info"]["Task ID"])
            if event["Task End Reason"]["Reason"] not in FAILURES:
                failed.add(event["Task Info"]["Task ID"])
            _add(totals, event.get("Task Metrics"))
    totals["cpu"] //= 1_000_000
    run, cpu, gc, read, written, shuffle_read, shuffle_write, memory, disk = totals.values()
    return {
        "total_tasks": len(ended),
        "failed_tasks": len(failed),
        "run_time_ms": run,
        "cpu_time_ms": cpu,
        "gc_time_ms": gc,
        "input_bytes": read,
        "output_bytes": written,
        "shuffle_read_bytes": shuffle_read,
        "shuffle_write_bytes": shuffle_write,
        "memory_spilled_bytes": memory,
        "disk_spilled_bytes": disk,
    }


def _add(totals: dict[str, int], metrics: Any) -> None:
    if not metrics:
        return
    totals["run"] += metrics["Executor Run Time"]
    totals["cpu"] += metrics["Executor CPU Time"]
    totals["gc"] += metrics["JVM GC Time"]
    totals["in"] += metrics["Input Metrics"]["Bytes Read"]
    totals["out"] += metrics["Output Metrics"]["Bytes Written"]
    read = metrics["Shuffle Read Metrics"]
    totals["read"] += read["Remote Bytes Read"] + read["Local Bytes Read"]
    totals["write"] += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
    totals["memory"] += metrics["Memory Bytes Spilled"]
    totals["disk"] += metrics["Disk Bytes Spilled"]


if __name__ == "__main__":
    start = time.process_time()
    tell([read(file) for file in files()], start)
