"""Filters split for VAST DB: what is sent compiles in the real SDK, and nothing is lost or found too much."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, example, given

from metaplat.model import filters as f
from metaplat.model.errors import InvalidInputError
from metaplat.stores.catalog.polars_filter import polars_expression
from metaplat.stores.catalog.vast_filter import MAX_CLAUSES, predicate, split
from metaplat.stores.catalog.vast_tables import OBSERVATIONS
from metaplat_tests.stores.catalog.catalog_rows import filters, ids_of, observation, tables
from metaplat_tests.stores.catalog.catalog_truth import is_on_border, matching

if TYPE_CHECKING:
    from metaplat.model.observation import Row

pytest.importorskip("vastdb")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
M31 = f.Compare("target_object", "=", "M31")
LARGE = f.Compare("file_size", ">", 5)


def table() -> Any:
    """Return the SDK's own idea of the table, from which predicates are made."""
    from vastdb.table_metadata import TableMetadata, TableRef

    schema = OBSERVATIONS.arrow_schema()
    return TableMetadata(TableRef("b", "s", "t"), arrow_schema=schema).ibis_table


def compiled(where: f.Filter) -> bytes:
    """Return the request that the SDK makes of the pushed part; it raises where VAST would refuse it."""
    from vastdb._internal import build_query_data_request

    pushed = predicate(table(), split(where, "mission_specific").clauses)
    schema = OBSERVATIONS.arrow_schema()
    request = build_query_data_request(schema=schema, predicate=pushed, field_names=["dataset_id"])
    return bytes(request.serialized)


def decided(where: f.Filter, rows: list[Row]) -> list[str]:
    """Return what both parts find: the pushed one as the SDK compiled it, then the rest."""
    import polars as pl
    import pyarrow as pa

    from metaplat_tests.standins.vast_query import VastQuery

    parts = split(where, "mission_specific")
    if parts.nothing:
        return []
    stored = [dict.fromkeys(OBSERVATIONS.stored_columns) | row for row in rows]
    arrow = pa.Table.from_pylist(stored, OBSERVATIONS.arrow_schema())
    kept = set(VastQuery(compiled(where)).answer(arrow)["dataset_id"].to_pylist())
    frame = pl.DataFrame(arrow).filter(pl.col("dataset_id").is_in(list(kept)))
    return sorted(frame.filter(polars_expression(parts.rest or f.EVERYTHING))["dataset_id"].to_list())


@given(tables(), filters())
@example([observation(1, file_size=2**40)], f.Not(f.In("file_size", [1, 2**40])))
@example([observation(1, file_size=1), observation(2, file_size=2)], f.Compare("file_size", "<", 1.5))
@example([observation(1, target_object=None)], f.Not(f.And([M31, f.IsNull("version")])))
def test_both_parts_together_find_what_the_filter_means(rows: list[Row], where: f.Filter) -> None:
    assume(not is_on_border(where, rows))
    assert decided(where, rows) == sorted(ids_of(matching(rows, where, absent=True)))


@pytest.mark.parametrize(
    "where",
    [
        M31,
        f.Not(M31),
        f.And([M31, LARGE, f.Not(f.IsNull("version"))]),
        f.Or(
            [M31, f.IsNull("target_object"), f.Prefix("target_object", "N"), f.Contains("target_object", "x")]
        ),
        f.Or([f.Between("file_size", 1, 2), f.Not(f.Between("file_size", 7, 9))]),
        f.Not(f.Or([M31, LARGE])),
        f.Not(f.In("target_object", ["a", "b"])),
        f.In("observation_timestamp", [NOON, datetime(1, 1, 1, tzinfo=UTC)]),
        f.Compare("data_quality_score", ">=", 1),
        f.Compare("file_size", "<", 1.5),
        f.Prefix("target_object", ""),
    ],
)
def test_what_vast_can_decide_is_left_to_it_whole(where: f.Filter) -> None:
    assert split(where).rest is None
    assert compiled(where)


@pytest.mark.parametrize(
    "where",
    [
        f.Or([M31, LARGE]),
        f.Not(f.Prefix("target_object", "M")),
        f.Not(f.And([M31, LARGE])),
        f.Text(["m31"]),
        f.Contains("target_object", ""),
        f.Compare("target_object", "=", "a\0b"),
        f.Compare("file_size", "<", 2**70),
        f.Compare("data_quality_score", "<", float("inf")),
        f.Compare("mission_specific", "=", "{}"),
        f.Or([f.And([M31, LARGE]), f.IsNull("target_object")]),
    ],
)
def test_what_vast_cannot_say_is_decided_on_the_rows(where: f.Filter) -> None:
    parts = split(where, "mission_specific")
    assert not parts.clauses
    assert parts.rest is not None


def test_windows_and_cones_send_what_they_imply() -> None:
    window = split(f.Overlaps(NOON, NOON))
    assert (len(window.clauses), window.rest) == (1, f.And([f.Overlaps(NOON, NOON)]))
    cone = split(f.Cone(10, 20, 1))
    assert len(cone.clauses) == 2
    assert cone.rest is not None
    assert not split(f.Not(f.Cone(10, 20, 1))).clauses, "outside of it is anywhere"


def test_what_nothing_can_match_is_not_asked() -> None:
    assert split(f.In("file_size", [])).nothing
    assert split(f.And([M31, f.Not(f.And([]))])).nothing
    assert not split(f.EVERYTHING).nothing


def test_a_request_stays_below_what_vast_takes() -> None:
    from vastdb.util import MAX_QUERY_DATA_REQUEST_SIZE

    long = [f"{number:0500d}" for number in range(1900)]
    many = [f"{number:032x}" for number in range(3900)]
    wide = f.And([f.Compare("file_size", "<>", number) for number in range(500)])
    for where in (f.In("version", long), f.In("version", many), wide):
        assert len(compiled(where)) < MAX_QUERY_DATA_REQUEST_SIZE
    assert len(split(wide).clauses) == MAX_CLAUSES
    huge = split(f.In("version", [f"{number}" for number in range(100_000)]))
    assert not huge.clauses
    assert huge.rest is not None


def test_a_wide_choice_of_one_column_is_one_list() -> None:
    parts = split(f.Or([f.Or([M31]), *(f.Compare("target_object", "=", str(n)) for n in range(1500))]))
    assert (len(parts.clauses), parts.rest) == (1, None)


def test_a_deep_tree_is_refused_in_words() -> None:
    where: f.Filter = M31
    for _ in range(2000):
        where = f.Not(f.And([where, LARGE]))
    with pytest.raises(InvalidInputError, match="nested more than"):
        split(where)
