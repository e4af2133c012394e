"""Unpacking gives back what was packed, and of a cut or damaged file all that comes before."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.spark.log_files.unpack import MAGIC, Unpacked, unpack
from metaplat_tests.collectors.packed import (
    PACKERS,
    SNAPPY_HEADER,
    lz4_block,
    pack_gzip,
    pack_gzip_member,
    pack_lz4,
    pack_lzf,
    pack_snappy,
    pack_zstd,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE = b'{"Event":"SparkListenerTaskEnd","Stage ID":%d,"Task Info":{"Task ID":%d}}\n'
LINES = b"".join(LINE % (task // 100, task) for task in range(20_000))
CODECS = sorted(PACKERS)

contents = st.one_of(
    st.binary(max_size=3000),
    st.lists(st.sampled_from([b"a", b"abc", b'{"Event":', b"\x00" * 300, LINES[:500]]), max_size=60).map(
        b"".join
    ),
)
sizes = st.integers(min_value=1, max_value=4000)


def in_chunks(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def read(packed: bytes, size: int = 1 << 20) -> tuple[bytes, Unpacked]:
    unpacked = unpack(in_chunks(packed, size))
    pieces = list(unpacked)
    assert all(pieces)
    return b"".join(pieces), unpacked


@given(contents, st.sampled_from(CODECS), sizes, sizes)
def test_any_content_comes_back_whatever_blocks_and_chunks_it_was_in(
    content: bytes, codec: str, block: int, chunk: int
) -> None:
    packed = PACKERS[codec](content, block)
    found, unpacked = read(packed, chunk)
    assert found == content
    assert (unpacked.codec, unpacked.truncated, unpacked.damage) == (
        codec if packed else "none",
        False,
        None,
    )


@given(st.binary(max_size=3000).map(lambda content: b"{" + content), sizes)
def test_what_is_not_packed_comes_as_it_is(content: bytes, chunk: int) -> None:
    found, unpacked = read(content, chunk)
    assert found == content
    assert (unpacked.codec, unpacked.truncated) == ("none", False)


@given(contents, st.sampled_from(CODECS), sizes, sizes, st.data())
def test_a_file_cut_at_any_byte_gives_what_comes_before_and_says_so(
    content: bytes, codec: str, block: int, chunk: int, data: st.DataObject
) -> None:
    packed = PACKERS[codec](content, block)
    cut = data.draw(st.integers(min_value=0, max_value=len(packed)))
    found, unpacked = read(packed[:cut], chunk)
    assert content.startswith(found)
    assert unpacked.truncated is (unpacked.damage is not None)
    assert (
        unpacked.truncated or found == content or len(found) % block == 0
    )  # it has no mark of its end there


@pytest.mark.parametrize("codec", CODECS)
def test_a_file_cut_in_its_last_block_loses_only_that_block(codec: str) -> None:
    packed = PACKERS[codec](LINES, 1 << 15)
    cut = packed[: -400 if codec != "gzip" else -200]
    found, unpacked = read(cut)
    assert unpacked.truncated
    assert LINES.startswith(found)
    assert len(LINES) - len(found) <= 1 << 16


@given(st.sampled_from(sorted(MAGIC)), st.binary(max_size=2000), sizes)
def test_random_bytes_after_a_mark_never_raise(magic: bytes, content: bytes, chunk: int) -> None:
    _, unpacked = read(magic + content, chunk)
    assert unpacked.truncated is (unpacked.damage is not None)


@given(contents, st.sampled_from(CODECS), sizes, st.data())
def test_a_changed_byte_never_raises(content: bytes, codec: str, block: int, data: st.DataObject) -> None:
    packed = bytearray(PACKERS[codec](content, block))
    if packed:
        packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    _, unpacked = read(bytes(packed))
    assert unpacked.truncated is (unpacked.damage is not None)


@pytest.mark.parametrize("codec", ["zstd", "gzip", "lz4", "snappy"])
def test_what_comes_before_a_damaged_place_is_delivered(codec: str) -> None:
    packed = bytearray(PACKERS[codec](LINES, 1 << 15))
    middle = len(packed) // 2
    packed[middle : middle + 300] = b"\xff" * 300
    found, unpacked = read(bytes(packed))
    assert unpacked.truncated
    assert unpacked.damage is not None
    assert unpacked.damage.startswith(f"{codec}: ")
    assert len(found) > len(LINES) // 3
    assert LINES.startswith(
        found[: len(found) * 9 // 10]
    )  # where there is no checksum, the last block may differ


def test_a_wrong_checksum_of_gzip_costs_no_content() -> None:
    packed = bytearray(pack_gzip_member(LINES))
    packed[-5] ^= 1
    found, unpacked = read(bytes(packed))
    assert found == LINES
    assert unpacked.damage is not None
    assert "incorrect data check" in unpacked.damage


def test_a_wrong_checksum_of_zstd_costs_no_content() -> None:
    packed = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(LINES))
    packed[-1] ^= 1
    found, unpacked = read(bytes(packed))
    assert found == LINES
    assert unpacked.damage is not None


@pytest.mark.parametrize("codec", CODECS)
def test_streams_put_together_are_read_as_one(codec: str) -> None:
    found, unpacked = read(PACKERS[codec](LINES, 1 << 15) + PACKERS[codec](LINES[:5000], 1 << 15))
    assert found == LINES + LINES[:5000]
    assert not unpacked.truncated


@pytest.mark.parametrize("codec", CODECS)
def test_foreign_bytes_after_the_end_are_told(codec: str) -> None:
    found, unpacked = read(PACKERS[codec](LINES, 1 << 15) + b"\x7f no such thing \x7f")
    assert found == LINES
    assert unpacked.truncated


def test_zeros_after_the_end_of_gzip_are_nothing() -> None:
    found, unpacked = read(pack_gzip(LINES) + bytes(1000))
    assert found == LINES
    assert not unpacked.truncated


def test_frames_that_zstd_skips_are_skipped() -> None:
    skipped = b"\x53\x2a\x4d\x18" + struct.pack("<I", 300_000) + bytes(300_000)
    found, unpacked = read(skipped + pack_zstd(LINES) + skipped)
    assert found == LINES
    assert (unpacked.codec, unpacked.truncated) == ("zstd", False)
    assert read(skipped[:-1])[1].truncated


def test_an_empty_file_is_complete() -> None:
    found, unpacked = read(b"")
    assert (found, unpacked.codec, unpacked.truncated) == (b"", "none", False)


@pytest.mark.parametrize("codec", ["zstd", "gzip", "snappy", "lz4"])
def test_a_bomb_is_unpacked_in_small_pieces(codec: str) -> None:
    packed = PACKERS[codec](bytes(64 << 20), 1 << 20)
    unpacked = unpack(iter([packed]))
    largest = total = 0
    for piece in unpacked:
        largest, total = max(largest, len(piece)), total + len(piece)
    assert total == 64 << 20
    assert largest <= 2 << 20


HUGE = 2**31


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        (SNAPPY_HEADER + struct.pack(">I", HUGE) + b"abc", "claims 2,147,483,648"),
        (SNAPPY_HEADER + struct.pack(">I", 8) + b"\xff\xff\xff\xff\x07abc", "claims 2,147,483,647"),
        (b"LZ4Block" + struct.pack("<BIII", 0x2F, HUGE, HUGE, 0) + b"abc", "claims 2,147,483,648"),
        (b"LZ4Block" + struct.pack("<BIII", 0x2F, 4, 1 << 25, 0) + b"abcd", "claims 33,554,432"),
        (b"LZ4Block" + struct.pack("<BIII", 0x3F, 4, 40, 0) + b"abcd", "no known way"),
        (
            b"\x28\xb5\x2f\xfd\x00\x58" + (1_500_000 << 3 | 1 << 1).to_bytes(3, "little") + b"a",
            "claims 1,500",
        ),
        (b"\x28\xb5\x2f\xfd\x00\xff" + bytes([1, 0, 0]), "zstd: damaged"),
        (b"ZV\x01\x00\x02\xff\xff\xff\xff", "ends in the middle of a copy"),
        (b"ZV\x01\x00\x02\xff\xff\x20\x00", "from before the start"),
        (b"ZV\x01\x00\x02\xff\xff\x00a", "65,535 bytes has 1"),
        (b"ZV\x05\x00\x02ab", "what follows a chunk is none"),
    ],
)
def test_a_false_claim_is_damage_and_nothing_is_made_for_it(packed: bytes, words: str) -> None:
    found, unpacked = read(packed)
    assert found == b""
    assert unpacked.damage is not None
    assert words in unpacked.damage


def test_a_stream_of_lz4_without_an_end_is_cut() -> None:
    found, unpacked = read(lz4_block(LINES[:30_000]))
    assert found == LINES[:30_000]
    assert unpacked.truncated
    assert read(pack_lz4(LINES[:30_000]))[1].truncated is False


def test_a_source_that_fails_is_heard() -> None:
    def failing() -> Iterator[bytes]:
        yield pack_zstd(LINES)[:1000]
        raise OSError(5, "the disk is on fire")

    with pytest.raises(OSError, match="on fire"):
        list(unpack(failing()))


def test_the_source_is_closed_at_damage_and_where_the_reader_leaves() -> None:
    closed = []

    def source(content: bytes) -> Iterator[bytes]:
        try:
            yield content
            yield content
        finally:
            closed.append(content)

    list(unpack(source(b"\x82SNAPPY\x00" + b"\xff" * 100)))
    assert len(closed) == 1
    left = unpack(source(pack_snappy(LINES)))
    next(left)
    del left
    assert len(closed) == 2


def test_overlapping_copies_of_lzf_repeat_what_they_append() -> None:
    content = b"ab" * 20_000 + b"x" * 20_000
    packed = pack_lzf(content)
    assert len(packed) < 1000
    assert read(packed)[0] == content
