"""The report of the table monitor as a message: subject and text for SNS.

Here: wording and the limits of SNS. Not here: sending (``stores``, ``reports.alerts``), alert texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metaplat.reports.tables.report_document import MonitorResult

LONGEST_SUBJECT = 99
"""SNS: fewer than 100 characters, no line break, no control character. Counted in UTF-16, to be safe."""
MOST_ALERTS = 50
LONGEST_ALERT = 1000
"""Characters of one alert: fifty of the longest stay below the 256 KiB of SNS."""
NAMED_TABLES = 10
LONGEST_NAME = 255


def sns_subject(result: MonitorResult) -> str:
    """Return ``[DATA MONITOR] <database> <prefix>* — <n> issue(s)``, cut to what SNS accepts."""
    subject = f"[DATA MONITOR] {_database(result)} {result.settings.table_prefix}* — {_issues(result)}"
    return cut(subject, LONGEST_SUBJECT)


def sns_message(result: MonitorResult) -> str:
    """Return a first line, an empty line, the first fifty alerts, and how many were left off.

    Tables that could not be examined are named at the end: they raise no alert, and are not fine either.
    """
    first = f"[DATA MONITOR] {_issues(result)} in {_database(result)} ({result.settings.table_prefix}*)"
    lines = [cut(first, LONGEST_ALERT), ""]
    lines += [cut(alert, LONGEST_ALERT) for alert in result.alerts[:MOST_ALERTS]]
    left_off = len(result.alerts) - MOST_ALERTS
    if left_off > 0:
        lines.append(f"... and {left_off:,} more: see the report")
    if result.not_evaluated:
        lines += ["", _not_evaluated(result)]
    return "\n".join(lines)


def cut(text: str, longest: int) -> str:
    """Put ``text`` on one line without control characters, at most ``longest`` UTF-16 units long."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    units = printable.encode("utf-16-le", "replace")[: 2 * longest]
    return units.decode("utf-16-le", "ignore")  # a pair cut in the middle goes as a whole


def _database(result: MonitorResult) -> str:
    return result.settings.database or "tables"


def _issues(result: MonitorResult) -> str:
    return f"{len(result.alerts)} issue(s)"


def _not_evaluated(result: MonitorResult) -> str:
    names = [cut(table.table.name, LONGEST_NAME) for table in result.not_evaluated]
    more = f" and {len(names) - NAMED_TABLES:,} more" if len(names) > NAMED_TABLES else ""
    return f"{len(names):,} table(s) not evaluated: {', '.join(names[:NAMED_TABLES])}{more}"
