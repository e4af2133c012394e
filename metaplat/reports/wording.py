"""What the report says in words: one line a domain, one row a rule; times and numbers for people.

Here: sentences and formats shared by the page and the command line.
Not here: what is true (``check_report``), layout (``html_page``, ``cli``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from metaplat.model.verdict import Outcome, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from metaplat.reports.check_report import CheckReport, DomainReport
    from metaplat.reports.rule_report import RuleReport

RECENT = timedelta(days=2)
NAMED_RULES = 3
NAMED_PARTITIONS = 3


@dataclass(frozen=True)
class VerdictRow:
    """One line of the verdict table: a rule, its state, and since when it fails (None: it does not)."""

    domain: str
    rule: str
    state: str
    failing_partitions: int
    since: datetime | None
    sentence: str | None


def verdict_table(report: CheckReport) -> list[VerdictRow]:
    """Return one row per domain and rule, in the order of the report."""
    return [
        VerdictRow(
            domain.domain,
            rule.rule,
            state_word(rule.outcome, rule.severity),
            rule.failed,
            rule.since,
            rule.sentence,
        )
        for domain in report.domains
        for rule in domain.rules
    ]


def state_word(outcome: Outcome, severity: Severity | None) -> str:
    """Return ``passed``, ``failed``, ``warning`` (a failure of severity warn) or ``not evaluated``."""
    if outcome is Outcome.FAILED and severity is not Severity.ERROR:
        return "warning"
    return outcome.value


def headline(report: CheckReport) -> str:
    """Say of the whole report what is wrong, in one line."""
    total = len(report.domains)
    failing = [domain for domain in report.domains if domain.outcome is Outcome.FAILED]
    if not total:
        return "No domain is declared"
    if len(failing) == 1:
        return f"{failing[0].domain} fails" if total == 1 else f"1 of {total} domains fails"
    if failing:
        return f"{len(failing)} of {total} domains fail"
    if not any(domain.verdicts for domain in report.domains):
        return "Nothing has been judged yet"
    return "Nothing fails"


def summary_line(domain: DomainReport, now: datetime) -> str:
    """Say of one domain what is wrong and since when, in one line."""
    failing = failing_rules(domain)
    if failing:
        said = [rule_line(rule, now) for rule in failing[:NAMED_RULES]]
        more = len(failing) - len(said)
        return "; ".join(said) + (f"; and {counted(more, 'rule')} more" if more else "")
    if not domain.verdicts:
        return "No verdict yet: materialize or check it."
    return _calm_line(domain)


def _calm_line(domain: DomainReport) -> str:
    passing = sum(rule.outcome is Outcome.PASSED for rule in domain.rules)
    waiting = [rule.rule for rule in domain.rules if rule.outcome is Outcome.NOT_EVALUATED]
    partitions = sum(mark.present for mark in domain.partitions)
    if not waiting:
        return f"{counted(passing, 'rule')} on {counted(partitions, 'partition')}: all pass"
    return f"{counted(passing, 'rule')} pass{'es' if passing == 1 else ''}; not evaluated: {listed(waiting)}"


def failing_rules(domain: DomainReport) -> list[RuleReport]:
    """Return the rules that fail, errors before warnings, otherwise in the order declared."""
    failing = [rule for rule in domain.rules if rule.outcome is Outcome.FAILED]
    return sorted(failing, key=lambda rule: rule.severity is not Severity.ERROR)


def rule_line(rule: RuleReport, now: datetime) -> str:
    """Say what a rule does now, for example ``primary_key fails on 1 of 28 partitions since 2025-11-12``."""
    if rule.outcome is not Outcome.FAILED:
        return f"{rule.rule} {rule_state(rule)}"
    since = f" since {since_text(rule.since, now)}" if rule.since else ""
    return f"{rule.rule} {rule_state(rule)}{since}"


def rule_state(rule: RuleReport) -> str:
    """Say the state of a rule with its counts, without its name."""
    judged = rule.passed + rule.failed
    if rule.failed:
        return f"fails on {rule.failed:,} of {counted(judged, 'partition')}"
    if rule.outcome is Outcome.FAILED:
        return "fails"
    if rule.outcome is Outcome.PASSED:
        return f"passes on {counted(judged, 'partition')}" if judged else "passes"
    return "not evaluated"


def where_text(rule: RuleReport) -> str:
    """Name the failing partitions: a few of them each, many by the first and the last."""
    keys = [str(record.partition) for record in reversed(rule.failing)]
    if not keys:
        return "the whole table"
    if len(keys) <= NAMED_PARTITIONS:
        return f"partition{'s' if len(keys) > 1 else ''} {listed(keys)}"
    return f"first {keys[0]}, last {keys[-1]}"


def since_text(since: datetime, now: datetime) -> str:
    """Write the day; the minute too where it is recent."""
    return since.strftime("%Y-%m-%d %H:%M UTC" if now - since < RECENT else "%Y-%m-%d")


def minute_text(moment: datetime) -> str:
    """Write a UTC time to the minute."""
    return moment.strftime("%Y-%m-%d %H:%M")


def age_text(since: datetime, now: datetime) -> str:
    """Write how long ago, in the largest unit that is at least two."""
    seconds = max(0, int((now - since).total_seconds()))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return counted(seconds // size, unit)
    return "just now" if seconds < 60 else "1 minute"  # seconds in a minute


def counted(count: int, noun: str) -> str:
    """Write ``1 row`` or ``1,234 rows``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(names: Sequence[str]) -> str:
    """Write names with commas and ``and``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def number_text(number: float) -> str:
    """Write a number so that a person can read it: thousands apart, four digits otherwise."""
    if isinstance(number, int) or (number.is_integer() and abs(number) < 1e15):
        return f"{int(number):,}"
    return f"{number:,.0f}" if 1e3 <= abs(number) < 1e15 else f"{number:.4g}"
