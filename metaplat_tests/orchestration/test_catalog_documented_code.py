"""The Python of docs/observation_catalog.md runs as it is printed, also a second time and in Dagster."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from metaplat.catalog.client import Catalog
from metaplat.settings import load_settings
from metaplat.stores.catalog.index import Change
from metaplat.stores.catalog.opening import open_index
from metaplat_tests.standins.observation_files import fits_bytes
from metaplat_tests.stores.catalog.catalog_rows import observation

if TYPE_CHECKING:
    from types import CodeType

PAGE = Path(__file__).parents[2] / "docs" / "observation_catalog.md"
CLIENT, ASSET = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the output; the catalog holds three good frames of M31, whose files are there."""
    monkeypatch.setenv("METAPLAT_HOME", str(tmp_path / "home"))
    (tmp_path / "out").mkdir()
    now = datetime.now(UTC)
    rows = []
    for number in range(3):
        frame = tmp_path / f"m31_{number}.fits"
        frame.write_bytes(fits_bytes(number))
        found = frame.stat()
        rows.append(
            observation(
                number,
                mission_id="SKYLARK",
                target_object="M31",
                observation_timestamp=now - timedelta(days=number + 1),
                data_quality_score=0.9,
                extraction_status="ok",
                processing_status="raw",
                file_path=str(frame),
                file_size=found.st_size,
                content_tag=f"{found.st_mtime_ns}:{found.st_size}",
            )
        )
    with closing(open_index(load_settings(None))) as index:
        index.apply(Change(rows), now)
    return tmp_path / "out"


def compiled(code: str, out: Path, run_id: str = "mosaic-2026-03-01") -> CodeType:
    text = code.replace("/data/out", str(out)).replace("mosaic-2026-03-01", run_id)
    return compile(text, str(PAGE), "exec", dont_inherit=True)


def test_the_client_records_what_a_pipeline_made(out: Path) -> None:
    (out / "mosaic.fits").write_bytes(fits_bytes(9))
    for run_id in ("first", "second"):  # what the first one made is no input of the second
        exec(compiled(CLIENT, out, run_id), {"__name__": "documented"})
    with Catalog.open() as catalog:
        events = {name: catalog.index.events(name) for name in ("first", "second")}
        parents = catalog.graph(str(out / "mosaic.fits")).edges
    actions = [event["action"] for event in events["first"]]
    assert actions == [event["action"] for event in events["second"]] == ["start", "progress", "finish"]
    assert len(parents) == 3


def test_the_client_stops_where_a_preflight_fails(out: Path) -> None:
    with Catalog.open() as catalog:
        ids = [row["dataset_id"] for row in catalog.search(mission="SKYLARK")]
        catalog.index.apply(Change(patches={ids[0]: {"data_quality_score": 0.1}}), datetime.now(UTC))
    with pytest.raises(SystemExit, match="2 of 3 complete datasets state a quality"):
        exec(compiled(CLIENT, out), {"__name__": "documented"})


def test_an_asset_is_given_the_catalog_and_records_each_attempt(out: Path) -> None:
    names: dict[str, Any] = {"__name__": "documented"}
    exec(compiled(ASSET, out), names)
    with dg.DagsterInstance.ephemeral() as instance:
        job = names["defs"].resolve_implicit_global_asset_job_def()
        done = job.execute_in_process(instance=instance)
    assert done.success
    with Catalog.open() as catalog:
        events = catalog.index.events(f"{done.run_id}-0")
    assert [event["action"] for event in events] == ["start", "progress", "finish"]
