"""Registering missing partitions: the plan, the three ways, and what Glue says afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.model.errors import PermanentStoreError
from metaplat.model.glue_table import GluePartition, GlueTable
from metaplat.model.landed import ObjectInfo
from metaplat.model.table import MonitoredTable, RepairMode
from metaplat.model.table_evidence import RepairPlan
from metaplat.monitor.inventory import take_inventory
from metaplat.monitor.registration import registered_buckets
from metaplat.monitor.repair import Repaired, execute_repair, plan_repair
from metaplat.monitor.repair_sql import quoted_name, quoted_text
from metaplat.stores.tables.athena import Athena
from metaplat.stores.tables.glue import GlueCatalog
from metaplat_tests.standins.glue_api import GlueApi, GlueServer, glue_server, new_catalog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from metaplat.model.table_metrics import Inventory

ROOT = "s3://lake/part_a"
TABLE = MonitoredTable("part_a", ROOT, "customer_user_id", database="sales")
GLUE = GlueTable("sales", "part_a", f"{ROOT}/", partition_keys=(("id_bucket", "int"),))
CATALOG = GlueCatalog("us-east-1")


@pytest.fixture(scope="module")
def server() -> Iterator[GlueServer]:
    with glue_server() as server:
        yield server


@pytest.fixture
def api(server: GlueServer, monkeypatch: pytest.MonkeyPatch) -> GlueApi:
    api = new_catalog(server, monkeypatch)
    api.add_table("sales", "part_a", f"{ROOT}/")
    return api


def inventory(folders: Iterable[str | int]) -> Inventory:
    names = [f"id_bucket={folder}" if isinstance(folder, int) else folder for folder in folders]
    moment = datetime(2025, 11, 3, tzinfo=UTC)
    return take_inventory(TABLE, [ObjectInfo(f"{name}/a.parquet", 9, moment, "e") for name in names])


def partition(value: str | int, location: str | None = "") -> GluePartition:
    return GluePartition((str(value),), f"{ROOT}/id_bucket={value}/" if location == "" else location)


def plan(
    stored: Iterable[str | int], registered: Iterable[GluePartition], glue: GlueTable = GLUE
) -> RepairPlan:
    return plan_repair(TABLE, glue, list(registered), inventory(stored), RepairMode.GLUE)


def test_the_plan_adds_what_is_stored_and_not_registered() -> None:
    found = plan([0, 3, 7, 255], [partition(3), partition("007")])
    assert found.add == ((0, f"{ROOT}/id_bucket=0/"), (255, f"{ROOT}/id_bucket=255/"))


def test_buckets_that_are_not_expected_are_never_added() -> None:
    found = plan(["id_bucket=256", "id_bucket=abc", "id_bucket=__HIVE_DEFAULT_PARTITION__", "x"], [])
    assert found == RepairPlan(RepairMode.GLUE)


def test_padded_folders_are_added_where_the_table_is_padded() -> None:
    table = replace(TABLE, bucket_digits=3)
    listed = take_inventory(
        table, [ObjectInfo("id_bucket=007/a.parquet", 9, datetime(2025, 11, 3, tzinfo=UTC), "e")]
    )
    found = plan_repair(table, GLUE, [], listed, RepairMode.GLUE)
    assert found.add == ((7, f"{ROOT}/id_bucket=007/"),)


def test_partitions_without_data_are_listed_for_a_person_to_drop() -> None:
    stored: list[str | int] = [0, "id_bucket=300", "id_bucket=5x/deep"]
    registered = [
        partition(0),
        partition(1),
        partition(300),
        partition(301),
        partition("__HIVE_DEFAULT_PARTITION__"),
        partition("5x"),
        partition(2, "s3://elsewhere/id_bucket=2/"),
        partition(3, f"{ROOT}_old/id_bucket=3/"),
        partition(4, None),
    ]
    assert plan(stored, registered).drop_list == (
        "id_bucket=1",
        "id_bucket=301",
        "id_bucket=__HIVE_DEFAULT_PARTITION__",
    )


@pytest.mark.parametrize(
    "glue",
    [
        replace(GLUE, parameters={"projection.enabled": "true"}),
        replace(GLUE, partition_keys=()),
        replace(GLUE, partition_keys=(("dt", "string"),)),
        replace(GLUE, partition_keys=(("dt", "string"), ("id_bucket", "int"))),
    ],
)
def test_a_table_that_is_projected_or_partitioned_otherwise_is_left_alone(glue: GlueTable) -> None:
    assert plan([0, 1], [], glue).add == ()


def test_a_local_folder_is_never_registered() -> None:
    table = replace(TABLE, location="/data/part_a")
    assert plan_repair(table, GLUE, [], inventory([0]), RepairMode.GLUE).add == ()


@given(
    stored=st.sets(st.integers(0, 300), max_size=20),
    registered=st.lists(st.integers(-3, 300).map(str) | st.text(max_size=4), max_size=20),
)
def test_the_plan_never_adds_what_is_registered_or_unexpected(
    stored: set[int], registered: list[str]
) -> None:
    partitions = [partition(value) for value in registered]
    known = registered_buckets(TABLE, partitions)
    added = {bucket for bucket, _ in plan(stored, partitions).add}
    assert added == {bucket for bucket in stored if bucket < 256} - known.keys()


def repaired(stored: Iterable[int], mode: RepairMode, athena: Statements | Athena | None = None) -> Repaired:
    glue = CATALOG.table("sales", "part_a")
    assert glue is not None
    before = CATALOG.partitions(glue)
    todo = plan_repair(TABLE, glue, before, inventory(stored), mode)
    return execute_repair(
        todo, TABLE, glue, before, catalog=CATALOG, athena=athena, pauses=(0.01, 0.01, 0.01)
    )


def test_a_repair_registers_exactly_the_missing_and_a_second_one_plans_nothing(api: GlueApi) -> None:
    api.partitions["part_a"] = {("9",): {"Location": f"{ROOT}/id_bucket=9/"}}
    first = repaired(range(256), RepairMode.GLUE)
    assert (first.outcome.before, first.outcome.after) == (1, 256)
    assert not first.outcome.failed
    assert len(first.partitions) == 256
    assert api.partitions["part_a"]["0",]["Location"] == f"{ROOT}/id_bucket=0/"
    assert len(api.partitions["part_a"]["0",]["Columns"]) == 1
    asked = len(api.requests)
    second = repaired(range(256), RepairMode.GLUE)
    assert (second.outcome.plan.add, second.outcome.before, second.outcome.after) == ((), 256, 256)
    assert api.operations()[asked:] == [
        "GetTable",
        "GetPartitions",
        "GetPartitions",
        "GetPartitions",
        "GetPartitions",
    ]


def test_glue_is_read_again_until_it_lists_what_was_registered(api: GlueApi) -> None:
    api.reads_behind = 2
    found = repaired([1, 2], RepairMode.GLUE)
    assert (found.outcome.before, found.outcome.after, found.outcome.failed) == (0, 2, False)
    assert api.operations().count("GetPartitions") == 1 + 3


def test_what_glue_does_not_list_is_still_missing_whatever_the_repair_said(api: GlueApi) -> None:
    api.reads_behind = 100
    found = repaired([1, 2], RepairMode.GLUE)
    assert (found.outcome.after, found.outcome.still_missing, found.outcome.problem) == (0, (1, 2), None)
    assert found.outcome.failed
    assert api.operations().count("GetPartitions") == 1 + 4


def test_refused_partitions_are_named_and_the_others_are_registered(api: GlueApi) -> None:
    api.refused_values = {str(n): "InvalidInputException" for n in range(5)}
    found = repaired(range(8), RepairMode.GLUE)
    assert (found.outcome.after, found.outcome.still_missing) == (3, (0, 1, 2, 3, 4))
    assert found.outcome.problem == (
        "Glue refused 5 partitions: id_bucket=0: InvalidInputException: no; "
        "id_bucket=1: InvalidInputException: no; id_bucket=2: InvalidInputException: no and 2 more"
    )


@dataclass
class Statements:
    """An Athena that does what ``api`` is told to, or fails at the statement with this number."""

    api: GlueApi | None = None
    fails_at: int | None = None
    seen: list[tuple[str, str]] = field(default_factory=list)

    def execute(self, sql: str, database: str) -> None:
        """Register what an ALTER TABLE names."""
        self.seen.append((sql, database))
        if len(self.seen) == self.fails_at:
            raise PermanentStoreError("Athena", "query 1", "FAILED: no such table", "Look.")
        if self.api is not None:
            for line in sql.splitlines()[1:]:
                value, _, location = (
                    line.strip().removeprefix("PARTITION (`id_bucket` = ").partition(") LOCATION ")
                )
                self.api.partitions["part_a"][value,] = {"Location": location.strip("'")}


def test_athena_adds_a_hundred_partitions_a_statement(api: GlueApi) -> None:
    athena = Statements(api)
    found = repaired(range(256), RepairMode.ATHENA, athena)
    assert (found.outcome.after, found.outcome.failed) == (256, False)
    assert [sql.count("PARTITION") for sql, _ in athena.seen] == [100, 100, 56]
    assert athena.seen[0][1] == "sales"
    assert athena.seen[2][0].splitlines()[:2] == [
        "ALTER TABLE `part_a` ADD IF NOT EXISTS",
        "  PARTITION (`id_bucket` = 200) LOCATION 's3://lake/part_a/id_bucket=200/'",
    ]


def test_a_failing_statement_is_told_with_what_was_done_before_it(api: GlueApi) -> None:
    found = repaired(range(256), RepairMode.ATHENA, Statements(api, fails_at=2))
    assert (found.outcome.before, found.outcome.after) == (0, 100)
    assert found.outcome.still_missing[0] == 100
    assert "no such table" in str(found.outcome.problem)


def test_msck_that_succeeds_and_adds_nothing_is_a_failed_repair(
    api: GlueApi, moto_endpoint: str, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is in production, too: a success of MSCK proves nothing."""
    api.partitions["part_a"] = {}
    monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", moto_endpoint)
    found = repaired([1], RepairMode.MSCK, Athena("us-east-1", results=f"s3://{s3_bucket}/"))
    assert (found.outcome.problem, found.outcome.still_missing) == (None, (1,))
    statements = Statements()
    repaired([1], RepairMode.MSCK, statements)
    assert statements.seen == [("MSCK REPAIR TABLE `part_a`", "sales")]


def test_a_repair_that_may_not_write_is_a_problem_and_no_exception(api: GlueApi) -> None:
    glue = CATALOG.table("sales", "part_a")
    assert glue is not None
    todo = plan_repair(TABLE, glue, [], inventory([1]), RepairMode.GLUE)
    api.denied = {"part_a"}
    found = execute_repair(todo, TABLE, glue, [], catalog=CATALOG)
    assert "AccessDenied" in str(found.outcome.problem)
    assert (found.outcome.before, found.outcome.after, found.partitions) == (0, 0, [])


def test_a_repair_by_athena_without_athena_says_so(api: GlueApi) -> None:
    del api
    found = repaired([1], RepairMode.ATHENA)
    assert found.outcome.problem == "repair by athena needs Athena, which is not configured"


def test_nothing_is_asked_for_an_empty_plan_or_with_repair_off(api: GlueApi) -> None:
    for todo in (RepairPlan(RepairMode.GLUE), RepairPlan(RepairMode.OFF, ((1, ROOT),))):
        found = execute_repair(todo, TABLE, GLUE, [partition(3)], catalog=CATALOG)
        assert (found.outcome.before, found.outcome.after) == (1, 1)
    assert api.requests == []


@given(text=st.text(st.characters(codec="utf-8")))
def test_names_and_literals_cannot_leave_their_quotes(text: str) -> None:
    name = quoted_name(text)
    assert name[1:-1].replace("``", "").count("`") == 0
    inside, escaped = quoted_text(text)[1:-1], False
    for character in inside:
        assert escaped or character != "'"
        escaped = character == "\\" and not escaped
    assert not escaped


def test_values_of_a_text_partition_key_are_quoted(api: GlueApi) -> None:
    api.databases["sales"]["part_a"]["PartitionKeys"] = [{"Name": "id_bucket", "Type": "string"}]
    athena = Statements()
    repaired([7], RepairMode.ATHENA, athena)
    assert "PARTITION (`id_bucket` = '7')" in athena.seen[0][0]
