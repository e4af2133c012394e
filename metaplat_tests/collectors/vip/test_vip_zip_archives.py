"""Zip files that are safe to unpack, and those that are not, judged by their directory."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.collectors.vip.zip_archives import zip_problem
from metaplat.settings.vip import VipSettings

SETTINGS = VipSettings()


def zipped(entries: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.comment = comment
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()


class File:
    """Bytes that are read by range, and counted."""

    def __init__(self, content: bytes) -> None:
        self.content, self.read = content, 0

    def range(self, start: int, length: int) -> bytes:
        """Return a part."""
        assert 0 <= start <= start + length <= len(self.content)
        self.read += length
        return self.content[start : start + length]


def problem(content: bytes, given: VipSettings = SETTINGS) -> str | None:
    return zip_problem(len(content), File(content).range, given)


@pytest.mark.parametrize(
    "content",
    [
        zipped({"Vessel_1.csv": b"imo;name\n" * 50}),
        zipped({"a/b/Vessel_1.csv": b"x", "a/": b"", "c.csv": b""}),
        zipped({}),
        zipped({"x.csv": b"1"}, comment=b"made by a test PK\x05\x06"),
        zipped({"x.csv": b"1"}, method=zipfile.ZIP_STORED),
        zipped({"Schiff_\u00e4.csv": b"1"}),
    ],
    ids=["one", "folders", "empty", "comment", "stored", "umlaut"],
)
def test_a_plain_zip_has_no_problem(content: bytes) -> None:
    assert problem(content) is None


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}(/[a-z_.]{1,8}z)?", fullmatch=True), st.binary(max_size=300), max_size=20
    ),
    st.binary(max_size=40),
)
def test_whatever_the_standard_library_writes_has_no_problem(
    entries: dict[str, bytes], comment: bytes
) -> None:
    assert problem(zipped(entries, comment=comment), VipSettings(max_zip_ratio=2000)) is None


@settings(max_examples=100)
@given(st.data())
def test_a_damaged_zip_never_raises(data: st.DataObject) -> None:
    content = bytearray(zipped({"a.csv": b"x" * 50, "b/c.csv": b"y" * 20}))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    found = problem(cut)
    assert found is None or found.startswith("it")


@pytest.mark.parametrize("content", [b"", b"imo;name\n", b"PK\x05\x06", bytes(100_000)])
def test_what_is_no_zip_is_told(content: bytes) -> None:
    assert problem(content) == "it is no zip, or its end is missing"


def test_only_the_end_and_the_directory_are_read() -> None:
    content = zipped({f"{number}.csv": bytes(100_000) for number in range(30)}, method=zipfile.ZIP_STORED)
    file = File(content)
    assert zip_problem(len(content), file.range, SETTINGS) is None
    assert file.read < 70_000 < len(content)


def test_a_zip_of_the_large_form_is_read_too() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive, archive.open("x.csv", "w", force_zip64=True) as entry:
        entry.write(b"imo;name\n")
    assert problem(made.getvalue()) is None
    assert problem(_with_end64(zipped({"x.csv": b"1"}))) is None


def _with_end64(content: bytes) -> bytes:
    """Give a zip the end record of the large form, as for more than 65,535 entries."""
    end = content.rindex(b"PK\x05\x06")
    _, _, _, _, entries, size, start, _ = struct.unpack("<4s4H2LH", content[end:])
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, size, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return content[:end] + record + locator + last


def test_the_caps_of_the_settings_hold() -> None:
    many = zipped({f"{number}.csv": b"1" for number in range(11)})
    assert "more than vip.max_zip_entries" in str(problem(many, VipSettings(max_zip_entries=10)))
    dense = zipped({"x.csv": bytes(1_000_000)})
    assert "vip.max_zip_ratio" in str(problem(dense))
    assert problem(dense, VipSettings(max_zip_ratio=2000)) is None
    assert "vip.max_job_gb" in str(
        problem(dense, VipSettings(max_zip_ratio=2000, max_job_gb=999_999 / 2**30))
    )


@pytest.mark.parametrize(
    "name",
    [
        "../x.csv",
        "a/../../x.csv",
        "..",
        "/etc/passwd",
        "..\\x.csv",
        "a\\b.csv",
        "C:x.csv",
        "x\x1b.csv",
        "x\n",
    ],
)
def test_a_name_that_leads_elsewhere_is_told_without_the_name(name: str) -> None:
    found = problem(zipped({name: b"1"}))
    assert found == "its zip holds a name that leads out of it"


def test_a_symbolic_link_is_told() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        link = zipfile.ZipInfo("x.csv")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert problem(made.getvalue()) == "its zip holds a symbolic link"


def _entry(content: bytearray, number: int = 0) -> int:
    """Return where an entry of the directory is."""
    at = -1
    for _ in range(number + 1):
        at = content.index(b"PK\x01\x02", at + 1)
    return at


def test_an_encrypted_zip_is_told() -> None:
    content = bytearray(zipped({"x.csv": b"1"}))
    content[_entry(content) + 8] |= 1
    assert problem(bytes(content)) == "its zip is encrypted"


def test_entries_that_overlap_are_told() -> None:
    content = bytearray(zipped({"a.csv": b"one" * 30, "b.csv": b"two" * 30}, method=zipfile.ZIP_STORED))
    second = _entry(content, 1)
    content[second + 42 : second + 46] = bytes(4)  # both begin at the same place
    assert problem(bytes(content)) == "its zip has entries that overlap"


def test_an_entry_that_reaches_into_the_directory_is_told() -> None:
    content = bytearray(zipped({"a.csv": b"one" * 30}, method=zipfile.ZIP_STORED))
    content[_entry(content) + 20 : _entry(content) + 24] = struct.pack("<L", 5000)
    assert problem(bytes(content)) == "its zip has an entry that reaches into the directory"


def test_the_same_name_twice_is_told() -> None:
    made = zipped({"a.csv": b"1", "b.csv": b"2"}).replace(b"b.csv", b"a.csv")
    assert problem(made) == "its zip holds the same name twice"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"#!/bin/sh\n" + zipped({"a.csv": b"1"}), "no entry"),
        (zipped({"a.csv": b"1"}) + b"more", "no zip"),
        (zipped({"a.csv": b"1"})[:-30], "no zip"),
    ],
    ids=["in front", "behind", "cut"],
)
def test_other_bytes_around_a_zip_are_told(content: bytes, told: str) -> None:
    assert told in str(problem(content))


def test_a_directory_that_claims_more_than_it_holds_is_told() -> None:
    content = bytearray(zipped({"a.csv": b"1", "b.csv": b"2"}))
    end = content.rindex(b"PK\x05\x06")
    for claimed in (1, 3, 4000):
        content[end + 8 : end + 12] = struct.pack("<2H", claimed, claimed)
        assert "directory" in str(problem(bytes(content)))
    content[end + 8 : end + 12] = struct.pack("<2H", 1, 2)
    assert problem(bytes(content)) == "its zip is one of several parts"


def test_a_file_that_is_shorter_than_it_was_is_told() -> None:
    content = zipped({"a.csv": b"1"})
    assert zip_problem(len(content), lambda start, length: content[start : start + length - 1], SETTINGS) == (
        "its zip is cut"
    )
