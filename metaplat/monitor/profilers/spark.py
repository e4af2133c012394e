"""Key figures of a table by Spark, for tables beyond one machine.

Here: exactly the requested files become rows of bucket and key, whatever their names and types.
Not here: the session (``spark_session``), what is counted (``engine_sql``), submitting it (``spark_job``).
"""

from __future__ import annotations

import os
import re
import uuid
from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

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
from metaplat.monitor.profilers.spark_session import (
    spark_error,
    spark_failures,
    spark_reason,
    spark_session,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from metaplat.model.table_metrics import KeySample
    from metaplat.monitor.profilers.profiler import CountRequest

MOST_BROKEN = 20
"""After so many unreadable files the table is given up: each costs a job."""
NAMED_FILE = re.compile(r"(?:while reading file|Path does not exist:) (.+?)\.(?:\s|$)")
PATTERN = re.compile(r"[\\{}\[\]*?]")
"""Characters of a path that Spark takes for a pattern, unless a backslash stands before them."""
SPARK_TYPES = {
    **dict.fromkeys(("string", "large_string"), "string"),
    **dict.fromkeys(("binary", "large_binary"), "binary"),
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "date32": "date",
    "date32[day]": "date",
}
"""Types that need not be asked of a file: Spark then looks at no other column, which it might not know."""


@dataclass(frozen=True)
class SparkProfiler:
    """Counts keys in Spark.

    Parameters
    ----------
    remote : str or None
        Address of a Spark Connect server; None uses a session that is there, or starts one.
    master : str
        Master of a session started here.
    """

    remote: str | None = None
    master: str = "local[*]"

    def count_keys(self, request: CountRequest) -> KeyCounts:
        """Count the keys of the requested buckets.

        Raises
        ------
        MissingExtraError
            pyspark is not installed.
        TransientSourceError, PermanentSourceError
            Spark cannot be reached or started, or the job fails for another reason than single files.
        """
        problems: dict[str, str] = {}
        files = _spark_files(request, problems)
        if not files:
            return KeyCounts(counts_frame(request, [], problems), [], problems)
        with spark_session(self.remote, self.master) as session:
            while True:
                readable = [file for file in files if file.key not in problems]
                try:
                    return _count(session, request, readable, problems)
                except spark_failures() as error:
                    broken = _named_file(error, readable)
                    if broken is None or len(problems) >= MOST_BROKEN:
                        attempted = f"count keys of {request.table.name}"
                        raise spark_error(attempted, error) from error
                    problems[broken] = f"Spark cannot read it: {spark_reason(error)}"


@dataclass(frozen=True)
class _SparkFile:
    """A file of the request, with the address that Spark knows it by."""

    key: str
    address: str
    bucket: int
    kind: str


def _spark_files(request: CountRequest, problems: dict[str, str]) -> list[_SparkFile]:
    files = []
    for bucket, members in request.buckets.items():
        for info, footer in members:
            local = request.files.local_path(info)
            here = None if local is None else os.path.abspath(local)  # noqa: PTH100  # as text, odd names too
            address = f"{request.files.address}/{info.key}" if here is None else f"file://{here}"
            if problem := _unusable_name(info.key):
                problems[info.key] = problem
                continue
            kind = footer.columns[request.table.key_column]
            files.append(_SparkFile(info.key, re.sub(r"^s3://", "s3a://", address), bucket, kind))
    return files


def _unusable_name(key: str) -> str | None:
    try:
        key.encode()
    except UnicodeEncodeError:
        return "Spark cannot read it: its name is not UTF-8"
    if ":" in key and PATTERN.search(key):
        return "Spark cannot read it: its name holds a colon beside characters of patterns"
    return None


def _count(
    session: SparkSession, request: CountRequest, files: Sequence[_SparkFile], problems: Mapping[str, str]
) -> KeyCounts:
    view = f"metaplat_keys_{uuid.uuid4().hex}"
    _rows(session, request, files).createOrReplaceTempView(view)
    rows = f"SELECT id_bucket, k, belongs FROM {view}"  # noqa: S608  # a name made here
    try:
        frame = counts_frame(request, _answer(session, figures_sql(rows)), problems)
        if not _is_verified(request):
            frame = without_misplaced(frame)
        samples: list[KeySample] = []
        for kind in failing_kinds(frame):
            query = samples_sql(rows, kind, _shown(files))
            samples += key_samples(kind, _answer(session, query), binary=_is_binary(files))
        return KeyCounts(frame, samples, dict(problems))
    finally:
        session.catalog.dropTempView(view)


def _answer(session: SparkSession, query: str) -> Iterable[Mapping[str, Any]]:
    return [row.asDict() for row in session.sql(query).collect()]


def _rows(session: SparkSession, request: CountRequest, files: Sequence[_SparkFile]) -> DataFrame:
    """Return ``id_bucket``, ``k`` and ``belongs`` of every row; keys of several types become text."""
    by_kind: defaultdict[str, list[_SparkFile]] = defaultdict(list)
    for file in files:
        by_kind[file.kind].append(file)
    as_text = len({SPARK_TYPES.get(kind, kind) for kind in by_kind}) > 1
    parts = [
        _rows_of_kind(session, request, kind, members, as_text=as_text) for kind, members in by_kind.items()
    ]
    return reduce(lambda left, right: left.unionAll(right), parts)


def _rows_of_kind(
    session: SparkSession, request: CountRequest, kind: str, files: Sequence[_SparkFile], *, as_text: bool
) -> DataFrame:
    key = quoted(request.table.key_column)
    reader = session.read
    if spark_type := _spark_type(kind):
        reader = reader.schema(f"{key} {spark_type}")
    stored = reader.parquet(*(PATTERN.sub(r"\\\g<0>", file.address) for file in files))
    shown = "CAST(k AS string)" if as_text else "k"
    return (
        stored.selectExpr("input_file_name() AS file", f"{key} AS k")
        .join(_buckets_by_name(session, stored, files).hint("broadcast"), "file")
        .selectExpr("id_bucket", f"{shown} AS k", f"{_belongs(request, kind)} AS belongs")
    )


def _buckets_by_name(session: SparkSession, stored: DataFrame, files: Sequence[_SparkFile]) -> DataFrame:
    """Return ``file`` and ``id_bucket``: only Spark knows how it will write a name."""
    buckets = {file.address: file.bucket for file in files}
    found = [(name, buckets[_plain(name)]) for name in stored.inputFiles()]
    return session.createDataFrame(found, "file string, id_bucket int")


def _plain(name: str) -> str:
    """Return an address as the request writes it."""
    return re.sub(r"^file:/+", "file:///", unquote(name))


def _named_file(error: Exception, files: Iterable[_SparkFile]) -> str | None:
    """Return the key of the file that a failure is about."""
    keys = {file.address: file.key for file in files}
    named = NAMED_FILE.findall(
        str(error)
    )  # a failing read names it with percent signs, a missing path without
    found = (keys.get(_plain(name)) or keys.get(re.sub("^file:/+", "file:///", name)) for name in named)
    return next(filter(None, found), None)


def _spark_type(kind: str) -> str | None:
    if found := re.fullmatch(r"decimal\d*\((\d+), ?(\d+)\)", kind):
        return f"decimal({found[1]},{found[2]})"
    return SPARK_TYPES.get(kind)


def _belongs(request: CountRequest, kind: str) -> str:
    """Write the bucket of ``k``; NULL where ``k`` is, and where nothing is verified."""
    count = request.table.bucket_count
    content = "k" if BINARY in kind else "CAST(CAST(k AS string) AS binary)"
    if not _is_verified(request):
        return "CAST(NULL AS bigint)"
    if request.function == BucketFunction.SPARK_MURMUR3:
        return f"CASE WHEN k IS NOT NULL THEN CAST(pmod(hash(k), {count}) AS bigint) END"
    if request.function == BucketFunction.CRC32:
        return f"crc32({content}) % {count}"
    digits = (f"substr(md5({content}), {start}, 8)" for start in (1, 9, 17, 25))
    return digest_modulo([f"CAST(conv({chunk}, 16, 10) AS bigint)" for chunk in digits], count)


def _is_verified(request: CountRequest) -> bool:
    if request.function in {BucketFunction.CRC32, BucketFunction.MD5}:
        return has_plain_text(key_types(request))
    return request.function == BucketFunction.SPARK_MURMUR3


def _is_binary(files: Iterable[_SparkFile]) -> bool:
    return all(BINARY in file.kind for file in files)


def _shown(files: Iterable[_SparkFile]) -> str:
    return "hex(k)" if _is_binary(files) else "CAST(k AS string)"


def quoted(identifier: str) -> str:
    """Return a name as Spark SQL, whatever characters it has."""
    return "`" + identifier.replace("`", "``") + "`"
