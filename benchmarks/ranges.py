"""A range of 365 daily partitions in one run, against the same events recorded by an asset that does nothing.

Both run on an instance of their own with SQLite on the same disk, in turn. The bare one materializes as many
partitions, and yields as many evaluations with the same targets, and no verdict behind any of them.
"""

import json
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from metaplat.orchestration.check_targets import latest_targets

DAYS = 365
RECORDS = 12
ROUNDS = 2
TARGET = 1.5
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
LAST = FIRST + timedelta(days=DAYS - 1)
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
RANGE = {
    "dagster/asset_partition_range_start": FIRST.strftime("%Y-%m-%d"),
    "dagster/asset_partition_range_end": LAST.strftime("%Y-%m-%d"),
}


def measure() -> list[tuple[str, str, str]]:
    """Return the wall ratio of ingesting and judging a year to recording as many bare events."""
    bare, ours = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            bare.append(_run_bare(Path(folder)))
        with tempfile.TemporaryDirectory() as folder:
            ours.append(_run_ours(Path(folder)))
    floor, own = statistics.median(bare), statistics.median(ours)
    text = f"{own / floor:.2f} x ({own:.1f} s against {floor:.1f} s)"
    return [(f"{DAYS} partitions in one run / bare events", text, f"<= {TARGET} x")]


def _run_ours(home: Path) -> float:
    from metaplat.domains import domain_named
    from metaplat.orchestration.build import build_definitions
    from metaplat.settings import Settings
    from metaplat.stores.home import open_stores

    for day in range(DAYS):
        _land(home, FIRST + timedelta(days=day))
    stores, domain = open_stores(Settings(home=home)), domain_named("job_executions")
    job = build_definitions(domains=[domain]).resolve_job_def("ingest_job_executions")
    return _seconds(job, home, {"stores": stores})


def _run_bare(home: Path) -> float:
    from metaplat.domains import domain_named

    rules = domain_named("job_executions").rules
    names = [rule.name for rule in rules if rule.judge]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        job = _bare_job(names, [rule.summary_name for rule in rules if rule.summary_name not in names])
    return _seconds(job, home, {})


def _bare_job(names: list[str], summaries: list[str]) -> dg.JobDefinition:
    partitions = dg.DailyPartitionsDefinition(start_date="2025-01-01", timezone="UTC", end_offset=1)
    specs = [dg.AssetCheckSpec(name, asset="bare", partitions_def=partitions) for name in names]
    tables = [dg.AssetCheckSpec(name, asset="bare") for name in summaries]

    @dg.asset(name="bare", partitions_def=partitions, backfill_policy=dg.BackfillPolicy.single_run())
    def bare(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        for key in context.partition_keys:
            context.add_asset_metadata({"rows": 12}, partition_key=key)
        return dg.MaterializeResult()

    @dg.multi_asset_check(name="bare_checks", specs=[*specs, *tables], can_subset=True)
    def bare_checks(context: dg.AssetCheckExecutionContext) -> Iterator[Any]:
        targets = latest_targets(context.instance, dg.AssetKey("bare"), context.partition_keys)
        for key in context.partition_keys:
            for name in names:
                yield dg.AssetCheckEvaluation(
                    asset_key=dg.AssetKey("bare"), check_name=name, partition=key, passed=True,
                    metadata={"rows": 12}, target_materialization_data=targets.get(key),
                )  # fmt: skip
        for spec in specs:
            yield dg.Output(None, output_name=spec.get_python_identifier())
        for spec in tables:
            yield dg.AssetCheckResult(check_name=spec.name, passed=True)

    definitions = dg.Definitions(
        assets=[bare],
        asset_checks=[bare_checks],
        jobs=[dg.define_asset_job("bare_job", dg.AssetSelection.assets("bare"))],
        executor=dg.in_process_executor,
    )
    return definitions.resolve_job_def("bare_job")


def _seconds(job: dg.JobDefinition, home: Path, resources: dict[str, object]) -> float:
    (home / "dagster").mkdir(parents=True)
    with dg.DagsterInstance.local_temp(str(home / "dagster")) as instance:
        start = time.perf_counter()
        result = job.execute_in_process(instance=instance, tags=RANGE, run_config=QUIET, resources=resources)
        seconds = time.perf_counter() - start
    if not result.success:
        raise RuntimeError("the run failed")
    return seconds


def _land(home: Path, day: datetime) -> None:
    folder = home / "landing/job-executions" / day.strftime("%Y/%m/%d")
    folder.mkdir(parents=True)
    lines = [
        json.dumps(
            {
                "job_id": f"{day:%Y%m%d}-{number}",
                "job_name": f"job-{number}",
                "execution_date": (day + timedelta(hours=number)).isoformat(),
                "status": "SUCCESS",
                "duration_minutes": 12.5,
                "resources_used": {"peak_memory_gb": 2.5},
            }
        )
        for number in range(RECORDS)
    ]
    (folder / "runs.ndjson").write_text("\n".join(lines))


if __name__ == "__main__":
    for line in measure():
        print(*line, sep=" | ")
