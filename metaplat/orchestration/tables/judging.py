"""The facts about a monitored table are judged by every rule, and the verdicts are logged.

Here: rules over buckets and table; the judge that the check step of Dagster asks.
Not here: gathering facts (``monitor.facts``), the judgements (``rules.tables``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from metaplat.model.verdict import Outcome
from metaplat.orchestration.judging import Judgement
from metaplat.orchestration.tables.gathering import facts_for_checks
from metaplat.reports.tables.heat_map_markdown import heat_map_markdown
from metaplat.reports.verdict_log import VerdictLog
from metaplat.rules.tables.all_rules import ALL_RULES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from metaplat.model.table import MonitoredTable
    from metaplat.model.table_evidence import TableFacts
    from metaplat.model.table_rule import TableRule
    from metaplat.model.verdict import Severity, Verdict
    from metaplat.stores.home import Stores


SEVERITIES = {rule.name: rule.severity for rule in ALL_RULES}
RULE_NAMES = frozenset(SEVERITIES)


@dataclass(frozen=True)
class TableVerdicts:
    """Verdicts about one table: by rule name, and by bucket and rule name."""

    table: Mapping[str, Verdict]
    buckets: Mapping[int, Mapping[str, Verdict]]

    def failing_buckets(self, rule: str) -> list[int]:
        """Return the buckets that fail a rule."""
        return [
            bucket
            for bucket, verdicts in self.buckets.items()
            if rule in verdicts and verdicts[rule].outcome is Outcome.FAILED
        ]


def judge_buckets(
    facts: TableFacts, rules: Sequence[TableRule], buckets: Collection[int] | None = None
) -> dict[int, dict[str, Verdict]]:
    """Judge some buckets, or all (None), by the rules that judge buckets."""
    chosen = [(rule.name, rule.judge) for rule in rules if rule.judge is not None]
    return {
        row["id_bucket"]: {name: judge(facts, row) for name, judge in chosen}
        for row in facts.profile.frame.iter_rows(named=True)
        if buckets is None or row["id_bucket"] in buckets
    }


def judge_all(facts: TableFacts) -> TableVerdicts:
    """Judge the table and every bucket of it by every rule."""
    table = {rule.name: rule.judge_facts(facts) for rule in ALL_RULES}
    return TableVerdicts(table, judge_buckets(facts, ALL_RULES))


def log_verdicts(
    stores: Stores, subject: str, verdicts: TableVerdicts, *, now: datetime, run_id: str | None
) -> None:
    """Keep the verdicts as the latest; raises StoreError."""
    logged: dict[str | None, dict[str, tuple[Verdict, Severity]]] = {
        str(bucket): {rule: (verdict, SEVERITIES[rule]) for rule, verdict in judged.items()}
        for bucket, judged in verdicts.buckets.items()
    }
    logged[None] = {rule: (verdict, SEVERITIES[rule]) for rule, verdict in verdicts.table.items()}
    VerdictLog(stores.state).record_many(subject, logged, now=now, run_id=run_id)


class TableJudge:
    """Judges buckets and table of one monitored table for the check step; the facts are gathered once.

    Parameters
    ----------
    table : MonitoredTable
        Which.
    stores : Stores
        Where its profile is kept.
    now : datetime
        Aware UTC.
    run_id : str or None
        Run the verdicts are logged under.
    """

    def __init__(self, table: MonitoredTable, stores: Stores, now: datetime, run_id: str | None) -> None:
        self._table, self._stores, self._now, self._run_id = table, stores, now, run_id
        self._facts: TableFacts | None = None

    def judge_partitions(self, partitions: Sequence[str], rules: Sequence[TableRule]) -> Judgement:
        """Judge buckets as they were measured last; raises MetaplatError where nothing can be gathered."""
        if not partitions or not rules:
            return Judgement()
        judged = judge_buckets(self._gathered(), rules, {int(partition) for partition in partitions})
        self._log(TableVerdicts({}, judged))
        return Judgement({str(bucket): verdicts for bucket, verdicts in judged.items()})

    def judge_table(self, rules: Sequence[TableRule]) -> dict[str, Verdict]:
        """Judge the table; verdicts by rule name."""
        facts = self._gathered()
        verdicts = {rule.name: rule.judge_facts(facts) for rule in rules}
        self._log(TableVerdicts(verdicts, {}))
        return verdicts

    def picture(self, rule: TableRule) -> Mapping[str, Any]:
        """Return the heat map of a rule over all buckets, as they stand; nothing for a rule about tables."""
        if rule.judge is None:
            return {}
        facts = self._gathered()
        drawn = heat_map_markdown(facts.profile.frame, judge_buckets(facts, [rule]), SEVERITIES)
        return {"heat_map": dg.MetadataValue.md(drawn)}

    def _gathered(self) -> TableFacts:
        if self._facts is None:
            self._facts = facts_for_checks(self._table, self._stores, self._now, self._run_id)
        return self._facts

    def _log(self, verdicts: TableVerdicts) -> None:
        log_verdicts(self._stores, self._table.subject, verdicts, now=self._now, run_id=self._run_id)
