"""Names of the monitor's report files, and writing them.

Here: one object per form and UTC day; a second run on a day replaces them. History is kept elsewhere.
Not here: which store they go to (the caller opens it), their content.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from metaplat.reports.tables.html_report import as_html
from metaplat.reports.tables.report_csv import as_csv
from metaplat.reports.tables.report_document import as_json

if TYPE_CHECKING:
    from metaplat.reports.tables.report_document import MonitorResult
    from metaplat.stores.objects import ObjectStore

FORMS = ("json", "csv", "html")


def report_key(result: MonitorResult, form: str) -> str:
    """Return the key of one report, for example ``data-monitor/omc_monitor_report_2025-12-03.json``."""
    day = result.generated_at.astimezone(UTC).date().isoformat()
    settings = result.settings
    return f"{settings.report_prefix.lstrip('/')}{settings.report_stem}_{day}.{form}"


def write_reports(objects: ObjectStore, result: MonitorResult) -> dict[str, str]:
    """Write the report in every form; return the address of each by form.

    Raises
    ------
    TransientStoreError, PermanentStoreError
        The store fails.
    InvalidInputError
        Prefix and stem make no usable key.
    """
    contents = {
        "json": as_json(result),
        "csv": as_csv(result).encode(),
        "html": as_html(result).encode(),
    }
    written: dict[str, str] = {}
    for form in FORMS:
        key = report_key(result, form)
        objects.put(key, contents[form])
        written[form] = f"{objects.address.rstrip('/')}/{key}"
    return written
