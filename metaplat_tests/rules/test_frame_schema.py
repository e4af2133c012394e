"""The schema rule: any frame gets a verdict, and it is the one a plain loop over the values would give."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model.field import Field
from metaplat.model.verdict import MAX_SAMPLES, Outcome, Verdict
from metaplat.rules.frame_schema import frame_schema, judge_schema, schema
from metaplat_tests.rules.small_domain import DAY, FIELDS, domain, evidence_of, frame_of, many

COLUMNS = domain().columns
BIG = 2**53


def judge(*rows: dict[str, Any]) -> Verdict:
    return judge_schema(frame_of(*rows), COLUMNS)


def test_good_rows_pass_with_nulls_where_they_are_allowed() -> None:
    verdict = judge({}, {"memory_gb": None, "rate": None, "attempts": None, "tables": None, "detail": None})
    assert verdict.outcome is Outcome.PASSED
    assert verdict.numbers == {"rows": 2, "invalid_rows": 0, "failure_cases": 0, "wrong_columns": 0}


def test_an_empty_frame_of_the_declared_types_passes() -> None:
    assert judge().outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("job", None, "not null"),
        ("status", None, "not null"),
        ("status", "DONE", "one of SUCCESS, FAILED, RUNNING"),
        ("cause", "", "one of OOM, Error"),
        ("memory_gb", -0.001, "at least 0 GiB"),
        ("memory_gb", math.nan, "a finite number"),
        ("memory_gb", math.inf, "a finite number"),
        ("rate", -math.inf, "a finite number"),
        ("rate", 1.0000001, "at most 1"),
        ("attempts", 0, "at least 1"),
        ("attempts", BIG + 1, f"at most {BIG:,}"),
        ("attempts", -(2**63), "at least 1"),
    ],
)
def test_a_value_that_is_not_as_declared_fails_once_and_is_shown(
    column: str, value: object, words: str
) -> None:
    verdict = judge({}, {"job": "bad", column: value})
    assert verdict.outcome is Outcome.FAILED
    assert verdict.numbers == {"rows": 2, "invalid_rows": 1, "failure_cases": 1, "wrong_columns": 0}
    [sample] = verdict.samples
    assert (sample["failing_column"], sample["expected"]) == (column, words)
    assert sample["source_object"] == "jobs/2025/11/20/a.json"
    assert f"{column} must be {words}: 1" in verdict.sentence
    if column != "job":
        assert sample["job"] == "bad"
    if isinstance(value, float) and not math.isfinite(value):
        assert sample["found"] == {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    else:
        assert sample["found"] == value


@pytest.mark.parametrize("value", [BIG, 1])
def test_whole_numbers_are_compared_exactly(value: int) -> None:
    assert judge({"attempts": value}).outcome is Outcome.PASSED


@pytest.mark.parametrize("limit", [2.0**64, math.inf, 2**200])
def test_a_limit_that_no_value_reaches_is_kept_by_all(limit: float) -> None:
    fields = [Field("n", int, doc="", minimum=-limit, maximum=limit)]
    frame = pl.DataFrame({"n": [2**63 - 1, -(2**63)]})
    assert judge_schema(frame, fields).outcome is Outcome.PASSED


def test_a_fractional_limit_of_whole_numbers_means_the_next_whole_one() -> None:
    fields = [Field("n", int, doc="", minimum=0.5, maximum=2.5)]
    assert judge_schema(pl.DataFrame({"n": [0, 1, 2, 3]}), fields).numbers["failure_cases"] == 2


def test_a_missing_an_undeclared_and_a_mistyped_column_are_named_before_any_value() -> None:
    frame = (
        frame_of({"memory_gb": -1.0}).drop("cause").with_columns(pl.col("attempts").cast(pl.String), new=1)
    )
    verdict = judge_schema(frame, COLUMNS)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.numbers == {"rows": 1, "invalid_rows": 1, "failure_cases": 1, "wrong_columns": 3}
    assert [sample["failing_column"] for sample in verdict.samples] == [
        "attempts",
        "cause",
        "new",
        "memory_gb",
    ]
    assert verdict.sentence.startswith("3 columns not as declared (attempts: String; cause: no such column;")


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("started", pl.Datetime("us")),
        ("started", pl.Datetime("ms", "UTC")),
        ("started", pl.Datetime("us", "Europe/Berlin")),
        ("started", pl.String),
        ("tables", pl.List(pl.Int64)),
        ("detail", pl.Struct({"code": pl.String})),
        ("detail", pl.Struct({"code": pl.Int64, "more": pl.Int64})),
        ("status", pl.Categorical),
        ("memory_gb", pl.Float32),
        ("memory_gb", pl.Int64),
        ("attempts", pl.Null),
        ("attempts", pl.Decimal(10, 2)),
        ("extra", pl.Binary),
        ("extra", pl.Object),
    ],
)
def test_types_are_strict(column: str, kind: pl.DataType) -> None:
    frame = frame_of({}).drop(column).with_columns(pl.Series(column, [None], dtype=kind))
    verdict = judge_schema(frame, COLUMNS)
    assert (verdict.outcome, verdict.numbers["wrong_columns"]) == (Outcome.FAILED, 1)
    [sample] = verdict.samples
    assert sample["found"] == str(frame.schema[column])


def test_a_frame_without_any_column_fails() -> None:
    verdict = judge_schema(pl.DataFrame(), COLUMNS)
    assert verdict.numbers["wrong_columns"] == len(COLUMNS)
    assert len(verdict.samples) == len(COLUMNS)


def test_values_of_personal_fields_are_not_shown_but_a_missing_one_is_seen() -> None:
    fields = [*COLUMNS, *frame_fields_with_personal_key()]
    frame = frame_of({"owner": "jane@example.com"}).with_columns(person=pl.lit("jane@example.com"))
    verdict = judge_schema(frame, fields)
    assert "jane" not in repr(verdict)
    assert verdict.samples[0]["found"] == "(personal, not shown)"
    assert verdict.samples[0]["person"] == "(personal, not shown)"


def frame_fields_with_personal_key() -> list[Field]:
    owner = next(field for field in FIELDS if field.personal)
    return [Field("person", str, key=True, personal=owner.personal, doc="Person.")]


def test_every_broken_limit_is_sampled_although_one_of_them_breaks_everywhere() -> None:
    frame = many(1000).with_columns(rate=pl.lit(7.0))
    frame[999, "memory_gb"] = -1.0
    verdict = judge_schema(frame, COLUMNS)
    assert len(verdict.samples) <= MAX_SAMPLES
    assert {sample["failing_column"] for sample in verdict.samples} == {"rate", "memory_gb"}
    assert verdict.numbers["failure_cases"] == 1001
    assert verdict.numbers["invalid_rows"] == 1000


def test_a_lazy_frame_is_refused_since_pandera_would_pass_its_values_unseen() -> None:
    bad = frame_of({"memory_gb": -1.0}).lazy()
    frame_schema(COLUMNS).validate(bad).collect()  # nothing is raised: the trap
    with pytest.raises(TypeError, match="not on a LazyFrame"):
        judge_schema(bad, COLUMNS)  # type: ignore[arg-type]


def test_switching_pandera_off_from_outside_does_not_switch_the_rule_off() -> None:
    from pandera.config import ValidationDepth, config_context

    frame = frame_of({"memory_gb": -1.0})
    with config_context(validation_enabled=False):
        assert judge_schema(frame, COLUMNS).outcome is Outcome.FAILED
    with config_context(validation_depth=ValidationDepth.SCHEMA_ONLY):
        assert judge_schema(frame, COLUMNS).outcome is Outcome.FAILED


def test_the_pandera_schema_alone_refuses_too_and_reports_mixed_failures() -> None:
    from pandera.errors import SchemaErrors

    frame = frame_of({"memory_gb": -1.0, "status": None}).with_columns(new=1)
    with pytest.raises(SchemaErrors) as caught:
        frame_schema(COLUMNS).validate(frame, lazy=True)
    assert caught.value.failure_cases.height == 3


def test_a_schema_is_compiled_once() -> None:
    assert frame_schema(COLUMNS) is frame_schema(list(COLUMNS))


def test_the_rule_judges_by_the_declaration_of_its_domain() -> None:
    rule = schema()
    assert rule.name == "schema"
    assert rule.judge is not None
    assert rule.judge(evidence_of(frame_of({}))).outcome is Outcome.PASSED
    assert rule.judge(evidence_of(frame_of({"rate": 2.0}))).outcome is Outcome.FAILED


TEXTS = st.none() | st.sampled_from(["SUCCESS", "FAILED", "OOM", "", "known", "x" * 300])
FLOATS = st.none() | st.floats() | st.sampled_from([0.0, -0.0, 1.0])
ROWS = st.fixed_dictionaries(
    {
        "job": TEXTS,
        "started": st.none() | st.just(DAY),
        "status": TEXTS,
        "memory_gb": FLOATS,
        "rate": FLOATS,
        "attempts": st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(BIG - 1, BIG + 1),
        "cause": TEXTS,
        "owner": TEXTS,
        "tables": st.none() | st.lists(TEXTS, max_size=2),
        "extra": TEXTS,
        "source_object": TEXTS,
    }
)


def lawful(field: Field, value: Any) -> bool:
    """Whether one value is as declared, said without polars."""
    if value is None:
        return field.nullable
    if field.choices:
        return value in field.choices
    if isinstance(value, float) and not math.isfinite(value):
        return False
    if isinstance(value, int | float):
        return not (
            (field.minimum is not None and value < field.minimum)
            or (field.maximum is not None and value > field.maximum)
        )
    return True


@settings(deadline=None, max_examples=60)
@given(st.lists(ROWS, max_size=6))
def test_the_verdict_agrees_with_a_plain_loop_over_the_values(rows: list[dict[str, Any]]) -> None:
    frame = frame_of(*rows)
    broken = [
        [not lawful(field, row[field.name]) for field in COLUMNS] for row in frame.iter_rows(named=True)
    ]
    verdict = judge_schema(frame, COLUMNS)
    assert verdict.numbers["failure_cases"] == sum(map(sum, broken))
    assert verdict.numbers["invalid_rows"] == sum(map(any, broken))
    assert (verdict.outcome is Outcome.FAILED) == any(map(any, broken))


KINDS = st.sampled_from(
    [pl.Int64, pl.Int8, pl.Float64, pl.String, pl.Boolean, pl.Date, pl.Datetime("us", "UTC"), pl.Null]
)


@settings(deadline=None, max_examples=40)
@given(
    st.dictionaries(st.sampled_from([field.name for field in COLUMNS] + ["a", "b"]), KINDS), st.integers(0, 3)
)
def test_any_frame_gets_a_verdict(kinds: dict[str, Any], height: int) -> None:
    frame = pl.DataFrame({name: pl.Series([None] * height, dtype=kind) for name, kind in kinds.items()})
    verdict = judge_schema(frame, COLUMNS)
    declared = {field.name: field for field in COLUMNS}
    assert verdict.outcome is Outcome.FAILED
    assert verdict.numbers["wrong_columns"] >= len(set(declared) ^ set(kinds))


def test_times_are_utc() -> None:
    frame = frame_of({"started": datetime(2025, 1, 1, tzinfo=UTC)})
    assert frame.schema["started"] == pl.Datetime("us", "UTC")
