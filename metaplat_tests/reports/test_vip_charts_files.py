"""What writing the charts leaves behind: a page, ten images, ten CSV files, all of bearable size."""

from __future__ import annotations

import struct
import sys
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from metaplat.model.errors import MissingExtraError
from metaplat.reports.vip.chart_list import CHARTS
from metaplat.reports.vip.charts import PICTURED, ChartFiles, write_charts
from metaplat.reports.vip.images import MAX_SMALL_BYTES
from metaplat.reports.vip.series import chart_frames
from metaplat.reports.vip.tables import chart_csv
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.reports.vip_chart_samples import BEGIN, CONFIG, Planted, history

if TYPE_CHECKING:
    from pathlib import Path

YEAR = 8760
MAX_PAGE_BYTES = 1_500_000
PLANTED = Planted(
    missing=[30, 31, 90],
    failed=[95],
    incomplete={50: ["table1"]},
    excused={31: "moved"},
    anomalies={60: "high", 70: "low"},
)


def written(folder: Path, frames: tuple[pl.DataFrame, ...], **more: bool) -> ChartFiles:
    jobs, tables, sizes = frames
    now = BEGIN + timedelta(hours=jobs.height + 1)
    return write_charts(jobs, tables, sizes, CONFIG, 0.99, LocalObjects(folder), "vip/charts/", now, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("charts")


@pytest.fixture(scope="module")
def files(folder: Path) -> ChartFiles:
    return written(folder, history(200, PLANTED))


def colours(image: bytes) -> tuple[int, int, int]:
    """Return width, height and the number of different colours of a PNG of 8 bit RGBA."""
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, kind = struct.unpack(">IIBB", image[16:26])
    assert (depth, kind) == (8, 6)
    place, packed = 8, b""
    while place < len(image):
        (length,) = struct.unpack(">I", image[place : place + 4])
        if image[place + 4 : place + 8] == b"IDAT":
            packed += image[place + 8 : place + 8 + length]
        place += length + 12
    return width, height, len(set(zlib.decompress(packed)))


def test_every_chart_is_there_as_image_and_csv_beside_the_page(folder: Path, files: ChartFiles) -> None:
    names = [chart.name for chart in CHARTS]
    assert list(files.images) == list(files.tables) == names
    assert list(files.small_images) == [name for name in names if name in PICTURED]
    assert files.page == "vip/charts/charts.html"
    keys = {files.page, *files.images.values(), *files.tables.values()}
    assert {item.key for item in LocalObjects(folder).list_objects()} == keys
    page = (folder / files.page).read_text(encoding="utf-8")
    for key in [*files.images.values(), *files.tables.values()]:
        assert f'href="{key.removeprefix("vip/charts/")}"' in page


@pytest.mark.parametrize("name", [chart.name for chart in CHARTS])
def test_images_are_drawn_and_small_ones_fit_the_event_log(
    folder: Path, files: ChartFiles, name: str
) -> None:
    width, height, different = colours((folder / files.images[name]).read_bytes())
    assert width == 1620
    assert height > 300
    assert different > 20
    if name in PICTURED:
        small = files.small_images[name]
        assert len(small) <= MAX_SMALL_BYTES
        assert colours(small)[2] > 20


def test_csv_files_hold_the_figures_of_the_charts(folder: Path, files: ChartFiles) -> None:
    frames = chart_frames(*history(200, PLANTED), CONFIG)
    for chart in CHARTS:
        assert (folder / files.tables[chart.name]).read_bytes() == chart_csv(frames.of(chart)), chart.name


def test_writing_the_same_history_again_gives_the_same_files(
    folder: Path, files: ChartFiles, tmp_path: Path
) -> None:
    again = written(tmp_path, history(200, PLANTED))
    for key in [again.page, *again.images.values()]:
        assert (tmp_path / key).read_bytes() == (folder / key).read_bytes(), key
    assert again.small_images == files.small_images


def test_a_range_that_is_still_wide_does_not_flatten_the_sizes(tmp_path: Path) -> None:
    jobs, tables, sizes = history(200)
    warming_up = pl.col("hour_utc") < BEGIN + timedelta(hours=90)
    images = []
    for times in (10, 1000):
        high = pl.when(warming_up).then(pl.col("band_hi") * times).otherwise("band_hi")
        files = written(tmp_path, (jobs, tables, sizes.with_columns(band_hi=high)), small=False)
        images.append((tmp_path / files.images["size_hourly"]).read_bytes())
    assert images[0] == images[1]


def test_a_year_of_hours_stays_below_the_limit_of_the_page(tmp_path: Path) -> None:
    faults = Planted(
        missing=range(0, YEAR, 97),
        incomplete={place: [f"table{place % 4}"] for place in range(1, YEAR, 5)},
        anomalies=dict.fromkeys(range(3, YEAR, 211), "high"),
    )
    files = written(tmp_path, history(YEAR, faults), small=False)
    assert (tmp_path / files.page).stat().st_size < MAX_PAGE_BYTES
    assert files.small_images == {}


def test_a_history_without_hours_gives_a_page_that_says_so(tmp_path: Path) -> None:
    files = written(tmp_path, history(0))
    page = (tmp_path / files.page).read_text(encoding="utf-8")
    assert "holds no hour" in page
    assert "<script" not in page
    assert files.images == {}
    assert (tmp_path / files.tables["files_hourly"]).read_text().splitlines() == [
        "hour_utc,files,anomaly,status,excused"
    ]


def test_without_a_folder_the_files_lie_at_the_root(tmp_path: Path) -> None:
    files = write_charts(*history(0), CONFIG, 0.99, LocalObjects(tmp_path), "", BEGIN)
    assert files.page == "charts.html"
    assert (tmp_path / "charts.html").exists()


def test_without_the_library_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(MissingExtraError, match=r"metaplat\[vip\]"):
        written(tmp_path, history(3))
