"""``metaplat alerts``: listing, taking care, sending, as a person or a script does it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.verdict import Severity, Verdict
from metaplat.orchestration.clock import utc_now
from metaplat.reports.alerts.alert import alert_id
from metaplat.reports.verdict_log import VerdictLog
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.standins.webhook import Webhook, webhook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metaplat_tests.cli.conftest import Invoke

FAILED = Verdict.judged(passed=False, sentence="3 of 9 rows are bad.", numbers={"bad": 3})
PASSED = Verdict.judged(passed=True, sentence="Fine.", numbers={"bad": 0})
DOMAIN = "job_executions"
ROWS, KEY = (alert_id(DOMAIN, rule) for rule in ("row_count", "primary_key"))
CANARY = "s3cr3t-canary"


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """Return a webhook that the settings name as a sink."""
    with webhook() as opened:
        sinks = {"oncall": {"url": opened.url(CANARY), "min_severity": "low"}}
        monkeypatch.setenv("METAPLAT_ALERTS__SINKS", json.dumps(sinks))
        yield opened


def judge(home: Path, severity: Severity = Severity.ERROR, **verdicts: Verdict) -> None:
    log = VerdictLog(LocalObjects(home / "state"))
    judged = {rule: (verdict, severity) for rule, verdict in verdicts.items()}
    log.record(DOMAIN, None, judged, now=utc_now(), run_id=None)


def listed(metaplat: Invoke, *options: str) -> list[dict[str, Any]]:
    alerts: list[dict[str, Any]] = metaplat("alerts", "list", "--json", *options).json["alerts"]
    return alerts


def test_nothing_stands_in_an_empty_home(metaplat: Invoke) -> None:
    answer = metaplat("alerts", "list")
    assert (answer.code, answer.err) == (0, "no alert stands\n")
    assert listed(metaplat) == []


def test_the_list_shows_what_stands_the_worst_first_before_anything_was_sent(
    metaplat: Invoke, home: Path
) -> None:
    judge(home, Severity.WARN, primary_key=FAILED)
    judge(home, row_count=FAILED)
    worst, other = listed(metaplat)
    assert (worst["id"], worst["level"], worst["state"]) == (ROWS, "high", "firing")
    assert (other["id"], other["level"], other["acknowledged"]) == (KEY, "medium", None)
    assert worst["texts"] == ["job_executions: row_count: 3 of 9 rows are bad."]
    assert datetime.fromisoformat(worst["since"]).tzinfo
    table = metaplat("alerts", "list").out
    assert table.index(ROWS) < table.index(KEY)
    assert not (home / "state" / "alerts").exists()


def test_sending_tells_what_is_new_and_only_that(metaplat: Invoke, home: Path, hook: Webhook) -> None:
    judge(home, row_count=FAILED)
    answer = metaplat("alerts", "send", "--json")
    alert = {"id": ROWS, "change": "firing", "level": "high", "subject": DOMAIN, "rule": "row_count"}
    assert answer.json == {
        "standing": 1,
        "sinks": [{"sink": "oncall", "told": True, "problem": None, "alerts": [alert]}],
    }
    assert metaplat("alerts", "send").err == "nothing new to tell; 1 alerts stand\n"
    judge(home, row_count=PASSED)
    assert "oncall" in metaplat("alerts", "send").out
    assert hook.subjects == [
        "[metaplat] high: job_executions: row_count",
        "[metaplat] resolved: job_executions: row_count",
    ]


def test_a_dead_sink_is_a_warning_and_shows_in_the_list(metaplat: Invoke, home: Path, hook: Webhook) -> None:
    judge(home, row_count=FAILED)
    hook.status = 500
    answer = metaplat("alerts", "send")
    assert answer.code == 0
    assert answer.err.startswith("warning: sink oncall: json://…: send the alerts: HTTP 500.")
    [alert] = listed(metaplat)
    assert alert["sinks"]["oncall"]["pending"]["attempts"] == 1
    hook.status = 200
    assert metaplat("alerts", "send", "--json").json["sinks"][0]["told"]
    [alert] = listed(metaplat)
    assert alert["sinks"]["oncall"]["pending"] is None


def test_what_is_resolved_and_not_told_yet_is_in_the_whole_list_only(
    metaplat: Invoke, home: Path, hook: Webhook
) -> None:
    judge(home, row_count=FAILED)
    metaplat("alerts", "send")
    judge(home, row_count=PASSED)
    hook.status = 500
    assert listed(metaplat) == []
    [alert] = listed(metaplat, "--all")
    assert alert["state"] == "resolved"


@pytest.mark.parametrize("name", [ROWS, ROWS[:6], ROWS.upper(), "job_executions:row_count"])
def test_an_alert_is_acknowledged_by_its_id_or_its_name(metaplat: Invoke, home: Path, name: str) -> None:
    judge(home, row_count=FAILED, primary_key=FAILED)
    answer = metaplat("alerts", "ack", name, "--by", "ada", "--note", "on it", "--json")
    assert answer.json["alert"]["id"] == ROWS
    known = {alert["id"]: alert["acknowledged"] for alert in listed(metaplat)}
    assert known[KEY] is None
    assert known[ROWS]["by"] == "ada"
    assert known[ROWS]["note"] == "on it"
    assert "ada: on it" in metaplat("alerts", "list").out


def test_an_acknowledgement_needs_no_name(metaplat: Invoke, home: Path) -> None:
    judge(home, row_count=FAILED)
    answer = metaplat("alerts", "ack", ROWS)
    assert answer.err == "job_executions: row_count is acknowledged; it stands until its check passes\n"
    [alert] = listed(metaplat)
    assert alert["acknowledged"]["by"]


@pytest.mark.parametrize("name", ["", "x", "0", "job_executions:row_cuont", "ffffffffffff"])
def test_an_alert_that_does_not_stand_is_a_usage_error(metaplat: Invoke, home: Path, name: str) -> None:
    judge(home, row_count=FAILED)
    answer = metaplat("alerts", "ack", name)
    assert answer.code == 2
    assert answer.error.startswith(f"no standing alert named {name!r}; ")


def test_sending_without_a_sink_says_so(metaplat: Invoke, home: Path) -> None:
    judge(home, row_count=FAILED)
    answer = metaplat("alerts", "send")
    assert answer.code == 0
    assert answer.err.startswith("warning: no sink is set up in section [alerts.sinks]")


def test_an_address_that_nobody_understands_is_a_settings_error_without_the_address(
    metaplat: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAPLAT_ALERTS__SINKS", json.dumps({"oncall": {"url": f"nosuch://{CANARY}"}}))
    answer = metaplat("alerts", "send")
    assert answer.code == 2
    assert answer.error.startswith("settings: alerts.sinks.oncall.url: is no URL that Apprise knows.")
    assert CANARY not in answer.out + answer.err


def test_the_address_of_a_sink_is_shown_nowhere(metaplat: Invoke, home: Path, hook: Webhook) -> None:
    judge(home, row_count=FAILED)
    hook.cut = True
    answers = [metaplat("alerts", *words) for words in (["send"], ["send", "--json"], ["list", "--json"])]
    files = "".join(path.read_text() for path in (home / "state").rglob("*.json"))
    assert "no connection" in files
    for text in (files, *(answer.out + answer.err for answer in answers)):
        assert CANARY not in text


def test_a_ledger_that_cannot_be_read_is_an_outside_error(metaplat: Invoke, home: Path) -> None:
    LocalObjects(home / "state").put("alerts/job_executions.json", b"{")
    answer = metaplat("alerts", "list")
    assert answer.code == 3
    assert "read alerts/job_executions.json" in answer.error
