"""What verdicts about tables say: grammar for one and for many, numbers and buckets as people read them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from metaplat.model.glue_table import GluePartition
from metaplat.model.table_evidence import SourceFacts
from metaplat_tests.rules.tables.facts_builder import (
    BUCKETS,
    COLUMNS,
    LOCATION,
    bucket_verdict,
    healthy,
    verdict_of,
    with_cells,
    with_file,
    with_file_size,
    with_profile,
    without_bucket,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.model.table_evidence import TableFacts


def with_figures(column: str, figures: Mapping[int, int], facts: TableFacts | None = None) -> TableFacts:
    """Put one figure into each of some buckets."""
    facts = facts or healthy()
    for bucket, figure in figures.items():
        facts = with_cells(facts, [bucket], **{column: figure})
    return facts


@pytest.mark.parametrize(
    ("rule", "column", "one", "many"),
    [
        ("key_completeness", "key_nulls", "1 row lacks it.", "2,000 rows lack it."),
        ("key_placement", "misplaced_keys", "1 row belongs in another.", "2,000 rows belong in another."),
        (
            "key_uniqueness",
            "duplicate_rows",
            "1 row has one that occurs again.",
            "2,000 rows have one that occurs again.",
        ),
    ],
)
def test_a_bucket_is_told_in_right_grammar(rule: str, column: str, one: str, many: str) -> None:
    assert f"; {one}" in bucket_verdict(rule, with_figures(column, {3: 1}), 3).sentence
    assert f"; {many}" in bucket_verdict(rule, with_figures(column, {3: 2000}), 3).sentence


@pytest.mark.parametrize(
    ("rule", "column", "one", "many"),
    [
        (
            "key_completeness",
            "key_nulls",
            "1 row in 1 bucket (3) lacks it.",
            "1,010 rows in 3 buckets (1, 3, 6) lack it.",
        ),
        (
            "key_placement",
            "misplaced_keys",
            "1 row in 1 bucket (3) belongs elsewhere.",
            "1,010 rows in 3 buckets (1, 3, 6) belong elsewhere.",
        ),
        (
            "key_uniqueness",
            "duplicate_rows",
            "1 row of 1 bucket (3)",
            "1,010 rows of 3 buckets (1, 3, 6)",
        ),
    ],
)
def test_a_table_is_told_in_right_grammar_with_its_buckets_in_order(
    rule: str, column: str, one: str, many: str
) -> None:
    assert one in verdict_of(rule, with_figures(column, {3: 1})).sentence
    verdict = verdict_of(rule, with_figures(column, {1: 3, 3: 7, 6: 1000}))
    assert many in verdict.sentence
    assert [sample["id_bucket"] for sample in verdict.samples] == [6, 3, 1]  # the worst first


@pytest.mark.parametrize(("keys", "said"), [(1, "1 key in 2 rows"), (1500, "1,500 keys in 3,000 rows")])
def test_repeated_keys_are_told_in_right_grammar(keys: int, said: str) -> None:
    facts = with_figures("duplicate_rows", {3: 2 * keys}, with_figures("duplicate_keys", {3: keys}))
    occur = "occurs" if keys == 1 else "occur"
    assert f"; {said} of 1 bucket (3) {occur} more often." in verdict_of("key_uniqueness", facts).sentence


def test_skew_is_told_without_halves_and_with_thousands_apart() -> None:
    facts = with_figures("rows", {0: 100_001, 2: 1_000_000, 7: 900_000, 5: 100_002})
    verdict = verdict_of("bucket_skew", with_figures("rows", {1: 99_998, 3: 99_997}, facts))
    assert verdict.numbers["median_rows"] == 100_000.5
    assert verdict.sentence.startswith(
        "The median bucket has 100,000 rows, the largest has 1,000,000; "
        "at most 4 times the median expected, from 10,000 rows on. 2 buckets (2, 7) are beyond it. "
    )
    assert "; the median bucket has 100,000 rows; " in bucket_verdict("bucket_skew", facts, 2).sentence
    single = verdict_of("bucket_skew", with_figures("rows", {2: 1_000_000}))
    assert " 1 bucket (2) is beyond it. " in single.sentence


def test_counts_are_told_with_thousands_apart() -> None:
    facts = replace(healthy(), source=SourceFacts(found=True, rows=800_001))
    sentence = verdict_of("row_count_match", facts).sentence
    assert sentence.startswith("800,000 rows; source db.ext_x has 800,001, as many expected.")
    assert "They are 1 row apart." in sentence
    usual = verdict_of("volume", healthy()).sentence
    assert usual.startswith("800,000 rows; the median of 7 earlier runs is 800,000; ")


def test_the_median_of_earlier_runs_is_told_without_halves() -> None:
    facts = healthy(volume_runs=2, volume_floor_rows=1)
    earlier = pl.col("rows") + pl.when(pl.col("run_id") == "run-6").then(1).otherwise(0)
    verdict = bucket_verdict("volume", replace(facts, history=facts.history.with_columns(earlier)), 0)
    assert verdict.numbers["median_rows"] == 100_000.5
    assert "the median of 2 earlier runs is 100,000;" in verdict.sentence
    assert "from 1 row on" in verdict.sentence


@pytest.mark.parametrize(
    ("registered", "said"),
    [
        (range(1, BUCKETS), "1 missing (0): register with auto_repair"),
        ([*range(BUCKETS), 300, 12], "2 dangling (12, 300): no data there"),
    ],
)
def test_registrations_are_told_in_order(registered: Sequence[int], said: str) -> None:
    partitions = [GluePartition((str(b),), f"{LOCATION}/id_bucket={b}/", COLUMNS) for b in registered]
    verdict = verdict_of("glue_partition", replace(healthy(), partitions=partitions))
    assert said in verdict.sentence


def test_a_registration_elsewhere_is_told_in_right_grammar() -> None:
    facts = with_cells(healthy(), [3], glue_location=f"{LOCATION}/elsewhere/")
    partitions = [
        GluePartition((str(b),), f"{LOCATION}/{'elsewhere' if b == 3 else f'id_bucket={b}'}/", COLUMNS)
        for b in range(BUCKETS)
    ]
    facts = replace(facts, partitions=partitions)
    bucket = bucket_verdict("glue_partition", facts, 3)
    assert "; it is at a wrong location: " in bucket.sentence
    assert bucket.samples[0]["problem"] == "wrong location"
    assert "; 1 at a wrong location (3): " in verdict_of("glue_partition", facts).sentence


def test_one_bucket_or_file_is_told_as_one() -> None:
    held = without_bucket(healthy(buckets=2), 0)
    assert verdict_of("s3_partition", held).sentence.startswith(
        "1 of 2 buckets holds data files. Missing: 0. "
    )
    one = healthy(buckets=1, file_size_check=True)
    assert verdict_of("s3_partition", one).sentence == "1 of 1 bucket holds data files."
    registered = verdict_of("glue_partition", one).sentence
    assert registered.startswith("Glue registers 1 bucket: all that S3 has")
    small = verdict_of("file_size", with_file_size(one, 0, 1)).sentence
    assert small.startswith(
        "1 data file in the lowest bucket; 64 to 1,024 MB each expected. Smaller: 1; larger: 0."
    )
    key = "customer_user_id"
    assert (
        verdict_of("file_schema", one).sentence
        == f"1 data file with the schema of the table and the key {key}."
    )
    facts = with_profile(healthy(), schemas={**healthy().profile.schemas, "other": {key: "int64"}})
    drift = verdict_of("file_schema", with_file(facts, 2, schema="other")).sentence
    assert f"; 1 of {BUCKETS} differs, 0 without the key. First " in drift


@pytest.mark.parametrize(
    ("differing", "said"),
    [([3], f"; 1 of {BUCKETS} differs (3). "), ([3, 5], f"; 2 of {BUCKETS} differ (3, 5). ")],
)
def test_partitions_with_other_columns_are_told_in_right_grammar(differing: list[int], said: str) -> None:
    facts = healthy()
    assert facts.partitions is not None
    sentence = verdict_of("partition_schema", facts).sentence
    assert sentence == f"{BUCKETS} partitions with the columns of the table."
    partitions = [
        replace(part, columns=COLUMNS[:2]) if int(part.values[0]) in differing else part
        for part in facts.partitions
    ]
    assert said in verdict_of("partition_schema", replace(facts, partitions=partitions)).sentence
