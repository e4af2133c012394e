"""A small Spark job with faults in it, for the demo: ``python small_job.py FOLDER``; needs pyspark and Java.

It writes one event log into FOLDER. Some of its tasks fail once and are tried again, one key has most of the
rows, and for a while only the driver works.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from pyspark import TaskContext
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  # as everybody calls it


def fail_once(numbers: Iterable[int]) -> Iterable[int]:
    """Fail on the first attempt of one partition, as a flaky source would."""
    context = TaskContext.get()
    if context is not None and context.partitionId() == 1 and context.attemptNumber() == 0:
        raise ConnectionError("the source closed the connection")
    return numbers


def main(folder: str) -> None:
    """Run the job; its event log is in ``folder`` when it has ended."""
    spark = (
        SparkSession.builder.master("local[2,4]")
        .appName("nightly-orders")
        .config("spark.ui.enabled", "false")
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.dir", f"file://{folder}")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.metaplat.tag.team", "orders")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    spark.sparkContext.parallelize(range(8), 4).mapPartitions(fail_once).count()
    orders = spark.range(400_000).withColumn(
        "customer", F.when(F.col("id") % 10 < 9, F.lit(0)).otherwise(F.col("id") % 1000)
    )
    customers = spark.range(1000).withColumnRenamed("id", "customer")
    orders.join(customers.hint("merge"), "customer").groupBy("customer").count().collect()
    time.sleep(2)  # only the driver is at work
    orders.repartition(6).selectExpr("sum(id)").collect()
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1])
