"""The sinks that settings name, the message they send, and that their addresses stay secret."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.model.errors import SettingsError
from metaplat.reports.alerts.due import Notice
from metaplat.reports.alerts.entry import Change
from metaplat.reports.alerts.message import LONGEST_SUBJECT, MOST_LINES, render_message
from metaplat.reports.alerts.sinks import SnsSink, open_sinks, shown_url, topic_receiver
from metaplat.settings import AlertSettings
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.reports.alert_samples import Watch, alert
from metaplat_tests.standins.sns_mailbox import open_mailbox
from metaplat_tests.standins.webhook import webhook

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat_tests.standins.webhook import Webhook

CANARY = "s3cr3t-canary"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"


def alert_settings(timeout_seconds: float = 20, **sinks: Any) -> AlertSettings:
    entries = {name: {"url": entry} if isinstance(entry, str) else entry for name, entry in sinks.items()}
    return AlertSettings.model_validate({"sinks": entries, "timeout_seconds": timeout_seconds})


# Sinks ----------------------------------------------------------------------------------------------------


def test_settings_name_topics_and_whatever_apprise_knows() -> None:
    settings = alert_settings(
        topic=f"sns:{TOPIC}",
        chat={"url": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#oncall", "domains": ["jobs"]},
        mail={"url": "mailtos://user:pass@example.com?to=oncall@example.com", "min_severity": "high"},
    )
    chat, mail, topic = open_sinks(settings)
    assert topic.sink == SnsSink(TOPIC)
    assert chat.interest.subjects == ("jobs",)
    assert (mail.interest.min_level, chat.interest.min_level) == ("high", "medium")


@pytest.mark.parametrize(
    "url",
    [f"nosuch://{CANARY}", CANARY, "", "json://", f"slack://{CANARY}", f"sns:{CANARY}", "sns:", "json://["],
)
def test_an_address_that_nobody_understands_is_a_settings_error_that_names_the_sink_only(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    with pytest.raises(SettingsError, match=r"settings: alerts\.sinks\.oncall\.url: ") as caught:
        open_sinks(alert_settings(oncall=url))
    assert CANARY not in str(caught.value) + caplog.text


@given(st.text())
def test_any_address_is_a_sink_or_a_settings_error(url: str) -> None:
    with suppress(SettingsError):
        assert len(open_sinks(alert_settings(oncall=url))) == 1


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"slack://{CANARY}/x", "slack://…"),
        (f"https://user:{CANARY}@example.com/{CANARY}", "https://…"),
        (f"sns:{TOPIC}", "sns://…"),
        (CANARY, "…"),
        ("", "…"),
    ],
)
def test_of_an_address_only_the_scheme_is_shown(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_no_address_reaches_log_ledger_or_outcome_whatever_the_sink_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    watch = Watch(LocalObjects(tmp_path / "state"))
    told: list[object] = []
    handler = logging.StreamHandler()
    logging.getLogger().addHandler(handler)
    try:
        with webhook() as hook, caplog.at_level(1):
            settings = alert_settings(
                hook=f"json://user:{CANARY}@127.0.0.1:{hook.port}/{CANARY}?+X-Token={CANARY}",
                nobody=f"json://127.0.0.1:1/{CANARY}",
            )
            watch.receivers = open_sinks(settings)
            for sickness in ({"status": 500}, {"status": 200, "cut": True}, {"cut": False}):
                vars(hook).update(sickness)
                told += watch.look(alert())
                told.append(repr(watch.receivers))
            assert len(hook.received) == 1
    finally:
        logging.getLogger().removeHandler(handler)
    files = "".join(path.read_text() for path in (tmp_path / "state").rglob("*.json"))
    output = "".join(capfd.readouterr())
    assert "no connection" in files
    for text in (files, output, caplog.text, repr(told)):
        assert CANARY not in text


def test_apprise_gets_the_text_as_it_is(tmp_path: Path) -> None:
    watch, text = Watch(LocalObjects(tmp_path / "state")), "a < b & c: [3, 7] (Δ=1.000000%) \\n *x* é"
    with webhook() as hook:
        watch.receivers = open_sinks(alert_settings(hook=hook.url()))
        watch.look(alert(text=text))
        assert_told(hook, f"[high] {text} (since")


def assert_told(hook: Webhook, beginning: str) -> None:
    [body] = hook.bodies
    assert body.startswith(beginning)


def test_a_topic_is_told_end_to_end_and_one_that_is_not_there_later(
    tmp_path: Path, moto_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    watch, mailbox = Watch(LocalObjects(tmp_path / "state")), open_mailbox(moto_endpoint, "eu-central-1")
    watch.receivers = open_sinks(alert_settings(topic=f"sns:{mailbox.topic}", missing=f"sns:{TOPIC}"))
    missing, topic = watch.look(alert())
    assert topic.problem is None
    assert "NotFound" in (missing.problem or "")
    [message] = mailbox.read()
    assert message["Subject"] == "[metaplat] high: jobs: row_count"
    assert message["Message"].startswith("[high] jobs: row_count fails (since ")
    assert [each.sink for each in watch.look(alert())] == ["missing"]


def test_the_topic_of_the_table_monitor_hears_of_tables_only() -> None:
    receiver = topic_receiver(TOPIC)
    assert receiver.interest.names("table_profile/part_x")
    assert not receiver.interest.names("job_executions")


# The message ----------------------------------------------------------------------------------------------


def test_the_worst_comes_first_and_what_is_too_much_is_counted() -> None:
    notices = [Notice(alert(f"rule_{number}", subject="s" * 200), Change.FIRING) for number in range(60)]
    message = render_message(notices)
    lines = message.body.splitlines()
    assert lines[MOST_LINES] == "... and 10 more: metaplat alerts list"
    assert len(lines) == MOST_LINES + 3
    assert len(message.subject) == LONGEST_SUBJECT
    assert message.subject.startswith("[metaplat] alerts: 60 high: sss")


@pytest.mark.parametrize(
    ("change", "begin"),
    [
        (Change.FIRING, "[high] jobs: row_count fails (since 2025-12-03 14:05 UTC; id "),
        (Change.WORSE, "[high, worse] jobs: row_count fails (since "),
        (Change.REMINDER, "[high, still] jobs: row_count fails (since "),
        (Change.EASED, "[now high] jobs: row_count (since "),
        (Change.RESOLVED, "[resolved] jobs: row_count (since "),
    ],
)
def test_a_line_says_what_changed(change: Change, begin: str) -> None:
    assert render_message([Notice(alert(), change)]).body.startswith(begin)


@given(st.lists(st.tuples(st.text(), st.text(), st.sampled_from(Change)), min_size=1, max_size=80))
def test_every_message_is_short_and_printable(parts: list[tuple[str, str, Change]]) -> None:
    notices = [Notice(alert(rule, subject=subject), change) for subject, rule, change in parts]
    message = render_message(notices)
    assert 0 < len(message.subject) <= LONGEST_SUBJECT
    assert message.subject.isprintable()
    lines = message.body.split("\n")
    assert len(lines) <= MOST_LINES + 3
    assert all(line.isprintable() and len(line) <= 1000 for line in lines)
