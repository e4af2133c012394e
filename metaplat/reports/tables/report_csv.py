"""The report of the table monitor as CSV: one line a table.

Here: the columns, and how a value is written into a cell. Not here: the values (``report_document``).
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import orjson

from metaplat.model.verdict import MAX_SAMPLES
from metaplat.reports.export import FORMULA, UNPRINTABLE
from metaplat.reports.plain_values import plain
from metaplat.reports.tables.report_document import table_row
from metaplat.reports.tables.report_extras import EXTRA_FIELDS
from metaplat.reports.tables.report_row import CLASSIC_FIELDS

if TYPE_CHECKING:
    from metaplat.reports.tables.report_document import MonitorResult, TableResult

COLUMNS = (*CLASSIC_FIELDS, *EXTRA_FIELDS)
"""The columns of earlier monitors first, in their order."""
LONGEST_CELL = 32_000
"""Spreadsheets cut a cell at 32,767 characters, which leaves broken JSON."""


def as_csv(result: MonitorResult) -> str:
    """Write one line a table; unknown is empty, lists and objects are JSON, truths are True and False.

    A verdict is its outcome only, failing keys are the first 20: the JSON report has all of them.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for table in result.tables:
        row = _short_row(table)
        writer.writerow([cell_text(row[column]) for column in COLUMNS])
    return text.getvalue()


def _short_row(table: TableResult) -> dict[str, Any]:
    row = table_row(table)
    row["verdicts"] = {rule: verdict["outcome"] for rule, verdict in row["verdicts"].items()}
    if row["key_samples"] is not None:
        row["key_samples"] = row["key_samples"][:MAX_SAMPLES]
    return row


def cell_text(value: object) -> str:
    """Write one value on one line; a text that a spreadsheet would run as a formula begins with ``'``."""
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, list | dict):
        written = UNPRINTABLE.sub(" ", orjson.dumps(value).decode())
        return written if len(written) <= LONGEST_CELL else f'"{len(value):,} entries: see the JSON report"'
    if not isinstance(value, str):
        return str(value)
    text = UNPRINTABLE.sub(" ", value)
    return f"'{text}" if FORMULA.match(text) else text
