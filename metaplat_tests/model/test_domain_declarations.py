"""A declaration that cannot work is refused when it is made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from metaplat.model.field import Field, ListOf, Struct
from metaplat.model.partitioning import IdBuckets
from metaplat.model.rule import Rule
from metaplat.model.verdict import Verdict
from metaplat_tests.ingest.small_domain import FIELDS, RUNS, domain

NAME, DATE = FIELDS[0], FIELDS[2]


def rule(name: str) -> Rule:
    return Rule(name, "Doc.", judge=lambda evidence: Verdict.not_evaluated(evidence.partition))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Runs"}, "lower case"),
        ({"name": "job__runs"}, "single underscores"),
        ({"name": ""}, "lower case"),
        ({"landing": "runs"}, "must look like"),
        ({"landing": "/runs/"}, "must look like"),
        ({"landing": "../"}, "must look like"),
        ({"fields": (NAME, DATE, NAME)}, "declared twice"),
        ({"fields": (NAME, DATE, Field("extra", str, ""))}, "declared twice: .'extra'."),
        ({"fields": (DATE,)}, "needs key fields"),
        ({"fields": (NAME,)}, "needs key fields and a column execution_date"),
        ({"partitions": IdBuckets()}, "needs key fields and a column id_bucket"),
        ({"fields": (NAME, Field("execution_date", datetime, "", nullable=True))}, "never null"),
        (
            {"fields": (NAME, DATE, Field("a", str, "", path="x.y"), Field("b", str, "", path="x.y"))},
            "landed at x.y",
        ),
        (
            {"fields": (NAME, DATE, Field("a", str, "", path="x"), Field("b", str, "", path="x.y"))},
            "landed at x",
        ),
        ({"rules": (rule("one"), rule("one"))}, "a rule is named twice"),
    ],
)
def test_a_domain_that_cannot_work_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        domain(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dtype": bytes}, "bytes is not a column type"),
    ],
)
def test_a_field_that_cannot_work_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Field(**{"name": "a", "dtype": str, "doc": "", **changes})


def test_a_rule_that_judges_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="neither a partition nor the table"):
        Rule("empty", "Doc.")


def test_the_columns_are_the_declared_ones_then_what_ingest_adds() -> None:
    names = [column.name for column in RUNS.columns]
    assert names == [*(field.name for field in FIELDS), "extra", "source_object"]
    assert RUNS.keys == ("job_name", "execution_timestamp")
    assert "execution_timestamp" not in [field.name for field in RUNS.landed_fields]
    assert RUNS.field("source_object").name == "source_object"
    with pytest.raises(KeyError):
        RUNS.field("nothing")


def test_a_field_is_looked_for_at_its_path_or_under_its_name() -> None:
    assert Field("a", str, "", path="x.y").landed_path == ("x", "y")
    assert Field("a", ListOf(Struct(())), "").landed_path == ("a",)
