"""Runs of pipelines: what is recorded, what happens twice, and what is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from metaplat.catalog.ingesting.bulk import ingest_place
from metaplat.catalog.naming import dataset_named
from metaplat.catalog.pipelines import PipelineRuns
from metaplat.model.errors import InvalidInputError, UsageError
from metaplat.model.observation import dataset_id_of
from metaplat_tests.standins.observation_files import fits_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metaplat.catalog.client import Catalog

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def inputs(catalog: Catalog, archive: Path, delivered: Callable[[int], list[Path]]) -> list[str]:
    paths = delivered(2)
    ingest_place(str(archive), catalog.index, catalog.settings, NOW)
    return [dataset_named(catalog.index, str(path)) for path in paths]


@pytest.fixture
def runs(catalog: Catalog) -> PipelineRuns:
    return PipelineRuns(catalog.index, catalog.settings.catalog, NOW)


def actions(catalog: Catalog, run_id: str) -> list[tuple[str, str]]:
    return [(event["action"], event["status"]) for event in catalog.index.events(run_id)]


def test_a_run_is_recorded_from_start_to_outputs(catalog: Catalog, inputs: list[str], tmp_path: Path) -> None:
    made = tmp_path / "mosaic.fits"
    with catalog.run("mosaic", "run-1", inputs, parameters={"frames": 2}) as run:
        run.progress(0.5, "half")
        made.write_bytes(fits_bytes(50))
        run.output(made, quality=0.97)
        run.quality(inputs[0], 0.5)
    assert actions(catalog, "run-1") == [
        ("start", "running"),
        ("progress", "running"),
        ("finish", "succeeded"),
    ]
    row = catalog.get(str(made))
    assert (row["processing_status"], row["data_quality_score"]) == ("processed", 0.97)
    assert catalog.get(inputs[0])["data_quality_score"] == 0.5
    edges = catalog.graph(str(made)).edges
    assert {(edge.parent_dataset_id, edge.relationship_type, edge.run_id) for edge in edges} == {
        (each, "raw_to_processed", "run-1") for each in inputs
    }
    assert json.loads(catalog.index.events("run-1")[0]["detail"])["parameters"] == {"frames": 2}


def test_a_run_that_is_said_twice_happened_once(catalog: Catalog, inputs: list[str], tmp_path: Path) -> None:
    made = tmp_path / "made.fits"
    made.write_bytes(fits_bytes(50))
    before = None
    for _ in range(2):
        runs = PipelineRuns(catalog.index, catalog.settings.catalog, NOW)
        if before is None:
            runs.start("r", "p", inputs)
            runs.start("r", "p", list(reversed(inputs)))
            runs.progress("r", 0.1, "begun")
            runs.progress("r", 0.1, "begun")
        from metaplat.catalog.outputs import observed_files

        runs.finish(
            "r", observed_files([str(made)], catalog.settings), quality={dataset_id_of(str(made)): 1.0}
        )
        seen = (actions(catalog, "r"), catalog.get(str(made)), catalog.graph(str(made)).edges)
        assert before in (None, seen)
        before = seen
    assert [action for action, _ in actions(catalog, "r")] == ["start", "progress", "finish"]


def test_an_error_inside_fails_the_run_with_its_reason(catalog: Catalog, inputs: list[str]) -> None:
    with pytest.raises(RuntimeError, match="no memory"), catalog.run("p", "r", inputs):
        raise RuntimeError("no memory")
    assert actions(catalog, "r") == [("start", "running"), ("fail", "failed")]
    assert catalog.index.events("r")[-1]["message"] == "RuntimeError: no memory"


def test_an_output_that_cannot_be_cataloged_fails_the_run_and_writes_nothing(
    catalog: Catalog, inputs: list[str], tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.fits", tmp_path / "bad.fits"
    good.write_bytes(fits_bytes(50))
    bad.write_bytes(b"<html>")
    run = catalog.run("p", "r", inputs)
    recorded = run.__enter__()
    recorded.output(good)
    recorded.output(bad)
    with pytest.raises(InvalidInputError, match=r"bad.fits: it cannot be registered: html"):
        run.__exit__(None, None, None)
    assert actions(catalog, "r")[-1] == ("fail", "failed")
    assert catalog.index.known([dataset_id_of(str(good))]) == {}


def test_a_missing_output_fails_the_run(catalog: Catalog, inputs: list[str], tmp_path: Path) -> None:
    with pytest.raises((InvalidInputError, UsageError)), catalog.run("p", "r", inputs) as run:
        run.output(tmp_path / "nowhere.fits")
    assert actions(catalog, "r")[-1] == ("fail", "failed")


def test_a_circle_of_derivations_writes_nothing(
    catalog: Catalog, inputs: list[str], runs: PipelineRuns
) -> None:
    runs.relate([inputs[0]], [inputs[1]], "derived")
    runs.start("r", "p", [inputs[1]])
    row = catalog.index.get([inputs[0]])[0]
    with pytest.raises(InvalidInputError):
        runs.finish("r", [row])
    assert actions(catalog, "r") == [("start", "running")]
    assert catalog.index.get([inputs[0]])[0]["processing_status"] == "raw"


def test_steps_out_of_order_are_refused(inputs: list[str], runs: PipelineRuns) -> None:
    steps: list[Callable[[], object]] = [
        lambda: runs.progress("r", 0.5),
        lambda: runs.finish("r"),
        lambda: runs.fail("r", "x"),
    ]
    for step in steps:
        with pytest.raises(UsageError, match="never started"):
            step()
    runs.start("r", "p", inputs)
    with pytest.raises(UsageError, match="another pipeline or other inputs"):
        runs.start("r", "other", inputs)
    with pytest.raises(UsageError, match="another pipeline or other inputs"):
        runs.start("r", "p", inputs[:1])
    runs.fail("r", "first")
    runs.fail("r", "second")
    for step in (*steps[:2], lambda: runs.start("r", "p", inputs)):
        with pytest.raises(UsageError, match="has failed"):
            step()


def test_the_first_reason_of_a_failure_stays(catalog: Catalog, inputs: list[str], runs: PipelineRuns) -> None:
    runs.start("r", "p", inputs)
    runs.fail("r", "first")
    runs.fail("r", "second")
    assert catalog.index.events("r")[-1]["message"] == "first"


def test_inputs_must_be_cataloged(runs: PipelineRuns, inputs: list[str]) -> None:
    with pytest.raises(UsageError, match="1 of 3 inputs are not cataloged: feed"):
        runs.start("r", "p", [*inputs, "feed"])


def test_values_out_of_range_are_refused_before_anything_is_written(
    catalog: Catalog, inputs: list[str], runs: PipelineRuns
) -> None:
    runs.start("r", "p", inputs)
    with pytest.raises(UsageError, match="from 0 to 1"):
        runs.progress("r", 1.5)
    with pytest.raises(UsageError, match="from 0 to 1"):
        runs.finish("r", quality={inputs[0]: 7})
    with pytest.raises(UsageError, match="from 0 to 1"):
        runs.finish("r", quality={inputs[0]: float("nan")})
    with pytest.raises(UsageError, match="is none of"):
        runs.finish("r", relationship_type="cousin")
    with pytest.raises(UsageError, match="is none of"):
        runs.finish("r", processing_status="eaten")
    with pytest.raises(UsageError, match="needs a run id"):
        runs.start(" ", "p", inputs)
    assert actions(catalog, "r") == [("start", "running")]


def test_a_preflight_of_a_run_is_in_the_audit_trail(catalog: Catalog, inputs: list[str]) -> None:
    refused = catalog.preflight(mission="HELIOS-9", window_days=None, run_id="r", pipeline="p")
    assert not refused.ok  # no file states a quality
    accepted = catalog.preflight(
        mission="HELIOS-9", window_days=None, min_quality=None, run_id="r", pipeline="p"
    )
    assert sorted(accepted.datasets) == sorted(inputs)
    assert actions(catalog, "r") == [("preflight", "refused"), ("preflight", "ok")]


def test_quality_and_status_survive_a_later_ingest(
    catalog: Catalog, inputs: list[str], archive: Path, runs: PipelineRuns
) -> None:
    """What processing stated of a file is not in its header; reading the header anew must not lose it."""
    runs.start("r", "p", inputs)
    runs.finish("r", catalog.index.get(inputs[:1]), quality={inputs[0]: 0.8}, inputs=inputs[1:])
    ingest_place(str(archive), catalog.index, catalog.settings, NOW, force=True)
    row = catalog.index.get(inputs[:1])[0]
    assert (row["data_quality_score"], row["processing_status"]) == (0.8, "processed")


KILLED = """
import os, sys
from metaplat.catalog.client import Catalog
with Catalog.open() as catalog, catalog.run("p", "r", sys.argv[2:]) as run:
    run.output(sys.argv[1])
    apply = catalog.index.apply
    def dying(change, now):
        if any(event["action"] == "finish" for event in change.events):
            os.kill(os.getpid(), 9)
        return apply(change, now)
    catalog.index.apply = dying
"""


def test_a_run_killed_before_its_end_can_be_said_again(
    catalog: Catalog, inputs: list[str], tmp_path: Path
) -> None:
    made = tmp_path / "made.fits"
    made.write_bytes(fits_bytes(50))
    command = [sys.executable, "-c", KILLED, str(made), *inputs]
    ended = subprocess.run(command, env=dict(os.environ), check=False, timeout=300)
    assert ended.returncode == -signal.SIGKILL
    assert actions(catalog, "r") == [("start", "running")]
    assert catalog.index.known([dataset_id_of(str(made))]) == {}
    with catalog.run("p", "r", inputs) as run:
        run.output(made)
    assert [action for action, _ in actions(catalog, "r")] == ["start", "finish"]
    assert len(catalog.graph(str(made)).edges) == 2


def test_a_search_of_the_client_knows_its_conditions(catalog: Catalog, inputs: list[str]) -> None:
    assert {
        row["dataset_id"] for row in catalog.search("mission_id = 'HELIOS-9'", start="2026-03-01")
    } == set(inputs)
    assert len(list(catalog.search(mission="HELIOS-9", limit=1))) == 1
    with pytest.raises(UsageError, match=r"no condition of a search named 'missoin'; did you mean mission\?"):
        list(catalog.search(missoin="HST"))


def test_a_preflight_with_times_of_its_own_has_no_window(catalog: Catalog, inputs: list[str]) -> None:
    assert not catalog.preflight(mission="HELIOS-9", min_quality=None).ok  # they are older than 30 days
    dated = catalog.preflight(mission="HELIOS-9", min_quality=None, start="2026-03-01")
    assert sorted(dated.datasets) == sorted(inputs)
