"""Every fault of the vendor ends in the right files, the right verdict, one job, and no secret anywhere."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from metaplat.model.extract import ExtractStatus, FileOutcome
from metaplat.vip.pulling.document import extract_document
from metaplat_tests.standins.vip import CANARY, Scenario, VipServer
from metaplat_tests.standins.vip.faults import FAULTS
from metaplat_tests.vip.vip_pulls import Hand, Site

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.model.extract import Extract

HARMLESS = (
    "token_500", "token_short", "export_401", "slot_clock_hour", "status_completed", "status_unknown_word",
    "status_flapping", "status_html", "expired_token_midjob", "list_401", "list_409_first",
    "list_empty_first", "list_growing", "list_500_first", "list_missing_table", "list_extra_table",
    "list_duplicate_keys",
    "list_size_zero", "list_no_size", "list_checksum", "file_cut_once", "file_cut_often", "file_slow",
    "file_stall_once", "file_expired", "file_slowdown", "file_no_range", "file_wrong_range",
    "file_etag_changes", "clock_skew",
)  # fmt: skip
ONE_FILE = {
    "list_wrong_size": FileOutcome.MISMATCHED,
    "list_zero_but_full": FileOutcome.MISMATCHED,
    "list_checksum_wrong": FileOutcome.MISMATCHED,
    "file_longer": FileOutcome.MISMATCHED,
    "file_shorter": FileOutcome.MISMATCHED,
    "file_gzip": FileOutcome.MISMATCHED,
    "file_cut_always": FileOutcome.FAILED,
    "file_stall": FileOutcome.FAILED,
    "file_denied": FileOutcome.FAILED,
    "file_missing": FileOutcome.FAILED,
    "file_slowdown_always": FileOutcome.FAILED,
    "file_xml_200": FileOutcome.FAILED,
    "file_redirect": FileOutcome.REFUSED,
    "list_foreign_host": FileOutcome.REFUSED,
    "list_http": FileOutcome.REFUSED,
    "list_link_local": FileOutcome.REFUSED,
    "list_private": FileOutcome.REFUSED,
    "list_user_info": FileOutcome.REFUSED,
    "list_backslash": FileOutcome.REFUSED,
    "list_percent": FileOutcome.REFUSED,
    "list_nul": FileOutcome.REFUSED,
    "list_long_name": FileOutcome.REFUSED,
    "list_markup_name": FileOutcome.REFUSED,
}
"""What becomes of the one file that a fault hits; all others are delivered."""
TWO_FILES = ("list_dotdot", "list_reserved_name", "list_duplicate_sizes", "list_same_name_two_folders")
"""Faults that make two entries refused."""
NO_FILES = {
    "status_failed": "the vendor's job ended as 'Failed'",
    "status_timed_out": "the vendor's job ended as 'TimedOut'",
    "status_cancelled": "the vendor's job ended as 'Cancelled'",
    "status_404": "Job not found",
    "status_never": "still Running; pull again to go on with it",
    "list_empty": "is still empty; pull again to go on with it",
    "list_not_list": "did not come; pull again to go on with it",
    "list_deep_json": "did not come; pull again to go on with it",
    "list_oversized": "vip.max_manifest_mb",
    "export_lost_answer": "whether the job was accepted is not known",
    "export_502": "whether the job was accepted is not known",
    "export_stall": "whether the job was accepted is not known",
    "export_html": "whether the job was accepted is not known",
}
"""Why an accepted job brings nothing."""
NO_JOB = {
    "invalid_client": "invalid_client",
    "token_500_always": "HTTP 500",
    "token_oversized": "vip.max_answer_kb",
    "token_html": "no JSON",
    "unknown_config": "Unknown configuration name",
    "export_503": "HTTP 503",
    "api_dropped": "the connection was cut",
}
"""Why no job was accepted."""
TOO_EARLY = (*(name for name in FAULTS if name.startswith("too_early")), "retry_after_zero")
SOON = {"deadline_minutes": 0.02}
IMPATIENT = {
    "status_never": SOON,
    "list_empty": SOON,
    "list_not_list": SOON,
    "list_deep_json": SOON,
    "export_stall": {"read_seconds": 0.5},
    "file_stall": {"stall_seconds": 0.5, "file_retries": 1, "rounds": 2},
    "file_stall_once": {"stall_seconds": 0.5},
}
"""Faults that only patience ends."""


def pulled_with(fault: str, home: Path) -> tuple[Extract, Site]:
    """Pull once from a vendor with one fault, and check what holds whatever it is."""
    clock = Hand()
    with VipServer(Scenario(faults=(fault,), files=3, tables=2), clock) as server:
        site = Site(home, server, clock, IMPATIENT.get(fault, {}))
        extract = site.pull().extract
        assert site.saved == [extract] == [site.remembered()]
        assert site.is_as_sent(extract)
        assert site.leaks() == []
        assert CANARY not in str(extract_document(extract))
        assert server.strayed == 0
        assert not [each for each in home.rglob("*") if "tmp" in each.name or "#" in each.name]
        return extract, site


def test_every_fault_of_the_vendor_is_judged_here() -> None:
    judged = {*HARMLESS, *ONE_FILE, *TWO_FILES, *NO_FILES, *NO_JOB, *TOO_EARLY}
    assert judged == FAULTS.keys()


@pytest.mark.parametrize("fault", HARMLESS)
def test_what_passes_or_can_be_put_right_costs_no_file(fault: str, tmp_path: Path) -> None:
    extract, site = pulled_with(fault, tmp_path)
    assert (extract.status, extract.mismatches) == (ExtractStatus.OK, [])
    assert extract.files
    assert site.server.accepted_exports == 1


@pytest.mark.parametrize("fault", ONE_FILE)
def test_one_bad_file_stops_no_other(fault: str, tmp_path: Path) -> None:
    extract, site = pulled_with(fault, tmp_path)
    assert extract.status is ExtractStatus.INCOMPLETE
    assert [each.outcome for each in extract.mismatches] == [ONE_FILE[fault]]
    assert all(each.problem for each in extract.mismatches)
    assert len(extract.delivered) >= 4
    assert site.server.accepted_exports == 1


@pytest.mark.parametrize("fault", TWO_FILES)
def test_entries_that_are_not_safe_are_told_and_never_asked_for(fault: str, tmp_path: Path) -> None:
    extract, site = pulled_with(fault, tmp_path)
    assert extract.status is ExtractStatus.INCOMPLETE
    assert [each.outcome for each in extract.mismatches] == [FileOutcome.REFUSED] * 2
    refused = {each.promised.key for each in extract.mismatches}
    assert refused.isdisjoint(site.server.downloads)


@pytest.mark.parametrize("fault", NO_FILES)
def test_a_job_that_brings_nothing_says_why(fault: str, tmp_path: Path) -> None:
    extract, site = pulled_with(fault, tmp_path)
    assert (extract.status, list(extract.files)) == (ExtractStatus.FAILED, [])
    assert NO_FILES[fault] in str(extract.reason)
    assert site.server.accepted_exports == 1
    assert site.files() == {}


@pytest.mark.parametrize("fault", NO_JOB)
def test_where_no_job_is_accepted_the_extract_says_why(fault: str, tmp_path: Path) -> None:
    extract, site = pulled_with(fault, tmp_path)
    assert (extract.status, extract.job_guid) == (ExtractStatus.FAILED, None)
    assert NO_JOB[fault] in str(extract.reason)
    assert site.server.accepted_exports == 0


@pytest.mark.parametrize("fault", TOO_EARLY)
def test_too_early_is_skipped_and_no_failure(fault: str, tmp_path: Path) -> None:
    extract, site = pulled_with(fault, tmp_path)
    assert (extract.status, extract.job_guid) == (ExtractStatus.SKIPPED, None)
    undated = fault in {"too_early_no_date", "too_early_far", "retry_after_zero"}
    assert (extract.next_slot is None) == undated
    assert site.server.export_calls == 1


def test_a_clock_that_is_apart_is_told(tmp_path: Path) -> None:
    _, site = pulled_with("clock_skew", tmp_path)
    assert any("10 minutes apart" in sentence for sentence in site.told)


def test_no_log_record_of_a_pull_holds_a_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    pulled_with("file_expired", tmp_path)
    assert CANARY not in caplog.text
