"""A run of the monitor is told: reports are written, alerts are sent.

Here: where the reports go, and which subjects and sinks the alerts concern. What fails here is told at the
end; it takes nothing back of what was examined.
Not here: the forms (``reports.tables``), who hears what (``reports.alerts``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import MetaplatError
from metaplat.orchestration.alerting import send_alerts, table_subject
from metaplat.reports.alerts.message import Message
from metaplat.reports.alerts.sinks import open_sinks, topic_receiver
from metaplat.reports.alerts.standing import standing_alerts
from metaplat.reports.tables.html_report import as_html
from metaplat.reports.tables.report_csv import as_csv
from metaplat.reports.tables.report_document import as_document, as_json
from metaplat.reports.tables.report_files import write_reports
from metaplat.reports.tables.report_message import sns_message, sns_subject
from metaplat.reports.verdict_log import VerdictLog
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.s3_objects import S3Objects

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from metaplat.reports.alerts.due import Notice
    from metaplat.reports.alerts.notify import DeliveryOutcome
    from metaplat.reports.tables.report_document import MonitorResult
    from metaplat.stores.home import Stores
    from metaplat.stores.objects import ObjectStore


@dataclass
class Told:
    """What was told of a run.

    Parameters
    ----------
    document : dict
        The report as JSON values.
    reports : dict of str to str
        Address of each report by form.
    deliveries : list of str
        One line per sink that was due to be told something; one that failed is told by the next run.
    problems : list of str
        Why a report could not be written, or why nobody could be told.
    """

    document: dict[str, Any]
    reports: dict[str, str] = field(default_factory=dict)
    deliveries: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def tell(result: MonitorResult, stores: Stores, report_dir: Path | None = None) -> Told:
    """Write the reports of a run, and tell the sinks what changed; one failing does not hinder the other."""
    told = Told(as_document(result))
    try:
        told.reports = write_reports(_report_store(result, stores, report_dir), result)
    except MetaplatError as error:
        told.problems.append(str(error))
    try:
        told.deliveries = [_line(outcome) for outcome in _notify(result, stores)]
    except MetaplatError as error:
        told.problems.append(str(error))
    return told


def rendered(result: MonitorResult, form: str) -> bytes:
    """Return the report as ``json``, ``csv`` or ``html``."""
    if form == "json":
        return as_json(result)
    return (as_csv(result) if form == "csv" else as_html(result)).encode()


def _report_store(result: MonitorResult, stores: Stores, report_dir: Path | None) -> ObjectStore:
    if report_dir is not None:
        return LocalObjects(report_dir)
    if result.settings.report_bucket:
        return S3Objects(f"s3://{result.settings.report_bucket}", stores.settings.s3)
    return stores.reports


def _notify(result: MonitorResult, stores: Stores) -> list[DeliveryOutcome]:
    def render(notices: Sequence[Notice]) -> Message:
        del notices  # the topic hears of the whole run, as its readers expect
        return Message(sns_subject(result), sns_message(result))

    receivers = open_sinks(stores.settings.alerts)
    if result.settings.sns_topic_arn:
        receivers.append(topic_receiver(result.settings.sns_topic_arn, render))
    log, subjects = (
        VerdictLog(stores.state),
        [table_subject(each.table) for each in result.tables if each.facts],
    )
    standing = {
        subject.name: standing_alerts(
            subject.name, log.load_table(subject.name), subject.texts, subject.rules
        )
        for subject in subjects
    }
    return send_alerts(stores, receivers, standing, result.generated_at)


def _line(outcome: DeliveryOutcome) -> str:
    count = len(outcome.notices)
    if outcome.problem is None:
        return f"told {outcome.sink} of {count} changes"
    return f"warning: {outcome.sink} could not be told of {count} changes: {outcome.problem}"
