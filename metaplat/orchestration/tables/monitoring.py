"""One run of the monitor over many tables, without Dagster: examine, judge, keep.

Here: the order of things, and that one table's failure stops no other.
Not here: Dagster's way to the same verdicts (``assets``), reports and alerts of a run (``telling``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.errors import MetaplatError
from metaplat.model.verdict import Outcome
from metaplat.monitor.facts import gather_facts
from metaplat.orchestration.progress import tracked
from metaplat.orchestration.tables.gathering import standing_facts
from metaplat.orchestration.tables.judging import SEVERITIES, judge_all, log_verdicts
from metaplat.reports.alerts.alert import level_of
from metaplat.reports.tables.alert_texts import alert_texts
from metaplat.reports.tables.report_document import MonitorResult, TableResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from metaplat.model.table import MonitoredTable
    from metaplat.model.table_evidence import TableFacts
    from metaplat.orchestration.tables.judging import TableVerdicts
    from metaplat.settings import MonitorSettings
    from metaplat.stores.home import Stores


def run_monitor(
    tables: Sequence[MonitoredTable], stores: Stores, settings: MonitorSettings, *, now: datetime, run_id: str
) -> MonitorResult:
    """Profile, repair and judge tables; keep the frames and the verdicts.

    A table that cannot be examined is in the result with its problem; the others go on.
    """

    def examine(table: MonitoredTable) -> TableResult:
        facts = gather_facts(table, stores=stores, settings=settings, now=now, run_id=run_id)
        verdicts = judge_all(facts)
        log_verdicts(stores, table.subject, verdicts, now=now, run_id=run_id)
        return _result(facts, verdicts)

    return _over_all(tables, settings, now, examine)


def standing_result(
    tables: Sequence[MonitoredTable], stores: Stores, settings: MonitorSettings, now: datetime
) -> MonitorResult:
    """Judge tables as they were measured last: nothing is read, repaired or kept."""

    def examine(table: MonitoredTable) -> TableResult:
        facts = standing_facts(table, stores, settings, now)
        return _result(facts, judge_all(facts))

    return _over_all(tables, settings, now, examine)


def _over_all(
    tables: Sequence[MonitoredTable],
    settings: MonitorSettings,
    now: datetime,
    examine: Callable[[MonitoredTable], TableResult],
) -> MonitorResult:
    results = []
    for table in tracked("tables", list(tables)):
        try:
            results.append(examine(table))
        except MetaplatError as error:
            results.append(_not_examined(table, str(error), now))
    return MonitorResult(settings, results, now)


def _result(facts: TableFacts, verdicts: TableVerdicts) -> TableResult:
    texts = [
        (text, level_of(SEVERITIES[rule]))
        for rule, verdict in verdicts.table.items()
        if verdict.outcome is Outcome.FAILED
        for text in alert_texts(facts.table, rule, verdict)
    ]
    return TableResult(
        facts.table,
        facts,
        problem=None,
        verdicts=verdicts.table,
        severities=SEVERITIES,
        bucket_verdicts=verdicts.buckets,
        alerts=[text for text, _ in texts],
        alert_levels=[level for _, level in texts],
        checked_at=facts.now,
    )


def _not_examined(table: MonitoredTable, problem: str, now: datetime) -> TableResult:
    return TableResult(table, None, problem, {}, SEVERITIES, {}, (), (), now)
