"""Stores, instances and runs of the tests of orchestration."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

import dagster as dg
import pytest

from metaplat.orchestration.build import build_definitions
from metaplat.orchestration.jobs import partition_tags
from metaplat.settings import Settings
from metaplat.stores.home import Stores, open_stores
from metaplat_tests.orchestration.small_domains import COUNTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metaplat.model.domain import MetadataDomain


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("METAPLAT_", "DAGSTER_HOME"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return open_stores(Settings(home=tmp_path / "home"))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


class Run(Protocol):
    """Runs a job of a small domain over partitions."""

    def __call__(
        self,
        first: str,
        last: str | None = None,
        *,
        domain: MetadataDomain = COUNTS,
        job: str = "ingest",
        stores: Stores | None = None,
    ) -> dg.ExecuteInProcessResult:
        """Run over one partition, or from ``first`` to ``last``."""


@pytest.fixture
def run(stores: Stores, instance: dg.DagsterInstance) -> Run:
    """Return the function that runs a job over one partition, or from the first to the last."""
    given = stores

    def execute(
        first: str,
        last: str | None = None,
        *,
        domain: MetadataDomain = COUNTS,
        job: str = "ingest",
        stores: Stores | None = None,
    ) -> dg.ExecuteInProcessResult:
        definitions = build_definitions(domains=[domain], resources={"stores": stores or given})
        return definitions.resolve_job_def(f"{job}_{domain.name}").execute_in_process(
            instance=instance, tags=partition_tags(first, last or first), raise_on_error=False
        )

    return execute


def evaluations(result: dg.ExecuteInProcessResult, check: str) -> dict[str | None, Any]:
    """Return the evaluations of a check in a run, by partition."""
    return {
        evaluation.partition: evaluation
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.check_name == check
    }
