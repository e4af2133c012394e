"""The tree of months of deliveries: what is planted is there, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat_tests.standins.vip.history_tree import (
    HistoryFaults,
    TreeFacts,
    copy_to_s3,
    season,
    write_history,
)

if TYPE_CHECKING:
    from pathlib import Path

FIRST = datetime(2022, 2, 8, 8, tzinfo=UTC)
HOURS = 300
PAPERS = {"_PresignedUrls.json", "_MasterTableSchema.json", "CreateTables.sql"}


def folder(target: Path, facts: TreeFacts, number: int) -> Path:
    return target / facts.folder(facts.hour(number))


def sizes(path: Path) -> dict[str, int]:
    """Return the size of each file below a folder, our manifest apart."""
    found = {
        each.relative_to(path).as_posix(): each.stat().st_size for each in path.rglob("*") if each.is_file()
    }
    found.pop("_manifest.json", None)
    return found


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def promised(path: Path) -> dict[str, int]:
    return {entry["key"].rpartition("/")[2]: entry["size"] for entry in read(path / "_PresignedUrls.json")}


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TreeFacts]:
    """Return a tree with some of everything."""
    target = tmp_path_factory.mktemp("tree")
    return target, write_history(target, FIRST, HOURS, faults=HistoryFaults.spread_over(HOURS))


def test_without_faults_every_hour_has_what_it_promised(tmp_path: Path) -> None:
    facts = write_history(tmp_path, FIRST, 30)
    for number in range(30):
        path = folder(tmp_path, facts, number)
        there = sizes(path)
        assert {name: size for name, size in there.items() if name != "_PresignedUrls.json"} == promised(path)
        assert there.keys() >= PAPERS
        assert read(path / "_manifest.json")["status"] == "ok"
    assert (facts.missing, facts.incomplete, facts.schema_changes) == ([], {}, [])
    assert facts.last == FIRST + timedelta(hours=29)


def test_the_facts_are_what_lies_there(spread: tuple[Path, TreeFacts]) -> None:
    target, facts = spread
    there = {
        hour: sizes(target / facts.folder(hour)) for hour in facts.all_hours() if hour not in facts.missing
    }
    assert there == facts.files
    assert all(not (target / facts.folder(hour)).exists() for hour in facts.missing)
    assert facts.bytes_of(facts.missing[0]) == 0


def test_some_of_everything_is_planted_with_a_long_hole(spread: tuple[Path, TreeFacts]) -> None:
    facts = spread[1]
    stretches = [hour for hour in facts.missing if hour + timedelta(hours=21) in facts.missing]
    assert len(facts.missing) == 23
    assert stretches
    planted = (facts.incomplete, facts.short, facts.unexpected, facts.late, facts.foreign, facts.no_schema)
    assert all(planted)
    assert {each.kind for each in facts.schema_changes} == {"added", "removed", "retyped", "reordered"}
    assert (len(facts.no_promise), len(facts.broken_promise)) == (1, 1)


def test_an_incomplete_hour_lacks_all_files_of_the_tables_it_names(spread: tuple[Path, TreeFacts]) -> None:
    target, facts = spread
    for hour, tables in facts.incomplete.items():
        path = target / facts.folder(hour)
        lacking = {name.partition("_")[0] for name in promised(path).keys() - sizes(path).keys()}
        assert lacking == set(tables)
        assert read(path / "_manifest.json")["status"] == "incomplete"


def test_a_short_file_has_half_of_its_bytes(spread: tuple[Path, TreeFacts]) -> None:
    target, facts = spread
    for hour, name in facts.short.items():
        path = target / facts.folder(hour)
        assert sizes(path)[name] == promised(path)[name] // 2


def test_an_unexpected_table_is_promised_and_not_in_the_schema(spread: tuple[Path, TreeFacts]) -> None:
    target, facts = spread
    for hour, table in facts.unexpected.items():
        path = target / facts.folder(hour)
        assert f"{table}_0.csv.gz" in promised(path)
        assert table not in {each["DataObjectName"] for each in read(path / "_MasterTableSchema.json")}


def test_a_late_hour_says_when_it_was_complete(spread: tuple[Path, TreeFacts]) -> None:
    target, facts = spread
    for hour in facts.late:
        finished = read(target / facts.folder(hour) / "_manifest.json")["finished_at"]
        assert datetime.fromisoformat(finished) == hour + timedelta(minutes=85)


def test_spoiled_papers_are_spoiled(spread: tuple[Path, TreeFacts]) -> None:
    target, facts = spread
    assert not (target / facts.folder(facts.no_schema[0]) / "_MasterTableSchema.json").exists()
    assert not (target / facts.folder(facts.no_promise[0]) / "_PresignedUrls.json").exists()
    with pytest.raises(json.JSONDecodeError):
        read(target / facts.folder(facts.broken_promise[0]) / "_PresignedUrls.json")


def test_schema_changes_stay_and_are_what_they_are_called(tmp_path: Path) -> None:
    changes: dict[int, Any] = {2: "added", 3: "removed", 4: "retyped", 5: "reordered"}
    facts = write_history(tmp_path, FIRST, 7, faults=HistoryFaults(schema_changes=changes))

    def fields(number: int, table: str) -> list[tuple[str, str]]:
        schema = read(folder(tmp_path, facts, number) / "_MasterTableSchema.json")
        entry = next(each for each in schema if each["DataObjectName"] == table)
        return [(each["Name"], each["Type"]) for each in entry["Fields"]]

    for number, change in zip(changes, facts.schema_changes, strict=True):
        before, after = fields(number - 1, change.table), fields(number, change.table)
        assert (facts.hour(number), fields(6, change.table)) == (change.hour, after)
        names = {"before": [name for name, _ in before], "after": [name for name, _ in after]}
        if change.kind == "added":
            assert names["after"] == [*names["before"], change.field]
        elif change.kind == "removed":
            assert names["after"] == [name for name in names["before"] if name != change.field]
        elif change.kind == "retyped":
            assert names["after"] == names["before"]
            assert len(set(after) - set(before)) == 1
        else:
            assert (sorted(after), names["after"][-1]) == (sorted(before), change.field)


def test_volumes_have_a_season_and_planted_factors(tmp_path: Path) -> None:
    plain = write_history(tmp_path / "plain", FIRST, 48)
    planted = write_history(tmp_path / "planted", FIRST, 48, faults=HistoryFaults(volumes={10: 0.4, 20: 2.0}))

    def data(facts: TreeFacts, number: int) -> int:
        return sum(size for name, size in facts.files[facts.hour(number)].items() if name.endswith(".gz"))

    ratios = {number: round(data(planted, number) / data(plain, number), 2) for number in range(48)}
    assert {number: ratio for number, ratio in ratios.items() if ratio != 1} == {10: 0.4, 20: 2.0}
    assert season(datetime(2022, 2, 9, 14, tzinfo=UTC)) > season(datetime(2022, 2, 9, 2, tzinfo=UTC))
    assert season(datetime(2022, 2, 12, 14, tzinfo=UTC)) < season(datetime(2022, 2, 9, 14, tzinfo=UTC))


def test_one_seed_gives_one_tree(tmp_path: Path) -> None:
    first, again, other = (
        write_history(tmp_path / name, FIRST, 5, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == again
    assert first.files != other.files


def test_data_files_take_no_room_on_the_disk(tmp_path: Path) -> None:
    facts = write_history(tmp_path, FIRST, 1, mean_bytes=400_000_000)
    assert facts.bytes_of(FIRST) > 100_000_000
    assert sum(path.stat().st_blocks * 512 for path in tmp_path.rglob("*")) < 10_000_000


def test_a_tree_of_another_prefix_without_manifests_is_that_of_the_older_client(tmp_path: Path) -> None:
    facts = write_history(
        tmp_path, FIRST, 2, prefix="DEV/IMOSDL/Hourly/", faults=HistoryFaults(manifests=False)
    )
    assert (tmp_path / "DEV/IMOSDL/Hourly/20220208/08/_PresignedUrls.json").exists()
    assert list(tmp_path.rglob("_manifest.json")) == []
    assert facts.no_manifest == facts.all_hours()


def test_too_few_hours_to_spread_faults_over_are_refused() -> None:
    with pytest.raises(ValueError, match="100 hours are too few"):
        HistoryFaults.spread_over(100)


def test_a_small_tree_goes_to_a_bucket(tmp_path: Path, s3_bucket: str, s3_client: Any) -> None:
    facts = write_history(tmp_path, FIRST, 2, tables=2, mean_bytes=5_000)
    count = copy_to_s3(tmp_path, s3_client, s3_bucket, "lake/")
    listed = s3_client.list_objects_v2(Bucket=s3_bucket, Prefix=f"lake/{facts.folder(FIRST)}")["Contents"]
    there = {each["Key"].rpartition("/")[2]: each["Size"] for each in listed}
    assert there.pop("_manifest.json") > 0
    assert there == facts.files[FIRST]
    assert count == sum(map(len, facts.files.values())) + 2


def test_it_is_a_program_too(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "metaplat_tests.standins.vip.history_tree",
        "--to",
        str(tmp_path),
        "--hours",
        "168",
    ]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    told = json.loads(answer.stdout)
    assert (told["first"], told["hours"], len(told["missing"])) == ("2022-02-08T08:00:00Z", 168, 23)
    assert (tmp_path / "IMOSDL/Hourly/20220208/08/_PresignedUrls.json").exists()
