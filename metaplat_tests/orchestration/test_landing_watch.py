"""What is listed and what is new: the properties of one look at the landing zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metaplat.model.partitioning import stretches
from metaplat.orchestration.landing_watch import covering, watch_landing
from metaplat.settings import SensorSettings, Settings
from metaplat.stores.home import open_stores
from metaplat_tests.orchestration.small_domains import COUNTS, days, land

if TYPE_CHECKING:
    import pytest

    from metaplat.stores.home import Stores

NEXT = "2025-11-02"
MOMENT = datetime(2025, 11, 6, 12, tzinfo=UTC)


def test_what_landed_before_its_day_is_asked_for_when_the_day_has_come(stores: Stores) -> None:
    now = datetime(2025, 11, 1, 23, 59, tzinfo=UTC)
    land(stores, COUNTS, NEXT, "a.json", x=1)
    watching = SensorSettings()
    cursor = None
    for _ in range(3):
        seen = watch_landing(COUNTS, stores, cursor, now, watching)
        assert seen.touched == {}
        cursor = seen.cursor.text()
    later = watch_landing(COUNTS, stores, cursor, now + timedelta(minutes=2), watching)
    assert list(later.touched) == [NEXT]


@given(
    landed=st.sets(st.integers(0, 60), min_size=1, max_size=20),
    most=st.integers(1, 8),
)
def test_covering_ranges_hold_every_partition_once_and_are_few(landed: set[int], most: int) -> None:
    keys = days("2025-01-01", 61)
    order = {key: position for position, key in enumerate(keys)}
    wanted = {keys[number] for number in landed}
    found = covering(stretches(wanted, keys), order, most)
    assert len(found) <= most
    assert all(sum(first <= key <= last for first, last in found) == 1 for key in wanted)
    assert all(first in wanted and last in wanted for first, last in found)


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["land", "rewrite", "delete", "quiet"]), st.integers(0, 9), st.integers(0, 2)
        ),
        max_size=12,
    )
)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_happens_touched_are_exactly_the_partitions_with_new_objects(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    stores = open_stores(Settings(home=tmp_path_factory.mktemp("home")))
    keys, watching, cursor = (
        days("2025-05-01", 10),
        SensorSettings(recent_partitions=1, older_partitions=10),
        None,
    )
    there: set[str] = set()
    for number, (step, day, name) in enumerate(steps):
        key = f"counts/2025/05/{day + 1:02d}/{name}.json"
        expected: set[str] = set()
        if step in ("land", "rewrite") and ((key in there) == (step == "rewrite")):
            land(stores, COUNTS, keys[day], f"{name}.json", x=number)
            there.add(key)
            expected = {keys[day]}
        elif step == "delete":
            stores.landing.delete(key)
            gone = key in there
            there.discard(key)
            # nothing was ever ingested here: what is left in the folder is still unread
            if gone and any(other.startswith(key[:18]) for other in there):
                expected = {keys[day]}
        seen = watch_landing(COUNTS, stores, cursor, MOMENT, watching)
        assert set(seen.touched) == expected
        cursor = seen.cursor.text()
