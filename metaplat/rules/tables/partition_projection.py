"""Partition projection describes the folders that are there.

Here: type, range, interval and digits of ``projection.id_bucket``, and ``storage.location.template``.
Not here: registered partitions (``glue_partition``); the two exclude each other.
Source: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.samples import shown_value
from metaplat.rules.tables.folders import PARTITION_KEY, bucket_number, same_location, width_misfits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metaplat.model.table_evidence import TableFacts

PREFIX = f"projection.{PARTITION_KEY}."
TEMPLATE = "storage.location.template"
RANGE = re.compile(r"\s*(-?[0-9]{1,18})\s*,\s*(-?[0-9]{1,18})\s*")


def _judge_facts(facts: TableFacts) -> Verdict:
    if facts.glue is None:
        return Verdict.not_evaluated("The table is not in Glue.")
    if not facts.glue.projected:
        return Verdict.not_evaluated("Partitions are registered, not projected: see glue_partition.")
    if PARTITION_KEY not in [name.lower() for name, _ in facts.glue.partition_keys]:
        return Verdict.not_evaluated(f"{PARTITION_KEY} is no partition key: see table_contract.")
    parameters = facts.glue.parameters
    issues = [*_value_issues(facts, parameters), *_folder_issues(facts, parameters)]
    sentence = "Athena computes the partitions; the description fits the folders on S3."
    if issues:
        said = [f"{name} should be {expected}, is {found}" for name, expected, found in issues]
        sentence = (
            f"Projection should describe the folders on S3; {'; '.join(said)}. Correct the table parameters."
        )
    return Verdict.judged(
        passed=not issues,
        sentence=f"{sentence} Engines that ignore projection find no partition in Glue.",
        numbers={"issues": len(issues)},
        samples=[
            {"property": name, "expected": expected, "found": found} for name, expected, found in issues
        ],
    )


def _value_issues(facts: TableFacts, parameters: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield what does not fit the expected buckets, as property, expected, found."""
    kind = parameters.get(f"{PREFIX}type")
    if (kind or "").strip().lower() != "integer":
        yield f"{PREFIX}type", "integer", _shown(kind)
        return  # the other properties mean something else for another type
    last = facts.table.bucket_count - 1
    span = parameters.get(f"{PREFIX}range")
    ends = RANGE.fullmatch(span or "")
    if not ends or int(ends[1]) > 0 or int(ends[2]) < last:
        yield f"{PREFIX}range", f"0,{last} or wider", _shown(span)
    interval = parameters.get(f"{PREFIX}interval")
    if interval is not None and bucket_number(interval.strip()) != 1:
        yield f"{PREFIX}interval", "1", _shown(interval)


def _folder_issues(facts: TableFacts, parameters: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield what does not fit the folders on S3, as property, expected, found."""
    written = parameters.get(f"{PREFIX}digits")
    digits = 0 if written is None else bucket_number(written.strip())
    if digits is None or digits > len(str(facts.table.bucket_count)) + 18:
        yield f"{PREFIX}digits", "the width of the folders' numbers", _shown(written)
    elif misfits := width_misfits(facts, digits):
        yield f"{PREFIX}digits", f"the width of the folders' numbers ({len(misfits)} differ)", _shown(written)
    template = parameters.get(TEMPLATE)
    expected = f"{facts.table.location}/{PARTITION_KEY}=${{{PARTITION_KEY}}}"
    if template is not None and not same_location(template, expected):
        yield TEMPLATE, f"{expected}/", _shown(template)


def _shown(value: str | None) -> str:
    return "not set" if value is None else str(shown_value(value))


PARTITION_PROJECTION = TableRule(
    "partition_projection",
    "Where Athena computes the partitions, type, range, interval, digits and template fit the buckets on S3.",
    _judge_facts,
    severity=Severity.WARN,
)
