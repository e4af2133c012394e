"""``metaplat catalog``: ingest, search, show, facets, graph, pre-flight, export, reconcile, watch."""

from __future__ import annotations

import csv
import io
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from metaplat_tests.cli.conftest import Answer, Invoke, answer_of, process
from metaplat_tests.standins.observation_files import fits_bytes

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = 5


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAPLAT_CATALOG__PROCESSES", "1")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    for number in range(FRAMES):
        (folder / f"frame_{number}.fits").write_bytes(fits_bytes(number))
    (folder / "page.fits").write_text("<html><body>404</body></html>")
    (folder / "buoy.csv").write_text("# mission: BUOY\n# platform: <b>B</b>\na,b\n1,2\n")
    return folder


@pytest.fixture
def ingested(metaplat: Invoke, archive: Path) -> Answer:
    return metaplat("catalog", "ingest", archive, "--json")


def by_name(answer: Answer) -> dict[str, dict[str, Any]]:
    return {line["path"].rpartition("/")[2]: line for line in answer.lines}


def test_ingest_prints_a_line_a_file(ingested: Answer) -> None:
    assert ingested.code == 1
    lines = by_name(ingested)
    assert len(lines) == FRAMES + 2
    frame = lines["frame_0.fits"]
    assert list(frame) == ["path", "status", "error", "observation"]
    assert (frame["status"], frame["error"]) == ("cataloged", None)
    assert frame["observation"]["mission_id"] == "HELIOS-9"
    assert frame["observation"]["observation_timestamp"] == "2026-03-01T00:00:00+00:00"
    assert frame["observation"]["mission_specific"]["EXPTIME"] == 12.5
    page = lines["page.fits"]
    assert (page["status"], page["observation"]) == ("rejected", None)
    assert page["error"].startswith("html: ")


def test_ingest_tells_people_the_same(metaplat: Invoke, archive: Path) -> None:
    answer = metaplat("catalog", "ingest", archive)
    assert answer.code == 1
    assert answer.out.split()[:2] == ["place", "cataloged"]
    assert f"rejected: {archive}/page.fits: html: " in answer.err
    (archive / "page.fits").unlink()
    again = metaplat("catalog", "ingest", archive)
    assert again.code == 0
    assert again.out.splitlines()[1].split()[1:5] == ["0", "0", str(FRAMES + 1), "0"]


def test_a_truncated_file_is_cataloged_with_what_is_wrong(metaplat: Invoke, tmp_path: Path) -> None:
    (tmp_path / "cut.fits").write_bytes(fits_bytes(1, size=64)[:9000])
    [line] = metaplat("catalog", "ingest", tmp_path / "cut.fits", "--json").lines
    assert (line["status"], line["observation"]["extraction_status"]) == ("cataloged", "incomplete")
    assert "9000 bytes" in line["error"]


def test_a_place_that_does_not_exist_is_a_usage_error(metaplat: Invoke, tmp_path: Path) -> None:
    answer = metaplat("catalog", "ingest", tmp_path / "nowhere")
    assert answer.code == 2
    assert "nowhere" in answer.error


@pytest.mark.usefixtures("ingested")
def test_search_finds_by_every_option(metaplat: Invoke) -> None:
    def count(*options: object) -> int:
        answer = metaplat("catalog", "search", "--json", *options)
        assert answer.code == 0
        return len(answer.lines)

    assert count() == FRAMES + 1
    assert count("--mission", "HELIOS-9") == FRAMES
    assert count("--target", "M 31") == FRAMES
    assert count("--from", "2026-03-01T00:00:01", "--to", "2026-03-01T00:00:03") == 2
    assert count("--min-quality", "0.1") == 0
    assert count("--where", "mission_id = 'BUOY' OR file_size < 0") == 1
    assert count("--where", '{"op": "=", "args": [{"property": "mission"}, "BUOY"]}') == 1
    assert count("--cone", "10.68,41.27,0.1") == FRAMES
    assert count("--cone", "190.68,-41.27,1") == 0
    assert count("--text", "helios spyglass") == FRAMES
    assert count("--all") == FRAMES + 2
    assert count("--limit", "2") == 2
    assert metaplat("catalog", "search", "--count", "--mission", "BUOY").out == "1\n"


@pytest.mark.usefixtures("ingested")
def test_search_goes_on_with_a_token_and_sorts(metaplat: Invoke) -> None:
    options = (
        "--mission",
        "HELIOS-9",
        "--sort",
        "-observation_timestamp",
        "--fields",
        "observation_timestamp",
    )
    seen, token = [], None
    for _ in range(10):
        answer = metaplat(
            "catalog", "search", "--json", "--limit", 2, *options, *(["--token", token] if token else [])
        )
        seen += [line["observation_timestamp"] for line in answer.lines]
        if "--token" not in answer.err:
            break
        token = answer.err.split("--token ")[1].strip()
    assert seen == [f"2026-03-01T00:00:0{second}+00:00" for second in (4, 3, 2, 1, 0)]
    foreign = metaplat("catalog", "search", "--token", token, "--mission", "BUOY")
    assert foreign.code == 2


@pytest.mark.usefixtures("ingested")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--where", "colour = 'red'"), "mission_id"),
        (("--where", "file_size = 'big'"), "file_size"),
        (("--where", "mission_id = "), "end"),
        (("--where", "'; DROP TABLE observations; --"), ""),
        (("--sort", "colour"), "mission_id"),
        (("--fields", "colour"), "mission_id"),
        (("--from", "yesterday"), "2026-03-01"),
        (("--cone", "1,2"), "10.68,41.27,0.5"),
        (("--token", "nonsense"), "token"),
        (("--min-quality", "2"), "quality"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_one_line_that_helps(
    metaplat: Invoke, options: tuple[str, ...], told: str
) -> None:
    answer = metaplat("catalog", "search", *options)
    assert answer.code == 2
    assert told in answer.error


@pytest.mark.usefixtures("ingested")
def test_a_table_shows_no_control_sequences_of_headers(metaplat: Invoke, archive: Path) -> None:
    (archive / "evil.csv").write_text("# mission: \x1b[31mRED\na,b\n1,2\n")
    metaplat("catalog", "ingest", archive)
    for command in (("search",), ("show", archive / "evil.csv"), ("facets",)):
        assert "\x1b" not in metaplat("catalog", *command).out


@pytest.mark.usefixtures("ingested")
def test_show_tells_columns_revisions_and_relationships(metaplat: Invoke, archive: Path) -> None:
    (archive / "frame_0.fits").write_bytes(fits_bytes(77))
    metaplat("catalog", "ingest", archive)
    metaplat("catalog", "relate", "--parent", archive / "frame_1.fits", "--child", archive / "frame_0.fits")
    shown = metaplat("catalog", "show", archive / "frame_0.fits", "--json").json
    assert [row["revision"] for row in shown["revisions"]] == [1, 2]
    assert shown["revisions"][0]["observation_timestamp"] == "2026-03-01T00:00:00+00:00"
    assert [edge["relationship_type"] for edge in shown["relationships"]] == ["raw_to_processed"]
    text = metaplat("catalog", "show", shown["dataset_id"][:10])
    assert "EXPTIME" in text.out
    unknown = metaplat("catalog", "show", "nobody.fits")
    assert unknown.code == 2
    assert "metaplat catalog search" in unknown.error


@pytest.mark.usefixtures("ingested")
def test_facets_count_and_sum_up_missions(metaplat: Invoke) -> None:
    document = metaplat("catalog", "facets", "--json").json
    assert {each["value"]: each["datasets"] for each in document["facets"]["mission_id"]} == {
        "HELIOS-9": 5,
        "BUOY": 1,
    }
    assert [mission["mission_id"] for mission in document["missions"]] == ["BUOY", "HELIOS-9"]
    narrow = metaplat(
        "catalog", "facets", "--by", "file_format", "--where", "mission_id = 'BUOY'", "--json"
    ).json
    assert narrow["facets"] == {"file_format": [{"value": "csv", "datasets": 1}]}
    unknown = metaplat("catalog", "facets", "--by", "colour")
    assert unknown.code == 2
    assert "mission_id" in unknown.error


@pytest.mark.usefixtures("ingested")
def test_a_graph_is_shown_as_table_document_and_csv(metaplat: Invoke, archive: Path) -> None:
    raw, mid, end = (archive / f"frame_{number}.fits" for number in range(3))
    assert metaplat("catalog", "relate", "--parent", raw, "--child", mid, "--json").json == {
        "relationships": 1
    }
    metaplat("catalog", "relate", "--parent", mid, "--child", end, "--type", "derived")
    assert metaplat("catalog", "relate", "--parent", raw, "--child", mid, "--json").json == {
        "relationships": 0
    }
    found = metaplat("catalog", "graph", raw, "--impact", "--json").json
    assert [node["depth"] for node in found["nodes"]] == [0, 1, 2]
    rows = list(
        csv.DictReader(io.StringIO(metaplat("catalog", "graph", end, "--dir", "ancestors", "--csv").out))
    )
    assert {row["parent_path"] for row in rows} == {str(raw), str(mid)}
    assert str(mid) in metaplat("catalog", "graph", raw).out
    circle = metaplat("catalog", "relate", "--parent", end, "--child", raw)
    assert circle.code != 0
    assert "circle" in circle.err or "cycle" in circle.err


@pytest.mark.usefixtures("ingested")
def test_preflight_says_everything_at_once_by_its_exit_code(
    metaplat: Invoke, archive: Path, tmp_path: Path
) -> None:
    refused = metaplat("catalog", "preflight", "--mission", "HELIOS-9", "--min-datasets", 9, "--json")
    assert refused.code == 1
    states = {check["name"]: check["state"] for check in refused.json["checks"]}
    assert states == {"datasets": "failed", "completeness": "failed", "quality": "failed", "files": "passed"}
    options = ("--mission", "HELIOS-9", "--from", "2026-03-01", "--min-quality", 0)
    assert metaplat("catalog", "preflight", *options, "--output", tmp_path).code == 1  # none states a quality
    (archive / "frame_0.fits").unlink()
    table = metaplat("catalog", "preflight", "--mission", "HELIOS-9")
    assert "it may not start" in table.err


@pytest.mark.usefixtures("ingested")
@pytest.mark.parametrize("suffix", ["parquet", "csv", "ndjson"])
def test_export_holds_what_a_search_finds(metaplat: Invoke, tmp_path: Path, suffix: str) -> None:
    read: Any = {"parquet": pl.read_parquet, "csv": pl.read_csv, "ndjson": pl.read_ndjson}[suffix]
    target = tmp_path / f"out.{suffix}"
    for options in ((), ("--mission", "HELIOS-9"), ("--where", "mission_id = 'NOBODY'"), ("--all",)):
        searched = {line["dataset_id"] for line in metaplat("catalog", "search", "--json", *options).lines}
        answer = metaplat("catalog", "export", "-o", target, *options, "--json")
        assert answer.json == {"output": str(target), "format": suffix, "rows": len(searched)}
        exported = read(target) if searched or suffix == "parquet" else pl.DataFrame({"dataset_id": []})
        assert set(exported["dataset_id"]) == searched


@pytest.mark.usefixtures("ingested")
def test_an_export_is_as_new_as_the_catalog(metaplat: Invoke, archive: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    metaplat("catalog", "export", "-o", target)
    (archive / "frame_9.fits").write_bytes(fits_bytes(9))
    os.utime(archive / "frame_9.fits", (1_700_000_000, 1_700_000_000))
    (archive / "frame_0.fits").unlink()
    metaplat("catalog", "reconcile", archive)
    assert metaplat("catalog", "export", "-o", target, "--json").json["rows"] == FRAMES + 1
    assert str(archive / "frame_9.fits") in set(pl.read_parquet(target)["file_path"])
    assert str(archive / "frame_0.fits") not in set(pl.read_parquet(target)["file_path"])


@pytest.mark.usefixtures("ingested")
def test_an_export_that_cannot_be_written_leaves_what_was_there(metaplat: Invoke, tmp_path: Path) -> None:
    answer = metaplat("catalog", "export", "-o", tmp_path / "no" / "folder" / "x.csv")
    assert answer.code == 3
    assert "x.csv" in answer.error
    assert metaplat("catalog", "export", "-o", tmp_path / "x.xlsx").code == 2


def test_reconcile_sets_the_catalog_right(metaplat: Invoke, archive: Path, ingested: Answer) -> None:
    assert ingested.code == 1
    (archive / "page.fits").unlink()
    (archive / "frame_1.fits").unlink()
    (archive / "frame_7.fits").write_bytes(fits_bytes(7))
    old = time.time() - 3600
    os.utime(archive / "frame_7.fits", (old, old))
    report = metaplat("catalog", "reconcile", archive, "--json")
    assert report.code == 0
    assert report.json["counts"] == {"new": 1, "unchanged": FRAMES, "vanished": 2}
    assert metaplat("catalog", "reconcile", archive, "--json").json["agrees"]
    assert metaplat("catalog", "reconcile").code == 2  # nothing is watched


def test_watch_takes_what_arrives_until_it_is_told_to_stop(archive: Path) -> None:
    old = time.time() - 3600
    for path in archive.iterdir():
        os.utime(path, (old, old))
    watching = process("catalog", "watch", archive, "--interval", "0.2", "--json")
    assert watching.stdout is not None
    for _ in range(FRAMES + 2):
        assert watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    assert answer_of(watching).code in (0, 130)


def test_watch_ends_after_so_many_looks(metaplat: Invoke, archive: Path) -> None:
    old = time.time() - 3600
    for path in archive.iterdir():
        os.utime(path, (old, old))
    answer = metaplat("catalog", "watch", archive, "--interval", "0.1", "--looks", 2, "--json")
    assert answer.code == 0
    assert len(answer.lines) == FRAMES + 2


def test_the_three_domains_are_materialized_and_checked(
    metaplat: Invoke, archive: Path, ingested: Answer
) -> None:
    assert ingested.code == 1
    metaplat("catalog", "relate", "--parent", archive / "frame_1.fits", "--child", archive / "frame_0.fits")
    document = metaplat("materialize", "observations", "--missing", "--json").json
    assert {each["partition"]: each["rows"] for each in document["partitions"]} == {
        "1957-10-03": 2,
        "2026-03-01": FRAMES,
    }
    assert document["failures"] == []
    for domain in ("dataset_relationships", "processing_events"):
        assert sum(each["rows"] for each in metaplat("materialize", domain, "--json").json["partitions"]) == 1
    assert metaplat("query", "select count(*) as n from observations where month is null", "--json").code == 0
    assert metaplat("materialize", "observations", "--missing").err.startswith("nothing landed")


@pytest.mark.parametrize("command", ["land", "collect"])
def test_nothing_lands_for_the_domains_of_the_catalog(metaplat: Invoke, tmp_path: Path, command: str) -> None:
    (tmp_path / "x.json").write_text("{}")
    answer = metaplat(command, "observations", *([tmp_path / "x.json"] if command == "land" else []))
    assert answer.code == 2
    assert "metaplat catalog ingest" in answer.error
