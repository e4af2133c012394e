"""Listing a place: every file once, in one order, and nothing passed over in silence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.catalog.ingesting.listing import FileEntry, open_listing
from metaplat.model.errors import TransientSourceError, UsageError
from metaplat.model.observation import shown_path
from metaplat.settings import Settings
from metaplat_tests.standins.bound_process import bound, refuse
from metaplat_tests.standins.counting_s3 import CountingS3, counting_s3
from metaplat_tests.standins.sick_s3 import sick_s3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = Settings()

_NAMES = st.text(st.sampled_from("ab!0/~.é\n"), min_size=1, max_size=6)


def names(place: Path | str, settings: Settings = SETTINGS) -> list[str]:
    """Return what a listing yields, relative to the place."""
    listing = open_listing(str(place), settings)
    return [entry.path.removeprefix(f"{listing.address}/") for entry in listing]


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def test_files_come_in_the_order_of_their_whole_paths(tmp_path: Path) -> None:
    touch(tmp_path, "a/x", "a!", "a0", "a-b/y", "b", "é", "a/b/c")
    assert names(tmp_path) == sorted(["a/x", "a!", "a0", "a-b/y", "b", "é", "a/b/c"])


@given(st.sets(_NAMES, max_size=12))
def test_any_tree_is_listed_in_code_point_order(
    tmp_path_factory: pytest.TempPathFactory, wanted: set[str]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    for name in sorted(wanted):
        path = "/".join(f"n{part}" for part in name.split("/"))
        if not (root / path).exists() and not any((root / path).parents[n].is_file() for n in range(4)):
            touch(root, path)
    found = names(root)
    assert found == sorted(found)
    kept = [path for path in root.rglob("*") if path.is_file()]
    shown = [str(path.relative_to(root)) for path in kept]
    assert found == sorted(name for name in shown if not any(p.endswith("~") for p in name.split("/")))


def test_names_with_newlines_and_without_utf8_are_listed(tmp_path: Path) -> None:
    odd = os.fsdecode(b"dark\xff\n1.fits")
    touch(tmp_path, odd, "plain.fits")
    listed = names(tmp_path)
    assert sorted(listed) == sorted([odd, "plain.fits"])
    assert [shown_path(name) for name in listed] == ["dark\\xff\n1.fits", "plain.fits"]


def test_hidden_names_and_deliveries_are_left_out_and_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a.fits", ".b.fits.x7", "c.fits.tmp", "d.part", "e.filepart", "f~", ".snapshot/a.fits")
    listing = open_listing(str(tmp_path), SETTINGS)
    assert [entry.path for entry in listing] == [str(tmp_path / "a.fits")]
    assert listing.left_out == 6


def test_links_to_files_are_files_and_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.fits", "outside")
    (tmp_path / "real/loop").symlink_to(tmp_path)
    (tmp_path / "real/self").symlink_to("self")
    (tmp_path / "real/b.fits").symlink_to("a.fits")
    (tmp_path / "real/nowhere.fits").symlink_to("missing")
    listing = open_listing(str(tmp_path / "real"), SETTINGS)
    assert [entry.path.rpartition("/")[2] for entry in listing] == [
        "a.fits",
        "b.fits",
        "nowhere.fits",
        "self",
    ]
    assert listing.left_out == 1


def test_a_file_is_a_place_whatever_its_name(tmp_path: Path) -> None:
    touch(tmp_path, ".hidden.fits")
    assert [entry.size for entry in open_listing(str(tmp_path / ".hidden.fits"), SETTINGS)] == [1]
    assert open_listing(str(tmp_path / ".hidden.fits"), SETTINGS).below is None


def test_relative_places_and_slashes_at_the_end_mean_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "d/a.fits")
    monkeypatch.chdir(tmp_path)
    for place in ("d", "./d/", str(tmp_path / "d") + "//", "../" + tmp_path.name + "/d"):
        assert [entry.path for entry in open_listing(place, SETTINGS)] == [str(tmp_path / "d/a.fits")]


@pytest.mark.parametrize("place", ["", "/no/such/folder", "gs://bucket/x", "http://user:secret@host/x?sig=1"])
def test_what_is_no_place_is_a_usage_error_without_secrets(place: str) -> None:
    with pytest.raises(UsageError) as caught:
        list(open_listing(place, SETTINGS))
    assert "secret" not in str(caught.value)
    assert "sig" not in str(caught.value)


def test_a_folder_that_may_not_be_looked_into_is_reported_and_stops_nothing(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.fits", "b/2.fits", "c/3.fits")
    refuse(tmp_path / "b")
    program = (
        "import json, sys; from metaplat.settings import Settings; "
        "from metaplat.catalog.ingesting.listing import open_listing; "
        "listing = open_listing(sys.argv[1], Settings()); "
        "print(json.dumps([[entry.path for entry in listing], listing.unlisted]))"
    )
    command = bound(sys.executable, "-c", program, tmp_path)
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    finally:
        (tmp_path / "b").chmod(0o755)
    listed, unlisted = json.loads(answer)
    assert listed == [str(tmp_path / "a/1.fits"), str(tmp_path / "c/3.fits")]
    assert [path for path, _ in unlisted] == [str(tmp_path / "b")]
    assert "not_allowed" in unlisted[0][1]


@pytest.fixture
def bucket(moto_endpoint: str) -> Iterator[CountingS3]:
    del moto_endpoint  # sets credentials
    with counting_s3({}) as store:
        yield store


def settings_of(endpoint: str) -> Settings:
    return Settings.model_validate({"s3": {"endpoint_url": endpoint, "retries": 0}})


def test_objects_come_page_by_page_in_the_order_of_their_keys(bucket: CountingS3) -> None:
    bucket.objects |= {f"raw/{number:05d}.fits": b"x" for number in range(2500)} | {"rawer": b"x"}
    listed = names("s3://bucket/raw/", settings_of(bucket.endpoint))
    assert listed == sorted(f"{number:05d}.fits" for number in range(2500))


def test_an_object_is_a_place_and_marks_of_folders_are_none(bucket: CountingS3) -> None:
    bucket.objects |= {"raw/a.fits": b"abc", "raw/.hidden": b"x", "raw/b.part": b"x"}
    settings = settings_of(bucket.endpoint)
    listing = open_listing("s3://bucket/raw", settings)
    assert [entry.path for entry in listing] == ["s3://bucket/raw/a.fits"]
    assert listing.left_out == 2
    only = open_listing("s3://bucket/raw/a.fits", settings)
    entries: list[FileEntry] = list(only)
    assert [(entry.path, entry.size) for entry in entries] == [("s3://bucket/raw/a.fits", 3)]
    assert entries[0].content_tag == entries[0].etag
    assert only.below is None


def test_an_outage_of_s3_is_no_empty_place(moto_endpoint: str) -> None:
    del moto_endpoint
    with sick_s3(503, b"<Error><Code>SlowDown</Code></Error>") as url, pytest.raises(TransientSourceError):
        names("s3://bucket/raw", settings_of(url))
