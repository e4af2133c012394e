"""The sensor, tick by tick: failed checks of the verdict log reach the sinks once, also those of tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from metaplat.model.errors import SettingsError, StoreError
from metaplat.model.table import MonitoredTable
from metaplat.model.verdict import Severity, Verdict
from metaplat.orchestration.alert_sensor import build_alert_sensor
from metaplat.orchestration.alerting import AlertSubject, declared_subjects, table_subject
from metaplat.orchestration.clock import utc_now
from metaplat.reports.alerts.entry import KEPT_RESOLVED
from metaplat.reports.alerts.ledger import AlertLedger
from metaplat.reports.verdict_log import VerdictLog, store_key
from metaplat.settings import AlertSettings, Settings
from metaplat.stores.home import Stores, open_stores
from metaplat_tests.standins.webhook import Webhook, webhook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from metaplat_tests.orchestration.conftest import Run

FAILED = Verdict.judged(passed=False, sentence="3 of 9 rows are bad.", numbers={"bad": 3})
PASSED = Verdict.judged(passed=True, sentence="Fine.", numbers={"bad": 0})
ORDERS = MonitoredTable("part_orders", "s3://lake/part_orders", "order_id")


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as opened:
        yield opened


@dataclass
class Ticking:
    """A sensor with a webhook for a sink."""

    stores: Stores
    subjects: Sequence[AlertSubject]

    def tick(self) -> str:
        """Evaluate one tick; returns why it skipped."""
        context = dg.build_sensor_context(resources={"stores": self.stores})
        with context:
            told = build_alert_sensor(self.subjects).evaluate_tick(context)
        assert not told.run_requests
        return told.skip_message or ""

    def judge(self, subject: str, rule: str, verdict: Verdict, severity: Severity = Severity.ERROR) -> None:
        """Write a verdict about a whole table, as every run of checks does."""
        log = VerdictLog(self.stores.state)
        log.record(subject, None, {rule: (verdict, severity)}, now=utc_now(), run_id="r")


@pytest.fixture
def sensor(tmp_path: Path, hook: Webhook) -> Ticking:
    alerts = AlertSettings.model_validate({"sinks": {"hook": {"url": hook.url("s3cr3t")}}})
    stores = open_stores(Settings(home=tmp_path / "home", alerts=alerts))
    return Ticking(stores, [AlertSubject("counts"), table_subject(ORDERS)])


def test_a_failed_check_is_told_once_and_its_recovery_once(sensor: Ticking, hook: Webhook) -> None:
    assert sensor.tick() == "nothing new to tell; 0 alerts stand"
    sensor.judge("counts", "amount", FAILED)
    assert sensor.tick() == "hook: told of 1"
    assert sensor.tick() == "nothing new to tell; 1 alerts stand"
    sensor.judge("counts", "amount", PASSED)
    assert sensor.tick() == "hook: told of 1"
    assert hook.subjects == ["[metaplat] high: counts: amount", "[metaplat] resolved: counts: amount"]
    assert hook.bodies[0].startswith("[high] counts: amount: 3 of 9 rows are bad. (since ")


def test_a_run_of_checks_in_dagster_is_what_it_reads(run: Run, stores: Stores, hook: Webhook) -> None:
    from metaplat_tests.orchestration.small_domains import COUNTS, land

    land(stores, COUNTS, "2025-11-01", "a.json", a=5, b=500)
    assert run("2025-11-01").success
    alerts = AlertSettings.model_validate({"sinks": {"hook": {"url": hook.url(), "min_severity": "high"}}})
    settings = stores.settings.model_copy(update={"alerts": alerts})
    sensor = Ticking(open_stores(settings), [AlertSubject("counts")])
    assert sensor.tick() == "hook: told of 1"
    assert "counts: amount: 1 of 1 judged partitions fail." in hook.bodies[0]


def test_tables_are_worded_as_the_table_monitor_words_them(sensor: Ticking, hook: Webhook) -> None:
    failed = Verdict.judged(passed=False, sentence="s", numbers={"present": 254, "expected": 256})
    sensor.judge(ORDERS.subject, "s3_partition", failed, Severity.WARN)
    sensor.tick()
    assert hook.bodies[0].startswith("[medium] part_orders: S3 has 254/256 id_bucket partitions (since ")


def test_a_dead_sink_does_not_fail_the_tick_and_is_told_later(sensor: Ticking, hook: Webhook) -> None:
    sensor.judge("counts", "amount", FAILED)
    hook.status = 500
    skipped = sensor.tick()
    assert skipped.startswith("hook: 1 not delivered (json://…: send the alerts: HTTP 500.")
    assert "s3cr3t" not in skipped
    hook.status = 200
    assert sensor.tick() == "hook: told of 1"
    assert len(hook.received) == 1


def test_a_store_that_cannot_be_read_fails_the_tick_with_the_reason(sensor: Ticking) -> None:
    sensor.stores.state.put(store_key("counts", None), b"no verdicts")
    with pytest.raises(StoreError, match="it is not a file of verdicts"):
        sensor.tick()


@pytest.mark.parametrize("url", ["nosuch://canary", "sns:canary", "json://"])
def test_an_address_that_nobody_understands_fails_the_tick_as_a_settings_error(
    sensor: Ticking, tmp_path: Path, url: str
) -> None:
    alerts = AlertSettings.model_validate({"sinks": {"oncall": {"url": url}}})
    sensor.stores = open_stores(Settings(home=tmp_path / "home", alerts=alerts))
    with pytest.raises(SettingsError, match=r"settings: alerts\.sinks\.oncall\.url: ") as caught:
        sensor.tick()
    assert "canary" not in str(caught.value)


def test_without_a_sink_it_says_so(sensor: Ticking, tmp_path: Path) -> None:
    sensor.stores = open_stores(Settings(home=tmp_path / "home"))
    assert sensor.tick() == "no sink is set up in section [alerts.sinks] of the settings"


def test_a_table_that_nobody_declares_any_more_is_watched_until_it_passes(
    sensor: Ticking, hook: Webhook
) -> None:
    failed = Verdict.judged(passed=False, sentence="s", numbers={"present": 1, "expected": 4})
    sensor.judge(ORDERS.subject, "s3_partition", failed)
    sensor.tick()
    sensor.subjects = []
    assert sensor.tick() == "nothing new to tell; 1 alerts stand"
    [entries] = AlertLedger(sensor.stores.state).load([ORDERS.subject]).values()
    assert [entry.alert.texts for entry in entries.values()] == [
        ("part_orders: S3 has 1/4 id_bucket partitions",)
    ]
    sensor.judge(ORDERS.subject, "s3_partition", PASSED)
    assert sensor.tick() == "hook: told of 1"
    assert len(hook.received) == 2
    assert timedelta(days=1) < KEPT_RESOLVED


def test_every_domain_and_every_declared_table_is_watched(tmp_path: Path) -> None:
    declared = {"name": "part_orders", "location": "s3://lake/part_orders", "database": "lake"}
    monitor = {"tables": [declared]}
    settings = Settings.model_validate({"home": tmp_path, "monitor": monitor})
    subjects = {subject.name: subject for subject in declared_subjects(settings)}
    assert {"job_executions", "table_profile/part_orders@lake"} <= set(subjects)
    assert "row_count" in (subjects["job_executions"].rules or ())


def test_it_runs_unless_somebody_stops_it() -> None:
    sensor = build_alert_sensor()
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert sensor.name == "alerts"
