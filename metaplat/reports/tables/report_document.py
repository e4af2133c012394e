"""The report of the table monitor as one document of plain values.

Here: what a run of the monitor hands to all its reports, and the document's top level.
Not here: a table's row (``report_row``, ``report_extras``), forms (``report_csv``, ``html_report``), names of
the files (``report_files``), wording of alerts (``alert_texts``).

Names, order and formats of the first fields are those of the reports that earlier monitors wrote, since
others read them; whatever is new comes after them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from metaplat.model.verdict import Outcome, Severity
from metaplat.reports.plain_values import plain, utc_text
from metaplat.reports.rule_report import worst_severity
from metaplat.reports.tables.report_extras import extra_fields
from metaplat.reports.tables.report_row import classic_fields
from metaplat.reports.wording import state_word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from metaplat.model.table import MonitoredTable
    from metaplat.model.table_evidence import TableFacts
    from metaplat.model.verdict import Verdict
    from metaplat.settings import MonitorSettings

PRECEDENCE = (Outcome.FAILED, Outcome.PASSED, Outcome.NOT_EVALUATED)
"""A table fails if any rule does; a rule that has nothing to judge does not take "passed" away."""


@dataclass(frozen=True)
class TableResult:
    """What one run found out about one table.

    Parameters
    ----------
    table : MonitoredTable
        The table.
    facts : TableFacts or None
        The evidence; None where the table could not be examined.
    problem : str or None
        Why it could not be examined, in one sentence.
    verdicts : mapping of str to Verdict
        About the whole table, by rule.
    severities : mapping of str to Severity
        Of a failure, by rule.
    bucket_verdicts : mapping of int to mapping of str to Verdict
        By bucket, by rule.
    alerts, alert_levels : sequence of str
        Alert texts, and beside each ``low``, ``medium`` or ``high``.
    checked_at : datetime
        Aware.
    """

    table: MonitoredTable
    facts: TableFacts | None
    problem: str | None
    verdicts: Mapping[str, Verdict]
    severities: Mapping[str, Severity]
    bucket_verdicts: Mapping[int, Mapping[str, Verdict]]
    alerts: Sequence[str]
    alert_levels: Sequence[str]
    checked_at: datetime

    @property
    def failing(self) -> list[str]:
        """Rules that fail for the table, the worst first, otherwise as judged."""
        order = list(Severity)
        names = [name for name, verdict in self.verdicts.items() if verdict.outcome is Outcome.FAILED]
        return sorted(names, key=lambda name: -order.index(self.severity_of(name)))

    @property
    def state(self) -> str:
        """``passed``, ``failed``, ``warning`` (nothing of severity error fails) or ``not evaluated``."""
        if self.facts is None:
            return Outcome.NOT_EVALUATED.value
        found = {verdict.outcome for verdict in self.verdicts.values()}
        outcome = next((outcome for outcome in PRECEDENCE if outcome in found), Outcome.NOT_EVALUATED)
        return state_word(outcome, worst_severity([self.severity_of(name) for name in self.failing]))

    def severity_of(self, rule: str) -> Severity:
        """Severity of a failure of ``rule``; a warning where nobody said."""
        return self.severities.get(rule, Severity.WARN)

    def failing_buckets(self) -> dict[str, list[int]]:
        """Buckets that fail, by rule, in the order of the buckets."""
        found: dict[str, list[int]] = {}
        for bucket in sorted(self.bucket_verdicts):
            for rule, verdict in self.bucket_verdicts[bucket].items():
                if verdict.outcome is Outcome.FAILED:
                    found.setdefault(rule, []).append(bucket)
        return found


@dataclass(frozen=True)
class MonitorResult:
    """What one run of the monitor found out: the settings it ran with, its tables, when (aware)."""

    settings: MonitorSettings
    tables: Sequence[TableResult]
    generated_at: datetime

    @property
    def alerts(self) -> list[str]:
        """Alert texts of all tables, in the order of the tables."""
        return [text for table in self.tables for text in table.alerts]

    @property
    def alert_levels(self) -> list[str]:
        """``low``, ``medium`` or ``high`` for each of ``alerts``."""
        return [level for table in self.tables for level in table.alert_levels]

    @property
    def not_evaluated(self) -> list[TableResult]:
        """Tables that could not be examined."""
        return [table for table in self.tables if table.facts is None]


def as_document(result: MonitorResult) -> dict[str, Any]:
    """Return the report as values that JSON can hold; unknown is None."""
    settings = result.settings
    document = {
        "database": settings.database,
        "prefix": settings.table_prefix,
        "bucket_count": settings.bucket_count,
        "generated_at": utc_text(result.generated_at),
        "freshness_window_days": settings.freshness_window_days,
        "compare": {
            "enabled": settings.count_check_enabled,
            "type": settings.compare_source_type.value,
            "db": settings.compare_database or settings.database,
            "tolerance_pct": settings.count_tolerance_pct,
        },
        "pk_column": settings.pk_column,
        "file_size_check": settings.file_size_check,
        "alerts": result.alerts,
        "tables": [table_row(table) for table in result.tables],
        "alert_levels": result.alert_levels,
        "tables_not_evaluated": len(result.not_evaluated),
    }
    return {name: plain(value) for name, value in document.items()}


def table_row(result: TableResult) -> dict[str, Any]:
    """Return the row of one table: the classic fields in their order, then the others."""
    return classic_fields(result) | extra_fields(result)


def as_json(result: MonitorResult) -> bytes:
    """Write the document as JSON in UTF-8."""
    return orjson.dumps(as_document(result), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
