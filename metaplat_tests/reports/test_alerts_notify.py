"""Who is told what, and when: changes of state, thresholds, reminders, acknowledgements, dead sinks."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import UnknownNameError
from metaplat.reports.alerts.due import Interest
from metaplat.reports.alerts.message import Message
from metaplat.reports.alerts.notify import notify
from metaplat.reports.alerts.sinks import AppriseSink, Receiver
from metaplat.reports.alerts.standing import Standing
from metaplat.settings import AlertSettings
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.reports.alert_samples import HOUR, NOW, TABLE, Watch, alert, changes
from metaplat_tests.standins.webhook import webhook

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from metaplat.reports.alerts.due import Notice
    from metaplat_tests.standins.webhook import Webhook


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(LocalObjects(tmp_path / "state"))


# What is news ---------------------------------------------------------------------------------------------


def test_a_new_alert_is_told_once_and_its_end_once(watch: Watch) -> None:
    sink = watch.sink("oncall")
    assert changes(watch.look(alert())) == {"oncall": [("row_count", "firing")]}
    assert watch.look(alert()) == []
    assert changes(watch.look()) == {"oncall": [("row_count", "resolved")]}
    assert watch.look() == []
    assert [subject for subject, _ in sink.sent] == [
        "[metaplat] high: jobs: row_count",
        "[metaplat] resolved: jobs: row_count",
    ]
    assert watch.state.list_objects() == []  # what everybody knows is forgotten


def test_another_text_is_no_news_but_the_next_message_has_it(watch: Watch) -> None:
    sink = watch.sink("oncall")
    watch.look(alert(text="3 rows"))
    assert watch.look(alert(text="4 rows")) == []
    watch.now += timedelta(hours=20)
    watch.look(alert(text="5 rows"))
    assert "5 rows" in sink.sent[-1][1]


def test_a_higher_level_is_news_and_a_lower_one_is_not(watch: Watch) -> None:
    watch.sink("oncall")
    watch.look(alert(level="medium"))
    assert changes(watch.look(alert(level="high"))) == {"oncall": [("row_count", "worse")]}
    assert watch.look(alert(level="low")) == []
    assert changes(watch.look(alert(level="medium"))) == {"oncall": [("row_count", "worse")]}


def test_what_could_not_be_judged_neither_raises_nor_resolves(watch: Watch) -> None:
    watch.sink("oncall")
    watch.look(alert())
    assert watch.look(undecided=[alert().id]) == []
    assert watch.look(undecided=[alert(rule="other").id, alert().id]) == []
    assert watch.entry(alert()).firing
    assert watch.look(alert(since=NOW + 5 * HOUR)) == []  # the verdict began anew, the alert did not
    assert watch.entry(alert()).alert.since == NOW


def test_a_subject_that_was_not_looked_at_keeps_its_alerts(watch: Watch) -> None:
    watch.sink("oncall")
    watch.look(alert())
    assert watch.look(subject="other") == []
    assert watch.entry(alert()).firing


def test_an_alert_that_comes_back_is_told_again(watch: Watch) -> None:
    sink = watch.sink("oncall")
    for alerts in ([alert()], [], [alert(since=NOW + 2 * HOUR)]):
        watch.look(*alerts)
    assert len(sink.sent) == 3


# Who hears of it ------------------------------------------------------------------------------------------


def test_each_sink_has_its_own_threshold(watch: Watch) -> None:
    watch.sink("everything")
    watch.sink("oncall", "high")
    told = changes(watch.look(alert("volume", "medium"), alert("row_count", "high")))
    assert told == {
        "everything": [("row_count", "firing"), ("volume", "firing")],
        "oncall": [("row_count", "firing")],
    }
    told = changes(watch.look(alert("volume", "high"), alert("row_count", "high")))
    assert told == {"everything": [("volume", "worse")], "oncall": [("volume", "firing")]}
    told = changes(watch.look(alert("volume", "medium")))
    assert told == {
        "everything": [("row_count", "resolved")],
        "oncall": [("row_count", "resolved"), ("volume", "eased")],
    }
    assert changes(watch.look()) == {"everything": [("volume", "resolved")]}


def test_a_sink_hears_only_of_the_subjects_it_asked_for(watch: Watch) -> None:
    watch.sink("tables", "low", "table_profile/*")
    watch.sink("orders", "low", "part_orders")
    watch.sink("jobs", "low", "jo?s")
    assert set(changes(watch.look(alert()))) == {"jobs"}
    assert set(changes(watch.look(alert(subject=TABLE), subject=TABLE))) == {"orders", "tables"}
    assert set(changes(watch.look(subject=TABLE))) == {"orders", "tables"}


def test_a_sink_that_joins_later_hears_of_what_stands_but_not_of_what_was(watch: Watch) -> None:
    watch.sink("first")
    watch.look(alert(), alert("volume"))
    watch.look(alert())
    watch.sink("second")
    assert changes(watch.look(alert())) == {"second": [("row_count", "firing")]}


def test_a_sink_may_have_a_message_of_its_own(watch: Watch) -> None:
    def classic(notices: Sequence[Notice]) -> Message:
        return Message("[DATA MONITOR]", f"{len(notices)} issue(s)")

    plain, own = watch.sink("plain"), watch.sink("own", render=classic)
    watch.look(alert(), alert("volume"))
    assert own.sent == [("[DATA MONITOR]", "2 issue(s)")]
    assert plain.sent[0][0] == "[metaplat] alerts: 2 high: jobs"


def test_all_subjects_of_one_look_are_one_message(watch: Watch) -> None:
    sink = watch.sink("oncall")
    standing = {
        "jobs": Standing((alert(level="low"),)),
        TABLE: Standing((alert(subject=TABLE, level="high"),)),
    }
    notify(standing, watch.ledger, watch.receivers, watch.settings, NOW)
    [(subject, body)] = sink.sent
    assert subject == f"[metaplat] alerts: 1 high, 1 low: {TABLE}, jobs"
    assert body.splitlines()[:2] == [
        f"[high] {TABLE}: row_count fails (since 2025-12-03 14:05 UTC; id {alert(subject=TABLE).id})",
        f"[low] jobs: row_count fails (since 2025-12-03 14:05 UTC; id {alert().id})",
    ]


# Reminders and acknowledgements ---------------------------------------------------------------------------


def test_what_still_stands_is_told_again_after_a_while_and_not_before(watch: Watch) -> None:
    watch.sink("oncall")
    told = [bool(watch.look(alert())) for _ in range(45)]
    assert [hour for hour, news in enumerate(told) if news] == [0, 20, 40]


def test_an_acknowledged_alert_is_not_repeated_but_its_end_is_told(watch: Watch) -> None:
    sink = watch.sink("oncall")
    watch.look(alert())
    watch.acknowledge(alert())
    assert [watch.look(alert()) for _ in range(45)] == [[]] * 45
    assert changes(watch.look()) == {"oncall": [("row_count", "resolved")]}
    assert len(sink.sent) == 2


def test_an_acknowledgement_ends_when_the_alert_gets_worse(watch: Watch) -> None:
    watch.sink("oncall")
    watch.look(alert(level="medium"))
    watch.acknowledge(alert())
    watch.look(alert(level="low"))
    assert watch.entry(alert()).acknowledged
    watch.look(alert(level="high"))
    assert watch.entry(alert()).acknowledged is None


def test_an_acknowledgement_ends_with_the_alert(watch: Watch) -> None:
    watch.sink("oncall")
    watch.look(alert())
    watch.acknowledge(alert())
    watch.look()
    watch.look(alert(since=watch.now))
    assert watch.entry(alert()).acknowledged is None


def test_a_sink_that_hears_late_is_told_who_takes_care(watch: Watch) -> None:
    sink = watch.sink("oncall")
    sink.dead = True
    watch.look(alert())
    watch.acknowledge(alert())
    sink.dead = False
    watch.look(alert())
    assert f"(taken care of by ada; id {alert().id})" in sink.sent[0][1]


def test_what_does_not_stand_cannot_be_acknowledged(watch: Watch) -> None:
    watch.sink("oncall")
    watch.look(alert())
    entry = watch.entry(alert())
    watch.receivers.clear()
    watch.look()
    with pytest.raises(UnknownNameError, match="no standing alert named"):
        watch.ledger.acknowledge(entry, entry.acknowledged)  # type: ignore[arg-type]


# Sinks that fail ------------------------------------------------------------------------------------------


def test_a_dead_sink_is_told_later_and_the_others_exactly_once(watch: Watch) -> None:
    well, sick = watch.sink("well"), watch.sink("sick")
    sick.dead = True
    outcomes = {each.sink: each.problem for each in watch.look(alert())}
    assert outcomes == {"well": None, "sick": "ConnectionError while sending"}
    watch.look(alert())
    pending = watch.entry(alert()).sinks["sick"].pending
    assert pending is not None
    assert (pending.change, pending.attempts) == ("firing", 2)

    sick.dead = False
    assert changes(watch.look(alert())) == {"sick": [("row_count", "firing")]}
    assert watch.look(alert()) == []
    assert watch.entry(alert()).sinks["sick"].pending is None
    assert (len(well.sent), len(sick.sent)) == (1, 1)


def test_a_resolution_that_could_not_be_told_is_told_later(watch: Watch) -> None:
    sink = watch.sink("oncall")
    watch.look(alert())
    sink.dead = True
    watch.look()
    assert not watch.entry(alert()).firing
    sink.dead = False
    assert changes(watch.look()) == {"oncall": [("row_count", "resolved")]}


def test_what_was_resolved_before_a_dead_sink_could_be_told_is_no_news_for_it(watch: Watch) -> None:
    sink = watch.sink("oncall")
    sink.dead = True
    watch.look(alert())
    sink.dead = False
    assert watch.look() == []
    assert sink.sent == []


def test_a_sink_that_missed_the_end_is_told_that_it_began_again(watch: Watch) -> None:
    sink = watch.sink("oncall")
    watch.look(alert())
    sink.dead = True
    watch.look()
    sink.dead = False
    assert changes(watch.look(alert(since=watch.now))) == {"oncall": [("row_count", "firing")]}


def test_a_sink_that_was_removed_is_forgotten_in_the_end(watch: Watch) -> None:
    watch.sink("gone")
    watch.look(alert())
    watch.receivers.clear()
    watch.look()
    assert watch.ledger.subjects() == ["jobs"]  # it may come back, and must then hear of the end
    watch.now += timedelta(days=31)
    watch.look()
    assert watch.ledger.subjects() == []


def webhook_receiver(name: str, hook: Webhook) -> Receiver:
    return Receiver(Interest(name), AppriseSink(name, hook.url("s3cr3t-token"), 30))


def test_broken_and_failing_webhooks_are_problems_of_one_line_and_told_later(watch: Watch) -> None:
    with webhook() as cut, webhook() as failing:
        cut.cut, failing.status = True, 500
        watch.receivers = [webhook_receiver("cut", cut), webhook_receiver("failing", failing)]
        problems = {each.sink: each.problem or "" for each in watch.look(alert())}
        assert problems["cut"].startswith("json://…: send the alerts: no connection, or no answer in time.")
        assert problems["failing"].startswith("json://…: send the alerts: HTTP 500. Running again may help.")

        cut.cut, failing.status = False, 200
        watch.look(alert())
        assert [len(hook.received) for hook in (cut, failing)] == [1, 1]
        assert failing.subjects == ["[metaplat] high: jobs: row_count"]


def test_a_webhook_that_never_answers_holds_up_nobody(watch: Watch) -> None:
    watch.settings = AlertSettings(timeout_seconds=2)
    well = watch.sink("well")
    with webhook() as silent:
        silent.silent = True
        watch.receivers.append(webhook_receiver("silent", silent))
        begun = time.monotonic()
        assert [each.problem for each in watch.look(alert())] == ["no answer within 2 s", None]
        assert time.monotonic() - begun < 25  # the webhook itself would take 60, and Apprise 30
        assert len(well.sent) == 1


def test_a_sink_that_ends_its_thread_is_a_problem_too(watch: Watch) -> None:
    class Exiting:
        def send(self, subject: str, body: str) -> None:
            raise SystemExit(subject + body)

    watch.receivers.append(Receiver(Interest("exiting"), Exiting()))
    [outcome] = watch.look(alert())
    assert outcome.problem == "SystemExit while sending"
