"""Boundaries, numbers and reasons not to judge, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.model.glue_table import GluePartition
from metaplat.model.table import RepairMode
from metaplat.model.table_evidence import (
    RawInputFacts,
    RepairOutcome,
    RepairPlan,
    SnapshotFacts,
    SourceFacts,
    TableFacts,
)
from metaplat.model.table_metrics import FileFacts, KeySample, Strange
from metaplat.model.verdict import Outcome
from metaplat.rules.tables.row_count_match import count_diff_pct
from metaplat_tests.rules.tables.facts_builder import (
    BUCKETS,
    COLUMNS,
    FILE_BYTES,
    LOCATION,
    NOW,
    ROWS,
    SCHEMAS,
    bucket_verdict,
    healthy,
    outcomes,
    projected,
    verdict_of,
    with_cells,
    with_empty_file,
    with_file,
    with_file_size,
    with_glue,
    with_limits,
    with_profile,
    with_strange,
    without_bucket,
)

PASSED, FAILED, NOT_EVALUATED = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_EVALUATED
KEY_RULES = ("key_completeness", "key_uniqueness", "key_placement")
KEY_FIGURES = (
    "key_nulls",
    "distinct_keys",
    "duplicate_rows",
    "duplicate_keys",
    "surplus_rows",
    "misplaced_keys",
)
UNKNOWN = dict.fromkeys(("rows", *KEY_FIGURES))


def unreadable(facts: TableFacts, *buckets: int) -> TableFacts:
    for bucket in buckets:
        facts = with_file(facts, bucket, rows=None, schema=None, problem="it is not Parquet")
    return with_cells(facts, buckets, unreadable_files=1, schemas=0, **UNKNOWN)


# Buckets on S3


def test_missing_buckets_are_counted_and_named_with_what_lies_there_instead() -> None:
    facts = with_empty_file(without_bucket(without_bucket(healthy(), 2), 5), "id_bucket=5/part-0.parquet")
    verdict = verdict_of("s3_partition", facts)
    assert verdict.numbers == {"present": 6, "expected": 8, "missing": 2}
    assert verdict.samples == (
        {"id_bucket": 2, "folder": "id_bucket=2", "found": "no data"},
        {"id_bucket": 5, "folder": "id_bucket=5", "found": "1 object of 0 bytes"},
    )
    assert "1 object of 0 bytes" in bucket_verdict("s3_partition", facts, 5).sentence


def test_samples_are_capped_where_numbers_are_not() -> None:
    facts = healthy(buckets=40)
    for bucket in range(30):
        facts = without_bucket(facts, bucket)
    verdict = verdict_of("s3_partition", facts)
    assert (verdict.numbers["missing"], len(verdict.samples)) == (30, 20)
    assert "0, 1, 2, 3, 4 and 25 more" in verdict.sentence


def test_a_bucket_under_a_padded_name_is_misnamed_and_not_missing() -> None:
    facts = with_strange(without_bucket(healthy(), 7), "id_bucket=007", Strange.PADDED)
    assert verdict_of("s3_partition", facts).outcome is PASSED
    assert bucket_verdict("s3_partition", facts, 7).outcome is PASSED
    assert verdict_of("unexpected_partition", facts).outcome is FAILED
    assert verdict_of("row_count_match", facts).outcome is NOT_EVALUATED  # its rows are not counted
    assert verdict_of("volume", facts).outcome is NOT_EVALUATED


def test_a_misnamed_bucket_that_glue_lists_is_not_dangling_too() -> None:
    facts = with_strange(without_bucket(healthy(), 7), "id_bucket=007", Strange.PADDED)
    listed = GluePartition(("007",), f"{LOCATION}/id_bucket=007/")
    facts = replace(facts, partitions=[*(facts.partitions or ()), listed])
    assert verdict_of("glue_partition", facts).outcome is PASSED
    assert bucket_verdict("glue_partition", with_cells(facts, [7], in_glue=True), 7).outcome is PASSED


def test_strange_folders_are_counted_by_kind() -> None:
    facts = healthy()
    for kind in Strange:
        facts = with_strange(facts, f"folder of kind {kind}", kind)
    numbers = verdict_of("unexpected_partition", facts).numbers
    assert (numbers["folders"], numbers["files"], numbers["bytes"]) == (5, 5, 5 * FILE_BYTES)
    assert [numbers[name] for name in ("unknown", "padded", "default", "not_a_number", "other")] == [1] * 5


# Glue


GLUE_RULES = ("glue_partition", "partition_projection", "partition_schema", "table_format", "table_contract")


@pytest.mark.parametrize("name", GLUE_RULES)
def test_without_glue_its_rules_are_not_evaluated(name: str) -> None:
    facts = with_cells(replace(healthy(), glue=None, partitions=None), None, in_glue=None, glue_location=None)
    assert verdict_of(name, facts).outcome is NOT_EVALUATED
    if name == "glue_partition":
        assert bucket_verdict(name, facts, 0).outcome is NOT_EVALUATED


def test_both_meanings_of_missing_in_glue_are_counted() -> None:
    facts = without_bucket(healthy(), 3)  # neither on S3 nor in Glue
    partitions = [part for part in facts.partitions or () if part.values != ("5",)]
    verdict = verdict_of("glue_partition", replace(facts, partitions=partitions))
    numbers = verdict.numbers
    assert (numbers["missing_in_glue"], numbers["expected_not_in_glue"]) == (1, 2)
    assert (numbers["registered"], numbers["on_s3"], numbers["expected"]) == (6, 7, 8)
    assert [sample["id_bucket"] for sample in verdict.samples] == [5]


def test_many_issues_of_one_kind_leave_room_for_the_others() -> None:
    facts = healthy(buckets=100)
    kept = [part for part in facts.partitions or () if int(part.values[0]) >= 60]
    strays = [GluePartition((str(number),), None) for number in range(900, 930)]
    verdict = verdict_of("glue_partition", replace(facts, partitions=[*kept, *strays]))
    assert (verdict.numbers["missing_in_glue"], verdict.numbers["dangling"]) == (60, 30)
    kinds = [sample["problem"] for sample in verdict.samples]
    assert (kinds.count("missing"), kinds.count("dangling")) == (10, 10)


@pytest.mark.parametrize("scheme", ["s3", "s3a", "s3n"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_scheme_and_slash_make_no_other_location(scheme: str, slash: str) -> None:
    location = f"{scheme}://lake/db/part_x/id_bucket=6{slash}"
    facts = with_cells(healthy(), [6], glue_location=location)
    parts = [replace(p, location=location) if p.values == ("6",) else p for p in facts.partitions or ()]
    assert verdict_of("glue_partition", replace(facts, partitions=parts)).outcome is PASSED
    assert bucket_verdict("glue_partition", facts, 6).outcome is PASSED


def test_a_registered_bucket_without_data_that_points_elsewhere_has_a_wrong_location() -> None:
    facts = without_bucket(healthy(), 3)
    elsewhere = GluePartition(("3",), "s3://other/id_bucket=3/")
    verdict = verdict_of("glue_partition", replace(facts, partitions=[*(facts.partitions or ()), elsewhere]))
    assert (verdict.numbers["dangling"], verdict.numbers["wrong_location"]) == (0, 1)


def test_a_registration_of_no_bucket_outside_the_table_has_a_wrong_location() -> None:
    facts = healthy()
    strays = [GluePartition(("300",), "s3://other/id_bucket=300/"), GluePartition(("abc",), f"{LOCATION}/x/")]
    verdict = verdict_of("glue_partition", replace(facts, partitions=[*(facts.partitions or ()), *strays]))
    assert (verdict.numbers["dangling"], verdict.numbers["wrong_location"]) == (1, 1)
    assert [sample["id_bucket"] for sample in verdict.samples] == ["abc", 300]


def test_a_table_of_several_partition_keys_is_the_matter_of_the_contract() -> None:
    keys = (("day", "string"), ("id_bucket", "int"))
    facts = with_glue(replace(healthy(), partitions=[GluePartition(("d", "1"), None)]), partition_keys=keys)
    assert [name for name, outcome in outcomes(facts).items() if outcome is FAILED] == ["table_contract"]


def test_partitions_of_a_projected_table_are_virtual() -> None:
    facts = projected(healthy())
    verdict = verdict_of("glue_partition", facts)
    assert (verdict.outcome, "virtual" in verdict.sentence) == (NOT_EVALUATED, True)
    assert bucket_verdict("glue_partition", facts, 0).outcome is NOT_EVALUATED
    assert verdict_of("partition_schema", facts).outcome is NOT_EVALUATED
    assert verdict_of("partition_projection", facts).outcome is PASSED
    assert "ignore projection" in verdict_of("partition_projection", facts).sentence


@pytest.mark.parametrize(
    ("properties", "wrong"),
    [
        ({"range_": "0,7"}, []),
        ({"range_": " -5 , 4095 "}, []),
        ({"range_": "1,7"}, ["range"]),
        ({"range_": "0,6"}, ["range"]),
        ({"range_": "0"}, ["range"]),
        ({"range_": "NOW-3YEARS,NOW"}, ["range"]),
        ({"type_": "INTEGER"}, []),
        ({"type_": "enum"}, ["type"]),
        ({"type_": ""}, ["type"]),
        ({"interval": "1"}, []),
        ({"interval": "2"}, ["interval"]),
        ({"interval": "often"}, ["interval"]),
        ({"digits": "1"}, []),
        ({"digits": "2"}, ["digits"]),
        ({"digits": "many"}, ["digits"]),
        ({"digits": "9" * 30}, ["digits"]),
        ({"range_": "0,3", "interval": "2", "digits": "3"}, ["range", "interval", "digits"]),
    ],
)
def test_projection_must_describe_the_buckets(properties: dict[str, str], wrong: list[str]) -> None:
    verdict = verdict_of("partition_projection", projected(healthy(), **properties))
    found = [str(sample["property"]).removeprefix("projection.id_bucket.") for sample in verdict.samples]
    assert (found, verdict.outcome) == (wrong, FAILED if wrong else PASSED)


def test_projection_of_padded_folders_needs_their_width() -> None:
    facts = healthy(buckets=12)
    padded = replace(facts, table=replace(facts.table, bucket_digits=3))
    assert verdict_of("partition_projection", projected(padded, digits="3")).outcome is PASSED
    assert verdict_of("partition_projection", projected(padded)).outcome is FAILED


def test_folders_all_of_another_width_than_projected_are_the_fault_of_projection() -> None:
    facts = healthy()
    for bucket in range(BUCKETS):
        facts = with_strange(without_bucket(facts, bucket), f"id_bucket={bucket:03d}", Strange.PADDED)
    facts = replace(projected(facts), source=SourceFacts(True, ROWS * BUCKETS))
    assert [name for name, outcome in outcomes(facts).items() if outcome is FAILED] == [
        "partition_projection"
    ]
    stray = with_strange(projected(healthy()), "id_bucket=007", Strange.PADDED)
    assert [name for name, outcome in outcomes(stray).items() if outcome is FAILED] == [
        "unexpected_partition"
    ]


@pytest.mark.parametrize(
    ("template", "outcome"),
    [
        ("s3://lake/db/part_x/id_bucket=${id_bucket}", PASSED),
        ("s3a://lake/db/part_x/id_bucket=${id_bucket}/", PASSED),
        ("s3://lake/db/part_x/${id_bucket}/", FAILED),
        ("s3://lake/db/part_x/", FAILED),
        ("", FAILED),
    ],
)
def test_the_location_template_must_lead_to_the_folders(template: str, outcome: Outcome) -> None:
    facts = projected(healthy(), template=template)
    assert verdict_of("partition_projection", facts).outcome is outcome


def test_order_case_and_spaces_make_no_other_partition_schema() -> None:
    columns = (("AGE", "bigint"), ("Name", "string"), ("customer_user_id", " string "))
    facts = healthy()
    partitions = [replace(part, columns=columns) for part in facts.partitions or ()]
    assert verdict_of("partition_schema", replace(facts, partitions=partitions)).outcome is PASSED


def test_a_partition_schema_says_what_differs() -> None:
    facts = healthy()
    columns = (("customer_user_id", "bigint"), ("name", "string"), ("town", "string"))
    partitions = [replace(p, columns=columns) if p.values == ("2",) else p for p in facts.partitions or ()]
    verdict = verdict_of("partition_schema", replace(facts, partitions=partitions))
    assert verdict.numbers == {"judged_partitions": 8, "differing_partitions": 1}
    assert verdict.samples[0] == {
        "partition": "2",
        "difference": "no column age; column town added; customer_user_id is bigint, not string",
    }


def test_partitions_whose_columns_were_not_read_are_not_judged() -> None:
    facts = healthy()
    partitions = [replace(part, columns=()) for part in facts.partitions or ()]
    assert verdict_of("partition_schema", replace(facts, partitions=partitions)).outcome is NOT_EVALUATED


@pytest.mark.parametrize(
    ("field", "found", "outcome"),
    [
        ("table_type", "EXTERNAL_TABLE", PASSED),
        ("table_type", "VIRTUAL_VIEW", FAILED),
        ("table_type", None, FAILED),
        ("input_format", "parquet.hive.DeprecatedParquetInputFormat", PASSED),
        ("input_format", "org.apache.hadoop.mapred.TextInputFormat", FAILED),
        ("output_format", None, FAILED),
        ("serde", "parquet.hive.serde.ParquetHiveSerDe", PASSED),
        ("serde", "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", FAILED),
    ],
)
def test_type_format_and_serde_are_judged(field: str, found: str | None, outcome: Outcome) -> None:
    verdict = verdict_of("table_format", with_glue(healthy(), **{field: found}))
    assert verdict.outcome is outcome
    assert [sample["part"] for sample in verdict.samples] == ([] if outcome is PASSED else [field])


@pytest.mark.parametrize(
    ("keys", "outcome"),
    [
        ((("id_bucket", "int"),), PASSED),
        ((("ID_Bucket", "INT"),), PASSED),
        ((("id_bucket", "bigint"),), FAILED),
        ((("bucket", "int"),), FAILED),
        ((("day", "string"), ("id_bucket", "int")), FAILED),
        ((), FAILED),
    ],
)
def test_the_partition_key_is_exactly_id_bucket_int(
    keys: tuple[tuple[str, str], ...], outcome: Outcome
) -> None:
    assert verdict_of("table_contract", with_glue(healthy(), partition_keys=keys)).outcome is outcome


def test_a_key_that_is_a_partition_key_is_no_data_column() -> None:
    keys = (("id_bucket", "int"), ("customer_user_id", "string"))
    verdict = verdict_of("table_contract", with_glue(healthy(), columns=COLUMNS[1:], partition_keys=keys))
    assert "customer_user_id is a partition key, not a data column" in verdict.sentence
    assert verdict.numbers == {"issues": 2}


def test_a_source_outside_glue_is_no_matter_of_the_contract() -> None:
    facts = replace(healthy(), source=SourceFacts(found=True, rows=1))
    assert verdict_of("table_contract", facts).outcome is PASSED


def test_a_repair_that_registered_everything_passes() -> None:
    plan = RepairPlan(RepairMode.GLUE, [(3, "s3://x")], ["id_bucket=9"])
    facts = replace(healthy(), repair=RepairOutcome(plan, 7, 8))
    verdict = verdict_of("repair", facts)
    assert verdict.outcome is PASSED
    assert verdict.numbers == {"planned": 1, "before": 7, "after": 8, "still_missing": 0, "drop_list": 1}


def test_where_nothing_was_repaired_the_rule_passes_only_if_nothing_was_missing() -> None:
    assert verdict_of("repair", healthy()).outcome is PASSED
    left = replace(healthy(), partitions=(healthy().partitions or ())[1:])
    assert verdict_of("repair", left).outcome is NOT_EVALUATED
    assert verdict_of("repair", replace(healthy(), glue=None, partitions=None)).outcome is NOT_EVALUATED


# The snapshot and its input


def at(day: date, now: datetime = NOW, **limits: object) -> TableFacts:
    snapshot = SnapshotFacts("s3://lake/db/metadata/snapshot_dt.txt", day.isoformat(), day)
    return replace(with_limits(healthy(), **limits), snapshot=snapshot, now=now)


@pytest.mark.parametrize(("age", "outcome"), [(0, PASSED), (45, PASSED), (46, FAILED), (-1, FAILED)])
def test_a_snapshot_of_exactly_the_window_is_good_and_one_of_tomorrow_is_not(
    age: int, outcome: Outcome
) -> None:
    verdict = verdict_of("data_freshness", at(NOW.date() - timedelta(days=age)))
    assert (verdict.outcome, verdict.numbers) == (outcome, {"window_days": 45, "age_days": age})


def test_today_is_today_in_utc() -> None:
    late = datetime(2025, 11, 21, 3, tzinfo=timezone(timedelta(hours=9)))  # the 20th in UTC
    assert verdict_of("data_freshness", at(date(2025, 11, 21), late)).outcome is FAILED
    assert verdict_of("data_freshness", at(date(2025, 11, 20), late.astimezone(UTC))).outcome is PASSED


@pytest.mark.parametrize(
    ("text", "day"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("2020-01-01", date(2020, 1, 1)),
        ("2030-01-01", date(2030, 1, 1)),
    ],
)
def test_a_snapshot_is_only_told_where_strict_snapshot_is_off(text: str | None, day: date | None) -> None:
    facts = replace(healthy(), snapshot=SnapshotFacts("s3://x", text, day))
    assert verdict_of("data_freshness", facts).outcome is FAILED
    lenient = verdict_of("data_freshness", with_limits(facts, strict_snapshot=False))
    assert (lenient.outcome, "strict_snapshot is off" in lenient.sentence) == (NOT_EVALUATED, True)


def test_a_fresh_snapshot_passes_where_strict_snapshot_is_off() -> None:
    assert verdict_of("data_freshness", healthy(strict_snapshot=False)).outcome is PASSED


def test_without_a_place_for_the_snapshot_or_its_input_nothing_is_judged() -> None:
    facts = replace(healthy(), snapshot=None, raw_input=None)
    assert verdict_of("data_freshness", facts).outcome is NOT_EVALUATED
    assert verdict_of("raw_input", facts).outcome is NOT_EVALUATED
    assert verdict_of("raw_input", replace(facts, raw_input=RawInputFacts("s3://x"))).outcome is NOT_EVALUATED


# Files


def test_unreadable_files_are_shown_with_the_reason() -> None:
    facts = unreadable(healthy(), 2)
    assert verdict_of("parquet_file", facts).samples == (
        {"file": "id_bucket=2/part-0.parquet", "problem": "it is not Parquet"},
    )
    assert verdict_of("parquet_file", facts).numbers == {"files": 8, "unreadable_files": 1, "empty_files": 0}
    assert bucket_verdict("parquet_file", facts, 2).outcome is FAILED
    assert bucket_verdict("parquet_file", facts, 3).outcome is PASSED


def test_an_unreadable_file_makes_its_buckets_figures_unknown_and_never_failed() -> None:
    facts = unreadable(healthy(), 2)
    for name in (*KEY_RULES, "bucket_skew", "volume"):
        assert bucket_verdict(name, facts, 2).outcome is NOT_EVALUATED, name
        assert bucket_verdict(name, facts, 3).outcome is PASSED, name
    for name in (*KEY_RULES, "bucket_skew"):
        verdict = verdict_of(name, facts)
        assert (verdict.outcome, verdict.numbers["unknown_buckets"]) == (PASSED, 1)
        assert "Unknown for 1 bucket (2)." in verdict.sentence
    assert verdict_of("row_count_match", facts).outcome is NOT_EVALUATED
    assert verdict_of("file_schema", facts).outcome is PASSED


def test_a_known_failure_counts_though_other_buckets_are_unknown() -> None:
    facts = with_cells(unreadable(healthy(), 2), [4], key_nulls=3)
    verdict = verdict_of("key_completeness", facts)
    assert (verdict.outcome, verdict.numbers["null_rows"]) == (FAILED, 3)


def test_nothing_is_judged_where_no_file_can_be_read() -> None:
    facts = unreadable(healthy(), *range(BUCKETS))
    found = outcomes(facts)
    assert [name for name, outcome in found.items() if outcome is FAILED] == ["parquet_file"]
    for name in (*KEY_RULES, "file_schema", "bucket_skew", "volume", "row_count_match"):
        assert found[name] is NOT_EVALUATED, name


def test_the_schema_of_most_files_is_the_usual_one_and_their_order_of_columns_means_nothing() -> None:
    turned = dict(reversed(SCHEMAS["usual"].items()))
    facts = with_profile(
        healthy(), schemas={**SCHEMAS, "turned": turned, "wide": {**turned, "extra": "int64"}}
    )
    facts = with_file(with_file(facts, 1, schema="turned"), 6, schema="wide")
    verdict = verdict_of("file_schema", facts)
    assert verdict.numbers == {"files": 8, "drifted_files": 1, "keyless_files": 0, "schemas": 2}
    assert verdict.samples == (
        {"file": "id_bucket=6/part-0.parquet", "id_bucket": 6, "difference": "column extra added"},
    )
    assert [bucket_verdict("file_schema", facts, b).outcome for b in (1, 6)] == [PASSED, FAILED]


def test_files_with_the_key_are_the_usual_ones_however_few_they_are() -> None:
    facts = with_profile(healthy(), schemas={**SCHEMAS, "keyless": {"name": "string"}})
    for bucket in range(1, BUCKETS):
        facts = with_file(facts, bucket, schema="keyless")
    numbers = verdict_of("file_schema", facts).numbers
    assert (numbers["drifted_files"], numbers["keyless_files"]) == (7, 7)


def test_a_table_of_files_without_the_key_fails_though_all_are_alike() -> None:
    facts = with_profile(healthy(), schemas={"usual": {"name": "string", "age": "int64"}})
    verdict = verdict_of("file_schema", facts)
    assert verdict.numbers == {"files": 8, "drifted_files": 8, "keyless_files": 8, "schemas": 1}
    assert verdict_of("table_contract", facts).outcome is PASSED


@pytest.mark.parametrize(
    ("size", "outcome"),
    [
        (64 * 1024**2, PASSED),
        (64 * 1024**2 - 1, FAILED),
        (1024 * 1024**2, PASSED),
        (1024 * 1024**2 + 1, FAILED),
    ],
)
def test_file_sizes_at_the_bounds_pass(size: int, outcome: Outcome) -> None:
    facts = with_file_size(healthy(file_size_check=True), 4, size)
    assert verdict_of("file_size", facts).outcome is outcome
    assert bucket_verdict("file_size", facts, 4).outcome is outcome


def test_file_sizes_are_judged_in_the_five_lowest_present_buckets_or_in_all() -> None:
    facts = with_file_size(without_bucket(healthy(file_size_check=True), 0), 6, 1)
    assert verdict_of("file_size", facts).numbers["files"] == 5  # buckets 1 to 5
    assert verdict_of("file_size", facts).outcome is PASSED
    assert bucket_verdict("file_size", facts, 6).outcome is NOT_EVALUATED
    everything = with_limits(facts, file_size_all=True)
    assert verdict_of("file_size", everything).numbers["small_files"] == 1
    assert bucket_verdict("file_size", everything, 6).outcome is FAILED
    assert verdict_of("file_size", with_limits(facts, file_size_check=False)).outcome is NOT_EVALUATED


# Rows


@pytest.mark.parametrize(
    ("rows", "source", "percent"),
    [(0, 0, 0.0), (0, 5, 100.0), (5, 0, 100.0), (99, 100, 1.0), (101, 100, 1.0), (300, 100, 200.0)],
)
def test_the_difference_in_percent_is_of_the_source_and_never_divides_by_zero(
    rows: int, source: int, percent: float
) -> None:
    assert count_diff_pct(rows, source) == percent


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_the_difference_in_percent_is_zero_for_equal_counts_only(rows: int, source: int) -> None:
    assert (count_diff_pct(rows, source) == 0) == (rows == source)


@pytest.mark.parametrize(
    ("source", "tolerance", "outcome"),
    [
        (800_000, 0.0, PASSED),
        (800_001, 0.0, FAILED),
        (799_999, 0.0, FAILED),
        (1_000_000, 20.0, PASSED),
        (1_000_000, 19.999, FAILED),
        (0, 50.0, FAILED),
    ],
)
def test_a_difference_of_exactly_the_tolerance_passes(
    source: int, tolerance: float, outcome: Outcome
) -> None:
    facts = with_limits(replace(healthy(), source=SourceFacts(True, source)), count_tolerance_pct=tolerance)
    verdict = verdict_of("row_count_match", facts)
    assert verdict.outcome is outcome
    assert verdict.numbers["row_difference"] == abs(800_000 - source)


def test_one_row_of_a_huge_table_is_a_difference() -> None:
    facts = with_cells(healthy(), None, rows=10**15)
    facts = replace(facts, source=SourceFacts(True, 8 * 10**15 + 1))
    assert verdict_of("row_count_match", facts).outcome is FAILED


def test_counts_are_not_compared_where_there_is_nothing_to_compare() -> None:
    facts = healthy()
    missing = replace(facts, source=SourceFacts(found=False))
    assert verdict_of("row_count_match", missing).outcome is FAILED
    assert (
        verdict_of("row_count_match", with_limits(missing, count_check_enabled=False)).outcome
        is NOT_EVALUATED
    )
    assert verdict_of("row_count_match", replace(facts, source=None)).outcome is NOT_EVALUATED
    uncounted = replace(facts, source=SourceFacts(True, None, problem="a file is not Parquet"))
    verdict = verdict_of("row_count_match", uncounted)
    assert (verdict.outcome, "a file is not Parquet" in verdict.sentence) == (NOT_EVALUATED, True)


def test_small_tables_have_neither_skew_nor_unusual_volume() -> None:
    facts = with_cells(healthy(rows=3, buckets=4), [2], rows=9_999)
    assert verdict_of("bucket_skew", facts).outcome is PASSED
    assert verdict_of("volume", facts).outcome is PASSED


@pytest.mark.parametrize(("rows", "outcome"), [(400_000, PASSED), (400_001, FAILED), (0, PASSED)])
def test_skew_is_more_than_the_factor_times_the_median(rows: int, outcome: Outcome) -> None:
    facts = with_cells(healthy(), [5], rows=rows)
    assert verdict_of("bucket_skew", facts).outcome is outcome
    assert bucket_verdict("bucket_skew", facts, 5).outcome is outcome


@pytest.mark.parametrize(("rows", "outcome"), [(9_999, PASSED), (10_000, FAILED)])
def test_skew_begins_at_the_floor(rows: int, outcome: Outcome) -> None:
    assert verdict_of("bucket_skew", with_cells(healthy(rows=10), [5], rows=rows)).outcome is outcome


def test_empty_buckets_do_not_make_the_others_skewed() -> None:
    facts = with_cells(healthy(), [0, 1, 2, 3, 4, 5], rows=0)
    verdict = verdict_of("bucket_skew", facts)
    assert (verdict.outcome, verdict.numbers["median_rows"]) == (PASSED, ROWS)


@pytest.mark.parametrize(
    ("rows", "outcome"), [(150_000, PASSED), (150_001, FAILED), (50_000, PASSED), (49_999, FAILED)]
)
def test_volume_fails_beyond_the_relative_change_up_and_down(rows: int, outcome: Outcome) -> None:
    facts = with_cells(healthy(), [5], rows=rows)
    assert bucket_verdict("volume", facts, 5).outcome is outcome
    verdict = verdict_of("volume", facts)
    assert (verdict.outcome, verdict.numbers["unusual_buckets"]) == (outcome, int(outcome is FAILED))


def test_volume_needs_as_many_earlier_runs_as_the_limits_say() -> None:
    facts = healthy()
    doubled = with_cells(facts, None, rows=ROWS * 2)
    six = doubled.history.filter(pl.col("run_id") != "run-0")
    verdict = verdict_of("volume", replace(doubled, history=six))
    assert verdict.outcome is NOT_EVALUATED
    assert verdict.numbers == {"rows": ROWS * 2 * BUCKETS, "earlier_runs": 6, "needed_runs": 7}
    assert bucket_verdict("volume", replace(doubled, history=six), 0).outcome is NOT_EVALUATED
    assert verdict_of("volume", with_limits(replace(doubled, history=six), volume_runs=6)).outcome is FAILED


def test_runs_that_could_not_count_a_bucket_are_no_history_of_it() -> None:
    facts = healthy()
    gap = (pl.col("run_id") == "run-3") & (pl.col("id_bucket") == 5)
    rows = pl.when(gap).then(None).otherwise(pl.col("rows")).alias("rows")
    facts = replace(facts, history=facts.history.with_columns(rows))
    assert verdict_of("volume", facts).numbers["earlier_runs"] == 6
    assert bucket_verdict("volume", facts, 5).outcome is NOT_EVALUATED
    assert bucket_verdict("volume", facts, 4).outcome is PASSED


def test_the_newest_runs_are_the_ones_that_count() -> None:
    facts = healthy()
    older = facts.history.with_columns(rows=pl.lit(1, pl.Int64), run_id="older-" + pl.col("run_id"))
    assert verdict_of("volume", replace(facts, history=pl.concat([older, facts.history]))).outcome is PASSED


# Keys


def test_nulls_and_duplicates_are_summed_over_the_buckets() -> None:
    facts = with_cells(healthy(), [1], key_nulls=2, duplicate_rows=4, duplicate_keys=2, surplus_rows=2)
    facts = with_cells(facts, [6], key_nulls=3, duplicate_rows=6, duplicate_keys=3, surplus_rows=3)
    nulls, duplicates = verdict_of("key_completeness", facts), verdict_of("key_uniqueness", facts)
    assert nulls.numbers["null_rows"] == 5
    assert nulls.samples == ({"id_bucket": 6, "null_rows": 3}, {"id_bucket": 1, "null_rows": 2})
    assert duplicates.numbers == {
        "duplicate_rows": 10,
        "duplicate_keys": 5,
        "surplus_rows": 5,
        "duplicate_rows_sql": 15,
        "failing_buckets": 2,
        "judged_buckets": 8,
        "unknown_buckets": 0,
    }
    assert bucket_verdict("key_uniqueness", facts, 6).numbers == {
        "duplicate_rows": 6,
        "duplicate_keys": 3,
        "surplus_rows": 3,
        "duplicate_rows_sql": 9,
    }


@pytest.mark.parametrize(("nulls", "figure"), [(0, 0), (1, 0), (2, 2)])
def test_the_classic_sql_takes_nulls_for_duplicates_from_the_second_on(nulls: int, figure: int) -> None:
    verdict = verdict_of("key_uniqueness", with_cells(healthy(), [1], key_nulls=nulls))
    assert (verdict.outcome, verdict.numbers["duplicate_rows_sql"]) == (PASSED, figure)


def test_failing_keys_are_shown_from_every_bucket_and_where_misplaced_ones_belong() -> None:
    many = [KeySample(1, "duplicate", f"key-{number}", 2) for number in range(20)]
    other = [KeySample(6, "duplicate", "key-x", 3), KeySample(6, "misplaced", "key-y", 1, 4)]
    facts = with_cells(healthy(), [1, 6], duplicate_rows=40, duplicate_keys=20, misplaced_keys=1)
    facts = with_profile(facts, samples=[*many, *other])
    shown = verdict_of("key_uniqueness", facts).samples
    assert (len(shown), shown[-1]) == (20, {"id_bucket": 6, "key": "key-x", "rows": 3})
    assert bucket_verdict("key_uniqueness", facts, 6).samples == (
        {"id_bucket": 6, "key": "key-x", "rows": 3},
    )
    assert verdict_of("key_placement", facts).samples == (
        {"id_bucket": 6, "key": "key-y", "rows": 1, "belongs_in": 4},
    )


def test_what_the_engine_did_not_count_is_not_evaluated() -> None:
    footer = with_cells(healthy(), None, **dict.fromkeys(KEY_FIGURES[1:]))
    assert verdict_of("key_completeness", footer).outcome is PASSED
    for name in ("key_uniqueness", "key_placement"):
        assert verdict_of(name, footer).outcome is NOT_EVALUATED
        assert bucket_verdict(name, footer, 0).outcome is NOT_EVALUATED


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 5)), st.booleans()), min_size=1, max_size=12))
def test_a_key_verdict_follows_from_its_buckets_whatever_is_known(
    buckets: list[tuple[int | None, bool]],
) -> None:
    facts = healthy(buckets=len(buckets))
    frame = facts.profile.frame.with_columns(
        key_nulls=pl.Series([nulls for nulls, _ in buckets], dtype=pl.Int64),
        files=pl.Series([int(present) for _, present in buckets], dtype=pl.Int64),
    )
    facts = with_profile(facts, frame=frame)
    known = [nulls for nulls, present in buckets if present and nulls is not None]
    verdict = verdict_of("key_completeness", facts)
    expected = NOT_EVALUATED if not known else FAILED if sum(known) else PASSED
    assert verdict.outcome is expected
    found = {bucket_verdict("key_completeness", facts, bucket).outcome for bucket in range(len(buckets))}
    assert (FAILED in found) == (expected is FAILED)


def test_a_bucket_that_was_never_measured_is_not_judged_by_what_is_in_it() -> None:
    facts = with_cells(healthy(), [2], measured_by=None, schemas=0, **UNKNOWN)
    for name in (*KEY_RULES, "parquet_file", "bucket_skew", "volume"):
        verdict = bucket_verdict(name, facts, 2)
        assert (verdict.outcome, verdict.sentence) == (NOT_EVALUATED, "The bucket was not measured yet.")
    assert verdict_of("parquet_file", facts).numbers["files"] == BUCKETS - 1
    assert bucket_verdict("s3_partition", facts, 2).outcome is PASSED


def test_an_odd_file_name_does_no_harm() -> None:
    name = "id_bucket=2/\udcff\n" + "x" * 500
    facts = with_profile(healthy(), files=[FileFacts(name, "i", 2, 1, problem="it is not Parquet")])
    verdict = verdict_of("parquet_file", with_cells(facts, [2], unreadable_files=1))
    assert len(str(verdict.samples[0]["file"])) < 300
