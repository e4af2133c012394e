"""Subject and text of the monitor's message: the old wording, within what SNS accepts."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from hypothesis import example, given
from hypothesis import strategies as st

from metaplat.reports.tables.report_message import sns_message, sns_subject
from metaplat_tests.reports.table_report_samples import judged, not_examined, report, with_alerts
from metaplat_tests.rules.tables.facts_builder import healthy

if TYPE_CHECKING:
    from metaplat.reports.tables.report_document import MonitorResult

TABLE = judged(healthy())
ANY_TEXT = st.text(max_size=300)
LIMIT_BYTES = 256 * 1024


def told(*alerts: str, **settings: object) -> MonitorResult:
    return report(with_alerts(TABLE, alerts), **settings)


def breaks(text: str) -> list[str]:
    """Characters that SNS refuses in a subject, and others that would break a line."""
    return [sign for sign in text if unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Cs")]


def test_the_subject_names_database_prefix_and_issues() -> None:
    assert sns_subject(told("a", "b")) == "[DATA MONITOR] db part_* — 2 issue(s)"
    assert sns_subject(told(database=None)) == "[DATA MONITOR] tables part_* — 0 issue(s)"


def test_the_message_has_a_first_line_an_empty_one_and_the_alerts() -> None:
    assert sns_message(told("first", "second")) == "[DATA MONITOR] 2 issue(s) in db (part_*)\n\nfirst\nsecond"


def test_fifty_alerts_are_told_and_the_others_counted() -> None:
    lines = sns_message(told(*(f"alert {number}" for number in range(53)))).splitlines()
    assert lines[0] == "[DATA MONITOR] 53 issue(s) in db (part_*)"
    assert lines[1] == ""
    assert lines[2:52] == [f"alert {number}" for number in range(50)]
    assert lines[52:] == ["... and 3 more: see the report"]
    assert "more" not in sns_message(told(*(50 * ["alert"])))


def test_tables_that_could_not_be_examined_are_named_though_they_are_no_issue() -> None:
    message = sns_message(report(TABLE, not_examined("part_a"), not_examined("part_b")))
    assert message.splitlines()[0].startswith("[DATA MONITOR] 0 issue(s)")
    assert message.endswith("2 table(s) not evaluated: part_a, part_b")


@given(database=ANY_TEXT, prefix=ANY_TEXT, alerts=st.lists(ANY_TEXT, max_size=60))
@example("d" * 255, "p\r\n", ["a\x00b\u2028c"])
@example("\U0001f600" * 99, "\x9f", ["\U0001f600" * 5000] * 60)
@example("\ud800", "", [])
def test_no_name_makes_a_subject_or_a_message_that_sns_refuses(
    database: str, prefix: str, alerts: list[str]
) -> None:
    result = told(*alerts, database=database.encode("utf-8", "replace").decode(), table_prefix=prefix[:200])
    subject, message = sns_subject(result), sns_message(result)
    assert subject.startswith("[DATA MONITOR] ")
    assert len(subject.encode("utf-16-le")) // 2 < 100
    assert not breaks(subject)
    assert subject.encode()
    assert len(message.encode()) <= LIMIT_BYTES
    assert len(message.split("\n")) <= 2 + 50 + 1
    assert not breaks(message.replace("\n", ""))
