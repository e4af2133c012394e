"""metaplat: unpack, replay, conclude. Without a log: what the imports alone cost."""

import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.spark_peers.answer import chunks, files, tell
from metaplat.collectors.spark.conclusions import conclude
from metaplat.collectors.spark.events.replay import LogReplay
from metaplat.collectors.spark.log_files.codecs import zstd_stream  # noqa: F401  # before the clock starts
from metaplat.collectors.spark.log_files.unpack import unpack
from metaplat.settings import SparkSettings

TOTALS = (
    "total_tasks",
    "failed_tasks",
    "run_time_ms",
    "cpu_time_ms",
    "gc_time_ms",
    "input_bytes",
    "output_bytes",
    "shuffle_read_bytes",
    "shuffle_write_bytes",
    "memory_spilled_bytes",
    "disk_spilled_bytes",
)


def read(file: Path) -> dict[str, int]:
    """Return the totals of a log."""
    replay = LogReplay()
    for chunk in unpack(chunks(file)):
        replay.feed(chunk)
    replay.end_file(cut=False)
    attempt = replay.attempt("event-logs")
    conclude(attempt, SparkSettings(), datetime.now(UTC))
    return {name: getattr(attempt, name) for name in TOTALS}


def main() -> None:
    """Answer as every way does."""
    started = time.process_time()
    tell([read(file) for file in files()], started)


if __name__ == "__main__":
    main()
