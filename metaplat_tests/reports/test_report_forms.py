"""The report as JSON, CSV and HTML: they agree, and each is safe to open."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model.partitioning import Hourly, IdBuckets
from metaplat.model.verdict import Outcome, Severity
from metaplat.reports.check_report import CheckReport, build_report
from metaplat.reports.export import CSV_COLUMNS, as_csv, as_json
from metaplat.reports.html_page import as_html
from metaplat_tests.reports.report_samples import DAYS, LAST_MONTH, NOW, days, domain, receipt, record

CELL = re.compile(r'<i class="([pfwnxm])" role="img" title="([^"]+)"')
CLASSES = {
    ("passed", "error"): "p",
    ("passed", "warn"): "p",
    ("passed", "info"): "p",
    ("failed", "error"): "f",
    ("failed", "warn"): "w",
    ("failed", "info"): "w",
    ("not evaluated", "error"): "n",
    ("not evaluated", "warn"): "n",
    ("not evaluated", "info"): "n",
}


def csv_rows(report: CheckReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(report))))


def report_of_days(count: int) -> CheckReport:
    keys = days(count)
    records = [
        record(
            key,
            Outcome.FAILED if place % 97 == 5 else Outcome.PASSED,
            rule,
            numbers={"rows": 40_000 + place * 7 % 113, "null_keys": 0, "duplicate_rows": place % 5},
            sentence=f"{place} of 40,000 rows break the key; repair and materialize {key}.",
            samples=[{"job": f"load-{number}", "text": "x" * 200} for number in range(20)],
        )
        for rule in ("primary_key", "volume")
        for place, key in enumerate(keys)
    ]
    receipts = {key: receipt(key, place, late=place % 3) for place, key in enumerate(keys)}
    return build_report([domain()], {"jobs": records}, {"jobs": receipts}, NOW)


record_lists = st.dictionaries(
    st.tuples(st.sampled_from(["primary_key", "volume"]), st.sampled_from(days(400))),
    st.tuples(
        st.sampled_from(Outcome), st.sampled_from(Severity), st.text(), st.floats(), st.integers(0, 900)
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(record_lists)
def test_json_csv_and_html_agree_on_every_count(
    drawn: dict[tuple[str, str], tuple[Outcome, Severity, str, float, int]],
) -> None:
    records = [
        record(
            partition,
            outcome,
            rule,
            severity=severity,
            sentence=text.encode("utf-8", "replace").decode(),
            numbers={"x": number},
            since=NOW - timedelta(hours=age),
        )
        for (rule, partition), (outcome, severity, text, number, age) in drawn.items()
    ]
    report = build_report([domain()], {"jobs": records}, {}, NOW)
    expected = Counter((found.outcome.value, found.severity.value) for found in records)
    [document] = orjson.loads(as_json(report))["domains"]
    assert Counter((item["outcome"], item["severity"]) for item in document["verdicts"]) == expected
    for rule in document["rules"]:
        mine = Counter(item["outcome"] for item in document["verdicts"] if item["rule"] == rule["rule"])
        said = (rule["passed"], rule["failed"], rule["not_evaluated"])
        assert said == (mine["passed"], mine["failed"], mine["not evaluated"])
        failing = [item for item in document["verdicts"] if item["rule"] == rule["rule"]]
        starts = [item["since"] for item in failing if item["outcome"] == "failed"]
        assert rule["since"] == min(starts, default=None)
    assert Counter((row["outcome"], row["severity"]) for row in csv_rows(report)) == expected
    assert len(as_csv(report).splitlines()) == len(records) + 1
    drawn_cells = Counter(letter for letter, _ in CELL.findall(as_html(report)) if letter not in "xm")
    assert drawn_cells == Counter(CLASSES[found.outcome.value, found.severity.value] for found in records)


def test_the_json_document_has_the_names_that_every_command_prints() -> None:
    key = days(1)[0]
    records = [record(key, Outcome.FAILED, numbers={"duplicates": 2}, samples=[{"job": "a"}])]
    report = build_report([domain()], {"jobs": records}, {"jobs": {key: receipt(key, 4, late=1)}}, NOW)
    document = orjson.loads(as_json(report))
    assert document["generated_at"] == "2025-12-03T14:05:00Z"
    [found] = document["domains"]
    assert (found["domain"], found["outcome"], found["since"]) == ("jobs", "failed", "2025-11-12T06:30:00Z")
    assert found["quarantine"] == {"records": 1, "partitions": {key: 1}, "reasons": {"late": 1}}
    assert found["verdicts"] == [
        {
            "domain": "jobs",
            "rule": "primary_key",
            "partition": key,
            "outcome": "failed",
            "severity": "error",
            "numbers": {"duplicates": 2},
            "sentence": "What was found.",
            "samples": [{"job": "a"}],
            "since": "2025-11-12T06:30:00Z",
            "judged_at": "2025-12-03T14:05:00Z",
        }
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "＝1", "\r=1", "\n-1"])  # noqa: RUF001
def test_no_csv_cell_can_be_taken_for_a_formula(text: str) -> None:
    report = build_report([domain()], {"jobs": [record(days(1)[0], sentence=text)]}, {}, NOW)
    [row] = csv_rows(report)
    assert row["sentence"].startswith("'")


def test_a_csv_line_stays_one_line_whatever_the_sentence_holds() -> None:
    sentence = 'one\r\ntwo\u2028three\x85four\x00, "five"\x0bsix'
    report = build_report([domain()], {"jobs": [record(days(1)[0], sentence=sentence)]}, {}, NOW)
    assert len(as_csv(report).splitlines()) == 2
    [row] = csv_rows(report)
    assert row["sentence"] == 'one two three four , "five" six'


def test_csv_of_an_empty_report_is_its_header() -> None:
    assert as_csv(build_report([], {}, {}, NOW)) == ",".join(CSV_COLUMNS) + "\n"


def test_two_years_of_days_stay_a_small_page_with_one_cell_each() -> None:
    page = as_html(report_of_days(730))
    assert len(page.encode()) < 1_500_000
    assert len(CELL.findall(page)) == 2 * 730


def test_very_many_hours_are_counted_in_full_and_drawn_in_part() -> None:
    partitioning = Hourly("2025-01-01-00:00")
    keys = partitioning.keys(NOW)
    records = [record(key, Outcome.FAILED if key == keys[0] else Outcome.PASSED) for key in keys]
    page = as_html(build_report([domain(partitions=partitioning)], {"jobs": records}, {}, NOW))
    assert f"fails on 1 of {len(keys):,} partitions" in page
    assert f"The newest 1,100 of {len(keys):,} partitions are drawn" in page


def test_buckets_are_drawn_as_sixteen_rows_of_sixteen() -> None:
    records = [record(str(bucket)) for bucket in range(256)]
    page = as_html(build_report([domain(partitions=IdBuckets())], {"jobs": records}, {}, NOW))
    assert 'title="255: passed" style="grid-area:16/16"' in page
    assert 'title="16: passed" style="grid-area:2/1"' in page


@pytest.mark.parametrize("count", [1, 2, 10, 46, 100, 101, 366, 730])
def test_any_number_of_days_is_drawn_with_a_place_for_each(count: int) -> None:
    keys = days(count)
    page = as_html(build_report([domain()], {"jobs": [record(key) for key in keys]}, {}, NOW))
    titles = [title for _, title in CELL.findall(page) if title.endswith(": passed")]
    assert titles == [f"{key}: passed" for key in keys]


def test_a_key_that_is_no_day_any_more_is_still_drawn() -> None:
    records = [record("old-key"), record(days(1)[0])]
    page = as_html(build_report([domain(partitions=DAYS)], {"jobs": records}, {}, NOW))
    assert 'title="old-key: passed"' in page


def test_reports_without_domains_or_verdicts_say_so() -> None:
    assert "No domain is declared" in as_html(build_report([], {}, {}, NOW))
    page = as_html(build_report([domain()], {}, {}, NOW))
    assert "Nothing has been judged yet" in page
    assert "metaplat materialize jobs" in page


def test_samples_are_capped_and_the_page_says_how_many() -> None:
    samples = [{"job": f"load-{number}", "why": None} for number in range(30)]
    records = [record(days(1)[0], Outcome.FAILED, samples=samples, since=LAST_MONTH)]
    page = as_html(build_report([domain()], {"jobs": records}, {}, NOW))
    assert "20 samples of 30" in page
    assert page.count("load-") == 20
