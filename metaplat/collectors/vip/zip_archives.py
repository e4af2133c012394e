"""Whether a zip file is safe to unpack, judged by its directory alone.

Here: its end, its directory, what that claims: entries, sizes, names, encryption, overlaps.
Not here: unpacking, which nothing here does; names and sizes of the files themselves (``safe_files``).

Source: APPNOTE.TXT, the .ZIP File Format Specification 6.3.10, sections 4.3.12 (directory), 4.3.14 to 4.3.16
(its end, zip64), 4.4.4 (flags), 4.5.3 (zip64 sizes). Overlaps: D. Fifield, "A better zip bomb", 2019.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from metaplat.settings.vip import VipSettings

    ReadRange = Callable[[int, int], bytes]

GIB = 1 << 30
END = struct.Struct("<4s4H2LH")
LOCATOR = struct.Struct("<4sLQL")
END64 = struct.Struct("<4sQ2H2L4Q")
ENTRY = struct.Struct("<4s6H3L5H2L")
LOCAL_HEADER_BYTES = 30
LONGEST_COMMENT = 0xFFFF
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
UTF8 = 1 << 11
ZIP64 = 0x0001
ENTRY_BYTES = 4096
"""No directory needs more for an entry: its name, and a few short fields."""
FILE_TYPE, SYMBOLIC_LINK, UNIX = 0o170000, 0o120000, 3


class _ProblemError(Exception):
    """What is wrong, in one sentence; never leaves this module."""


@dataclass(frozen=True)
class _Directory:
    start: int
    size: int
    entries: int


@dataclass(frozen=True)
class _Entry:
    name: str
    flags: int
    mode: int
    packed: int
    unpacked: int
    start: int
    """Of its local header, which repeats at least the name."""
    least_end: int


def zip_problem(size: int, read_range: ReadRange, settings: VipSettings) -> str | None:
    """Return why a zip file is not safe to unpack.

    Parameters
    ----------
    size : int
        Of the file, in bytes.
    read_range : callable
        ``read_range(start, length)`` gives bytes of the file; its end and its directory are read, no more.
    settings : VipSettings
        ``max_zip_entries``, ``max_zip_ratio`` (unpacked over packed), ``max_job_gb`` (GiB, unpacked).

    Returns
    -------
    str or None
        One sentence without the names of entries, which are remote text; None where nothing is wrong.
    """
    try:
        directory = _directory(size, read_range)
        _check_claims(directory, settings)
        content = _read(read_range, directory.start, directory.size)
        _check_entries(list(_entries(content, directory)), directory, size, settings)
    except _ProblemError as problem:
        return str(problem)
    return None


def _read(read_range: ReadRange, start: int, length: int) -> bytes:
    content = read_range(start, length) if length else b""
    if len(content) != length:
        raise _ProblemError("its zip is cut")
    return content


def _directory(size: int, read_range: ReadRange) -> _Directory:
    """Find the directory from the end of the file."""
    length = min(size, END64.size + LOCATOR.size + END.size + LONGEST_COMMENT)
    tail = _read(read_range, size - length, length)
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0 and not _ends_here(tail, at):
        at = tail.rfind(b"PK\x05\x06", 0, at + 3)
    if at < 0:
        raise _ProblemError("it is no zip, or its end is missing")
    _, disk, first_disk, here, entries, directory_size, start, _ = END.unpack_from(tail, at)
    end = size - length + at
    if FULL16 in {disk, first_disk, here, entries} or FULL32 in {directory_size, start}:
        found, end = _directory64(tail, at, end)
        disk, first_disk, here, entries, directory_size, start = found
    if disk or first_disk or here != entries:
        raise _ProblemError("its zip is one of several parts")
    if start + directory_size != end:
        raise _ProblemError("its zip holds something that is no entry")
    return _Directory(start, directory_size, entries)


def _ends_here(tail: bytes, at: int) -> bool:
    """Whether what looks like the end record reaches to the end of the file."""
    return at + END.size <= len(tail) and at + END.size + END.unpack_from(tail, at)[7] == len(tail)


def _directory64(tail: bytes, at: int, end: int) -> tuple[tuple[int, ...], int]:
    """Return the fields of the zip64 end record, and where it is."""
    locator = at - LOCATOR.size
    if locator < END64.size or tail[locator : locator + 4] != b"PK\x06\x07":
        raise _ProblemError("its zip is damaged at its end")
    _, _, start64, disks = LOCATOR.unpack_from(tail, locator)
    record = start64 - (end - at)  # as a place in the tail
    if disks > 1 or not 0 <= record <= locator - END64.size or tail[record : record + 4] != b"PK\x06\x06":
        raise _ProblemError("its zip is damaged at its end")
    fields = END64.unpack_from(tail, record)
    if record + 12 + fields[1] != locator:
        raise _ProblemError("its zip holds something that is no entry")
    return fields[4:], start64


def _check_claims(directory: _Directory, settings: VipSettings) -> None:
    """Judge what can be judged before the directory is read."""
    if directory.entries > settings.max_zip_entries:
        raise _ProblemError(f"its zip has {directory.entries:,} entries, more than vip.max_zip_entries")
    if not directory.entries * ENTRY.size <= directory.size <= directory.entries * ENTRY_BYTES:
        raise _ProblemError("its zip has a directory that does not fit its number of entries")


def _entries(content: bytes, directory: _Directory) -> Iterator[_Entry]:
    at = 0
    for _ in range(directory.entries):
        if at + ENTRY.size > len(content) or content[at : at + 4] != b"PK\x01\x02":
            raise _ProblemError("its zip has a damaged directory")
        entry, at = _entry(content, at)
        yield entry
    if at != len(content):
        raise _ProblemError("its zip has a damaged directory")


def _entry(content: bytes, at: int) -> tuple[_Entry, int]:
    """Read the entry at a place of the directory; return it and where the next one is."""
    fields = ENTRY.unpack_from(content, at)
    made_by, flags, packed, unpacked = fields[1] >> 8, fields[3], fields[8], fields[9]
    name_length, extra_length, comment_length, disk = fields[10:14]
    name_end = at + ENTRY.size + name_length
    extra_end = name_end + extra_length
    if extra_end + comment_length > len(content):
        raise _ProblemError("its zip has a damaged directory")
    if disk not in {0, FULL16}:
        raise _ProblemError("its zip is one of several parts")
    raw = content[at + ENTRY.size : name_end]
    unpacked, packed, start = _sizes64(content[name_end:extra_end], (unpacked, packed, fields[16]))
    entry = _Entry(
        name=raw.decode("utf-8" if flags & UTF8 else "cp437", errors="replace"),
        flags=flags,
        mode=fields[15] >> 16 if made_by == UNIX else 0,
        packed=packed,
        unpacked=unpacked,
        start=start,
        least_end=start + LOCAL_HEADER_BYTES + name_length + packed,
    )
    return entry, extra_end + comment_length


def _sizes64(extra: bytes, sizes: Sequence[int]) -> list[int]:
    """Return the sizes; each that is full stands in the zip64 field, in their order."""
    field = _extra_field(extra, ZIP64) if FULL32 in sizes else b""
    found, at = [], 0
    for size in sizes:
        if size != FULL32:
            found.append(size)
            continue
        if at + 8 > len(field):
            raise _ProblemError("its zip has an entry without its sizes")
        found.append(int.from_bytes(field[at : at + 8], "little"))
        at += 8
    return found


def _extra_field(extra: bytes, wanted: int) -> bytes:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == wanted:
            return extra[at + 4 : at + 4 + length]
        at += 4 + length
    return b""


def _check_entries(
    entries: Sequence[_Entry], directory: _Directory, size: int, settings: VipSettings
) -> None:
    for entry in entries:
        _check_entry(entry)
    if len({entry.name.rstrip("/") for entry in entries}) < len(entries):
        raise _ProblemError("its zip holds the same name twice")
    unpacked = sum(entry.unpacked for entry in entries)
    if unpacked > settings.max_job_gb * GIB:
        raise _ProblemError(f"its zip claims to hold {unpacked:,} bytes, more than vip.max_job_gb")
    if unpacked > settings.max_zip_ratio * size:
        raise _ProblemError(f"its zip of {size:,} bytes claims to hold {unpacked:,}: see vip.max_zip_ratio")
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.start):
        if entry.start < end:
            raise _ProblemError("its zip has entries that overlap")
        end = entry.least_end
    if end > directory.start:
        raise _ProblemError("its zip has an entry that reaches into the directory")


def _check_entry(entry: _Entry) -> None:
    name = entry.name
    if entry.flags & ENCRYPTED:
        raise _ProblemError("its zip is encrypted")
    leads_elsewhere = name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")
    if not name or not name.isprintable() or leads_elsewhere:
        raise _ProblemError("its zip holds a name that leads out of it")
    if entry.mode & FILE_TYPE == SYMBOLIC_LINK:
        raise _ProblemError("its zip holds a symbolic link")
