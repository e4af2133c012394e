"""Key figures of a table by one query in Athena; failing keys by one more, where there are any.

Here: Athena's SQL (Trino). Not here: running it (``stores.tables.athena``), what it counts (``engine_sql``).
Functions: https://trino.io/docs/current/functions/binary.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.errors import PermanentStoreError, SettingsError
from metaplat.model.table import BucketFunction
from metaplat.monitor.profilers.engine_sql import (
    BINARY,
    counts_frame,
    digest_modulo,
    failing_kinds,
    figures_sql,
    has_plain_text,
    key_samples,
    key_types,
    samples_sql,
    without_misplaced,
)
from metaplat.monitor.profilers.profiler import KeyCounts

if TYPE_CHECKING:
    from metaplat.model.table_metrics import KeySample
    from metaplat.monitor.profilers.profiler import CountRequest
    from metaplat.stores.tables.athena import Athena

COMPUTABLE = {BucketFunction.CRC32, BucketFunction.MD5}
"""Bucket functions that Athena can verify; it has no murmur3 of 32 bits."""


@dataclass(frozen=True)
class AthenaProfiler:
    """Counts keys in Athena, over the partitions that Glue knows.

    A bucket that Athena sees with another number of rows than its files have gets nulls.
    """

    athena: Athena

    def count_keys(self, request: CountRequest) -> KeyCounts:
        """Count the keys of the requested buckets.

        Raises
        ------
        SettingsError
            The table has no Glue database.
        PermanentStoreError, TransientStoreError
            Athena does not answer, or sees no row of a table that has some.
        """
        database = request.table.database
        if database is None:
            problem = f"table {request.table.name!r} has none, and Athena needs one"
            raise SettingsError("monitor.database", problem, "Set it, or use another engine.")
        answer = self.athena.query(figures_sql(_rows_sql(request, database)), database)
        _refuse_unseen(request, database, seen=bool(answer))
        frame = counts_frame(request, answer)
        if request.function not in COMPUTABLE or not has_plain_text(key_types(request)):
            frame = without_misplaced(frame)
        samples = [
            sample for kind in failing_kinds(frame) for sample in self._samples(request, database, kind)
        ]
        return KeyCounts(frame, samples)

    def _samples(self, request: CountRequest, database: str, kind: str) -> list[KeySample]:
        binary = _is_binary(request)
        shown = "to_hex(k)" if binary else "CAST(k AS varchar)"
        query = samples_sql(_rows_sql(request, database), kind, shown)
        return key_samples(kind, self.athena.query(query, database), binary=binary)


def quoted(identifier: str) -> str:
    """Return a name as SQL, whatever characters it has."""
    return '"' + identifier.replace('"', '""') + '"'


def _rows_sql(request: CountRequest, database: str) -> str:
    table = f"{quoted(database)}.{quoted(request.table.name)}"
    key = quoted(request.table.key_column)
    return f"""
        SELECT id_bucket, k, {_belongs(request)} AS belongs
        FROM (SELECT TRY_CAST("id_bucket" AS integer) AS id_bucket, {key} AS k FROM {table}) AS stored
        WHERE {_within(request)}
    """  # noqa: S608  # names are quoted


def _within(request: CountRequest) -> str:
    """Write the requested buckets as ranges, so that hundreds of them stay a short query."""
    ranges: list[tuple[int, int]] = []
    for bucket in sorted(request.buckets):
        first = ranges.pop()[0] if ranges and ranges[-1][1] == bucket - 1 else bucket
        ranges.append((first, bucket))
    within = [f"id_bucket BETWEEN {first} AND {last}" for first, last in ranges]
    return f"({' OR '.join(within)})" if within else "1 = 0"


def _belongs(request: CountRequest) -> str:
    """Write the bucket of ``k``; NULL where ``k`` is, and where Athena cannot compute it."""
    content = "k" if _is_binary(request) else "to_utf8(CAST(k AS varchar))"
    count = request.table.bucket_count
    if request.function == BucketFunction.CRC32:
        return f"crc32({content}) % {count}"
    if request.function == BucketFunction.MD5:
        digits = (f"substr(to_hex(md5({content})), {start}, 8)" for start in (1, 9, 17, 25))
        return digest_modulo([f"from_base({chunk}, 16)" for chunk in digits], count)
    return "CAST(NULL AS bigint)"


def _is_binary(request: CountRequest) -> bool:
    """Whether the key is bytes in every file, as in Glue then: text and bytes have no cast between them."""
    types = key_types(request)
    return bool(types) and all(BINARY in name for name in types)


def _refuse_unseen(request: CountRequest, database: str, *, seen: bool) -> None:
    expected = sum(footer.rows for files in request.buckets.values() for _, footer in files)
    if seen or not expected:
        return
    system = f"Athena table {database}.{request.table.name}"
    answer = f"no row of the {expected} that its files have"
    advice = "Register its partitions in Glue, or use the engine bucket."
    raise PermanentStoreError(system, "count keys", answer, advice)
