"""The SQL that engines other than our own count keys with, and the metrics made of its answer.

Here: what Athena (Trino) and Spark both understand. Not here: where the rows come from, how a key finds its
bucket and how either is quoted (``athena``, ``spark``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.model.table_metrics import KeySample
from metaplat.model.verdict import MAX_SAMPLES
from metaplat.monitor.profilers.key_figures import FIGURES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import polars as pl

    from metaplat.monitor.profilers.profiler import CountRequest

BINARY = "binary"
"""Part of the name of every type of bytes."""
PLAIN_TYPES = ("bool", "int", "uint", "string", "large_", "decimal", "date", "binary", "fixed_size_binary")
"""How the names of types begin whose values every engine writes as the same text."""

_COMPARED = """
WITH counted AS (
    SELECT id_bucket, k, COUNT(*) AS c, MIN(belongs) AS belongs,
           SUM(CASE WHEN belongs <> id_bucket THEN 1 ELSE 0 END) AS misplaced
    FROM ({rows}) AS key_rows
    GROUP BY id_bucket, k
), compared AS (
    SELECT id_bucket, k, c, belongs, misplaced,
           SUM(c) OVER (PARTITION BY k) AS total, MIN(id_bucket) OVER (PARTITION BY k) AS lowest
    FROM counted
)"""
_FIGURES = """
SELECT id_bucket, SUM(c) AS row_count,
       SUM(CASE WHEN k IS NULL THEN c ELSE 0 END) AS key_nulls,
       SUM(CASE WHEN k IS NOT NULL AND lowest = id_bucket THEN 1 ELSE 0 END) AS distinct_keys,
       SUM(CASE WHEN k IS NOT NULL AND total > 1 THEN c ELSE 0 END) AS duplicate_rows,
       SUM(CASE WHEN k IS NOT NULL AND total > 1 AND lowest = id_bucket THEN 1 ELSE 0 END) AS duplicate_keys,
       SUM(misplaced) AS misplaced_keys
FROM compared
GROUP BY id_bucket"""
_SAMPLES = """
SELECT id_bucket, shown, total, belongs
FROM (
    SELECT id_bucket, {shown} AS shown, total, belongs,
           ROW_NUMBER() OVER (PARTITION BY id_bucket ORDER BY total DESC, {shown}) AS place
    FROM compared
    WHERE k IS NOT NULL AND {failing}
) AS ranked
WHERE place <= {samples}
ORDER BY id_bucket, place"""
_FAILING = {"duplicate": "total > 1", "misplaced": "misplaced > 0"}
_KIND_FIGURES = {"duplicate": "duplicate_keys", "misplaced": "misplaced_keys"}


def figures_sql(rows: str) -> str:
    """Return the query for all figures of each bucket.

    Parameters
    ----------
    rows : str
        A SELECT of ``id_bucket``, ``k`` (the key) and ``belongs`` (the bucket it belongs in, NULL unknown).
    """
    return _COMPARED.format(rows=rows) + _FIGURES


def samples_sql(rows: str, kind: str, shown: str) -> str:
    """Return the query for the failing keys of one ``kind``; ``shown`` is ``k`` as text, in SQL."""
    return _COMPARED.format(rows=rows) + _SAMPLES.format(
        shown=shown, failing=_FAILING[kind], samples=MAX_SAMPLES
    )


def key_types(request: CountRequest) -> set[str]:
    """Return the types of the key column in the requested files."""
    column = request.table.key_column
    return {footer.columns[column] for files in request.buckets.values() for _, footer in files}


def has_plain_text(types: Iterable[str]) -> bool:
    """Whether all engines write such keys as the same text, so that hashes of it can be compared."""
    return all(name.startswith(PLAIN_TYPES) for name in types)


def digest_modulo(chunks: Sequence[str], count: int) -> str:
    """Return SQL for a long number modulo ``count``; ``chunks`` are its 32-bit parts, highest first."""
    value = chunks[0]
    for chunk in chunks[1:]:
        value = f"(({value}) % {count} * 4294967296 + {chunk})"  # below 2^63 for every count up to 2^31
    return f"{value} % {count}"


def counts_frame(
    request: CountRequest, answer: Iterable[Mapping[str, Any]], broken: Collection[str] = ()
) -> pl.DataFrame:
    """Return ``KeyCounts.frame`` for the answer to ``figures_sql``.

    A bucket in which the engine saw another number of rows than its footers promise gets nulls: what was
    counted is not what was listed (an unregistered partition, or a file written in between).

    Parameters
    ----------
    request : CountRequest
        What was asked.
    answer : iterable of mapping
        Rows of the engine; numbers may be text.
    broken : collection of str
        Keys of files that could not be read; their buckets get no row.
    """
    import polars as pl

    found = {int(row["id_bucket"]): row for row in answer}
    frame_rows = [
        {"id_bucket": bucket, **_figures(found.get(bucket), sum(footer.rows for _, footer in files))}
        for bucket, files in sorted(request.buckets.items())
        if not any(info.key in broken for info, _ in files)
    ]
    return pl.DataFrame(frame_rows, schema=dict.fromkeys(("id_bucket", *FIGURES), pl.Int64))


def without_misplaced(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with misplaced keys unknown: where no function was verified."""
    import polars as pl

    return frame.with_columns(misplaced_keys=pl.lit(None, pl.Int64))


def failing_kinds(frame: pl.DataFrame) -> list[str]:
    """Return the kinds of failing keys that occur, to ask for samples of these only."""
    return [kind for kind, figure in _KIND_FIGURES.items() if (frame[figure].sum() or 0) > 0]


def key_samples(kind: str, answer: Iterable[Mapping[str, Any]], *, binary: bool = False) -> list[KeySample]:
    """Return the answer to ``samples_sql``; ``binary`` keys come as hex digits."""
    return [
        KeySample(
            bucket=int(row["id_bucket"]),
            kind=kind,
            key=_text_of_bytes(row["shown"]) if binary else str(row["shown"]),
            rows=int(row["total"]),
            belongs_in=int(row["belongs"]) if kind == "misplaced" else None,
        )
        for row in answer
    ]


def _text_of_bytes(digits: str) -> str:
    try:
        return bytes.fromhex(digits).decode()
    except UnicodeDecodeError:
        return f"0x{digits.lower()}"


def _figures(row: Mapping[str, Any] | None, expected_rows: int) -> dict[str, int | None]:
    seen = 0 if row is None else int(row["row_count"])
    if seen != expected_rows:
        return dict.fromkeys(FIGURES)
    return {figure: 0 if row is None else int(row[figure]) for figure in FIGURES}
