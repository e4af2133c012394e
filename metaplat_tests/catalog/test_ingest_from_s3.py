"""Bulk ingest of a prefix: two range requests a file at most, and an outage is no rejection."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from metaplat.catalog.ingesting.bulk import ingest_entries, ingest_place
from metaplat.catalog.ingesting.listing import open_listing
from metaplat.catalog.ingesting.reconciling import reconcile
from metaplat.catalog.ingesting.watching import tick
from metaplat.model.errors import TransientSourceError
from metaplat.model.filters import EVERYTHING
from metaplat.model.observation import dataset_id_of
from metaplat.settings import Settings
from metaplat.stores.catalog.index import Query
from metaplat.stores.catalog.sqlite_index import SqliteIndex
from metaplat_tests.standins.counting_s3 import CountingS3, counting_s3
from metaplat_tests.standins.observation_files import fits_bytes, write_each_format, write_gzip_fits
from metaplat_tests.standins.sick_s3 import sick_s3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from metaplat.catalog.ingesting.results import FileResult

NOW = datetime(2026, 10, 22, 12, tzinfo=UTC)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqliteIndex]:
    opened = SqliteIndex(tmp_path / "catalog.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def bucket(moto_endpoint: str) -> Iterator[CountingS3]:
    del moto_endpoint  # sets credentials
    with counting_s3({}) as store:
        yield store


def settings_of(endpoint: str, processes: int = 1) -> Settings:
    catalog = {"processes": processes, "parallel_requests": 16}
    return Settings.model_validate({"s3": {"endpoint_url": endpoint, "retries": 0}, "catalog": catalog})


def test_each_format_is_read_by_two_requests_at_most_and_as_from_a_disk(
    bucket: CountingS3, index: SqliteIndex, tmp_path: Path
) -> None:
    paths = write_each_format(tmp_path / "local")
    bucket.objects |= {f"raw/{path.name}": path.read_bytes() for path in paths}
    settings = settings_of(bucket.endpoint)
    results: list[FileResult] = []
    ingest_place("s3://bucket/raw", index, settings, NOW, on_result=results.append)
    assert [(result.status, result.error) for result in results] == [("cataloged", None)] * len(paths)
    assert all(len(bucket.requests_of(key)) <= 2 for key in bucket.objects)
    ingest_place(str(tmp_path / "local"), index, settings, NOW)
    for path in paths:
        ids = [dataset_id_of(f"s3://bucket/raw/{path.name}"), dataset_id_of(str(path))]
        remote, local = map(_content, index.get(ids))
        assert remote == local


def _content(row: dict[str, Any]) -> dict[str, Any]:
    of_place = {"dataset_id", "file_path", "modified_time", "content_tag", "change_seq"}
    return {name: value for name, value in row.items() if name not in of_place}


def test_many_objects_are_read_side_by_side_in_other_processes_and_unchanged_ones_never_again(
    bucket: CountingS3, index: SqliteIndex
) -> None:
    bucket.objects |= {f"raw/{number:04d}.fits": fits_bytes(number) for number in range(600)}
    bucket.objects["raw/empty.fits"] = b""
    bucket.latency = 0.005
    settings = settings_of(bucket.endpoint, processes=2)
    summary = ingest_place("s3://bucket/raw", index, settings, NOW)
    assert summary.counts == {"cataloged": 600, "updated": 0, "unchanged": 0, "rejected": 1}
    assert bucket.most_in_flight > 4
    bucket.objects["raw/0007.fits"] = fits_bytes(9007)
    bucket.forget()
    again = ingest_place("s3://bucket/raw", index, settings, NOW)
    assert again.counts == {"cataloged": 0, "updated": 1, "unchanged": 599, "rejected": 1}
    assert [line for line in bucket.asked if line.startswith("GET raw/")] == [
        f"GET raw/0007.fits bytes=0-{(64 << 10) - 1}"
    ]


@pytest.mark.parametrize("processes", [1, 2])
def test_an_outage_while_reading_fails_the_ingest_and_rejects_nothing(
    bucket: CountingS3, index: SqliteIndex, processes: int
) -> None:
    bucket.objects["raw/a.fits"] = fits_bytes()
    entries = list(open_listing("s3://bucket/raw", settings_of(bucket.endpoint)))
    with (
        sick_s3(503, b"<Error><Code>SlowDown</Code></Error>") as sick,
        pytest.raises(TransientSourceError, match="SlowDown"),
    ):
        ingest_entries(entries, "s3://bucket/raw", index, settings_of(sick, processes), NOW)
    assert index.count(EVERYTHING, absent=True) == 0


def test_ticks_and_reconciliations_know_objects_by_their_etag(
    bucket: CountingS3, index: SqliteIndex, tmp_path: Path
) -> None:
    settings = settings_of(bucket.endpoint)
    cut = write_gzip_fits(tmp_path / "cut.fits.gz", size=200).read_bytes()[:-900]
    bucket.objects |= {"raw/a.fits": fits_bytes(1), "raw/b.fits": fits_bytes(2), "raw/c.fits.gz": cut}
    place = "s3://bucket/raw"
    first = tick(place, index, settings, None, NOW)
    assert [entry.path[-4:] for entry in first.ready] == ["fits", "fits", "s.gz"]
    report = reconcile(place, index, settings, NOW)
    assert report.counts == {"new": 3, "cut": 1}
    assert report.files["cut"] == ["s3://bucket/raw/c.fits.gz"]
    bucket.objects["raw/b.fits"] = fits_bytes(3)
    del bucket.objects["raw/a.fits"]
    second = tick(place, index, settings, first.cursor, NOW)
    assert [entry.path for entry in second.ready] == ["s3://bucket/raw/b.fits"]
    third = tick(place, index, settings, second.cursor, NOW)
    assert third.vanished == [dataset_id_of("s3://bucket/raw/a.fits")]
    assert reconcile(place, index, settings, NOW).counts == {"changed": 1, "vanished": 1, "unchanged": 1}
    assert len(index.search(Query())) == 2


def test_an_empty_prefix_with_known_objects_is_an_error_and_marks_nothing(
    bucket: CountingS3, index: SqliteIndex
) -> None:
    settings = settings_of(bucket.endpoint)
    bucket.objects["raw/a.fits"] = fits_bytes(1)
    ingest_place("s3://bucket/raw", index, settings, NOW)
    bucket.objects.clear()
    with pytest.raises(TransientSourceError, match="it is empty"):
        tick("s3://bucket/raw", index, settings, None, NOW)
    with pytest.raises(TransientSourceError, match="it is empty"):
        reconcile("s3://bucket/raw", index, settings, NOW)
    assert index.count(EVERYTHING) == 1
    assert reconcile("s3://bucket/raw", index, settings, NOW, allow_empty=True).counts == {"vanished": 1}
    assert index.count(EVERYTHING) == 0
