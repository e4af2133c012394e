"""Every form a landing object may have, whole, cut, wrong or hostile."""

from __future__ import annotations

import gzip
import json
import math
import resource
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from metaplat.ingest.decode import Decoded, decode
from metaplat.model.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 1 << 20
BOM = b"\xef\xbb\xbf"
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text()
values = st.recursive(
    scalars | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
records = st.lists(st.dictionaries(st.text(), values, max_size=4), min_size=1, max_size=6)


def read(content: bytes, limit: int = LIMIT) -> list[Decoded]:
    return list(decode(content, limit))


def refusal(content: bytes, limit: int = LIMIT) -> str:
    with pytest.raises(InvalidInputError) as caught:
        read(content, limit)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def good(content: bytes) -> list[object]:
    return [item for _, item in read(content) if isinstance(item, dict)]


def bad(content: bytes) -> list[int]:
    return [position for position, item in read(content) if isinstance(item, InvalidInputError)]


def members(content: bytes) -> bytes:
    middle = len(content) // 2
    return gzip.compress(content[:middle]) + gzip.compress(b"") + gzip.compress(content[middle:])


def frames(content: bytes) -> bytes:
    pack, middle = zstandard.ZstdCompressor().compress, len(content) // 2
    return pack(content[:middle]) + pack(content[middle:])


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "several gzip members": members,
    "padded gzip": lambda content: gzip.compress(content) + b"\0" * 512,
    "zstd": zstandard.ZstdCompressor().compress,
    "several zstd frames": frames,
    "zstd of unknown size": lambda content: zstandard.ZstdCompressor(write_content_size=False).compress(
        content
    ),
}
WRITINGS: dict[str, Callable[[Any], bytes]] = {
    "array": orjson.dumps,
    "pretty array": lambda items: json.dumps(items, indent=2).encode(),
    "lines": lambda items: b"".join(orjson.dumps(item) + b"\n" for item in items),
    "lines, the last one open": lambda items: b"\n".join(orjson.dumps(item) for item in items),
    "lines of Windows": lambda items: b"".join(orjson.dumps(item) + b"\r\n" for item in items),
    "lines with blank ones between": lambda items: (
        b"\n \n".join(orjson.dumps(item) for item in items) + b"\n\n"
    ),
    "array behind a byte order mark": lambda items: BOM + orjson.dumps(items),
    "lines behind a byte order mark": lambda items: BOM + b"\n".join(orjson.dumps(item) for item in items),
}


@given(records, st.sampled_from(sorted(WRITINGS)), st.sampled_from(sorted(PACKINGS)))
def test_any_records_come_back_from_any_writing_in_any_packing(
    items: list[dict[str, object]], writing: str, packing: str
) -> None:
    content = PACKINGS[packing](WRITINGS[writing](items))
    assert [item for _, item in read(content)] == items


@given(st.dictionaries(st.text(), values), st.sampled_from(sorted(PACKINGS)), st.booleans())
def test_one_object_is_one_record_however_it_is_written(
    item: dict[str, object], packing: str, pretty: bool
) -> None:
    written = json.dumps(item, indent=2).encode() if pretty else orjson.dumps(item)
    assert read(PACKINGS[packing](written)) == [(0, item)]


@given(st.binary() | st.binary().map(lambda tail: b"\x1f\x8b\x08" + tail) | st.text().map(str.encode))
def test_any_bytes_give_records_or_one_error(content: bytes) -> None:
    try:
        found = read(content)
    except InvalidInputError:
        return
    assert found
    assert all(isinstance(item, dict | InvalidInputError) for _, item in found)


@given(records, st.data(), st.sampled_from(["gzip", "zstd", "zstd of unknown size"]))
def test_a_packed_object_cut_anywhere_is_one_error(
    items: list[dict[str, object]], data: st.DataObject, packing: str
) -> None:
    whole = PACKINGS[packing](orjson.dumps(items))
    refusal(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_every_cut_of_one_gzip_is_one_error() -> None:
    whole = gzip.compress(orjson.dumps({"job_name": "load", "rows": list(range(50))}))
    assert all(refusal(whole[:length]) for length in range(len(whole)))


def test_a_cut_second_member_does_not_pass_for_a_whole_object() -> None:
    assert "cut" in refusal(gzip.compress(b'{"a":1}\n') + gzip.compress(b'{"a":2}\n')[:-3])


def test_a_broken_checksum_is_one_error() -> None:
    whole = bytearray(gzip.compress(b'{"a":1}'))
    whole[-6] ^= 1
    assert "gzip" in refusal(bytes(whole))


@pytest.mark.parametrize(
    "content", [b"", b" \r\n\t\n", BOM, gzip.compress(b"", mtime=0), gzip.compress(b"\n", mtime=0)]
)
def test_an_empty_object_is_said_to_be_empty(content: bytes) -> None:
    assert refusal(content) == "the object is empty"


def test_an_empty_array_is_an_export_without_records() -> None:
    assert list(decode(b" [] ", 100)) == []


@pytest.mark.parametrize("between", [b"", b" ", b"\n\n", b"\r\n\t"])
def test_objects_one_after_the_other_are_records_also_without_line_breaks(between: bytes) -> None:
    """As Amazon Data Firehose writes them."""
    text = between.join([b'{"a": {"b": "}{"}}', b'{"c": [1]}', b'{\n "d": 2\n}'])
    for content in (text, text + between, gzip.compress(text)):
        assert list(decode(content, 10_000)) == [(0, {"a": {"b": "}{"}}), (1, {"c": [1]}), (2, {"d": 2})]


def test_objects_one_after_the_other_of_which_the_last_is_cut_are_one_error() -> None:
    assert refusal(b'{"a": 1}{"b": 2}{"c"').startswith("not JSON at byte")


@pytest.mark.parametrize(
    "content", [b"job;status\nload;SUCCESS\n", b"<html></html>", b"\x00\x01", b"{", b"]"]
)
def test_what_is_not_json_is_one_error(content: bytes) -> None:
    assert refusal(content).startswith("not JSON at byte")


@pytest.mark.parametrize(
    "broken",
    [b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":1e999}', b'{"a":"\\ud800"}', b'{"a":"\xff"}'],
)
def test_one_odd_value_in_an_array_costs_its_record_at_most(broken: bytes) -> None:
    found = read(b'[{"b":1},' + broken + b',{"b":2}]')
    assert [item for _, item in found][::2] == [{"b": 1}, {"b": 2}]
    assert len(found) == 3


def test_nan_is_kept_as_nan_for_the_validator_to_refuse() -> None:
    [(_, item)] = read(b'[{"a":NaN}]')
    assert math.isnan(item["a"])


def test_a_number_beyond_64_bits_is_a_float_whatever_stands_beside_it() -> None:
    digits = b"1" * 5000
    [(_, alone)] = read(b'{"a":18446744073709551616}')
    [(_, beside)] = read(b'{"a":18446744073709551616,"b":NaN}')
    [(_, huge)] = read(b'{"a":' + digits + b',"b":NaN}')
    assert alone["a"] == beside["a"] == float(2**64)
    assert math.isinf(huge["a"])


def test_one_bad_line_costs_that_line_only() -> None:
    content = b'{"a":1}\n{"a":\nnull\n7\n\n{"a":2}\n[{"a":3}]\nEOF'
    assert good(content) == [{"a": 1}, {"a": 2}]
    assert bad(content) == [1, 2, 3, 6, 7]


def test_the_first_line_may_be_the_bad_one() -> None:
    assert (good(b'oops\n{"a":1}'), bad(b'oops\n{"a":1}')) == ([{"a": 1}], [0])


def test_lines_are_counted_with_the_blank_ones_before_them() -> None:
    assert [position for position, _ in read(b'\n\n{"a":1}\n\n{"a":2}\n')] == [2, 4]


@pytest.mark.parametrize("pretty", [{"indent": 1}, {"indent": 4}])
@given(records.filter(any), st.data())
def test_a_pretty_printed_text_that_is_cut_is_one_error(
    pretty: dict[str, int], items: list[dict[str, object]], data: st.DataObject
) -> None:
    whole = json.dumps({"items": items}, **pretty).encode()  # type: ignore[arg-type]
    refusal(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_a_cut_array_with_a_record_on_each_line_is_one_error() -> None:
    refusal(b'[\n{"a":1},\n{"a":2}\n')
    refusal(b'[{"a":1}\n,{"a":2}\n,{"a":3}\n')
    refusal(b'{"items": [\n{"a":1},\n{"a":2}\n')


@pytest.mark.parametrize(("content", "found"), [(b"7", "a number"), (b"null", "null"), (b'"x"', "text")])
def test_a_scalar_is_no_record(content: bytes, found: str) -> None:
    [(_, error)] = read(content)
    assert str(error) == f"a record must be a JSON object, this is {found}"


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":NaN},', b'{"a":NaN,"b":['])
def test_nesting_without_end_is_an_error_and_no_crash(opening: bytes) -> None:
    refusal(opening * 100_000)


@pytest.mark.parametrize("levels", [300, 900, 1500])
def test_a_record_too_deep_to_be_kept_costs_itself_only(levels: int) -> None:
    deep = b'{"a":' + b"[" * levels + b"]" * levels + b"}"
    content = b'{"a":1}\n' + deep + b'\n{"a":2}\n'
    assert (good(content), bad(content)) == ([{"a": 1}, {"a": 2}], [1])


@pytest.mark.parametrize("packing", ["plain", "gzip", "several gzip members", "zstd", "several zstd frames"])
def test_an_object_may_be_as_large_as_the_limit_and_no_larger(packing: str) -> None:
    content = orjson.dumps({"a": "x" * 1000})
    packed = PACKINGS[packing](content)
    assert read(packed, len(content)) == [(0, {"a": "x" * 1000})]
    assert "ingest.max_object_mb" in refusal(packed, len(content) - 1)


BOMB = """
import resource, sys, zlib, zstandard
from metaplat.ingest.decode import decode
from metaplat.model.errors import InvalidInputError
zeros, size = bytes(1 << 20), 1 << 10
if sys.argv[1] == "gzip":
    pack = zlib.compressobj(1, wbits=31)
    bomb = b"".join(pack.compress(zeros) for _ in range(size)) + pack.flush()
else:
    pack = zstandard.ZstdCompressor(level=3).compressobj()
    bomb = b"".join(pack.compress(zeros) for _ in range(size)) + pack.flush()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    list(decode(bomb, 64 << 20))
except InvalidInputError as error:
    print(len(bomb), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error)
"""


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_gigabyte_of_zeros_stop_at_the_limit_in_bounded_memory(packing: str) -> None:
    answer = subprocess.run([sys.executable, "-c", BOMB, packing], check=True, capture_output=True, text=True)
    packed, grown, message = answer.stdout.split(maxsplit=2)
    assert int(packed) < 8 << 20
    assert "larger than 64 MiB" in message
    assert int(grown) < 400 << 10  # KiB


def test_an_object_of_a_hundred_thousand_gzip_members_is_read_in_linear_time() -> None:
    """Log shippers write one member a record; copying the rest of the object for each took minutes."""
    content = gzip.compress(b'{"a":1}\n') * 100_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    assert len(read(content)) == 100_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 15


def test_a_zlib_stream_without_a_gzip_header_is_not_json() -> None:
    refusal(zlib.compress(b'{"a":1}'))
