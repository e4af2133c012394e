"""What holds of every ingest: no secret is stored, and every record is counted once."""

from __future__ import annotations

import gc
import json
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.ingest.partition import PartitionIngest, ingest_partitions
from metaplat.ingest.quarantine import read_quarantine
from metaplat.ingest.receipts import Receipts
from metaplat_tests.ingest.small_domain import DAY, FIELDS, NOW, RUNS, home, land, record

if TYPE_CHECKING:
    from metaplat.stores.home import Stores


def rows(stores: Stores, day: str = DAY) -> list[dict[str, Any]]:
    return stores.lake.read(RUNS, [day]).to_dicts()


CANARIES = {
    "message": ("error", {"message": "login canary@example.com failed, password=canary"}),
    "address": ("error", {"address": "canary"}),
    "owner": ("owner", "canary"),
    "undeclared": ("note", "Bearer canary-canary"),
    "undeclared name": ("canary@example.com", 1),
    "undeclared secret": ("dbPassword", "canary"),
    "undeclared nested": ("used", {"env": [{"name": "API_TOKEN", "value": "canary"}]}),
    "signed": ("link", "https://host/?X-Amz-Signature=canary"),
}


@pytest.mark.parametrize("placed", CANARIES)
@pytest.mark.parametrize("hash_key", [None, "key"])
@pytest.mark.parametrize("wrong", [{}, {"status": "canary@example.com"}, {"row_count": "oops"}])
def test_no_secret_is_stored_outside_of_landing(
    tmp_path: Path, placed: str, hash_key: str | None, wrong: dict[str, str]
) -> None:
    stores = home(tmp_path, hash_key=hash_key)
    name, value = CANARIES[placed]
    for number, bad in enumerate(({}, wrong)):
        at = f"{DAY}T02:00:0{number}Z"
        there = at.replace("-29T", "-28T")
        land(
            stores,
            f"{number}.json",
            [record("a", at, **{name: value} | bad), record("b", there, **{name: value})],
        )
    ingest_partitions(RUNS, stores, [DAY, "2025-11-28"], NOW)
    gc.collect()  # SQLite removes its side files when the last connection goes
    others = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".parquet"]
    written = [path.read_bytes() for path in others if "landing" not in path.parts or "routed" in path.name]
    stored = b"".join(written) + orjson.dumps([*rows(stores), *rows(stores, "2025-11-28")], default=str)
    assert b"canary" not in stored


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
names = (
    st.sampled_from([each.path or each.name for each in FIELDS] + ["error", "used", "steps", "extra"])
    | st.text()
)
statuses = st.sampled_from(["RUNNING", "SUCCESS", "FAILED"])
times = st.sampled_from(
    [f"{DAY}T0{n}:00:00Z" for n in range(3)] + ["2025-11-28T00:00:00Z", "2024-01-01T00:00:00Z", "x"]
)
fair = st.builds(
    lambda name, at, status, job_id, more: record(name, at, status=status, job_id=job_id) | more,
    st.sampled_from("ab"),
    times,
    statuses,
    st.sampled_from([None, "1", "2"]),
    st.dictionaries(
        st.sampled_from(["row_count", "tier", "execution_date_source"]),
        st.sampled_from([1, 2, "creationTimestamp"]),
    ),
)
wild = st.builds(lambda base, more: base | more, fair, st.dictionaries(names, values, max_size=3))
objects = st.lists(st.lists(fair | wild | values, max_size=5), max_size=5)


def as_json(value: object) -> bytes:
    """Write as Python does, which knows NaN, lone surrogates and numbers of any size."""
    return json.dumps(value).encode()


@settings(deadline=None, max_examples=60)
@given(objects)
def test_every_record_read_is_in_exactly_one_count_whatever_was_landed(landed: list[list[Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stores = home(Path(folder))
        for number, items in enumerate(landed):
            land(stores, f"{number}.json", as_json(items), at=NOW + timedelta(seconds=number))
        receipt = PartitionIngest(RUNS, stores, NOW).run(DAY)
        parts = ("rows", "quarantined", "repeated", "superseded", "stale", "conflicts", "rerouted")
        assert sum(getattr(receipt, part) for part in parts) == receipt.records
        assert receipt.records == sum(len(items) for items in landed)
        assert receipt.rows == len(rows(stores))
        assert (
            receipt.quarantined
            == len(read_quarantine(stores.quarantine, RUNS, DAY))
            == sum(receipt.reasons.values())
        )
        assert Receipts(stores.state, RUNS).load(DAY) == receipt
        assert PartitionIngest(RUNS, stores, NOW).run(DAY) == receipt
