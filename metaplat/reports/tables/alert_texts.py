"""What the alerts of the table monitor say.

Here: one text per finding, made from the numbers and samples that a failed verdict carries, so that a stored
verdict gives the same texts as a fresh one. The texts of the classic monitor are kept to the letter.
Not here: judging (``rules.tables``), severity and sending (``reports.alerts``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from metaplat.model.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from metaplat.model.table import MonitoredTable, SourceTable

NAMED = 5
"""Examples that a text gives; the file-size text gives all samples."""
CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
MODE_NAMES = {"msck": "MSCK", "glue": "Glue", "athena": "Athena"}


class Finding(Protocol):
    """What a text is made from: a verdict, or the record of one."""

    @property
    def outcome(self) -> Outcome:
        """Passed, failed or not evaluated."""

    @property
    def sentence(self) -> str:
        """What was expected, what was found, what to do."""

    @property
    def numbers(self) -> Mapping[str, int | float]:
        """Exact figures."""

    @property
    def samples(self) -> Sequence[Mapping[str, Any]]:
        """Rows that show what failed."""


def alert_texts(table: MonitoredTable, rule: str, finding: Finding) -> list[str]:
    """Say what a rule found wrong with a table.

    Parameters
    ----------
    table : MonitoredTable
        The table.
    rule : str
        Name of the rule.
    finding : Finding
        Its verdict about the whole table: a ``Verdict``, or a ``VerdictRecord`` as it was stored.

    Returns
    -------
    list of str
        One text per finding, each in one line; empty where the verdict is no failure. A rule or a stored
        verdict that is not known here is told by its sentence.
    """
    if finding.outcome is not Outcome.FAILED:
        return []
    try:
        texts = TEXTS[rule](table, finding) if rule in TEXTS else []
    except KeyError:  # a verdict stored before a number or sample had its present name
        texts = []
    texts = texts or [f"{table.name}: {rule}: {finding.sentence}"]
    return [CONTROL.sub(" ", text) for text in texts]


def _s3_partition(table: MonitoredTable, finding: Finding) -> list[str]:
    present, expected = finding.numbers["present"], finding.numbers["expected"]
    return [f"{table.name}: S3 has {present}/{expected} id_bucket partitions"]


def _unexpected_partition(table: MonitoredTable, finding: Finding) -> list[str]:
    folders = [f"{sample['folder'] or '.'} ({sample['kind']})" for sample in finding.samples]
    return [f"{table.name}: {finding.numbers['folders']} unexpected partitions {_some(folders)}"]


def _glue_partition(table: MonitoredTable, finding: Finding) -> list[str]:
    texts = {
        "missing": (finding.numbers["missing_in_glue"], "Glue missing {} partitions"),
        "dangling": (finding.numbers["dangling"], "Glue has {} dangling partitions without data"),
        "wrong location": (finding.numbers["wrong_location"], "Glue has {} partitions at a wrong location"),
    }
    return [
        f"{table.name}: {text.format(count)} {_some(_values(finding, 'id_bucket', problem=problem))}"
        for problem, (count, text) in texts.items()
        if count
    ]


def _repair(table: MonitoredTable, finding: Finding) -> list[str]:
    return [
        f"{table.name}: {MODE_NAMES.get(sample['mode'], sample['mode'])} failed ({sample['reason']})"
        for sample in finding.samples
    ]


def _partition_projection(table: MonitoredTable, finding: Finding) -> list[str]:
    said = [f"{s['property']} is {s['found']}, expected {s['expected']}" for s in finding.samples]
    return [f"{table.name}: partition projection issues: {'; '.join(said)}"]


def _partition_schema(table: MonitoredTable, finding: Finding) -> list[str]:
    count, some = finding.numbers["differing_partitions"], _some(_values(finding, "partition"))
    return [f"{table.name}: schema of {count} partitions differs from the table's {some}"]


def _table_format(table: MonitoredTable, finding: Finding) -> list[str]:
    del finding
    return [f"{table.name}: schema mismatch (EXTERNAL/Parquet/Serde)"]


def _table_contract(table: MonitoredTable, finding: Finding) -> list[str]:
    return [f"{table.name}: schema contract issues: {'; '.join(_values(finding, 'problem'))}"]


def _data_freshness(table: MonitoredTable, finding: Finding) -> list[str]:
    return [
        f"{table.name}: processed snapshot {_snapshot_fault(sample['problem'])} (snap={sample['snapshot']})"
        for sample in finding.samples
    ]


def _snapshot_fault(problem: str) -> str:
    return problem if problem == "in the future" else "too old/missing"


def _raw_input(table: MonitoredTable, finding: Finding) -> list[str]:
    return [f"{table.name}: no raw input of the snapshot ({sample['address']})" for sample in finding.samples]


def _parquet_file(table: MonitoredTable, finding: Finding) -> list[str]:
    count = finding.numbers["unreadable_files"] + finding.numbers["empty_files"]
    files = [f"{sample['file']}: {sample['problem']}" for sample in finding.samples]
    return [f"{table.name}: unreadable files: {count} {_some(files)}"]


def _file_schema(table: MonitoredTable, finding: Finding) -> list[str]:
    files = [f"{sample['file']}: {sample['difference']}" for sample in finding.samples]
    return [f"{table.name}: schema drift in {finding.numbers['drifted_files']} files {_some(files)}"]


def _row_count_match(table: MonitoredTable, finding: Finding) -> list[str]:
    source = _full_name(table.source) if table.source else "its source"
    if not finding.numbers["source_found"]:
        return [f"source table not found {source}; count match skipped"]
    rows, source_rows = finding.numbers["rows"], finding.numbers["source_rows"]
    percent = f"{finding.numbers['difference_pct']:.6f}%"
    if percent == "0.000000%":  # a row in a thousand million must not read as none
        percent += f", rows={finding.numbers['row_difference']}"
    return [
        f"[COUNT_MISMATCH] {table.name}: {_full_name(table)}={rows} vs {source}={source_rows} (Δ={percent})"
    ]


def _key_completeness(table: MonitoredTable, finding: Finding) -> list[str]:
    return [f"[PK_NULL] {table.name}: {table.key_column} NULL rows={finding.numbers['null_rows']}"]


def _key_uniqueness(table: MonitoredTable, finding: Finding) -> list[str]:
    return [f"[PK_DUPES] {table.name}: {table.key_column} duplicate rows={finding.numbers['duplicate_rows']}"]


def _key_placement(table: MonitoredTable, finding: Finding) -> list[str]:
    rows = finding.numbers["misplaced_keys"]
    return [f"[PK_MISPLACED] {table.name}: {table.key_column} misplaced rows={rows}"]


def _bucket_skew(table: MonitoredTable, finding: Finding) -> list[str]:
    count, some = finding.numbers["skewed_buckets"], _some(_values(finding, "id_bucket"))
    usual = f"median {finding.numbers['median_rows']:.15g} rows"
    return [f"{table.name}: bucket skew in {count} buckets {some}, {usual}"]


def _volume(table: MonitoredTable, finding: Finding) -> list[str]:
    numbers = finding.numbers
    texts = []
    if numbers["unusual_table"]:
        earlier = f"median {numbers['median_rows']:.15g} of {numbers['earlier_runs']} runs"
        texts.append(f"{table.name}: unusual row count: {numbers['rows']} ({earlier})")
    if numbers["unusual_buckets"]:
        some = _some(_values(finding, "id_bucket"))
        texts.append(f"{table.name}: unusual row count in {numbers['unusual_buckets']} buckets {some}")
    return texts


def _file_size(table: MonitoredTable, finding: Finding) -> list[str]:
    issues = [f"{s['file']}: {s['size_mb']:.6g} MB {s['problem']}" for s in finding.samples]
    return [f"{table.name}: file-size issues (sample): [{', '.join(issues)}]"]


def _values(finding: Finding, name: str, **only: str) -> list[Any]:
    """Return one value of every sample whose other values are those of ``only``."""
    return [
        sample[name]
        for sample in finding.samples
        if all(sample.get(other) == value for other, value in only.items())
    ]


def _some(examples: Sequence[object]) -> str:
    """Write the first few: ``(e.g., [3, 7])``."""
    return f"(e.g., [{', '.join(map(str, examples[:NAMED]))}])"


def _full_name(table: MonitoredTable | SourceTable) -> str:
    return f"{table.database}.{table.name}" if table.database else table.name


TEXTS: Mapping[str, Callable[[MonitoredTable, Finding], list[str]]] = {
    "s3_partition": _s3_partition,
    "unexpected_partition": _unexpected_partition,
    "glue_partition": _glue_partition,
    "partition_projection": _partition_projection,
    "repair": _repair,
    "partition_schema": _partition_schema,
    "table_format": _table_format,
    "table_contract": _table_contract,
    "data_freshness": _data_freshness,
    "raw_input": _raw_input,
    "parquet_file": _parquet_file,
    "file_schema": _file_schema,
    "row_count_match": _row_count_match,
    "key_completeness": _key_completeness,
    "key_uniqueness": _key_uniqueness,
    "key_placement": _key_placement,
    "bucket_skew": _bucket_skew,
    "volume": _volume,
    "file_size": _file_size,
}
"""How each rule's failure is worded, by name of the rule."""
