"""The reports of the table monitor: names, order and formats that others read, and what is added to them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from metaplat.model.errors import InvalidInputError
from metaplat.model.table import BucketFunction, Engine
from metaplat.model.table_evidence import SnapshotFacts, SourceFacts
from metaplat.model.table_metrics import Strange
from metaplat.reports.tables.heat_map import MOST_CELLS, heat_cells
from metaplat.reports.tables.heat_map_markdown import heat_map_markdown
from metaplat.reports.tables.report_csv import as_csv
from metaplat.reports.tables.report_document import as_document, as_json
from metaplat.reports.tables.report_files import report_key, write_reports
from metaplat.reports.tables.trends import run_totals, trend_lines
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.reports.table_report_samples import (
    empty_history,
    faulty,
    judged,
    named,
    not_examined,
    report,
)
from metaplat_tests.rules.tables.facts_builder import (
    NOW,
    healthy,
    projected,
    with_cells,
    with_file,
    with_file_size,
    with_glue,
    with_limits,
    with_profile,
    with_strange,
)

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.model.table_evidence import TableFacts

TOP = [
    "database",
    "prefix",
    "bucket_count",
    "generated_at",
    "freshness_window_days",
    "compare",
    "pk_column",
    "file_size_check",
    "alerts",
    "tables",
]
ROW = [
    "table",
    "location",
    "s3_partitions",
    "glue_partitions",
    "missing_glue_count",
    "table_type_ok",
    "contract_ok",
    "raw_input_snapshot_dt",
    "count_src",
    "count_part",
    "count_diff_pct",
    "pk_nulls",
    "pk_dupes",
    "file_issues_sample",
    "checked_at",
    "input_source",
]


def row_of(facts: TableFacts) -> dict[str, Any]:
    return dict(as_document(report(judged(facts)))["tables"][0])


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_document_begins_with_the_fields_of_earlier_reports_in_their_order() -> None:
    document = as_document(report(judged(healthy())))
    assert list(document)[: len(TOP)] == TOP
    assert list(document["tables"][0])[: len(ROW)] == ROW
    assert {name: document[name] for name in TOP if name != "tables"} == {
        "database": "db",
        "prefix": "part_",
        "bucket_count": 8,
        "generated_at": "2025-11-20T12:00:00Z",
        "freshness_window_days": 45,
        "compare": {"enabled": True, "type": "ext", "db": "db", "tolerance_pct": 0.0},
        "pk_column": "customer_user_id",
        "file_size_check": False,
        "alerts": [],
    }


def test_a_healthy_table_has_a_value_under_every_old_name_that_was_checked() -> None:
    row = row_of(healthy())
    assert {name: row[name] for name in ROW} == {
        "table": "part_x",
        "location": "s3://lake/db/part_x",
        "s3_partitions": 8,
        "glue_partitions": 8,
        "missing_glue_count": 0,
        "table_type_ok": True,
        "contract_ok": True,
        "raw_input_snapshot_dt": "2025-11-01",
        "count_src": 800_000,
        "count_part": 800_000,
        "count_diff_pct": "0.000000",
        "pk_nulls": 0,
        "pk_dupes": 0,
        "file_issues_sample": None,  # the check is off
        "checked_at": "2025-11-20T12:00:00Z",
        "input_source": "s3://raw/opus/x/raw_input/snapshot_dt=2025-11-01/",
    }
    assert row["state"] == "passed"
    assert list(row)[-2:] == ["key_column", "verdicts"]
    assert row["key_column"] == "customer_user_id"


def test_a_faulty_table_has_its_figures() -> None:
    row = row_of(faulty())
    expected = {
        "s3_partitions": 7,
        "glue_partitions": 7,
        "count_src": 700_030,
        "count_part": 700_000,
        "count_diff_pct": "0.004286",
        "count_diff_rows": 30,
        "pk_nulls": 5,
        "pk_dupes": 8,
        "pk_dupe_keys": 4,
        "pk_dupe_surplus": 4,
        "pk_dupes_sql": 13,
        "misplaced_keys": 1,
        "missing_buckets": [5],
        "state": "failed",
        "engine": "bucket",
        "bucket_function": "spark_murmur3",
        "files_read": 3,
        "notes": ["One bucket was read again."],
        "repair": {
            "mode": "glue",
            "planned": [4],
            "before": 6,
            "after": 7,
            "still_missing": [],
            "drop_list": ["id_bucket=5"],
            "problem": None,
        },
    }
    assert {name: row[name] for name in expected} == expected
    assert row["failing_buckets"] == {
        "s3_partition": [5],
        "key_completeness": [2],
        "key_uniqueness": [1, 3],
        "key_placement": [7],
    }
    assert row["verdicts"]["key_completeness"]["outcome"] == "failed"
    assert row["verdicts"]["key_completeness"]["severity"] == "error"
    assert row["verdicts"]["key_completeness"]["numbers"]["null_rows"] == 5
    assert row["key_samples"][0]["key"] == "5f6fba6c6d1e0a3c"


def test_alerts_are_texts_and_their_levels_stand_beside_them() -> None:
    document = as_document(report(judged(faulty()), judged(healthy())))
    assert len(document["alerts"]) == len(document["alert_levels"]) > 3
    levels = dict(zip(document["alerts"], document["alert_levels"], strict=True))
    assert levels["[PK_NULL] part_x: customer_user_id NULL rows=5"] == "high"
    assert levels["part_x: S3 has 7/8 id_bucket partitions"] == "medium"


def test_a_table_that_could_not_be_examined_has_a_row_of_nulls_and_its_problem() -> None:
    result = report(not_examined())
    row = as_document(result)["tables"][0]
    known = {"table", "location", "checked_at", "state", "problem", "database", "key_column", "verdicts"}
    assert {name for name, value in row.items() if value is not None} == known
    assert row["problem"] == "S3: list: no such prefix"
    assert row["state"] == "not evaluated"
    (line,) = csv_rows(as_csv(result))
    assert line["count_part"] == line["pk_nulls"] == line["table_type_ok"] == ""


@pytest.mark.parametrize(
    ("rows", "source", "expected"),
    [
        (0, 0, "0.000000"),
        (0, 5, "100.000000"),
        (800_000, 0, "100.000000"),
        (800_000, 1_000_000, "20.000000"),
        (800_000, None, None),
    ],
)
def test_the_difference_is_a_text_with_six_decimals(
    rows: int, source: int | None, expected: str | None
) -> None:
    facts = with_cells(healthy(), None, rows=rows // 8)
    row = row_of(replace(facts, source=SourceFacts(found=True, rows=source)))
    assert row["count_diff_pct"] == expected


def test_one_row_in_a_billion_is_seen_as_a_difference_in_rows() -> None:
    facts = with_cells(healthy(), None, rows=10**9)
    row = row_of(replace(facts, source=SourceFacts(found=True, rows=8 * 10**9 + 1)))
    assert row["count_diff_pct"] == "0.000000"
    assert row["count_diff_rows"] == 1


def test_unknown_is_null_and_never_zero() -> None:
    key_figures = ("key_nulls", "duplicate_rows", "duplicate_keys", "surplus_rows", "misplaced_keys")
    facts = with_cells(healthy(), [3], rows=None, unreadable_files=1, **dict.fromkeys(key_figures))
    row = row_of(with_file(facts, 3, rows=None, problem="it is cut in the middle"))
    names = ("count_part", "count_diff_pct", "count_diff_rows", "pk_nulls", "pk_dupes", "misplaced_keys")
    assert {row[name] for name in names} == {None}
    assert row["unknown_buckets"] == 1
    assert row["unreadable_files"] == 1
    assert row["unreadable_sample"] == [
        {"file": "id_bucket=3/part-0.parquet", "problem": "it is cut in the middle"}
    ]


def test_faults_of_the_readable_part_are_told_though_another_part_is_unknown() -> None:
    facts = with_cells(faulty(), [4], rows=None, key_nulls=None, duplicate_rows=None, unreadable_files=1)
    row = row_of(facts)
    assert (row["pk_nulls"], row["pk_dupes"], row["count_part"]) == (5, 8, None)


def test_a_table_outside_of_glue_has_nulls_for_glue_and_for_its_source() -> None:
    facts = replace(healthy(), glue=None, partitions=None, source=None, raw_input=None)
    row = row_of(with_cells(facts, None, in_glue=None))
    names = (
        "glue_partitions",
        "missing_glue_count",
        "expected_not_in_glue",
        "table_type_ok",
        "contract_ok",
        "count_src",
        "count_diff_pct",
        "projected",
    )
    assert {row[name] for name in names} == {None}
    assert row["input_source"] == ""


def test_projected_partitions_are_not_missing() -> None:
    row = row_of(with_cells(projected(healthy()), None, in_glue=None))
    assert row["projected"] is True
    assert row["missing_glue_count"] is None


def test_missing_in_glue_is_reported_in_both_meanings() -> None:
    facts = with_cells(faulty(), [0, 2], in_glue=False)
    row = row_of(facts)
    assert row["missing_glue_count"] == 2
    assert row["missing_in_glue"] == [0, 2]
    assert row["expected_not_in_glue"] == 3  # bucket 5 has no data


def test_format_and_contract_that_fail_are_false() -> None:
    row = row_of(with_glue(healthy(), table_type="MANAGED_TABLE", partition_keys=()))
    assert (row["table_type_ok"], row["contract_ok"]) == (False, False)


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (SnapshotFacts("s3://a"), None),
        (SnapshotFacts("s3://a", "soon"), "soon"),
        (None, None),
    ],
)
def test_the_snapshot_is_shown_as_it_was_found(snapshot: SnapshotFacts | None, expected: str | None) -> None:
    assert row_of(replace(healthy(), snapshot=snapshot))["raw_input_snapshot_dt"] == expected


def test_file_issues_are_one_text_empty_where_there_is_none() -> None:
    fine = with_limits(healthy(), file_size_check=True)
    assert row_of(fine)["file_issues_sample"] == ""
    small = with_file_size(fine, 1, 1024 * 1024)
    assert row_of(small)["file_issues_sample"] == "id_bucket=1/part-0.parquet: 1 MB below 64 MB"


def test_strange_folders_and_drift_are_reported() -> None:
    facts = with_file(with_strange(healthy(), "id_bucket=007", Strange.PADDED), 6, schema="other")
    facts = with_profile(facts, schemas={**facts.profile.schemas, "other": {"customer_user_id": "int64"}})
    row = row_of(facts)
    assert [folder["name"] for folder in row["unexpected_partitions"]] == ["id_bucket=007"]
    assert row["schema_drift"] == {"schemas": 2, "deviating_files": 1, "keyless_files": 0}


def test_the_csv_begins_with_the_old_columns_and_says_the_same_as_the_document() -> None:
    result = report(judged(faulty()), judged(healthy()))
    text = as_csv(result)
    assert text.splitlines()[0].split(",")[: len(ROW)] == ROW
    first, second = csv_rows(text)
    assert (first["pk_nulls"], first["count_diff_pct"], first["table_type_ok"]) == ("5", "0.004286", "True")
    assert second["file_issues_sample"] == ""
    assert json.loads(first["repair"])["planned"] == [4]
    assert json.loads(first["verdicts"])["key_completeness"] == "failed"
    assert list(first) == list(as_document(result)["tables"][0])


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@x", " =1", "\uff1d1", "\t=1"])
def test_a_name_that_a_spreadsheet_would_run_is_defused(name: str) -> None:
    (line,) = csv_rows(as_csv(report(judged(named(healthy(), name)))))
    assert line["table"].startswith("'")


def test_a_name_with_line_breaks_stays_on_its_line() -> None:
    text = as_csv(report(judged(named(healthy(), 'a\nb"\u2028c'))))
    assert len(text.splitlines()) == 2
    assert csv_rows(text)[0]["table"] == 'a b" c'


def test_a_cell_is_never_longer_than_a_spreadsheet_takes() -> None:
    facts = healthy(rows=10, buckets=20_000)
    inventory = replace(facts.profile.inventory, buckets=dict.fromkeys(range(20_000), ()))
    (line,) = csv_rows(
        as_csv(report(replace(judged(faulty()), facts=with_profile(facts, inventory=inventory))))
    )
    assert max(map(len, line.values())) < 32_767
    assert line["missing_buckets"] == '"20,000 entries: see the JSON report"'


def test_text_that_is_no_unicode_can_be_reported() -> None:
    result = report(judged(named(healthy(), "part_\udce4")))
    assert json.loads(as_json(result))["tables"][0]["table"] == "part_?"
    assert as_csv(result).encode()


def test_reports_are_named_by_the_utc_day(tmp_path: Path) -> None:
    late = datetime(2025, 12, 4, 1, tzinfo=timezone(timedelta(hours=2)))
    result = replace(report(judged(healthy())), generated_at=late)
    written = write_reports(LocalObjects(tmp_path), result)
    stem = "data-monitor/omc_monitor_report_2025-12-03"
    assert written == {form: f"{tmp_path}/{stem}.{form}" for form in ("json", "csv", "html")}
    assert json.loads((tmp_path / f"{stem}.json").read_bytes()) == as_document(result)
    assert (tmp_path / f"{stem}.csv").read_text() == as_csv(result)


@pytest.mark.parametrize(
    ("prefix", "stem", "key"),
    [
        ("", "report", "report_2025-11-20.csv"),
        ("/a/b/", "report", "a/b/report_2025-11-20.csv"),
        ("dm-", "r", "dm-r_2025-11-20.csv"),
    ],
)
def test_prefix_and_stem_make_the_key(prefix: str, stem: str, key: str) -> None:
    assert report_key(report(report_prefix=prefix, report_stem=stem), "csv") == key


def test_a_prefix_that_leads_out_of_the_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="object key"):
        write_reports(LocalObjects(tmp_path / "reports"), report(report_prefix="../"))
    assert not list(tmp_path.rglob("*.json"))


def test_a_report_of_no_table_is_a_report() -> None:
    document = as_document(report())
    assert document["tables"] == document["alerts"] == []
    assert len(as_csv(report()).splitlines()) == 1


def test_the_heat_map_draws_a_square_a_bucket() -> None:
    result = judged(faulty(buckets=256))
    assert result.facts
    text = heat_map_markdown(result.facts.profile.frame, result.bucket_verdicts, result.severities)
    lines = text.splitlines()
    assert lines[1] == "  0 🟩🟥🟥🟥🟩⬛🟩🟥🟩🟩🟩🟩🟩🟩🟩🟩"
    assert lines[16] == "240 " + 16 * "🟩"
    assert "🟩 251 passed · 🟥 4 failed · 🟨 0 warning · ⬜ 0 not evaluated · ⬛ 1 missing" in lines
    assert "Failed: 1 to 3, 7" in lines
    assert "Missing: 5" in lines


def test_a_failure_that_is_no_error_is_a_warning_and_no_verdict_is_not_evaluated() -> None:
    result = judged(with_cells(healthy(), [2], rows=900_000))
    assert result.facts
    frame = result.facts.profile.frame
    assert "0 🟩🟩🟨🟩🟩🟩🟩🟩" in heat_map_markdown(frame, result.bucket_verdicts, result.severities)
    assert "0 🟩🟩🟥🟩🟩🟩🟩🟩" in heat_map_markdown(frame, result.bucket_verdicts)
    assert "0 ⬜⬜⬜⬜⬜⬜⬜⬜" in heat_map_markdown(frame, {})


@pytest.mark.parametrize("buckets", [1, 3, 16, 17, 1000, 1025, 5000])
def test_a_heat_map_of_any_number_of_buckets_fits_a_page_and_covers_each_once(buckets: int) -> None:
    frame = pl.DataFrame(
        {"id_bucket": range(buckets), "files": 1, "bytes": 1, "rows": 2, "key_nulls": 0}
    ).with_columns(duplicate_rows=pl.lit(None, pl.Int64), newest_modified=pl.lit(NOW))
    cells = heat_cells(frame, {})
    assert len(cells) <= MOST_CELLS
    assert [b for cell in cells for b in range(cell.first, cell.last + 1)] == list(range(buckets))
    assert sum(cell.rows or 0 for cell in cells) == 2 * buckets
    assert {cell.duplicate_rows for cell in cells} == {None}
    assert len(heat_map_markdown(frame, {}).split("```")[1].splitlines()) == -(-len(cells) // 16) + 1


def test_a_table_without_buckets_has_no_map() -> None:
    assert heat_map_markdown(empty_history(), {}) == "The table has no buckets."


def test_trends_run_over_earlier_runs_to_the_present_one() -> None:
    facts = with_cells(healthy(), [0], rows=100_008)
    lines = {trend.line.name: trend for trend in trend_lines(facts.history, facts.profile.frame)}
    assert (lines["rows"].line.low, lines["rows"].line.last) == (800_000, 800_008)
    assert all(trend.is_present for trend in lines.values())
    assert trend_lines(empty_history(), facts.profile.frame) == []


def test_a_run_with_an_unknown_bucket_has_no_sum() -> None:
    facts = with_cells(healthy(), [0], rows=None)
    (totals,) = run_totals(facts.profile.frame)
    assert totals["rows"] is None
    assert totals["files"] == 8
    rows = {trend.line.name: trend for trend in trend_lines(facts.history, facts.profile.frame)}["rows"]
    assert not rows.is_present


def test_a_table_is_described_by_what_counted_its_keys() -> None:
    facts = with_profile(healthy(), engine=Engine.GLOBAL, bucket_function=BucketFunction.CRC32)
    row = row_of(facts)
    assert (row["engine"], row["bucket_function"]) == ("global", "crc32")
    row = row_of(with_profile(healthy(), engine=Engine.FOOTER, bucket_function=None))
    assert (row["engine"], row["bucket_function"]) == ("footer", None)
