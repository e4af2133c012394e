"""Observations as rows, as many as wanted, for the benchmark of the catalog's index.

Here: rows spread evenly over two years, 20 missions (half of the rows are of one) and 20,000 targets of very
unequal share.
Not here: what is measured.
"""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from metaplat.model.observation import OBSERVATION_FIELDS, SET_BY_INDEX, Row, dataset_id_of

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 730
MISSIONS = [f"MISSION {number}" for number in range(20)]
TARGETS = [f"TARGET {number}" for number in range(20_000)]
BATCH = 5000

_EMPTY: Row = dict.fromkeys(field.name for field in OBSERVATION_FIELDS if field.name not in SET_BY_INDEX)
_SPECIFIC = orjson.dumps({f"KEY{number}": number * 1.5 for number in range(30)}).decode()


def path_of(number: int, part: str = "archive") -> str:
    """Return the path of an observation."""
    return f"/{part}/2026/{number // 10_000:05d}/observation_{number:09d}.fits"


def row_of(number: int, total: int, part: str = "archive") -> Row:
    """Return an observation out of ``total``."""
    chance = random.Random(number)
    time = FIRST + timedelta(days=DAYS) * (number / total)
    path = path_of(number, part)
    mission = MISSIONS[0] if chance.random() < 0.5 else chance.choice(MISSIONS)
    return _EMPTY | {
        "dataset_id": dataset_id_of(path),
        "mission_id": mission,
        "satellite_name": f"SATELLITE {number % 3}",
        "instrument_type": f"INSTRUMENT {number % 4}",
        "observation_timestamp": time,
        "observation_end": time + timedelta(seconds=30),
        "target_object": TARGETS[int(chance.paretovariate(0.6)) % len(TARGETS)],
        "ra_deg": chance.random() * 360,
        "dec_deg": chance.uniform(-90, 90),
        "data_quality_score": chance.random() if number % 3 else None,
        "header_completeness": 1.0,
        "calibration_status": "COMPLETE" if number % 2 else None,
        "processing_status": "raw" if number % 5 else "processed",
        "file_path": path,
        "file_format": "fits",
        "file_size": chance.randrange(10**9),
        "modified_time": time,
        "content_tag": f"{number}:{number}",
        "content_digest": hashlib.blake2b(path.encode(), digest_size=16).hexdigest(),
        "observation_time_raw": time.isoformat(),
        "time_rule": "DATE-OBS",
        "mission_specific": _SPECIFIC,
        "extraction_status": "ok",
        "extractor_version": "1-00000000",
        "attempts": 0,
        "file_state": "present",
    }


def batches(total: int) -> Iterator[list[Row]]:
    """Yield all rows, ``BATCH`` at a time, in the order of their time."""
    for start in range(0, total, BATCH):
        yield [row_of(number, total) for number in range(start, min(total, start + BATCH))]


def edges(total: int, count: int) -> list[Row]:
    """Return up to ``count`` relationships: observations, spread evenly, of the three before them."""
    step = max(10, total // max(1, count // 3))
    pairs = [(parent, child) for child in range(step, total, step) for parent in range(child - 3, child)]
    return [
        {
            "parent_dataset_id": dataset_id_of(path_of(parent)),
            "child_dataset_id": dataset_id_of(path_of(child)),
            "relationship_type": "raw_to_processed",
        }
        for parent, child in pairs[:count]
    ]
