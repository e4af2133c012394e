"""The figures of the charts: a gapless calendar, the printed formulas, one configuration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from metaplat.reports.vip.chart_data import chart_data, milliseconds
from metaplat.reports.vip.chart_list import CHARTS, Chart
from metaplat.reports.vip.series import ChartFrames, chart_frames
from metaplat.reports.vip.stretches import State, find_stretches
from metaplat.reports.vip.summary import LISTED, summarize
from metaplat.reports.vip.tables import chart_csv
from metaplat.rules.vip.error_budget import Slo
from metaplat_tests.reports.vip_chart_samples import BEGIN, CONFIG, MEGABYTE, TABLES, Planted, history

TITLES = [
    "Files Delivered (partitions, schema, scripts included) in Successful Jobs, Hourly",
    "Size of Files Delivered (partitions, schema, scripts included), Hourly",
    "Job Delivery Completeness, Averaged Daily",
    "Job Delivery Completeness Ratio, Averaged Daily",
    "Job Delivery Completeness (out of 1, hourly)",
    "Table Delivery Completeness, Averaged Daily",
    "Table Delivery Completeness Ratio, Averaged Daily",
    "Table Delivery Completeness, Hourly",
    "Table Delivery Failure, Averaged Daily",
    "Table Delivery Failure, Hourly",
]
SLO = Slo(0.99, 30)
HOUR_MS = 3_600_000


def frames_of(hours: int, planted: Planted | None = None) -> ChartFrames:
    return chart_frames(*history(hours, planted), CONFIG)


def named(name: str) -> Chart:
    return next(chart for chart in CHARTS if chart.name == name)


def test_there_are_the_ten_charts_with_the_titles_that_users_know() -> None:
    assert [chart.title for chart in CHARTS] == TITLES
    assert [chart.number for chart in CHARTS] == list(range(1, 11))


def test_a_missing_hour_has_no_files_but_the_size_0_and_no_delivered_job() -> None:
    hours = frames_of(3, Planted(missing=[1])).hours
    assert hours["files"].to_list() == [10, None, 10]
    assert hours["size_kb"].to_list()[:2] == [101_000, 0]
    assert hours["job_delivered"].to_list() == [1, 0, 1]
    assert hours["tables_delivered"].to_list() == [TABLES, 0, TABLES]
    assert hours["tables_missing"].to_list() == [0, TABLES, 0]


def test_a_note_in_the_folder_of_a_missing_hour_is_no_delivery() -> None:
    jobs, tables, sizes = history(9, Planted(missing=[4]))
    noted = sizes.with_columns(n_files=pl.when(pl.col("n_files") == 0).then(1).otherwise("n_files"))
    frames = chart_frames(jobs, tables, noted, CONFIG)
    assert frames.hours["job_delivered"].to_list() == [1] * 4 + [0] + [1] * 4
    assert frames.hours["files"].to_list()[4] is None


def test_the_last_hour_before_a_gap_is_drawn_as_long_as_any() -> None:
    chart, frames = named("files_hourly"), frames_of(6, Planted(missing=[2, 3]))
    rows = chart_data(chart, frames, find_stretches(frames.hours))["rows"]
    begin = milliseconds(BEGIN)
    drawn = [((row["t"] - begin) // HOUR_MS, row["files"] is not None) for row in rows]
    assert drawn == [
        *((0, True), (1, True), (2, True), (2, False)),
        *((3, False), (4, True), (5, True), (6, True)),
    ]


def test_the_band_of_the_data_is_raised_by_what_else_lies_in_the_folder() -> None:
    row = frames_of(1).hours.row(0, named=True)
    assert row["band_lo_kb"] == (80 * MEGABYTE + MEGABYTE) / 1000
    assert row["band_hi_kb"] == (125 * MEGABYTE + MEGABYTE) / 1000


def test_the_size_is_cut_to_kilobytes_not_rounded() -> None:
    jobs, tables, sizes = history(1)
    sizes = sizes.with_columns(pl.lit(1_999).alias("bytes_total"))
    assert chart_frames(jobs, tables, sizes, CONFIG).hours["size_kb"].to_list() == [1]


def test_jobs_of_a_day_are_sums_and_tables_are_means_over_its_closed_hours() -> None:
    days = frames_of(16 + 24 + 5, Planted(missing=[16, 17, 18], incomplete={20: ["table0"]})).days
    assert days["day_utc"].to_list() == [datetime(2022, 2, day, tzinfo=UTC) for day in (8, 9, 10)]
    assert days["closed_hours"].to_list() == [16, 24, 5]
    assert days["is_partial"].to_list() == [True, False, True]
    assert days["jobs_delivered"].to_list() == [16, 21, 5]
    assert days["jobs_expected"].to_list() == [16, 24, 5]
    assert days["jobs_ratio"].to_list() == [1, 0.875, 1]
    assert days["tables_delivered"].to_list() == [4, round((21 * 4 - 1) / 24, 3), 4]
    assert days["tables_missing"].to_list() == [0, round((3 * 4 + 1) / 24, 3), 0]


def test_averaged_and_ratio_differ_where_the_expectation_changes() -> None:
    jobs, tables, sizes = history(24, begin=datetime(2022, 2, 9, tzinfo=UTC))
    large = pl.col("hour_utc").dt.hour() >= 12
    jobs = jobs.with_columns(
        pl.when(large).then(16).otherwise("n_tables_expected").alias("n_tables_expected"),
        pl.when(large).then(0.25).otherwise("completeness").alias("completeness"),
    )
    day = chart_frames(jobs, tables, sizes, CONFIG).days.row(0, named=True)
    assert day["tables_ratio"] == (1 + 0.25) / 2
    assert day["tables_ratio_of_sums"] == (4 + 4) / (4 + 16)


def test_hours_without_an_expectation_are_left_out_of_the_means() -> None:
    jobs, tables, sizes = history(4, Planted(missing=[0]))
    unknown = pl.col("hour_utc") == BEGIN
    for name in ("n_tables_expected", "completeness"):
        jobs = jobs.with_columns(pl.when(~unknown).then(name).alias(name))
    frames = chart_frames(jobs, tables, sizes, CONFIG)
    assert frames.hours["tables_delivered"].to_list() == [None, 4, 4, 4]
    assert frames.days["tables_delivered"].to_list() == [4]
    assert frames.days["tables_ratio"].to_list() == [1]


def test_other_configurations_are_not_mixed_in() -> None:
    mine, other = history(5), history(9, Planted(missing=range(9)), config_name="other")
    jobs, tables, sizes = (pl.concat(pair) for pair in zip(mine, other, strict=True))
    frames, alone = chart_frames(jobs, tables, sizes, CONFIG), chart_frames(*mine, CONFIG)
    assert_frame_equal(frames.hours, alone.hours)
    assert_frame_equal(frames.days, alone.days)
    assert frames.tables.height == 0


@given(kept=st.sets(st.integers(0, 80), min_size=1))
def test_every_hour_between_the_first_and_the_last_has_one_row(kept: set[int]) -> None:
    jobs, tables, sizes = history(81)
    there = pl.col("hour_utc").is_in([BEGIN + timedelta(hours=place) for place in kept])
    frames = chart_frames(jobs.filter(there), tables, sizes.filter(there), CONFIG)
    wanted = [BEGIN + timedelta(hours=place) for place in range(min(kept), max(kept) + 1)]
    assert frames.hours["hour_utc"].to_list() == wanted
    assert frames.days["closed_hours"].sum() == len(kept)
    states = find_stretches(frames.hours).states
    assert sum(each.hours for each in states) == len(wanted)
    assert sum(each.hours for each in states if each.what == State.UNKNOWN) == len(wanted) - len(kept)


@given(
    missing=st.sets(st.integers(0, 60)),
    excused=st.dictionaries(st.integers(0, 60), st.sampled_from(["moved", "planned"])),
)
def test_stretches_hold_exactly_the_hours_they_are_made_of(
    missing: set[int], excused: dict[int, str]
) -> None:
    frames = frames_of(61, Planted(missing=sorted(missing), excused=excused))
    stretches = find_stretches(frames.hours)

    def places(found: list[tuple[datetime, int]]) -> list[int]:
        return [
            round((first - BEGIN) / timedelta(hours=1)) + step
            for first, hours in found
            for step in range(hours)
        ]

    unexcused = places([(each.first, each.hours) for each in stretches.missing])
    assert unexcused == sorted(missing - set(excused))
    for reason in ("moved", "planned"):
        told = places([(each.first, each.hours) for each in stretches.excused if each.what == reason])
        assert told == sorted(place for place, said in excused.items() if said == reason)


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_the_csv_of_a_chart_is_its_series(chart: Chart) -> None:
    figures = frames_of(
        60, Planted(missing=[5], late=[7], anomalies={9: "high"}, excused={5: 'a "b", c'})
    ).of(chart)
    read = pl.read_csv(chart_csv(figures), schema_overrides={chart.columns[0]: pl.String})
    assert read.columns == chart.columns
    assert read[chart.columns[0]][0] == (
        "2022-02-08T08:00:00Z" if "hour" in chart.columns[0] else "2022-02-08T00:00:00Z"
    )
    for name in chart.columns[1:]:
        assert read[name].to_list() == figures[name].to_list(), name


def test_the_summary_counts_an_excused_hour_as_excused_only() -> None:
    planted = Planted(
        missing=[1, 2, 3], failed=[5], incomplete={6: ["table1"]}, late=[7], excused={3: "moved"}
    )
    frames = frames_of(100, planted)
    summary = summarize(frames, find_stretches(frames.hours), SLO)
    assert summary is not None
    assert (summary.hours, summary.missing, summary.excused) == (100, 2, 1)
    assert (summary.incomplete, summary.failed, summary.late) == (1, 1, 1)
    assert summary.delivered_share == 96 / 99
    assert (summary.budget.hours, summary.budget.bad) == (99, 4)
    assert [(each.hours, each.what) for each in summary.excuses.rows] == [(1, "moved")]


def test_a_missing_hour_says_nothing_of_single_tables() -> None:
    frames = frames_of(9, Planted(missing=[1], incomplete={3: ["table1", "table0"], 4: ["table1"]}))
    summary = summarize(frames, find_stretches(frames.hours), SLO)
    assert summary is not None
    found = [(row["table"], row["hours"], row["last"]) for row in summary.tables.rows]
    assert found == [("table1", 2, BEGIN + timedelta(hours=4)), ("table0", 1, BEGIN + timedelta(hours=3))]


def test_an_hour_whose_files_are_no_tables_says_nothing_of_single_tables() -> None:
    everything = [f"table{number}" for number in range(TABLES)]
    frames = frames_of(9, Planted(incomplete={3: everything, 4: ["table1"]}))
    summary = summarize(frames, find_stretches(frames.hours), SLO)
    assert summary is not None
    assert summary.incomplete == 2
    assert [(row["table"], row["hours"]) for row in summary.tables.rows] == [("table1", 1)]


def test_lists_are_cut_and_say_how_many_there_are() -> None:
    frames = frames_of(200, Planted(missing=range(0, 200, 2)))
    summary = summarize(frames, find_stretches(frames.hours), SLO)
    assert summary is not None
    assert (len(summary.stretches.rows), summary.stretches.total) == (LISTED, 100)
    assert summary.stretches.rows[0].first == BEGIN + timedelta(hours=198)


def test_a_history_without_hours_has_no_summary() -> None:
    frames = frames_of(0)
    assert summarize(frames, find_stretches(frames.hours), SLO) is None
    assert [frames.of(chart).height for chart in CHARTS] == [0] * 10
