"""HDF5 files that are cut, damaged or not finished: a header, a reason, and never anything else."""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metaplat.collectors.headers.hdf5 import read_hdf5, read_tree
from metaplat.collectors.headers.hdf5_bytes import UnusualError
from metaplat.collectors.headers.hdf5_child import read_in_child
from metaplat.collectors.headers.hdf5_library import open_library
from metaplat.collectors.headers.header import HeaderError
from metaplat.collectors.headers.local_source import open_local
from metaplat_tests.collectors.headers.byte_sources import FarSource, read_local, refusal_of


@lru_cache
def whole(version: str, user_block: int = 0) -> bytes:
    """Return a file with texts, numbers, groups and a time."""
    stream = BytesIO()
    with h5py.File(stream, "w", libver=version, userblock_size=user_block) as file:
        for number in range(12):
            file.attrs[f"attribute {number}"] = [f"text {number}", number, number * 1.5][number % 3]
        file.attrs["fixed"] = np.bytes_(b"HELIOS-9")
        file.create_group("group").attrs["inner"] = "value"
        file["time"] = np.arange(100.0)
        file["time"].attrs["units"] = "seconds since 2026-01-01"
        file["time"].make_scale("time")
    return stream.getvalue()


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("version", ["earliest", "latest"])
@pytest.mark.parametrize("user_block", [0, 512])
def test_a_cut_file_is_truncated_and_the_reason_has_the_sizes_that_the_library_names(
    tmp_path: Path, version: str, user_block: int
) -> None:
    content = whole(version, user_block)
    path = written(tmp_path / "cut.h5", content[:-100])
    error = refusal_of(path)
    assert error.code == "truncated"
    with pytest.raises(OSError, match="truncated") as refused:
        h5py.File(path, "r")
    sizes = re.search(r"(?<!stored_)eof = (\d+).*stored_eof = (\d+)", str(refused.value))
    assert sizes is not None
    assert f"stored_eof = {sizes[2]}" in error.text
    assert f"eof = {len(content) - 100}," in error.text


def test_a_file_that_goes_on_behind_its_end_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "longer.h5", whole("latest") + b"rubbish")
    assert read_local(path).values["fixed"] == "HELIOS-9"


@pytest.mark.parametrize("length", [8, 20, 47, 90])
def test_a_file_cut_in_its_superblock_is_broken_or_truncated(tmp_path: Path, length: int) -> None:
    assert refusal_of(written(tmp_path / "cut.h5", whole("earliest")[:length])).code in (
        "broken",
        "truncated",
    )


def test_a_file_whose_writer_has_not_closed_it_says_so(tmp_path: Path) -> None:
    content = bytearray(whole("latest"))
    content[11] = 1  # the consistency flag: open for writing
    path = written(tmp_path / "open.h5", bytes(content))
    assert "open_for_writing" in read_local(path).flags


def test_a_damaged_text_leaves_the_other_attributes_and_a_flag(tmp_path: Path) -> None:
    content = whole("earliest").replace(b"GCOL", b"XXXX")
    header = read_local(written(tmp_path / "damaged.h5", content))
    assert header.flags == ["damaged"]
    assert header.values["attribute 1"] == 1
    assert header.values["fixed"] == "HELIOS-9"
    assert "attribute 0" not in header.values


def test_a_damaged_group_leaves_the_attributes_of_the_file_and_a_flag(tmp_path: Path) -> None:
    content = whole("earliest").replace(b"SNOD", b"XXXX")
    header = read_local(written(tmp_path / "damaged.h5", content))
    assert header.flags == ["damaged"]
    assert header.values["attribute 0"] == "text 0"


def test_a_tree_that_is_a_circle_comes_to_an_end(tmp_path: Path) -> None:
    content = bytearray(whole("earliest"))
    tree = content.index(b"TREE")
    content[tree + 5] = 1  # a level higher: its children are trees
    content[tree + 32 : tree + 40] = tree.to_bytes(8, "little")
    header = read_local(written(tmp_path / "circle.h5", bytes(content)))
    assert header.flags == ["damaged"]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    version=st.sampled_from(["earliest", "latest"]),
    changes=st.lists(st.tuples(st.integers(8, 20_000), st.integers(0, 255)), max_size=8),
    cut=st.none() | st.integers(0, 20_000),
)
def test_damaged_bytes_give_a_header_or_a_reason(
    version: str, changes: list[tuple[int, int]], cut: int | None
) -> None:
    """The library is left out: on such files it has been seen to run for ever."""
    content = bytearray(whole(version))
    for at, byte in changes:
        content[at % len(content)] = byte
    content[:8] = b"\x89HDF\r\n\x1a\n"
    kept = bytes(content if cut is None else content[: max(cut % len(content), 8)])
    try:
        header = read_tree(FarSource(kept))
    except (HeaderError, UnusualError):
        return
    assert header.file_format in ("hdf5", "netcdf4", "hdf-eos5")


def test_a_file_on_which_the_library_does_not_come_to_an_end_is_broken_after_a_while(tmp_path: Path) -> None:
    """A deadline of next to nothing stands for a library that takes for ever."""
    path = written(tmp_path / "file.h5", whole("earliest"))
    with (
        open_local(str(path)) as source,
        pytest.raises(HeaderError, match="did not come to an end") as refused,
    ):
        read_in_child(source, longest_s=0.001)
    assert refused.value.code == "broken"


def test_the_child_reads_what_the_parser_reads_here_and_on_s3(tmp_path: Path) -> None:
    path = written(tmp_path / "file.h5", whole("latest"))
    wanted = read_local(path)
    with open_local(str(path)) as source:
        assert read_in_child(source) == wanted
    assert read_in_child(FarSource(whole("latest"), first_block=2048)) == wanted


def test_the_child_says_why_the_library_refuses_a_file(tmp_path: Path) -> None:
    path = written(tmp_path / "cut.h5", whole("latest")[:-10])
    with open_local(str(path)) as source, pytest.raises(HeaderError, match="stored_eof") as refused:
        read_in_child(source)
    assert refused.value.code == "truncated"


def test_a_file_without_the_library_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "file.h5", whole("latest"))
    monkeypatch.setitem(sys.modules, "h5py", None)
    with open_local(str(path)) as source:
        assert read_hdf5(source).values["fixed"] == "HELIOS-9"  # the common forms do not need it
        with pytest.raises(HeaderError, match=r"pip install 'metaplat\[catalog\]'") as refused:
            open_library(source, set()).__enter__()
    assert refused.value.code == "reader_missing"


def test_a_name_that_is_not_utf8_and_has_a_newline_is_opened(tmp_path: Path) -> None:
    folder = bytes(tmp_path)
    name = b"odd \xff\nname.h5"
    Path(os.fsdecode(folder + b"/" + name)).write_bytes(whole("latest"))
    path = next(tmp_path.iterdir())
    assert read_local(path).values["fixed"] == "HELIOS-9"
    with open_local(str(path)) as source:
        assert read_in_child(source).values["fixed"] == "HELIOS-9"
