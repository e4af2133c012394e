"""Dagster finds its storage below home, configured by our settings; addresses with passwords stay outside."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
import yaml

from metaplat.model.errors import MissingExtraError, PermanentStoreError, TransientStoreError
from metaplat.orchestration import instance as instance_module
from metaplat.orchestration.instance import POSTGRES_VARIABLE, dagster_environment, open_instance
from metaplat.settings import Settings

ROOT = Path(__file__).parents[2]
SECRET = "hunter2-canary"


def configuration(home: Path) -> str:
    return (home / "dagster" / "dagster.yaml").read_text(encoding="utf-8")


def test_the_instance_opens_with_what_the_settings_say(tmp_path: Path) -> None:
    with open_instance(Settings(home=tmp_path, dagster={"max_concurrent_runs": 7})) as instance:
        assert isinstance(instance, dg.DagsterInstance)
        assert Path(instance.root_directory) == tmp_path / "dagster"
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == 7
        [limit] = queue.tag_concurrency_limits
        assert (limit["key"], limit["limit"]) == ("metaplat/table", 1)
        assert limit["value"] == {"applyLimitPerUniqueValue": True}
        assert instance.telemetry_enabled is False
        assert instance.run_monitoring_enabled
    assert yaml.safe_load(configuration(tmp_path))["nux"] == {"enabled": False}


def test_dagster_yaml_is_written_only_when_it_changes(tmp_path: Path) -> None:
    dagster_environment(Settings(home=tmp_path))
    written = (tmp_path / "dagster" / "dagster.yaml").stat().st_mtime_ns
    dagster_environment(Settings(home=tmp_path))
    assert (tmp_path / "dagster" / "dagster.yaml").stat().st_mtime_ns == written
    dagster_environment(Settings(home=tmp_path, dagster={"max_concurrent_runs": 3}))
    assert "max_concurrent_runs: 3" in configuration(tmp_path)
    assert [path.name for path in (tmp_path / "dagster").iterdir()] == ["dagster.yaml"]


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_an_address_of_postgres_is_handed_on_in_a_variable_and_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setattr(instance_module, "find_spec", lambda name: name)  # as if the extra were installed
    url = f"{scheme}://user:{SECRET}@db.example.com/dagster"
    variables = dagster_environment(Settings(home=tmp_path, dagster={"postgres_url": url}))
    assert variables[POSTGRES_VARIABLE] == f"postgresql+psycopg2://user:{SECRET}@db.example.com/dagster"
    assert SECRET not in configuration(tmp_path)
    storage = yaml.safe_load(configuration(tmp_path))["storage"]
    assert storage == {"postgres": {"postgres_url": {"env": POSTGRES_VARIABLE}}}


def test_postgres_without_its_driver_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance_module, "find_spec", lambda name: None)  # noqa: ARG005
    settings = Settings(home=tmp_path, dagster={"postgres_url": f"postgresql://u:{SECRET}@h/d"})
    with pytest.raises(MissingExtraError, match=r"metaplat\[postgres\]") as caught:
        dagster_environment(settings)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("below", ["", "below/it"])
def test_a_home_that_is_a_file_is_one_clear_line(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(PermanentStoreError, match="METAPLAT_HOME") as caught,
        open_instance(Settings(home=tmp_path / "file" / below)),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_a_broken_database_is_one_clear_line(tmp_path: Path) -> None:
    with open_instance(Settings(home=tmp_path)) as instance:
        instance.get_runs()
    for file in (tmp_path / "dagster").rglob("*.db"):
        file.write_bytes(b"this is no database" * 1000)
    broken = pytest.raises((PermanentStoreError, TransientStoreError), match="Dagster's storage")
    with broken, open_instance(Settings(home=tmp_path)) as instance:
        instance.get_runs()


def test_the_files_at_the_top_serve_plain_dagster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_runs() == []
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))
    assert workspace["load_from"][0]["python_module"]["module_name"] == "metaplat.definitions"


def test_plain_dagster_and_metaplat_dev_are_configured_alike(tmp_path: Path) -> None:
    dagster_environment(Settings(home=tmp_path))
    ours = yaml.safe_load(configuration(tmp_path))
    plain = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    del plain["storage"]  # it names the folder that ours lies in
    assert ours == plain
