"""What lands where, and what does not replace what."""

from __future__ import annotations

import gzip
import math
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import zstandard

from metaplat.ingest.landing import Landing
from metaplat.ingest.partition import ingest_partitions
from metaplat.ingest.quarantine import read_quarantine
from metaplat.model.errors import InvalidInputError, UsageError
from metaplat.model.partitioning import Daily
from metaplat_tests.ingest.small_domain import DAY, NOW, RUNS, domain, home, ndjson, record

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.stores.home import Stores

FOLDER = f"runs/{DAY.replace('-', '/')}"
TODAY = "runs/2025/11/30"


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return home(tmp_path / "home")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def saved(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
    return path


def landed_keys(stores: Stores) -> list[str]:
    return [item.key for item in stores.landing.list_objects()]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_file_lands_byte_by_byte_in_the_folder_of_its_records(
    stores: Stores, files: Path, pack: Any
) -> None:
    content = pack(orjson.dumps(record("a"), option=orjson.OPT_INDENT_2))
    [landed] = Landing(RUNS, stores, NOW).land_files([saved(files, "a.json", content)])
    assert (landed.key, landed.partition, landed.also) == (f"{FOLDER}/a.json", DAY, ())
    assert (landed.status, landed.problem) == ("landed", None)
    assert stores.landing.get(landed.key) == content


def test_landing_a_file_again_changes_nothing(stores: Stores, files: Path) -> None:
    path = saved(
        files, "a.ndjson", ndjson(record("a"), record("b", "2025-11-01T00:00:00Z"), {"job_name": "bad"})
    )
    landing = Landing(RUNS, stores, NOW)
    assert [landing.land_files([path])[0].status for _ in range(3)] == ["landed", "unchanged", "unchanged"]
    before = stores.landing.list_objects()
    ingest_partitions(RUNS, stores, ["2025-11-01", DAY], NOW)
    assert landing.land_files([path])[0].status == "unchanged"
    assert stores.landing.list_objects() == before


def test_a_file_of_several_days_lands_whole_and_its_strays_where_they_belong(
    stores: Stores, files: Path
) -> None:
    content = ndjson(record("a"), record("b", "2025-11-28T05:00:00Z"), record("c", "2025-11-27T05:00:00Z"))
    [landed] = Landing(RUNS, stores, NOW).land_files([saved(files, "days.ndjson", content)])
    assert (landed.partition, landed.also) == (DAY, ("2025-11-28", "2025-11-27"))
    assert stores.landing.get(f"{FOLDER}/days.ndjson") == content
    assert len(landed_keys(stores)) == 3
    before = stores.landing.list_objects()
    results = ingest_partitions(RUNS, stores, ["2025-11-27", "2025-11-28", DAY], NOW)
    assert [receipt.rows for receipt in results.values()] == [1, 1, 1]  # type: ignore[union-attr]
    assert stores.landing.list_objects() == before


def test_two_files_of_one_name_in_one_call_do_not_replace_each_other(stores: Stores, files: Path) -> None:
    paths = [saved(files, f"{name}/part-0.json", record(name)) for name in "ab"]
    landed = Landing(RUNS, stores, NOW).land_files(paths)
    assert len({item.key for item in landed}) == 2
    assert all(item.key.endswith("-part-0.json") for item in landed)


@pytest.mark.parametrize("content", [b"oops", b"", {"job_name": "a"}, [1, 2]])
def test_a_file_that_names_no_day_lands_today_and_is_quarantined_there(
    stores: Stores, files: Path, content: object
) -> None:
    [landed] = Landing(RUNS, stores, NOW).land_files([saved(files, "x.json", content)])
    assert (landed.key, landed.partition) == (f"{TODAY}/x.json", "2025-11-30")
    assert landed.problem
    ingest_partitions(RUNS, stores, ["2025-11-30"], NOW)
    assert read_quarantine(stores.quarantine, RUNS, "2025-11-30")[0]["object"] == landed.key


def test_a_bad_record_still_lands_on_the_day_it_names(stores: Stores, files: Path) -> None:
    paths = [
        saved(files, "a.json", record("a", status="UNKNOWN")),
        saved(files, "b.json", record("b", error="x")),
        saved(files, "c.ndjson", b"oops\n" + ndjson(record("c"))),
    ]
    landed = Landing(RUNS, stores, NOW).land_files(paths)
    assert [item.partition for item in landed] == [DAY] * 3
    assert [str(item.problem).split(":")[0] for item in landed] == ["record 0"] * 3


def test_a_record_that_a_parser_refuses_lands_on_the_day_it_names(stores: Stores, files: Path) -> None:
    def refuse(landed: Any) -> Any:  # noqa: ARG001  # the form of a parser
        raise InvalidInputError("no")

    [landed] = Landing(domain(parse=refuse), stores, NOW).land_files([saved(files, "a.json", record("a"))])
    assert landed.partition == DAY
    assert landed.problem == "record 0: no"


def test_a_file_may_be_landed_for_a_given_partition(stores: Stores, files: Path) -> None:
    [landed] = Landing(RUNS, stores, NOW).land_files(
        [saved(files, "a.json", b"oops")], partition="2025-11-02"
    )
    assert landed.key == "runs/2025/11/02/a.json"
    with pytest.raises(UsageError, match="partitions run from 2025-01-01 to 2025-11-30"):
        Landing(RUNS, stores, NOW).land_files([], partition="2025-12-01")


def test_a_file_that_cannot_be_read_is_a_usage_error(stores: Stores, files: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot land .*nothing\.json: No such file"):
        Landing(RUNS, stores, NOW).land_files([files / "nothing.json"])
    with pytest.raises(UsageError, match="Is a directory"):
        Landing(RUNS, stores, NOW).land_files([files])


@pytest.mark.parametrize("name", [b"a\\b.json", b"a\nb.json", b"a\x7f.json"])
def test_a_file_whose_name_no_store_can_hold_is_rejected_and_the_others_land(
    stores: Stores, files: Path, name: bytes
) -> None:
    odd, fine = saved(files, os.fsdecode(name), record("a")), saved(files, "fine.json", record("b"))
    landed = Landing(RUNS, stores, NOW).land_files([odd, fine])
    assert [item.status for item in landed] == ["rejected", "landed"]
    assert "key" in str(landed[0].problem)


def test_a_domain_that_has_not_begun_says_so(stores: Stores, files: Path) -> None:
    future = domain(partitions=Daily("2026-01-01"))
    with pytest.raises(UsageError, match="no partition yet"):
        Landing(future, stores, NOW).land_files([saved(files, "a.json", b"oops")])


def named(row: dict[str, Any]) -> str:
    return f"{row['job_name']}-{row['job_id']}-{row['status'].lower()}.json"


COLLECTED = domain(object_name=named)


def collect(stores: Stores, of: Any = COLLECTED, **changes: Any) -> Any:
    return Landing(of, stores, NOW).land_record(record("a", job_id="1", **changes))


def test_running_and_final_records_lie_side_by_side(stores: Stores) -> None:
    assert [collect(stores, status=status).status for status in ("RUNNING", "FAILED")] == ["landed"] * 2
    assert landed_keys(stores) == [f"{FOLDER}/a-1-failed.json", f"{FOLDER}/a-1-running.json"]


def test_a_running_record_is_refreshed_with_whatever_is_known_now(stores: Stores) -> None:
    collect(stores, status="RUNNING", row_count=5)
    assert collect(stores, status="RUNNING").status == "landed"
    assert collect(stores, status="RUNNING").status == "unchanged"


def test_a_final_record_is_replaced_only_by_one_that_knows_more(stores: Stores) -> None:
    statuses = [
        collect(stores, **changes).status
        for changes in (
            {"row_count": 5},
            {"row_count": 5},
            {},
            {"row_count": None, "error": {"message": None}},
            {"row_count": 6},
            {"row_count": 5, "error": {"message": "evicted"}},
            {"row_count": 5},
        )
    ]
    assert statuses == ["landed", "unchanged", "kept", "kept", "kept", "landed", "kept"]
    [key] = landed_keys(stores)
    assert orjson.loads(stores.landing.get(key))["error"] == {"message": "evicted"}


def test_a_collected_record_is_landed_redacted(stores: Stores) -> None:
    error = {"message": "canary@example.com", "address": "canary"}
    collect(stores, owner="canary", error=error, note="password=canary")
    [key] = landed_keys(stores)
    assert b"canary" not in stores.landing.get(key)


def test_a_bad_collected_record_lands_all_the_same_and_says_why(stores: Stores) -> None:
    landed = collect(stores, row_count=-1)
    assert landed.status == "landed"
    assert landed.problem == "row_count: expected greater than or equal to 0"
    assert landed.partition == DAY
    again = collect(stores, row_count=-1)
    assert (again.status, again.key) == ("unchanged", landed.key)


@pytest.mark.parametrize("name", ["a/b", "a\\b", "..", "", "a\n", "é", "x" * 300, ".hidden"])
def test_whatever_a_job_is_called_its_record_lands_under_one_name(stores: Stores, name: str) -> None:
    domain_of_name = domain(object_name=lambda row: row["message"] or "")
    one = collect(stores, domain_of_name, error={"message": name})
    two = collect(stores, domain_of_name, error={"message": name}, row_count=5)
    assert [one.status, two.status] == ["landed", "landed"]
    assert one.key == two.key
    assert one.key.startswith(f"{FOLDER}/")


def test_a_collected_record_that_is_no_json_is_rejected(stores: Stores) -> None:
    assert collect(stores, note="\ud800").status == "rejected"
    assert landed_keys(stores) == []


def test_an_unknown_number_is_not_landed_as_a_number(stores: Stores) -> None:
    landed = collect(stores, used={"peak_memory_gb": math.nan})
    assert "finite" in landed.problem


def test_a_stored_object_that_is_broken_is_replaced(stores: Stores) -> None:
    landed = collect(stores)
    for content in (b"oops", b"[1]", b"null"):
        stores.landing.put(landed.key, content)
        assert collect(stores).status == "landed"


def test_without_states_a_record_replaces_what_was_known(stores: Stores) -> None:
    plain = domain(progress=None, object_name=named)
    assert [collect(stores, plain, **changes).status for changes in ({"row_count": 5}, {})] == ["landed"] * 2


def test_a_record_of_tomorrow_lands_and_one_of_next_week_is_dated_today(stores: Stores) -> None:
    landing = Landing(RUNS, stores, NOW)
    assert landing.land_record(record("a", (NOW + timedelta(days=1)).isoformat())).partition == "2025-12-01"
    assert landing.land_record(record("b", (NOW + timedelta(days=7)).isoformat())).partition == "2025-11-30"


def test_another_file_of_one_name_in_a_later_call_takes_nothing_away(tmp_path: Path) -> None:
    stores = home(tmp_path / "home")
    files = [tmp_path / "a" / "out.json", tmp_path / "b" / "out.json"]
    for path, name in zip(files, ("first", "second"), strict=True):
        path.parent.mkdir()
        path.write_bytes(orjson.dumps(record(name)))
    for _ in range(2):
        statuses = [Landing(RUNS, stores, NOW).land_files([path])[0].status for path in files]
    assert statuses == ["unchanged", "unchanged"]
    contents = [stores.landing.get(item.key) for item in stores.landing.list_objects("runs/")]
    assert sorted(contents) == sorted(path.read_bytes() for path in files)
