"""A collection lands batch by batch, and remembers only what is landed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metaplat.collectors.collector import CollectRequest
from metaplat.ingest.collecting import Collected, collect_and_land, memory_of
from metaplat.model.errors import TransientSourceError
from metaplat_tests.ingest.small_domain import NOW, domain, home

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from metaplat.stores.home import Stores

DOMAIN = domain()


def record(number: int) -> dict[str, Any]:
    moment = f"2025-11-29T{number:02}:00:00Z"
    return {"job_name": "etl", "job_id": str(number), "execution_date": moment, "status": "SUCCESS"}


class Source:
    """Yields numbered records, each remembered once it was taken; breaks where it is told to."""

    def __init__(self, count: int, breaks: BaseException | None = None) -> None:
        self.count, self.breaks, self.read = count, breaks, list[int]()

    def __call__(self, request: CollectRequest) -> Iterator[Mapping[str, Any]]:
        """Yield what is not remembered."""
        for number in range(self.count):
            if request.memory.fingerprint(str(number)) == "same":
                continue
            self.read.append(number)
            yield record(number)
            request.memory.remember(str(number), "same")
        if self.breaks is not None:
            raise self.breaks


def collect(stores: Stores, source: Source, batch_size: int = 2) -> Collected:
    memory = memory_of(DOMAIN, stores, "logs")
    request = CollectRequest(stores.settings, NOW, pytest.fail, memory=memory)
    return collect_and_land(DOMAIN, stores, source, request, batch_size=batch_size, now=NOW)


def landed(stores: Stores) -> int:
    return len(stores.landing.list_objects("runs/"))


def test_everything_is_landed_and_not_read_a_second_time(tmp_path: Path) -> None:
    stores = home(tmp_path)
    assert collect(stores, Source(5)).counts == {"landed": 5}
    again = Source(6)
    assert collect(stores, again).counts == {"landed": 1}
    assert again.read == [5]


def test_a_killed_collection_goes_on_where_it_was_landed(tmp_path: Path) -> None:
    stores = home(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        collect(stores, Source(5, KeyboardInterrupt()))
    before = landed(stores)
    assert before == 4
    again = Source(5)
    collect(stores, again)
    assert landed(stores) == 5
    assert again.read[-1] == 4
    assert 0 not in again.read


def test_what_came_before_an_outage_is_landed_and_remembered(tmp_path: Path) -> None:
    stores = home(tmp_path)
    outage = TransientSourceError("server", "list applications", "no answer", "Try later.")
    with pytest.raises(TransientSourceError):
        collect(stores, Source(3, outage), batch_size=100)
    assert landed(stores) == 3
    again = Source(3)
    assert collect(stores, again).landed == []
    assert again.read == []


def test_each_record_is_told_with_what_became_of_it(tmp_path: Path) -> None:
    stores, told = home(tmp_path), list[tuple[str, str]]()
    collect_and_land(
        DOMAIN,
        stores,
        Source(2),
        CollectRequest(stores.settings, NOW, pytest.fail),
        batch_size=10,
        now=NOW,
        each=lambda record, landed: told.append((record["job_id"], landed.status)),
    )
    assert told == [("0", "landed"), ("1", "landed")]
