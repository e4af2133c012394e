"""The rules of the catalog's domains on what was really cataloged: files, index, lake, verdicts."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.catalog.ingesting.bulk import ingest_place
from metaplat.catalog.ingesting.reconciling import reconcile
from metaplat.domains import domain_named
from metaplat.ingest.cataloged import CatalogedPartitions
from metaplat.model.landed import IngestReceipt
from metaplat.model.verdict import Outcome
from metaplat.orchestration.judging import Judge
from metaplat.settings import Settings
from metaplat.stores.catalog.index import Change
from metaplat.stores.catalog.opening import open_index
from metaplat.stores.home import Stores, open_stores
from metaplat_tests.standins.observation_files import fits_bytes
from metaplat_tests.stores.catalog.catalog_rows import edge, event, observation
from metaplat_tests.test_docs import commands_of, wrong_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metaplat.model.verdict import Verdict
    from metaplat.stores.catalog.index import CatalogIndex

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
UNKNOWN = "1957-10-03"


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stores:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("METAPLAT_CONFIG", raising=False)
    return open_stores(Settings(home=tmp_path / "home", catalog={"settle_seconds": 0, "processes": 1}))


@pytest.fixture
def index(stores: Stores) -> Iterator[CatalogIndex]:
    with closing(open_index(stores.settings)) as opened:
        yield opened


def found(
    stores: Stores, index: CatalogIndex, name: str, now: datetime = NOW
) -> dict[str, dict[str, Verdict]]:
    """Write what changed in a domain, and judge every partition of it."""
    domain = domain_named(name)
    parts = CatalogedPartitions(domain, stores, index, now)
    written = parts.write(sorted(parts.stale()))
    assert all(isinstance(result, IngestReceipt) for result in written.values())
    judgement = Judge(domain, stores, now, None).judge_partitions(sorted(written), domain.rules)
    assert judgement.errors == {}
    return judgement.verdicts


def failing(verdicts: dict[str, Verdict]) -> set[str]:
    return {name for name, verdict in verdicts.items() if verdict.outcome is Outcome.FAILED}


def summaries(stores: Stores, name: str, now: datetime = NOW) -> dict[str, Outcome]:
    domain = domain_named(name)
    return {
        rule: each.outcome
        for rule, each in Judge(domain, stores, now, None).judge_table(domain.rules).items()
    }


def test_real_files_that_are_gone_cut_empty_or_there_twice_are_each_told(
    stores: Stores, index: CatalogIndex, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    for name, content in {
        "good": fits_bytes(1),
        "twin": fits_bytes(1),
        "gone": fits_bytes(2),
        "cut": fits_bytes(3, size=60)[:-4000],
        "early": fits_bytes(4, mission="JWST").replace(b"2026-03-01", b"2001-03-01"),
        "ahead": fits_bytes(5).replace(b"2026-03-01", b"2069-03-01"),
        "empty": b"",
    }.items():
        (archive / f"{name}.fits").write_bytes(content)
    ingest_place(str(archive), index, stores.settings, NOW)
    (archive / "gone.fits").unlink()
    reconcile(str(archive), index, stores.settings, NOW)
    verdicts = found(stores, index, "observations")
    assert {key: failing(each) for key, each in verdicts.items()} == {
        UNKNOWN: {"time_within_mission", "rejected_files"},
        "2001-03-01": {"time_within_mission"},
        "2026-03-01": {"truncated_files", "vanished_files", "duplicates_by_content"},
    }
    assert verdicts["2026-03-01"]["vanished_files"].samples[0]["file_path"] == f"{archive}/gone.fits"
    told = [each.sentence for day in verdicts.values() for each in day.values()]
    assert [sentence for sentence in told if "land" in sentence] == []
    assert [words for sentence in told for words in commands_of(sentence) if wrong_words(words)] == []
    assert summaries(stores, "observations")["freshness"] is Outcome.FAILED
    (archive / "gone.fits").write_bytes(fits_bytes(2))
    reconcile(str(archive), index, stores.settings, NOW)
    again = found(stores, index, "observations")
    assert failing(again["2026-03-01"]) == {"truncated_files", "duplicates_by_content"}


def month_of(
    mission: str, days: range, first: int, per_day: int = 1
) -> Iterator[tuple[datetime, dict[str, Any]]]:
    for number, day in enumerate(days):
        for part in range(per_day):
            time = NOW - day * ONE_DAY - part * timedelta(seconds=1)
            yield (
                time,
                observation(
                    first + 1000 * part + number,
                    mission_id=mission,
                    satellite_name=mission,
                    instrument_type="I",
                    observation_timestamp=time,
                    content_digest=f"{mission}{day}{part}",
                ),
            )


def test_missions_are_judged_by_the_days_of_two_months(stores: Stores, index: CatalogIndex) -> None:
    rows = [*month_of("A", range(5, 30), 0), *month_of("B", range(30), 10_000, per_day=60)]
    for time, row in sorted(rows, key=lambda each: each[0]):
        index.apply(Change([row]), time + timedelta(hours=1))
    verdicts = found(stores, index, "observations")
    newest = verdicts["2026-03-20"]
    assert failing(newest) == {"freshness_per_mission"}
    assert newest["freshness_per_mission"].samples[0]["mission_id"] == "A"
    assert newest["freshness_per_mission"].numbers["missions"] == 2
    assert newest["volume_per_mission"].outcome is Outcome.PASSED
    assert newest["volume_per_mission"].numbers["missions"] == 2
    assert failing(verdicts["2026-03-16"]) == set()
    outcomes = summaries(stores, "observations")
    assert outcomes["freshness_per_mission"] is Outcome.FAILED
    assert (outcomes["freshness"], outcomes["volume_per_mission"]) == (Outcome.PASSED, Outcome.PASSED)


def test_edges_are_judged_by_the_state_of_files_as_it_is_now(stores: Stores, index: CatalogIndex) -> None:
    there = [observation(number, satellite_name="S", instrument_type="I") for number in (1, 2, 3)]
    index.apply(Change(there, relationships=[edge(1, 2), edge(2, 3)]), NOW)
    verdicts = found(stores, index, "dataset_relationships")
    assert failing(verdicts["2026-03-20"]) == set()
    index.apply(Change([there[0] | {"file_state": "vanished"}, there[2] | {"file_state": "rejected"}]), NOW)
    index.apply(Change(relationships=[edge(7, 2)]), NOW)
    verdicts = found(stores, index, "dataset_relationships")
    assert failing(verdicts["2026-03-20"]) == {"dangling_edges", "unreadable_ends"}
    assert verdicts["2026-03-20"]["dangling_edges"].numbers["dangling"] == 2
    told = [each.sentence for each in verdicts["2026-03-20"].values()]
    assert [words for sentence in told for words in commands_of(sentence) if wrong_words(words)] == []


def test_a_run_that_never_ended_shows_until_it_does(stores: Stores, index: CatalogIndex) -> None:
    def happened(name: str, days: int, **facts: Any) -> dict[str, Any]:
        return event(name, occurred_at=NOW - days * ONE_DAY, **facts)

    index.apply(
        Change(
            events=[
                happened("start-a", 5, run_id="a"),
                happened("start-b", 3, run_id="b"),
                happened("end-b", 2, run_id="b", action="fail", message="no room"),
            ]
        ),
        NOW,
    )
    verdicts = found(stores, index, "processing_events")
    assert {key: failing(each) for key, each in verdicts.items()} == {
        "2026-03-15": set(),
        "2026-03-17": {"unfinished_runs"},
        "2026-03-18": {"unfinished_runs", "failed_runs"},
    }
    assert summaries(stores, "processing_events")["unfinished_runs"] is Outcome.FAILED
    index.apply(Change(events=[happened("end-a", 0, run_id="a", action="finish")]), NOW)
    assert failing(found(stores, index, "processing_events")["2026-03-20"]) == set()
    outcomes = summaries(stores, "processing_events")
    assert (outcomes["unfinished_runs"], outcomes["failed_runs"]) == (Outcome.PASSED, Outcome.FAILED)
