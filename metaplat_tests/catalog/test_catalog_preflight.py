"""Whether a pipeline may start: selection, quality, files as they are, room; everything at once."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.catalog.ingesting.bulk import ingest_place
from metaplat.catalog.naming import dataset_named
from metaplat.catalog.preflight import PreflightRequest, PreflightResult, State, preflight
from metaplat.model.errors import UsageError
from metaplat.model.filters import Compare
from metaplat.settings import load_settings
from metaplat.stores.catalog.index import Change
from metaplat_tests.standins.observation_files import fits_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metaplat.catalog.client import Catalog

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def three(catalog: Catalog, archive: Path, delivered: Callable[[int], list[Path]]) -> list[Path]:
    """Three cataloged files of quality 0.9."""
    paths = delivered(3)
    ingest_place(str(archive), catalog.index, catalog.settings, NOW)
    ids = [dataset_named(catalog.index, str(path)) for path in paths]
    catalog.index.apply(Change(patches={key: {"data_quality_score": 0.9} for key in ids}), NOW)
    return paths


def asked(catalog: Catalog, now: datetime = NOW, **request: Any) -> PreflightResult:
    return preflight(catalog.index, PreflightRequest(**request), catalog.settings, now)


def states(result: PreflightResult) -> dict[str, str]:
    return {check.name: check.state.value for check in result.checks}


def test_everything_in_place_is_ok(catalog: Catalog, three: list[Path], tmp_path: Path) -> None:
    result = asked(catalog, min_datasets=3, output=str(tmp_path / "not" / "made" / "yet"))
    size = sum(path.stat().st_size for path in three)
    assert result.ok
    assert result.failures == []
    assert states(result) == dict.fromkeys(
        ("datasets", "completeness", "quality", "files", "storage"), "passed"
    )
    assert result.datasets == [dataset_named(catalog.index, str(path)) for path in reversed(three)]
    assert (result.bytes, result.required) == (size, -(-size * 5 // 2))
    free = os.statvfs(tmp_path)
    assert result.available == pytest.approx(free.f_bavail * free.f_frsize, rel=0.2)


def test_the_newest_are_read_where_fewer_are_wanted(catalog: Catalog, three: list[Path]) -> None:
    result = asked(catalog, max_datasets=2)
    assert result.datasets == [dataset_named(catalog.index, str(path)) for path in (three[2], three[1])]


def test_too_few_datasets_tells_of_those_outside_the_window(catalog: Catalog, three: list[Path]) -> None:
    result = asked(catalog, now=NOW + timedelta(days=90))
    assert not result.ok
    assert (
        "No suitable datasets in the last 30 days: 0 found, 1 needed. 3 match at any time." in result.failures
    )
    assert asked(catalog, now=NOW + timedelta(days=90), window_days=None).ok
    assert not asked(catalog, now=NOW - timedelta(days=2), window_days=30).ok  # they lie ahead of that now
    assert len(three) == 3


def test_an_unknown_quality_does_not_pass(catalog: Catalog, three: list[Path]) -> None:
    first = dataset_named(catalog.index, str(three[0]))
    catalog.index.apply(Change(patches={first: {"data_quality_score": None}}), NOW)
    assert first not in asked(catalog).datasets
    assert states(asked(catalog, min_datasets=3))["quality"] == "failed"
    assert asked(catalog, min_datasets=3, min_quality=None).ok
    assert not asked(catalog, min_datasets=3, min_quality=0).ok


def test_a_truncated_file_is_not_read(catalog: Catalog, three: list[Path], archive: Path) -> None:
    three[0].write_bytes(fits_bytes(0, size=64)[:9000])
    ingest_place(str(archive), catalog.index, catalog.settings, NOW)
    first = dataset_named(catalog.index, str(three[0]))
    catalog.index.apply(Change(patches={first: {"data_quality_score": 1.0}}), NOW)
    result = asked(catalog, min_datasets=3)
    assert states(result)["completeness"] == "failed"
    assert first not in result.datasets


def test_gone_and_rewritten_files_are_all_named(catalog: Catalog, three: list[Path]) -> None:
    three[0].unlink()
    three[1].write_bytes(fits_bytes(1) + b"more")
    three[2].write_bytes(fits_bytes(7))
    os.utime(three[2], ns=(1, 1))
    result = asked(catalog)
    [check] = [check for check in result.checks if check.name == "files"]
    found = {sample["file_path"]: sample["found"] for sample in check.samples}
    size = three[2].stat().st_size
    assert check.state is State.FAILED
    assert found == {
        str(three[0]): "gone",
        str(three[1]): f"{size + 4} bytes, cataloged with {size}",
        str(three[2]): "rewritten since",
    }


def test_everything_that_fails_is_told_at_once(catalog: Catalog, three: list[Path], tmp_path: Path) -> None:
    three[0].unlink()
    (tmp_path / "a file").write_text("")
    result = asked(catalog, min_datasets=5, output=str(tmp_path / "a file" / "below"))
    assert states(result) == {
        "datasets": "failed",
        "completeness": "failed",
        "quality": "failed",
        "files": "failed",
        "storage": "failed",
    }


def test_too_little_room_is_told_in_bytes(catalog: Catalog, three: list[Path], tmp_path: Path) -> None:
    result = asked(catalog, out_ratio=1e12, output=str(tmp_path))
    assert states(result)["storage"] == "failed"
    assert result.failures[0].startswith("Insufficient storage: need ")
    assert len(three) == 3


def test_a_bucket_is_measured_by_writing_to_it(
    catalog: Catalog,
    three: list[Path],
    moto_endpoint: str,
    s3_bucket: str,
    s3_client: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("METAPLAT_S3__ENDPOINT_URL", moto_endpoint)
    request = PreflightRequest(output=f"s3://{s3_bucket}/out")
    good = preflight(catalog.index, request, load_settings(), NOW)
    assert good.ok
    assert good.available is None
    assert s3_client.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0
    bad = preflight(catalog.index, PreflightRequest(output="s3://no-such-bucket/x"), load_settings(), NOW)
    assert states(bad)["storage"] == "failed"
    assert len(three) == 3


def test_only_what_is_asked_for_counts(catalog: Catalog, three: list[Path]) -> None:
    assert not asked(catalog, where=Compare("mission_id", "=", "NOBODY")).ok
    assert asked(catalog, where=Compare("mission_id", "=", "HELIOS-9"), min_datasets=len(three)).ok


@pytest.mark.parametrize(
    "request_",
    [
        {"min_datasets": 0},
        {"max_datasets": 0},
        {"min_quality": 1.5},
        {"min_quality": -0.1},
        {"window_days": 0},
        {"out_ratio": -1},
    ],
    ids=str,
)
def test_a_request_out_of_range_is_told(request_: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="it must be"):
        PreflightRequest(**request_)
