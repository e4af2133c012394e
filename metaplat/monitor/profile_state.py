"""What is kept of a table's profile between runs, so that nothing unchanged is read twice.

Here: one JSON object a table in the state store, and for which settings it holds.
Not here: what is taken over and what is measured again (``profile``), the history of profiles (``history``).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, astuple, dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson

from metaplat.model.polars_schema import polars_schema
from metaplat.model.table import BucketFunction, Engine
from metaplat.model.table_metrics import METRICS, FileFacts, KeySample

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import polars as pl

    from metaplat.model.table import MonitoredTable
    from metaplat.stores.objects import ObjectStore

VERSION = 1
"""Raise it whenever the same files would give other figures: then everything is measured again."""

LONGEST_NAME = 150


@dataclass(frozen=True)
class ProfileState:
    """All that was measured of a table.

    Parameters
    ----------
    frame : polars.DataFrame, shape (measured buckets, columns)
        Rows of the metrics frame, columns of ``METRICS``, as they were measured last.
    facts : mapping of str to FileFacts
        By ``ObjectInfo.identity``.
    schemas : mapping of str to mapping of str to str
        Columns and types by schema fingerprint.
    samples : sequence of KeySample
        As they may be shown.
    engine : Engine
        What counted the keys.
    function : BucketFunction or None
        Verified on every key.
    is_placed : bool
        Whether every key lies in the bucket it belongs in, verified or taken at its word: then a changed
        bucket can be counted on its own.
    notes : sequence of str
        Of the profile.
    """

    frame: pl.DataFrame
    engine: Engine
    facts: Mapping[str, FileFacts] = field(default_factory=dict)
    schemas: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    samples: Sequence[KeySample] = ()
    function: BucketFunction | None = None
    is_placed: bool = False
    notes: Sequence[str] = ()

    def without(self, buckets: Collection[int]) -> ProfileState:
        """Return the state as if some buckets had never been measured."""
        import polars as pl

        if not buckets:
            return self
        return replace(
            self,
            frame=self.frame.filter(~pl.col("id_bucket").is_in(buckets)),
            facts={name: item for name, item in self.facts.items() if item.bucket not in buckets},
            samples=[sample for sample in self.samples if sample.bucket not in buckets],
        )


class ProfileStore:
    """Where the state of one table is kept: ``tables/<name>/profile.json``.

    Parameters
    ----------
    objects : ObjectStore
        The state store.
    table : MonitoredTable
        The table; a state measured under other settings of it counts as none.
    clear_samples : bool
        Whether samples show keys in clear text.
    """

    def __init__(self, objects: ObjectStore, table: MonitoredTable, *, clear_samples: bool) -> None:
        self._objects = objects
        self._key = f"tables/{encoded_name(table.identity)}/profile.json"
        self._valid_for = {
            "version": VERSION,
            "location": table.location,
            "key_column": table.key_column,
            "bucket_count": table.bucket_count,
            "bucket_digits": table.bucket_digits,
            "bucket_function": table.bucket_function.value,
            "engine": table.engine.value,
            "clear_samples": clear_samples,
            "columns": [column.name for column in METRICS],
        }

    def load(self) -> ProfileState | None:
        """Return the state; None where there is none that can be used, so that all is measured again."""
        try:
            document = orjson.loads(self._objects.get(self._key))
            if document["valid_for"] != self._valid_for:
                return None
            return _state(document)
        except (KeyError, ValueError, TypeError):
            return None

    def save(self, state: ProfileState) -> None:
        """Replace the state in one step."""
        facts = state.facts.values()
        document = {
            "valid_for": self._valid_for,
            "engine": state.engine.value,
            "function": state.function,
            "is_placed": state.is_placed,
            "notes": list(state.notes),
            "schemas": state.schemas,
            "samples": [asdict(sample) for sample in state.samples],
            "files": [astuple(item) for item in facts],
            "frame": {column.name: column.to_physical().to_list() for column in state.frame},
        }
        self._objects.put(self._key, orjson.dumps(document))


def encoded_name(name: str) -> str:
    """Return a table's name as a part of a key; what is no letter, digit, ``-`` or ``_`` as ``=3A``."""
    plain = re.sub(
        r"[^A-Za-z0-9_-]",
        lambda found: "".join(f"={byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass")),
        name,
    )
    if len(plain) <= LONGEST_NAME:
        return plain or "="
    digest = hashlib.sha256(plain.encode()).hexdigest()[:16]
    return f"{plain[:LONGEST_NAME]}={digest}"


def decoded_name(part: str) -> str:
    """Return what ``encoded_name`` wrote so, where it cut nothing off."""
    whole = re.sub(r"=([0-9A-F]{2})", lambda found: f"%{found[1]}", part)
    return unquote(whole, errors="replace")


def _state(document: Mapping[str, Any]) -> ProfileState:
    function = document["function"]
    return ProfileState(
        _frame(document["frame"]),
        Engine(document["engine"]),
        {item[1]: FileFacts(*item) for item in document["files"]},
        document["schemas"],
        [KeySample(**sample) for sample in document["samples"]],
        None if function is None else BucketFunction(function),
        document["is_placed"],
        document["notes"],
    )


def _frame(columns: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    import polars as pl

    schema = polars_schema(METRICS)
    times = [name for name, dtype in schema.items() if dtype.is_temporal()]
    physical = {**schema, **dict.fromkeys(times, pl.Int64())}
    try:
        frame = pl.DataFrame({name: columns[name] for name in schema}, schema=physical)
    except pl.exceptions.PolarsError as error:
        raise ValueError(str(error)) from error
    return frame.with_columns(pl.col(name).cast(schema[name]) for name in times)
