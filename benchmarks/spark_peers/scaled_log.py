"""A big event log, scaled from a real one: a small job of the installed pyspark, repeated with new ids.

Its jobs with their stages and tasks are repeated: only their ids differ from copy to copy, so that the totals
are a multiple of those of the one that ran. Packed with zstd, as Spark does by default.
"""

import re
import sys
import tempfile
from pathlib import Path

import zstandard

ID = re.compile(rb'"(Job ID|Stage ID|Task ID)":(\d+)')
STAGES = re.compile(rb'"(Stage IDs|Parent IDs)":\[([\d,]*)\]')
PARTITIONS = 400
JOB_LINES = (b'{"Event":"SparkListenerJob', b'{"Event":"SparkListenerStage', b'{"Event":"SparkListenerTask')


def write_scaled_log(target: Path, megabytes: int) -> None:
    """Write the log ``target``, of at least so many megabytes unpacked."""
    with tempfile.TemporaryDirectory() as folder:
        _run_job(Path(folder))
        [log] = (file for file in Path(folder).iterdir() if file.name.startswith("local-"))
        lines = log.read_bytes().splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if line.startswith(JOB_LINES))
    last = len(lines) - next(n for n, line in enumerate(reversed(lines)) if line.startswith(JOB_LINES))
    repeated = [line for line in lines[first:last] if line.startswith(JOB_LINES)]
    size = sum(map(len, repeated))
    step = 1 + max(int(found[2]) for line in repeated for found in ID.finditer(line))
    with target.open("wb") as stream, zstandard.ZstdCompressor(level=1).stream_writer(stream) as packed:
        packed.write(b"".join(lines[:last]))
        for copy in range(1, -(-megabytes * 1_000_000 // size)):
            packed.write(b"".join(_moved(line, copy * step) for line in repeated))
        packed.write(b"".join(lines[last:]))


def _moved(line: bytes, by: int) -> bytes:
    """Return a line with other ids of jobs, stages and tasks."""
    moved = ID.sub(lambda found: b'"%s":%d' % (found[1], int(found[2]) + by), line)
    if line.startswith(JOB_LINES[2]):
        return moved
    return STAGES.sub(lambda found: b'"%s":[%s]' % (found[1], _all_moved(found[2], by)), moved)


def _all_moved(ids: bytes, by: int) -> bytes:
    return b",".join(b"%d" % (int(one) + by) for one in ids.split(b",") if one)


def _run_job(folder: Path) -> None:
    """Run a job of SQL with shuffles, on two threads, with its event log in ``folder``."""
    from pyspark.sql import SparkSession, functions

    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": folder.as_uri(),
        "spark.eventLog.enabled": "true",
        "spark.eventLog.rolling.enabled": "false",
        "spark.log.level": "ERROR",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.autoBroadcastJoinThreshold": "-1",
        "spark.sql.shuffle.partitions": str(PARTITIONS),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local[2]").appName("scaled")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    numbers = spark.range(0, 200_000, 1, PARTITIONS).withColumn("k", functions.col("id") % 1009)
    totals = numbers.groupBy("k").agg(functions.sum("id").alias("total"), functions.count("id").alias("rows"))
    numbers.join(totals, "k").groupBy((functions.col("id") % 31).alias("g")).agg(
        functions.sum("total")
    ).collect()
    numbers.repartition(PARTITIONS, "id").sortWithinPartitions("id").write.parquet(str(folder / "written"))
    spark.read.parquet(str(folder / "written")).groupBy("k").count().collect()
    spark.stop()


if __name__ == "__main__":
    write_scaled_log(Path(sys.argv[1]), int(sys.argv[2]))
