"""The table that all read: 24-character keys in the bucket that CRC-32 says, eight attributes, snappy.

Five keys are NULL and five occur twice; the file beside it says so.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.table_peers.answer import KEY
from metaplat.monitor.crc32 import crc32

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BUCKETS, NULLS, TWICE = 256, 5, 5
STEP = 1_000_000
HEX = np.array([list(f"{byte:02x}".encode()) for byte in range(256)], np.uint8)
STATES = pa.array(["AZ", "CA", "FL", "GA", "IL", "NY", "OH", "TX", "UT", "WA"])


def write_key_table(folder: Path, rows: int) -> None:
    """Write a table of ``rows`` different keys, and beside it ``<folder>.json``, last."""
    bucket = np.empty(rows, np.uint8)
    for start in range(0, rows, STEP):
        numbers = np.arange(start, min(rows, start + STEP), dtype=np.uint64)
        bucket[start : start + len(numbers)] = crc32(_keys(numbers)) % BUCKETS
    order = np.argsort(bucket, kind="stable").astype(np.uint64)
    edges = np.searchsorted(bucket[order], np.arange(BUCKETS + 1))
    for number in range(BUCKETS):
        found = order[edges[number] : edges[number + 1]]
        if number < TWICE:
            found = np.concatenate([found, found[-1:]])
        path = folder / f"id_bucket={number}" / "part-00000.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(_rows(found), path, compression="snappy", use_dictionary=["state", "segment"])
    truth = {"rows": rows + TWICE, "nulls": NULLS, "duplicates": 2 * TWICE, "repeated": TWICE}
    folder.with_suffix(".json").write_text(json.dumps(truth))


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix 64 bits one to one (the finalizer of splitmix64), so that keys differ and do not compress."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _keys(numbers: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return 24 characters for each number: 16 hex digits that tell it, and 8 more."""
    first = _mixed(numbers)
    both = np.stack([first, _mixed(first)], axis=1)
    return np.ascontiguousarray(HEX[both.view(np.uint8)].reshape(len(numbers), 32)[:, :24])


def _rows(numbers: NDArray[np.uint64]) -> pa.Table:
    noise = _mixed(numbers ^ np.uint64(0xABCDEF))
    keys = pa.array(_keys(numbers).view("S24").ravel()).cast(pa.string())
    return pa.table(
        {
            KEY: pa.compute.if_else(pa.array(numbers < NULLS), None, keys),
            "age": (noise % np.uint64(90)).astype(np.int32),
            "state": pa.DictionaryArray.from_arrays((noise % np.uint64(10)).astype(np.int8), STATES),
            "segment": pa.DictionaryArray.from_arrays((noise % np.uint64(7)).astype(np.int8), STATES[:7]),
            "income": (noise % np.uint64(2_000_000)).astype(np.float64) / 10,
            "score": (noise >> np.uint64(32)).astype(np.float64) / 2**32,
            "is_active": (noise & np.uint64(1)).astype(bool),
            "visits": (noise % np.uint64(1000)).astype(np.int64),
            "updated_at": (noise % np.uint64(10**12)).astype("datetime64[ms]"),
        }
    )
