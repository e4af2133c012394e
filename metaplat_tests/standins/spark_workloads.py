"""Small Spark applications that do what large ones do: shuffle, spill, fail, retry, lose an executor.

Here: the program that runs them one after the other in one JVM, each with an event log of another form;
run it as ``python -m metaplat_tests.standins.spark_workloads FOLDER``. A Spark inside a worker of xdist does
not end well, so it has a process of its own.
Not here: the folder that tests share, and the logs made from these (``spark_jobs``).
"""

from __future__ import annotations

import base64
import os
import random
import signal
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pyspark import SparkContext
    from pyspark.sql import SparkSession

PLAIN = {"spark.eventLog.compress": "false", "spark.eventLog.rolling.enabled": "false"}
SECRET = "a-password-that-nobody-may-see"
PADDING, ROLLED_JOBS = 360_000, 27
"""Bytes of a local property, which Spark writes with every job and stage: a log of few jobs rolls over."""


@contextmanager
def application(
    folder: Path, name: str, settings: Mapping[str, str], master: str = "local[2]"
) -> Iterator[SparkContext]:
    """Run one application with a log in ``folder``."""
    from pyspark import SparkConf, SparkContext

    log = folder / "logs" / name
    log.mkdir(parents=True)
    every = {
        "spark.app.name": name,
        "spark.driver.host": "127.0.0.1",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": log.as_uri(),
        "spark.log.level": "OFF",
        "spark.master": master,
        "spark.metaplat.tag.team": name,
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",  # compiling takes longer than these few rows
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.shuffle.partitions": "3",
        "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    conf = SparkConf().setAll(list({**every, **settings}.items()))
    context = SparkContext(conf=conf)
    try:
        yield context
    finally:
        context.stop()


def shuffle(context: SparkContext, tasks: int = 4) -> Any:
    """Run two jobs on one shuffle: the second one skips the stage before it."""
    words = context.parallelize(range(2_000), tasks).map(lambda number: (number % 50, "x" * 20))
    counted = words.reduceByKey(lambda left, right: max(left, right), 3)
    counted.count()
    return counted.collect()


def fail_once(context: SparkContext) -> None:
    """Run a job of which two tasks fail, and succeed when they are tried again."""

    def work(index: int, rows: Iterable[int]) -> Iterable[int]:
        from pyspark import TaskContext

        here = TaskContext.get()
        if index < 2 and here is not None and here.attemptNumber() == 0:
            raise ValueError("fails at first")
        return rows

    context.parallelize(range(100), 4).mapPartitionsWithIndex(work).count()


def fail_for_good(context: SparkContext) -> None:
    """Run a job of which one task fails too often, while another one still works and is killed."""

    def work(index: int, rows: Iterable[int]) -> Iterable[int]:
        if index == 0:
            raise ValueError("fails always")
        time.sleep(30)
        return rows

    from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException

    with suppress(Py4JJavaError, PySparkException):
        context.parallelize(range(100), 2).mapPartitionsWithIndex(work).count()


def tables(session: SparkSession, folder: Path) -> None:
    """Write, read, cache, join and sort tables; little memory for the sort makes it spill."""
    path = str(folder / "table.parquet")
    session.range(0, 20_000, numPartitions=4).selectExpr(
        "id", "id % 17 as k", "repeat('x', 20) as text"
    ).write.parquet(path)
    read = session.read.parquet(path).cache()
    read.count()
    read.groupBy("k").count().collect()
    read.join(read.withColumnRenamed("text", "other").filter("k < 5"), "id").orderBy(
        "other", "id"
    ).write.mode("overwrite").csv(str(folder / "out.csv"))


def busy(folder: Path) -> None:
    """Run an application of many sorts of work on threads of the driver."""
    from pyspark.sql import SparkSession

    settings = {
        "spark.metaplat.password": SECRET,
        "spark.shuffle.spill.numElementsForceSpillThreshold": "1000",
        "spark.sql.autoBroadcastJoinThreshold": "-1",
    }
    with application(folder, "busy", PLAIN | settings, "local[2,4]") as context:
        shuffle(context)
        fail_once(context)
        fail_for_good(context)
        tables(SparkSession(context), folder / "tables")


def rolling(folder: Path, name: str, compress: str) -> None:
    """Run an application whose log rolls over two times."""
    letters = random.Random(7)
    settings = {
        "spark.eventLog.compress": compress,
        "spark.eventLog.rolling.enabled": "true",
        "spark.eventLog.rolling.maxFileSize": "10m",  # the least that Spark allows
    }
    with application(folder, name, settings) as context:
        numbers = context.parallelize(range(4), 2)._jrdd  # what the JVM counts starts no Python
        for _ in range(ROLLED_JOBS):
            context.setLocalProperty("padding", base64.b64encode(letters.randbytes(PADDING)).decode())
            numbers.count()


def executor_process() -> int:
    """Return the process id of the executor that runs this task: its Python's parent's parent."""
    fields = Path(f"/proc/{os.getppid()}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return int(fields[1])


def lost_executors(folder: Path) -> None:
    """Run a cluster of two executors; one is killed while it maps, another while the result is made."""

    def killing(marker: Path) -> Callable[[int, Iterable[Any]], Iterable[Any]]:
        def kill_once(index: int, rows: Iterable[Any]) -> Iterable[Any]:
            if index == 3:
                with suppress(FileExistsError):
                    marker.touch(exist_ok=False)
                    os.kill(executor_process(), signal.SIGKILL)
                    time.sleep(60)  # the executor is gone before, and this process with it
            return rows

        return kill_once

    settings = {
        "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # they start sooner
        "spark.cores.max": "2",
        "spark.executor.memory": "1g",
        "spark.scheduler.maxRegisteredResourcesWaitingTime": "300s",
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",  # both have done something when one is killed
        "spark.shuffle.io.maxRetries": "0",
    }
    with application(folder, "cluster", PLAIN | settings, "local-cluster[2,1,1024]") as context:
        mapped = context.parallelize(range(400), 8).mapPartitionsWithIndex(killing(folder / "while-it-maps"))
        reduced = mapped.map(lambda number: (number % 7, 1)).reduceByKey(lambda left, right: left + right, 4)
        reduced.count()
        reduced.mapPartitionsWithIndex(killing(folder / "while-it-reduces")).count()


def small(folder: Path, name: str, settings: Mapping[str, str], exit_code: int = 0) -> None:
    """Run an application of a few tasks, none of them in Python, which starts slowly."""
    from pyspark.sql import SparkSession

    with application(folder, name, settings) as context:
        numbers = SparkSession(context).range(0, 2_000, numPartitions=4)
        numbers.selectExpr("id % 50 as k").groupBy("k").count().orderBy("k").collect()
        context._jsc.sc().stop(exit_code)


def codec(name: str) -> dict[str, str]:
    """Return the settings of a single log with a codec."""
    return {
        "spark.eventLog.compress": "true",
        "spark.eventLog.compression.codec": name,
        "spark.eventLog.rolling.enabled": "false",
    }


def unpack(log: Path) -> bytes:
    """Return the events of a log as Spark itself unpacks them; the files of a rolling one in order."""
    from pyspark import SparkContext

    jvm: Any = SparkContext._jvm
    files = sorted(log.glob("events_*")) if log.is_dir() else [log]  # fewer than ten
    path, filesystem = jvm.org.apache.hadoop.fs.Path, jvm.org.apache.hadoop.fs.FileSystem
    local = filesystem.getLocal(jvm.org.apache.hadoop.conf.Configuration())
    reader = jvm.org.apache.spark.deploy.history.EventLogFileReader
    streams = [reader.openEventLog(path(file.as_uri()), local) for file in files]
    return b"".join(bytes(stream.readAllBytes()) for stream in streams)


def run_all(folder: Path) -> None:
    """Run every application; each has a folder by its name, with the log and the unpacked ``events``."""
    from pyspark import SparkContext

    SparkContext._ensure_initialized()  # a JVM started by the first application gives its settings to all
    busy(folder)
    for name in ("zstd", "lz4", "snappy"):
        small(folder, name, codec(name))
    small(folder, "lzf", codec("lzf"), exit_code=3)
    for name in ("gzip", "cut", "first", "second"):
        small(folder, name, PLAIN)
    for name in ("suffix", "cut-zstd"):
        small(folder, name, codec("zstd"))
    for name, compress in (("rolling", "false"), ("rolling-zstd", "true")):
        rolling(folder, name, compress)
    lost_executors(folder)
    for log in [next(each.iterdir()) for each in (folder / "logs").iterdir()]:
        (log.parent / "events").write_bytes(unpack(log))


if __name__ == "__main__":
    run_all(Path(sys.argv[1]))
