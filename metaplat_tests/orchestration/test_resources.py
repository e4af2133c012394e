"""Assets are given our stores, and SQL over the lake; settings are read when a run starts, never at load."""

from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from duckdb import DuckDBPyConnection

from metaplat.domains import domain_named
from metaplat.model.polars_schema import polars_schema
from metaplat.orchestration.build import build_definitions
from metaplat.orchestration.resources import StoresResource, default_resources, open_configured_stores
from metaplat.stores.home import Stores


@dg.asset
def home_of_the_stores(stores: dg.ResourceParam[Stores]) -> str:
    return str(stores.settings.home)


@dg.asset
def tables(lake_sql: dg.ResourceParam[DuckDBPyConnection]) -> list[str]:
    answer = lake_sql.execute("select view_name from duckdb_views() where not internal")
    return [name for (name,) in answer.fetchall()]


@dg.asset
def rows(lake_sql: dg.ResourceParam[DuckDBPyConnection]) -> int:
    [(counted,)] = lake_sql.execute("select count(*) from job_executions").fetchall()
    return int(counted)


def test_settings_are_read_when_a_run_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAPLAT_HOME", str(tmp_path / "at_load"))
    resources = default_resources()
    build_definitions()
    for name in ("first", "second"):
        monkeypatch.setenv("METAPLAT_HOME", str(tmp_path / name))
        result = dg.materialize([home_of_the_stores], resources=resources)
        assert result.output_for_node("home_of_the_stores") == str(tmp_path / name)


def test_a_settings_file_named_for_a_resource_is_used(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(f'home = "{tmp_path / "elsewhere"}"')
    resources = {"stores": StoresResource(config_path=str(tmp_path / "other.toml"))}
    result = dg.materialize([home_of_the_stores], resources=resources)
    assert result.output_for_node("home_of_the_stores") == str(tmp_path / "elsewhere")


def test_wrong_settings_fail_a_run_with_the_line_that_names_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAPLAT_HOME", str(tmp_path))
    monkeypatch.setenv("METAPLAT_SENSOR__OLDER_PARTITIONS", "many")
    result = dg.materialize([home_of_the_stores], resources=default_resources(), raise_on_error=False)
    assert not result.success
    told = str([event for event in result.all_events if event.is_failure])
    assert "settings: sensor.older_partitions" in told


def test_an_asset_sees_every_domain_as_a_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAPLAT_HOME", str(tmp_path))
    domain = domain_named("job_executions")
    frame = pl.DataFrame([{}, {}], schema=polars_schema(domain.columns))
    open_configured_stores().lake.write(domain, "2025-11-01", frame)
    result = dg.materialize([tables, rows], resources=default_resources())
    assert "job_executions" in result.output_for_node("tables")
    assert result.output_for_node("rows") == 2
