"""Rules about the history of tables: missing and unexpected ones, and drift of the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.verdict import Outcome, Severity, Verdict
from metaplat.rules.vip.all_rules import table_metrics_rules
from metaplat_tests.rules.vip_evidence import (
    DAY,
    HOUR,
    NIGHT,
    PARTITION,
    PROD,
    TABLES,
    TEST,
    judged,
    rows_of,
    summary,
)

if TYPE_CHECKING:
    from metaplat.model.rule import Rule

MISSING, UNEXPECTED, COMPATIBLE, UNCHANGED = table_metrics_rules()
EVERY = pytest.mark.parametrize("rule", table_metrics_rules(), ids=lambda rule: rule.name)
GONE: dict[str, Any] = {"delivered": False, "failure": True, "n_partitions_delivered": 0, "bytes": 0}
STRANGE: dict[str, Any] = {"expected": False}


def hour(number: int, *tables: str | tuple[str, dict[str, Any]], config: str = PROD) -> list[dict[str, Any]]:
    """Make the rows of one hour: a name is a good table, a pair one of which something is said."""
    named = [(table, {}) if isinstance(table, str) else table for table in tables]
    where = {"config_name": config, "hour_utc": DAY + number * HOUR}
    return [{"table": table, **where, **said} for table, said in named]


def tables(rule: Rule, *hours: list[dict[str, Any]], **facts: Any) -> Verdict:
    return judged(rule, TABLES, [row for rows in hours for row in rows], **facts)


def test_the_rules_are_as_severe_as_what_they_find() -> None:
    assert {rule.name: rule.severity for rule in table_metrics_rules()} == {
        "missing_tables": Severity.ERROR,
        "unexpected_tables": Severity.WARN,
        "schema_compatible": Severity.ERROR,
        "schema_unchanged": Severity.WARN,
    }


@EVERY
def test_a_day_as_it_should_be_passes(rule: Rule) -> None:
    assert tables(rule, hour(0, "A", "B"), hour(1, "A", "B")).outcome is Outcome.PASSED


@EVERY
def test_a_day_without_rows_is_not_evaluated(rule: Rule) -> None:
    assert tables(rule).outcome is Outcome.NOT_EVALUATED


def test_missing_tables_are_an_error_by_table_that_of_the_most_hours_first() -> None:
    verdict = tables(MISSING, hour(0, "A", ("B", GONE)), hour(1, ("A", GONE), ("B", GONE), "C"), hour(2, "A"))
    assert verdict.outcome is Outcome.FAILED
    assert verdict.numbers == {"expected": 6, "delivered": 3, "missing": 3, "excused": 0, "ratio": 0.5}
    assert verdict.samples == (
        {"config_name": PROD, "table": "B", "hours": 2, "first": DAY, "last": DAY + HOUR},
        {"config_name": PROD, "table": "A", "hours": 1, "first": DAY + HOUR, "last": DAY + HOUR},
    )
    assert verdict.sentence.startswith(
        "3 of 6 expected tables of all hours are missing: 2 tables, most of all B, 2026-03-20 00:00 to 01:00 "
        "UTC; none expected."
    )


def test_an_hour_of_which_nothing_came_is_no_matter_of_tables() -> None:
    verdict = tables(MISSING, hour(0, "A"), hour(1, ("A", GONE), ("B", GONE)))
    assert (verdict.outcome, verdict.numbers["expected"]) == (Outcome.PASSED, 1)
    assert tables(MISSING, hour(1, ("A", GONE))).outcome is Outcome.NOT_EVALUATED


def test_an_unexpected_table_does_not_count_as_delivered() -> None:
    verdict = tables(MISSING, hour(0, "A", ("B", GONE), ("X", STRANGE)))
    assert (verdict.numbers["expected"], verdict.numbers["ratio"]) == (2, 0.5)


def test_missing_tables_of_excused_hours_are_not_judged() -> None:
    missing, unexpected, *_ = table_metrics_rules(lambda: [NIGHT])
    rows = [*hour(2, "A", ("B", GONE), ("X", STRANGE)), *hour(4, "A", "B")]
    assert tables(missing, rows).outcome is tables(unexpected, rows).outcome is Outcome.PASSED
    assert tables(missing, rows).numbers["excused"] == 1
    assert tables(missing, rows[:3]).sentence == "No hour to judge: 1 hour is excused."


def test_the_hour_that_still_runs_is_not_judged() -> None:
    rows = [*hour(0, "A", "B"), *hour(1, "A", ("B", GONE), ("X", STRANGE))]
    assert tables(MISSING, rows, now=DAY + 1.5 * HOUR).outcome is Outcome.PASSED
    assert tables(UNEXPECTED, rows, now=DAY + 1.5 * HOUR).outcome is Outcome.PASSED


def test_unexpected_tables_are_a_warning() -> None:
    verdict = tables(UNEXPECTED, hour(0, "A", ("X", STRANGE)), hour(1, "A", ("X", STRANGE)))
    assert verdict.outcome is Outcome.FAILED
    assert verdict.numbers == {"delivered": 4, "unexpected": 2, "excused": 0}
    assert [(sample["table"], sample["hours"]) for sample in verdict.samples] == [("X", 2)]
    assert "2 of 4 delivered tables of all hours are not expected: 1 table, most of all X" in verdict.sentence


def test_where_nothing_is_expected_nothing_is_unexpected() -> None:
    assert tables(UNEXPECTED, hour(0, ("A", STRANGE), ("B", STRANGE))).outcome is Outcome.NOT_EVALUATED


def test_a_table_of_one_configuration_is_not_missing_from_another() -> None:
    rows = [hour(0, "A", "B"), hour(0, "A", ("B", GONE), config=TEST)]
    assert [sample["config_name"] for sample in tables(MISSING, *rows).samples] == [TEST]
    assert tables(COMPATIBLE, hour(0, "A", "B"), hour(1, "A", config=TEST)).outcome is Outcome.PASSED


def test_removed_and_changed_fields_break_and_added_or_moved_ones_do_not() -> None:
    drift = hour(
        1,
        ("A", {"fields_removed": ["Old"], "fields_changed": ["Port: int -> text"]}),
        ("B", {"fields_added": ["New"], "fields_reordered": True}),
    )
    breaking, harmless = (tables(rule, hour(0, "A", "B"), drift) for rule in (COMPATIBLE, UNCHANGED))
    assert breaking.outcome is harmless.outcome is Outcome.FAILED
    assert breaking.numbers == {
        "schemas": 2,
        "changes": 2,
        "table_removed": 0,
        "fields_removed": 1,
        "fields_changed": 1,
    }
    assert harmless.numbers == {
        "schemas": 2,
        "changes": 2,
        "new_table": 0,
        "fields_added": 1,
        "fields_in_another_order": 1,
    }
    assert breaking.samples[0] == {
        "config_name": PROD,
        "hour_utc": DAY + HOUR,
        "table": "A",
        "change": "fields changed",
        "fields": "Port: int -> text",
    }
    assert (
        "2 changes in 2 schemas, at 2026-03-20 01:00 UTC, first A: fields changed (Port" in breaking.sentence
    )
    assert (harmless.samples[1]["change"], harmless.samples[1]["fields"]) == ("fields in another order", None)


def test_a_removed_table_breaks_once_whatever_its_fields() -> None:
    last_words = ("B", {"expected": False, "delivered": False, "schema_hash": None, "fields_removed": ["Id"]})
    verdict = tables(COMPATIBLE, hour(0, "A", "B"), hour(1, "A", last_words), hour(2, "A"))
    assert (verdict.outcome, verdict.numbers["changes"]) == (Outcome.FAILED, 1)
    assert (verdict.samples[0]["hour_utc"], verdict.samples[0]["change"]) == (DAY + HOUR, "table removed")
    assert tables(UNCHANGED, hour(0, "A", "B"), hour(1, "A")).outcome is Outcome.PASSED


def test_a_new_table_is_a_warning_once_whatever_its_fields() -> None:
    verdict = tables(
        UNCHANGED, hour(0, "A"), hour(1, "A", ("B", {"fields_added": ["Id"]})), hour(2, "A", "B")
    )
    assert (verdict.numbers["changes"], verdict.numbers["new_table"]) == (1, 1)
    assert tables(COMPATIBLE, hour(0, "A"), hour(1, "A", "B")).outcome is Outcome.PASSED


def test_a_schema_is_compared_with_the_last_one_of_the_days_before() -> None:
    without = {"schema_hash": None}
    before = rows_of(TABLES, [*hour(-5, "A", "B"), *hour(-1, ("A", without))])
    verdict = tables(COMPATIBLE, hour(0, ("A", without)), hour(1, "A"), history=before)
    assert (verdict.numbers["schemas"], verdict.numbers["table_removed"]) == (1, 1)
    earlier = rows_of(TABLES, [*hour(-5, "A", "B"), *hour(-1, "A")])
    assert tables(COMPATIBLE, hour(0, "A"), history=earlier).outcome is Outcome.PASSED


def test_a_table_that_was_not_delivered_is_still_in_the_schema() -> None:
    assert tables(COMPATIBLE, hour(0, "A", "B"), hour(1, "A", ("B", GONE))).outcome is Outcome.PASSED


def test_a_table_outside_of_the_reference_list_comes_and_goes_without_a_word() -> None:
    hours = [hour(0, "A", ("X", STRANGE)), hour(1, "A"), hour(2, "A", ("X", STRANGE))]
    assert tables(COMPATIBLE, *hours).outcome is tables(UNCHANGED, *hours).outcome is Outcome.PASSED


def test_hours_without_a_schema_file_say_nothing_of_the_schema() -> None:
    rows = hour(0, ("A", {"schema_hash": None}))
    assert tables(COMPATIBLE, rows).outcome is tables(UNCHANGED, rows).outcome is Outcome.NOT_EVALUATED


def test_remote_names_are_cut_and_nothing_of_them_is_lost_in_the_numbers() -> None:
    verdict = tables(MISSING, hour(0, "A", ("x" * 5000, GONE), ("<b>|y", GONE)))
    assert verdict.numbers["missing"] == 2
    assert len(verdict.sentence) < 1000
    assert {len(str(sample["table"])) for sample in verdict.samples} == {5, 201}


@EVERY
def test_the_table_is_as_its_last_three_days_are(rule: Rule) -> None:
    outcomes = {"2026-03-17": Outcome.FAILED, "2026-03-18": Outcome.PASSED, PARTITION: Outcome.PASSED}
    assert summary(rule, TABLES, outcomes).outcome is Outcome.PASSED
    assert summary(rule, TABLES, outcomes | {"2026-03-18": Outcome.FAILED}).outcome is Outcome.FAILED
