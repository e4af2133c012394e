"""Which index answers a question of the catalog in SQLite: ten million rows forgive no other plan."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model import filters as f
from metaplat.stores.catalog.index import Change, Query, Sort
from metaplat.stores.catalog.sql_dialect import SQLITE
from metaplat.stores.catalog.sql_index import SqlIndex
from metaplat.stores.catalog.sql_schema import schema
from metaplat.stores.catalog.sqlite_pool import SqlitePool, SqliteSession
from metaplat_tests.stores.catalog.catalog_rows import DAY, NOW, edge, event, identity, observation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MISSION = f.Compare("mission_id", "=", "SOHO")
WINDOW = (
    f.Compare("observation_timestamp", ">=", NOW - 2 * DAY),
    f.Compare("observation_timestamp", "<", NOW),
)
SORTED = "USE TEMP B-TREE FOR ORDER BY"


class ExplainedSession(SqliteSession):
    """A session that also notes how SQLite answers what is asked of the big tables."""

    plans: list[str]

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Note the plan, then answer."""
        self._explain(statement, parameters)
        return super().rows(statement, parameters)

    def stream(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Note the plan, then answer."""
        self._explain(statement, parameters)
        return super().stream(statement, parameters)

    def _explain(self, statement: str, parameters: Sequence[Any]) -> None:
        if "rollup_" not in statement:
            self.plans += [row[3] for row in super().rows(f"EXPLAIN QUERY PLAN {statement}", parameters)]


class ExplainedPool(SqlitePool):
    """A pool whose readers explain themselves."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, schema(SQLITE), "Delete it.")
        self.plans: list[str] = []

    @contextmanager
    def reading(self, attempted: str) -> Iterator[ExplainedSession]:
        """Lend a session that notes its plans."""
        with super().reading(attempted) as session:
            explained = ExplainedSession(session._connection)
            explained.plans = self.plans
            yield explained


class Explained(SqlIndex):
    """A catalog that says how it answers."""

    address = "explained"

    def __init__(self, path: Path) -> None:
        self.pool = ExplainedPool(path)
        super().__init__(self.pool, SQLITE)

    def plan(self, query: Query) -> list[str]:
        """Return how a search is answered."""
        self.pool.plans.clear()
        self.search(query)
        return list(self.pool.plans)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Explained]:
    """Lend a catalog with a few rows of every state."""
    index = Explained(tmp_path / "catalog.sqlite")
    rows = [
        observation(number, observation_timestamp=NOW - number * timedelta(hours=1)) for number in range(9)
    ]
    rows += [observation(9, observation_timestamp=None), observation(10, file_state="vanished")]
    index.apply(Change(rows, relationships=[edge(0, 1)], events=[event("e")]), NOW)
    yield index
    index.close()


AFTER = (NOW, identity(0))
OLDEST = (Sort("observation_timestamp"),)
WALKED = [
    ("by id", Query(f.Compare("dataset_id", "=", identity(0))), "(dataset_id=?)"),
    ("time of a mission", Query(f.And([MISSION, *WINDOW])), "observations_mission (mission_id=? AND obs"),
    (
        "next page of it",
        Query(f.And([MISSION, *WINDOW]), after=AFTER),
        "observations_mission (mission_id=? AND",
    ),
    (
        "oldest first",
        Query(f.And([MISSION, *WINDOW]), OLDEST, after=AFTER),
        "observations_mission (mission_id=?",
    ),
    ("newest of a mission", Query(MISSION), "observations_mission (mission_id=? AND"),
    ("newest without a mission", Query(f.IsNull("mission_id")), "observations_mission (mission_id=? AND"),
    ("newest of all", Query(), "observations_time (observation_timestamp"),
    (
        "those without a time",
        Query(after=(None, identity(3))),
        "observations_time (observation_timestamp=? AND",
    ),
    ("a time of all", Query(f.And(WINDOW)), "observations_time (observation_timestamp>?"),
    (
        "good ones of a mission",
        Query(f.And([MISSION, f.Compare("data_quality_score", ">=", 0.8)])),
        "observations_mission (mission_id=? AND",
    ),
    (
        "newest of a target",
        Query(f.And([MISSION, f.Compare("target_object", "=", "M31")])),
        "observations_target (target_object=? AND",
    ),
    (
        "what lasts into a time of a mission",
        Query(f.And([MISSION, f.Overlaps(NOW, NOW + DAY)])),
        "observations_mission (mission_id=? AND observation_timestamp>? AND observation_timestamp<?)",
    ),
    (
        "two conditions, either of them common",
        Query(f.Or([MISSION, f.Compare("target_object", "=", "M31")])),
        "observations_time (observation_timestamp",
    ),
]


@pytest.mark.parametrize(("name", "query", "used"), WALKED, ids=[name for name, _, _ in WALKED])
def test_pages_are_read_in_the_order_of_an_index(
    index: Explained, name: str, query: Query, used: str
) -> None:
    plans = index.plan(query)
    assert plans
    searches = [plan for plan in plans if "observations_long" not in plan]
    if name != "by id":  # of one row, sorting is nothing
        assert not [plan for plan in searches if "TEMP B-TREE" in plan or plan.startswith("SCAN")]
    assert all(used in plan for plan in searches if "TEMP" not in plan)


LOOKED_UP = [
    ("some ids", f.In("dataset_id", [identity(0), identity(1)]), "(dataset_id=?)"),
    ("few targets", f.In("target_object", ["M31", "M33"]), "observations_target (target_object=?)"),
    ("targets by prefix", f.Prefix("target_object", "M"), "observations_target (target_object>? AND"),
    ("small missions", f.In("mission_id", ["SOHO", "SDO"]), "observations_mission (mission_id=?)"),
    ("rare words", f.Text(["soHo"]), "observations_mission (mission_id=?"),
    ("a cone", f.Cone(1, 2, 0.5), "observations_dec (dec_deg>? AND dec_deg<?)"),
    ("a folder", f.Prefix("file_path", "/data/"), "observations_path (file_path>? AND file_path<?)"),
]


@pytest.mark.parametrize(("name", "where", "used"), LOOKED_UP, ids=[name for name, _, _ in LOOKED_UP])
def test_few_rows_are_found_by_an_index_and_sorted(
    index: Explained, name: str, where: f.Filter, used: str
) -> None:
    plans = [plan for plan in index.plan(Query(where)) if plan != SORTED]
    assert plans, name
    assert all(used in plan for plan in plans)


def test_files_that_are_not_there_are_found_without_reading_those_that_are(index: Explained) -> None:
    plans = index.plan(Query(f.Compare("file_state", "=", "vanished"), absent=True))
    assert all("observations_absent" in plan for plan in plans)


def test_a_page_with_absent_files_asks_two_indexes(index: Explained) -> None:
    plans = index.plan(Query(f.And([MISSION, *WINDOW]), absent=True))
    assert [plan.split()[4] for plan in plans if "TEMP" not in plan] == [
        "observations_mission",
        "observations_absent",
    ]


def test_what_has_no_index_is_read_as_it_lies(index: Explained) -> None:
    assert index.plan(Query(sort=(Sort("file_size"),))) == ["SCAN observations", SORTED]


def test_edges_events_and_known_files_have_indexes(index: Explained) -> None:
    index.pool.plans.clear()
    index.edges([identity(0)], "children", limit=5)
    index.edges([identity(1)], "parents")
    index.edges([identity(0), identity(1)], "parents")
    index.events("r")
    index.known([identity(0)])
    list(index.known_below("/data/"))
    list(index.known_below("/data/", NOW))
    list(index.scan_table("processing_events", NOW - DAY, NOW + DAY))
    list(index.scan_table("dataset_relationships", NOW - DAY, NOW + DAY))
    plans = [plan for plan in index.pool.plans if "json_each" not in plan]
    assert not [plan for plan in plans if plan.startswith("SCAN")]
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]
    assert "observations_due" in " ".join(plans)


def test_a_day_with_its_absent_files_is_scanned_by_time(index: Explained) -> None:
    index.pool.plans.clear()
    assert sum(map(len, index.scan(f.And(WINDOW), absent=True))) == 9
    plans = " ".join(index.pool.plans)
    assert "observations_time" in plans
    assert "observations_absent" in plans
    assert "USING INTEGER PRIMARY KEY (rowid=?)" in plans
    assert "SCAN observations" not in plans
