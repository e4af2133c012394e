"""The status per partition that the Dagster UI shows, asked as the UI asks it.

This guards the private class of ``check_targets`` against a new release of Dagster.
"""

from __future__ import annotations

import gc
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
import yaml

from metaplat.model.errors import PermanentStoreError
from metaplat.orchestration.build import build_definitions
from metaplat.orchestration.jobs import partition_tags
from metaplat_tests.orchestration.small_domains import COUNTS, SHARDS, days, land
from metaplat_tests.orchestration.watched_objects import WatchedObjects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagster._core.workspace.context import WorkspaceRequestContext

    from metaplat.model.domain import MetadataDomain
    from metaplat.stores.home import Stores

STATUSES = """
query Statuses($asset: AssetKeyInput!) {
  assetNodeOrError(assetKey: $asset) { ... on AssetNode { assetChecksOrError { ... on AssetChecks { checks {
    name blocking
    partitionStatuses {
      __typename
      ... on AssetCheckTimePartitionStatuses { ranges { startKey endKey status } }
      ... on AssetCheckDefaultPartitionStatuses {
        succeededPartitions failedPartitions inProgressPartitions skippedPartitions executionFailedPartitions
      }
    }
  } } } } }
}
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Return an instance on disk, as the UI and the runs share it."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as on_disk:
        yield on_disk


@pytest.fixture
def ui(instance: dg.DagsterInstance, tmp_path: Path) -> Iterator[WorkspaceRequestContext]:
    """Serve the small domains as a code location of their own process."""
    from dagster_graphql.test.utils import define_out_of_process_context

    location = {"relative_path": str(Path(__file__).with_name("small_location.py")), "attribute": "defs"}
    location["working_directory"] = str(Path(__file__).parents[2])
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text(yaml.safe_dump({"load_from": [{"python_file": location}]}))
    others = children()
    with define_out_of_process_context(str(workspace), None, instance) as context:
        yield context
    for each in children():
        if each not in others:
            each.wait(timeout=600)  # Dagster tells its server to end and does not wait for it


def children() -> list[subprocess.Popen[Any]]:
    """Return what this process has started; other tests may have left something that ends with it."""
    return [each for each in gc.get_objects() if type(each) is subprocess.Popen]


def statuses(ui: WorkspaceRequestContext, asset: str) -> dict[str, Any]:
    """Return what the UI is told of each check of an asset."""
    from dagster_graphql.test.utils import execute_dagster_graphql

    answer = execute_dagster_graphql(ui, STATUSES, {"asset": {"path": [asset]}})
    checks = answer.data["assetNodeOrError"]["assetChecksOrError"]["checks"]
    return {check["name"]: check["partitionStatuses"] for check in checks}


def execute(
    domain: MetadataDomain, stores: Stores, instance: dg.DagsterInstance, first: str, last: str
) -> dg.ExecuteInProcessResult:
    job = build_definitions(domains=[domain], resources={"stores": stores}).resolve_job_def(
        f"ingest_{domain.name}"
    )
    return job.execute_in_process(instance=instance, tags=partition_tags(first, last), raise_on_error=False)


def test_the_ui_is_told_the_exact_partitions_of_every_check(
    stores: Stores, instance: dg.DagsterInstance, ui: WorkspaceRequestContext
) -> None:
    for bucket in range(7):
        land(stores, SHARDS, str(bucket), "a.json", a=500 if bucket == 3 else 1)
    land(stores, SHARDS, "5", "b.json", b=1)
    execute(SHARDS, stores, instance, "0", "6")
    execute(SHARDS, stores, instance, "7", "7")  # nothing landed: an empty partition, by itself
    for _ in range(20):
        instance.report_runless_asset_event(dg.AssetMaterialization("shards", partition="1"))
    execute(SHARDS, stores, instance, "0", "6")
    found = statuses(ui, "shards")
    assert found["amount"] == {
        "__typename": "AssetCheckDefaultPartitionStatuses",
        "succeededPartitions": ["0", "1", "2", "4", "5", "6", "7"],
        "failedPartitions": ["3"],
        "inProgressPartitions": [],
        "skippedPartitions": [],
        "executionFailedPartitions": [],
    }
    assert found["pairs"]["succeededPartitions"] == ["5"]
    assert found["pairs"]["skippedPartitions"] == ["0", "1", "2", "3", "4", "6", "7"]
    assert found["pairs"]["failedPartitions"] == found["pairs"]["executionFailedPartitions"] == []
    assert found["amount__summary"] is None

    keys = days("2025-11-01", 4)
    for day in keys:
        land(stores, COUNTS, day, "a.json", a=500 if day == keys[2] else 1)
    execute(COUNTS, stores, instance, keys[0], keys[3])
    ranges = statuses(ui, "counts")["amount"]["ranges"]
    told = [(each["startKey"], each["endKey"], each["status"]) for each in ranges]
    assert told == [
        (keys[0], keys[1], "SUCCEEDED"),
        (keys[2], keys[2], "FAILED"),
        (keys[3], keys[3], "SUCCEEDED"),
    ]


def test_a_partition_that_could_not_be_judged_is_told_apart_from_one_that_fails(
    stores: Stores, instance: dg.DagsterInstance, ui: WorkspaceRequestContext
) -> None:
    for bucket in range(4):
        land(stores, SHARDS, str(bucket), "a.json", a=500 if bucket == 3 else 1)
    execute(SHARDS, stores, instance, "0", "3")
    broken = WatchedObjects(
        stores.lake.objects,
        lambda operation, key: PermanentStoreError if operation == "get" and "id_bucket=2" in key else None,
    )
    lake = replace(stores.lake, objects=broken)
    job = build_definitions(domains=[SHARDS], resources={"stores": replace(stores, lake=lake)})
    result = job.resolve_job_def("check_shards").execute_in_process(
        instance=instance, tags=partition_tags("0", "3"), raise_on_error=False
    )
    assert not result.success
    found = statuses(ui, "shards")["amount"]
    assert found["succeededPartitions"] == ["0", "1"]
    assert found["failedPartitions"] == ["3"]
    assert found["executionFailedPartitions"] == ["2"]
