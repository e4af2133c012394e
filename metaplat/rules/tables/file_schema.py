"""All files of a table have one schema, with the key column in it (ColumnExists, ColumnDataType in DQDL).

Here: each file's own footer against the schema that most files have.
Not here: the columns Glue lists (``table_contract``), files that cannot be read (``parquet_file``).
A view over all files hides a missing column by filling it with NULL; footers do not.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.samples import shown_value
from metaplat.rules.tables.column_comparison import difference
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.model.table_evidence import TableFacts
    from metaplat.model.table_metrics import FileFacts, TableProfile

ADVICE = "Write such files again with the schema of the others; then check again."


def _judge_facts(facts: TableFacts) -> Verdict:
    return _verdict(facts, facts.profile.files)


def _judge(facts: TableFacts, row: Mapping[str, Any]) -> Verdict:
    if not row["files"]:
        return Verdict.not_evaluated("The bucket holds no data files: see s3_partition.")
    return _verdict(facts, [file for file in facts.profile.files if file.bucket == row["id_bucket"]])


def _verdict(facts: TableFacts, files: Sequence[FileFacts]) -> Verdict:
    readable = [file for file in files if file.schema is not None]
    if not readable:
        return Verdict.not_evaluated("There is no readable data file: see parquet_file and s3_partition.")
    faults = _schema_faults(facts.profile)
    drifted = [(file, faults[file.schema]) for file in readable if file.schema in faults]
    key = facts.table.key_column
    schemas = facts.profile.schemas
    keyless = sum(key not in schemas[file.schema] for file, _ in drifted if file.schema is not None)
    sentence = f"{counted(len(readable), 'data file')} with the schema of the table and the key {key}."
    if drifted:
        sentence = (
            f"All files should have one schema with the key {key}; {len(drifted):,} of {len(readable):,} "
            f"{agreeing(len(drifted), 'differs', 'differ')}, {keyless:,} without the key. "
            f"First {shown_value(drifted[0][0].key)}: {drifted[0][1]}. "
            f"{ADVICE}"
        )
    if len(readable) < len(files):
        sentence += f" Unknown for {counted(len(files) - len(readable), 'other file')}."
    return Verdict.judged(
        passed=not drifted,
        sentence=sentence,
        numbers={
            "files": len(readable),
            "drifted_files": len(drifted),
            "keyless_files": keyless,
            "schemas": len(
                {_columns(facts.profile, file.schema) for file in readable if file.schema is not None}
            ),
        },
        samples=[
            {"file": shown_value(file.key), "id_bucket": file.bucket, "difference": shown_value(text)}
            for file, text in drifted
        ],
    )


def _schema_faults(profile: TableProfile) -> dict[str | None, str]:
    """Say how each schema differs that is not the usual one; the usual one has the key, where any has."""
    key = profile.table.key_column
    if len(profile.schemas) == 1 and all(key in columns for columns in profile.schemas.values()):
        return {}  # the normal case, asked once a bucket
    files = Counter(file.schema for file in profile.files if file.schema is not None)
    kinds: Counter[frozenset[tuple[str, str]]] = Counter()
    for schema, count in files.items():
        kinds[_columns(profile, schema)] += count
    most = max(kinds.items(), key=lambda item: (key in dict(item[0]), item[1], sorted(item[0])))
    usual = dict(most[0])
    faults = {schema: _fault(profile.schemas[schema], usual, key) for schema in files}
    return {schema: fault for schema, fault in faults.items() if fault}


def _columns(profile: TableProfile, schema: str) -> frozenset[tuple[str, str]]:
    """Return names and types without their order: Parquet is read by name."""
    return frozenset(profile.schemas[schema].items())


def _fault(columns: Mapping[str, str], usual: Mapping[str, str], key: str) -> str:
    fault = difference(columns, dict(sorted(usual.items())))
    return fault or ("" if key in columns else f"no column {key}")


FILE_SCHEMA = TableRule(
    "file_schema",
    "Every data file has the columns and types that most files have, the key column among them.",
    _judge_facts,
    _judge,
    Severity.WARN,
)
