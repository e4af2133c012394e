"""HDF5 attributes of every type and number, in every version of the format that h5py writes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metaplat.collectors.headers.hdf5 import read_tree
from metaplat.collectors.headers.hdf5_contents import describe
from metaplat.collectors.headers.hdf5_library import open_library
from metaplat.collectors.headers.hdf5_values import HIDDEN
from metaplat.collectors.headers.local_source import open_local
from metaplat_tests.collectors.headers.byte_sources import read_local

if TYPE_CHECKING:
    from metaplat.collectors.headers.header import Header

VERSIONS = ["earliest", ("earliest", "v108"), "v110", "v112", "latest"]

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
NAMES = TEXT.filter(lambda name: name not in ("", ".", *HIDDEN) and "/" not in name and not name.isspace())
WHOLE = st.sampled_from(["<i1", ">i2", "<i4", ">i8", "<u1", ">u4", "<u8"])
VALUES: st.SearchStrategy[Any] = st.one_of(
    TEXT,
    st.booleans().map(np.bool_),
    st.integers(0, 127),
    st.builds(lambda number, kind: np.array(number, kind), st.integers(0, 127), WHOLE),
    st.lists(st.integers(0, 127), min_size=1, max_size=5).map(lambda each: np.array(each, ">i4")),
    st.floats(allow_nan=False),
    st.floats(width=32, allow_nan=False).map(np.float32),
    st.floats(width=16, allow_nan=False).map(np.float16),
    TEXT.map(lambda text: np.bytes_(text.encode())),
    st.lists(TEXT.filter(bool), min_size=1, max_size=3).map(lambda each: np.array(each, h5py.string_dtype())),
    st.just(h5py.Empty("f4")),
)


def expected(value: Any) -> object:
    """Return what is kept of a value that was written."""
    if isinstance(value, h5py.Empty):
        return None
    if isinstance(value, (str, bytes)):
        return _text(value)
    listed = np.asarray(value).ravel().tolist()
    listed = [_text(each) if isinstance(each, (str, bytes)) else each for each in listed]
    return listed[0] if len(listed) == 1 else listed


def _text(value: str | bytes) -> str | None:
    text = value.decode() if isinstance(value, bytes) else value
    return text if text and not text.isspace() else None


def by_library(path: Path) -> Header:
    """Read a file with h5py, in this process."""
    flags: set[str] = set()
    with open_local(str(path)) as source, open_library(source, flags) as root:
        return describe(root, flags)


def by_parser(path: Path) -> Header:
    """Read a file without the library; it raises where that takes it."""
    with open_local(str(path)) as source:
        return read_tree(source)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    attributes=st.dictionaries(NAMES, VALUES, max_size=14),
    version=st.sampled_from(VERSIONS),
    tracked=st.booleans(),
)
def test_attributes_come_back_as_they_were_written(
    attributes: dict[str, Any], version: Any, tracked: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.h5"
        with h5py.File(path, "w", libver=version, track_order=tracked) as file:
            for name, value in attributes.items():
                file.attrs[name] = value
        header = by_parser(path)
        assert header.values == {name: expected(value) for name, value in attributes.items()}
        assert header == by_library(path)


@pytest.mark.parametrize("version", VERSIONS, ids=str)
@pytest.mark.parametrize("user_block", [0, 512, 4096])
@pytest.mark.parametrize("count", [8, 9, 60, 900])
def test_few_and_very_many_attributes_and_groups_are_all_read(
    tmp_path: Path, version: Any, user_block: int, count: int
) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver=version, userblock_size=user_block) as file:
        for number in range(count):
            file.attrs[f"attribute {number}"] = f"value {number}"
        for number in range(30):
            file.create_group(f"group {number}").attrs["number"] = number
    header = by_parser(path)
    assert len(header.values) == count + 30
    assert header.values[f"attribute {count - 1}"] == f"value {count - 1}"
    assert header.values["group 29/number"] == 29
    assert header == by_library(path)


def test_five_thousand_attributes_and_links_are_read_from_trees_of_several_levels(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver="latest") as file:
        for number in range(5000):
            file.attrs[f"attribute {number}"] = number
            file[f"link {number}"] = h5py.SoftLink("/elsewhere")
        file["zz group"] = file.create_group("a group")
        file["a group"].attrs["name"] = "inner"
    header = by_parser(path)
    assert header.values["attribute 4999"] == 4999
    assert header.values["a group/name"] == header.values["zz group/name"] == "inner"
    assert len(header.values) == 5002


def test_what_is_neither_text_nor_number_is_left_out_with_a_flag(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        file["values"] = np.arange(3)
        file.attrs["reference"] = file["values"].ref
        file.attrs["pair"] = np.array((1, 2.0), dtype=[("a", "i4"), ("b", "f8")])
        file.attrs["opaque"] = np.void(b"\x01\x02")
        file.attrs["complex"] = 1 + 2j
        file.attrs["long"] = np.arange(101)
        file.attrs["kept"] = np.arange(100)
    header = by_parser(path)
    assert header.flags == ["left_out"]
    assert [name for name, value in header.values.items() if value is not None] == ["kept"]
    assert header.values["kept"] == list(range(100))
    assert by_library(path).flags == ["left_out"]


def test_an_attribute_of_more_than_64_kib_is_left_out_or_read_but_never_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs.create("history", np.bytes_(b"x" * 70_000))
        file.attrs["mission"] = "HELIOS-9"
    header = by_parser(path)
    assert header.values["mission"] == "HELIOS-9"
    assert "left_out" in header.flags


def test_enumerations_are_numbers_and_those_of_truth_are_booleans(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        file.attrs.create("level", 2, dtype=h5py.enum_dtype({"RAW": 0, "L1": 1, "L2": 2}, basetype="u1"))
        file.attrs["valid"] = np.bool_(True)
    assert by_parser(path).values == {"level": 2, "valid": True}


def test_text_that_is_not_utf8_is_latin1_with_a_flag(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        file.attrs["target"] = np.bytes_("Köln".encode("latin-1"))
    for header in (by_parser(path), by_library(path)):
        assert header.values == {"target": "Köln"}
        assert header.flags == ["latin1"]


def test_a_type_that_is_kept_elsewhere_is_read_by_the_library_in_a_process_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        file["kind"] = np.dtype("f8")
        file.attrs.create("exposure", 1.5, dtype=file["kind"])
        file.attrs["nothing"] = float("nan")
    header = read_local(path)
    assert header.file_format == "hdf5"
    assert header.values["exposure"] == 1.5
    assert header.values["nothing"] != header.values["nothing"]


def test_a_file_in_a_folder_that_cannot_be_written_is_read_and_leaves_nothing_there(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        file["kind"] = np.dtype("f8")
        file.attrs.create("exposure", 1.5, dtype=file["kind"])
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        assert read_local(path).values == {"exposure": 1.5}
    finally:
        tmp_path.chmod(0o755)
    assert [each.name for each in tmp_path.iterdir()] == ["file.h5"]
