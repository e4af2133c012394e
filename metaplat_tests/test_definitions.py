"""The code location loads as Dagster's servers load it, and holds what the domains declare."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from metaplat.definitions import defs
from metaplat.domains import all_domains
from metaplat.model.domain import Origin

if TYPE_CHECKING:
    from metaplat.model.domain import MetadataDomain

ROOT = Path(__file__).parent.parent
DOMAINS = pytest.mark.parametrize("domain", all_domains(), ids=lambda domain: domain.name)


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return defs().get_repository_def()


def test_the_definitions_can_be_loaded() -> None:
    dg.Definitions.validate_loadable(defs())


def test_dagster_validates_the_workspace(tmp_path: Path) -> None:
    environment = os.environ | {"DAGSTER_HOME": str(tmp_path)}
    answer = subprocess.run(
        [Path(sys.executable).with_name("dagster"), "definitions", "validate", "-w", ROOT / "workspace.yaml"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr


@DOMAINS
def test_every_domain_is_a_partitioned_asset_with_docs(
    repository: dg.RepositoryDefinition, domain: MetadataDomain
) -> None:
    spec = repository.asset_graph.get(dg.AssetKey(domain.name))
    assert spec.partitions_def is not None
    assert spec.description == domain.doc
    assert spec.backfill_policy == dg.BackfillPolicy.single_run()
    columns = spec.metadata["dagster/column_schema"].columns
    assert [column.name for column in columns] == [field.name for field in domain.columns]
    assert all(column.description for column in columns)


@DOMAINS
def test_every_rule_is_a_check_per_partition_and_one_of_the_table(
    repository: dg.RepositoryDefinition, domain: MetadataDomain
) -> None:
    graph = repository.asset_graph
    specs = {key.name: graph.get_check_spec(key) for key in graph.asset_check_keys}
    for rule in domain.rules:
        assert specs[rule.summary_name].partitions_def is None
        if rule.judge:
            assert specs[rule.name].partitions_def is not None


@DOMAINS
def test_every_domain_has_its_sensor_schedule_and_jobs(
    repository: dg.RepositoryDefinition, domain: MetadataDomain
) -> None:
    if domain.origin is Origin.DELIVERIES:  # one schedule serves all that is made of delivered files
        assert repository.get_schedule_def("vip_history_hourly").cron_schedule == domain.cadence
    else:
        sensor = f"{domain.name}_{'changed' if domain.cataloged else 'landed'}"
        assert repository.has_sensor_def(sensor)
        assert repository.get_schedule_def(f"{domain.name}_cadence").cron_schedule == domain.cadence
    assert {f"ingest_{domain.name}", f"check_{domain.name}"} <= set(repository.job_names)
