"""The asset-check report for machines: one JSON document, or CSV with one line per verdict.

Here: the names under which a report is written, and what makes CSV safe to open in a spreadsheet.
Not here: the page (``html_page``), the terminal (``cli``).
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import orjson

from metaplat.reports.plain_values import plain, utc_text
from metaplat.reports.verdict_log import verdict_item

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.reports.check_report import CheckReport, DomainReport
    from metaplat.reports.rule_report import RuleReport
    from metaplat.reports.verdict_log import VerdictRecord

CSV_COLUMNS = (
    "domain",
    "rule",
    "partition",
    "outcome",
    "severity",
    "since",
    "judged_at",
    "sentence",
    "numbers",
)

FORMULA = re.compile(r"\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]")  # OWASP, CSV injection; full-width forms too
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def as_json(report: CheckReport) -> bytes:
    """Write the report as one JSON document in UTF-8."""
    document = {
        "generated_at": utc_text(report.generated_at),
        "domains": [domain_item(domain) for domain in report.domains],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def domain_item(domain: DomainReport) -> dict[str, Any]:
    """Return one domain as JSON values."""
    return {
        "domain": domain.domain,
        "outcome": domain.outcome.value,
        "severity": domain.severity.value if domain.severity else None,
        "since": _time(domain.since),
        "partitions": sum(mark.present for mark in domain.partitions),
        "missing_partitions": list(domain.missing),
        "rules": [_rule_item(rule) for rule in domain.rules],
        "verdicts": [verdict_item(record) for record in domain.verdicts],
        "rows": dict(domain.rows),
        "quarantine": {
            "records": domain.quarantine.records,
            "partitions": dict(domain.quarantine.partitions),
            "reasons": plain(domain.quarantine.reasons),
        },
    }


def _rule_item(rule: RuleReport) -> dict[str, Any]:
    return {
        "rule": rule.rule,
        "doc": rule.doc,
        "severity": rule.severity.value,
        "outcome": rule.outcome.value,
        "sentence": plain(rule.sentence),
        "passed": rule.passed,
        "failed": rule.failed,
        "not_evaluated": rule.not_evaluated,
        "since": _time(rule.since),
        "first_failing": rule.first_failing,
        "last_failing": rule.last_failing,
        "trends": plain(rule.trends),
    }


def _time(moment: datetime | None) -> str | None:
    return utc_text(moment) if moment else None


def as_csv(report: CheckReport) -> str:
    """Write one line per verdict; the partition of a verdict about the whole table is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for domain in report.domains:
        writer.writerows(_csv_line(record) for record in domain.verdicts)
    return text.getvalue()


def _csv_line(record: VerdictRecord) -> list[str]:
    item = verdict_item(record)
    item["numbers"] = orjson.dumps(item["numbers"]).decode()
    return [_safe_cell(item[column] or "") for column in CSV_COLUMNS]


def _safe_cell(text: str) -> str:
    """Keep a cell on one line, and keep a spreadsheet from running it as a formula."""
    text = UNPRINTABLE.sub(" ", text)
    return f"'{text}" if FORMULA.match(text) else text
