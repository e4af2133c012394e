"""Where a key belongs: as Spark, zlib and hashlib say; and which function a sample proves."""

from __future__ import annotations

import hashlib
import zlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model.errors import InvalidInputError
from metaplat.model.table import BucketFunction
from metaplat.monitor.bucket_functions import CANDIDATES, buckets_of, infer_function

MURMUR, CRC, MD5 = BucketFunction.SPARK_MURMUR3, BucketFunction.CRC32, BucketFunction.MD5
COUNTS = st.sampled_from([1, 2, 3, 7, 256, 1000, 100_000])

SPARK: list[tuple[pl.DataType, list[Any], list[int]]] = [
    (
        pl.String(),
        ["", "a", "ab", "abc", "abcd", "ä\U0001f600", "customer-0001", "x" * 31],
        [142593372, 1485273170, -97053317, 1322437556, -396302900, -1092353896, -1335805734, 2064856624],
    ),
    (
        pl.Binary(),
        [b"", b"\x00", b"\xff\xfe\x80", b"\xff" * 9],
        [142593372, -783713497, 131870668, -1850229539],
    ),
    (pl.Int8(), [0, 7, -1, -128], [933211791, 1079293707, -1604776387, 1110053733]),
    (pl.Int16(), [7, -32768], [1079293707, -1871935946]),
    (
        pl.Int32(),
        [0, 7, -1, 2**31 - 1, -(2**31)],
        [933211791, 1079293707, -1604776387, 133916647, 723455942],
    ),
    (
        pl.Int64(),
        [0, 7, -1, 2**40, -(2**63), 2**63 - 1],
        [-1670924195, 1293116811, -939490007, -1596767687, -853646085, -1604625029],
    ),
    (pl.UInt16(), [0, 7], [933211791, 1079293707]),  # Spark reads it as an int
    (pl.UInt32(), [0, 7], [-1670924195, 1293116811]),  # and this as a long
    (pl.UInt64(), [0, 127, 128, 10**18], [-783713497, 1185089389, -544401882, 981769809]),  # decimal(20, 0)
    (pl.Boolean(), [True, False], [-559580957, 933211791]),
    (
        pl.Date(),
        [date(1970, 1, 1), date(2024, 2, 29), date(1900, 1, 1)],
        [933211791, 653915859, -28786220],
    ),
    (
        pl.Datetime("us", "UTC"),
        [datetime(1970, 1, 1, tzinfo=UTC), datetime(2024, 2, 29, 12, 30, 1, 123456, tzinfo=UTC)],
        [-1670924195, -487644553],
    ),
    (pl.Datetime("ms", "UTC"), [datetime(1970, 1, 1, tzinfo=UTC)], [-1670924195]),
    (
        pl.Decimal(12, 3),
        [Decimal("0.001"), Decimal("-3.5"), Decimal(7), Decimal("123456789.123")],
        [-1712319331, -202522788, 674959248, -1108520306],
    ),
    (pl.Decimal(18, 0), [Decimal(10**17), Decimal(-1)], [-291690443, -939490007]),
    (
        pl.Decimal(19, 0),
        [Decimal(n) for n in (0, 127, 128, -128, -129, 10**18, -(10**18))],
        [-783713497, 1185089389, -544401882, 775851899, -771458971, 981769809, -181059451],
    ),
    (
        pl.Decimal(38, 10),
        [Decimal("0.0000000001"), Decimal("-12345678901234567890.1234567891"), Decimal(1)],
        [-386724586, -498916399, -913492360],
    ),
    (pl.Float32(), [0.0, -0.0, 1.5], [933211791, 933211791, -221251528]),
    (pl.Float64(), [0.0, -0.0, 1.5, -2.25e300], [-1670924195, -1670924195, 1290763749, 902707375]),
]
"""Type, keys, and what ``hash(k)`` gave in Spark 4.3."""


@pytest.mark.parametrize(("kind", "keys", "hashes"), SPARK, ids=lambda value: str(value)[:20])
@pytest.mark.parametrize("count", [256, 7])
def test_murmur3_is_that_of_spark(kind: pl.DataType, keys: list[Any], hashes: list[int], count: int) -> None:
    found = buckets_of(pl.Series(keys, dtype=kind), MURMUR, count)
    assert found.tolist() == [value % count for value in hashes]


@given(st.lists(st.one_of(st.none(), st.text(max_size=150)), max_size=20), COUNTS)
def test_crc32_and_md5_are_those_of_python(keys: list[str | None], count: int) -> None:
    series, texts = pl.Series(keys, dtype=pl.String), [key.encode() for key in keys if key is not None]
    assert buckets_of(series, CRC, count).tolist() == [zlib.crc32(text) % count for text in texts]
    digests = [int.from_bytes(hashlib.md5(text).digest(), "big") for text in texts]
    assert buckets_of(series, MD5, count).tolist() == [digest % count for digest in digests]


@given(st.lists(st.binary(max_size=70), max_size=20), COUNTS, st.sampled_from(CANDIDATES))
def test_many_keys_of_mixed_lengths_give_what_each_gives_alone(
    keys: list[bytes], count: int, function: BucketFunction
) -> None:
    together = buckets_of(pl.Series(keys, dtype=pl.Binary), function, count)
    alone = [int(buckets_of(pl.Series([key], dtype=pl.Binary), function, count)[0]) for key in keys]
    assert together.tolist() == alone
    assert all(0 <= bucket < count for bucket in alone)


@pytest.mark.parametrize("function", [CRC, MD5])
def test_numbers_are_hashed_by_their_decimal_text(function: BucketFunction) -> None:
    numbers = pl.Series([0, 7, -12, 10**12])
    assert (buckets_of(numbers, function, 97) == buckets_of(numbers.cast(pl.String), function, 97)).all()


@pytest.mark.parametrize("function", CANDIDATES)
def test_null_keys_belong_nowhere(function: BucketFunction) -> None:
    assert len(buckets_of(pl.Series([None, "a", None]), function, 4)) == 1
    assert len(buckets_of(pl.Series([None], dtype=pl.Null), function, 4)) == 0


@pytest.mark.parametrize("function", CANDIDATES)
def test_a_nested_key_is_refused_in_one_sentence(function: BucketFunction) -> None:
    with pytest.raises(InvalidInputError, match=r"key column 'k' is of type List\(Int64\)"):
        buckets_of(pl.Series("k", [[1]]), function, 4)


def sample(function: BucketFunction, keys: list[str], count: int, buckets: int = 3) -> dict[int, pl.Series]:
    """Put keys where a function says, and keep what lies in the first few buckets."""
    series = pl.Series("k", keys)
    places = buckets_of(series, function, count)
    return {int(bucket): series.filter(places == bucket) for bucket in np.unique(places)[:buckets]}


@pytest.mark.parametrize("function", CANDIDATES)
@pytest.mark.parametrize("count", [4, 256])
def test_a_sample_of_three_buckets_proves_its_function(function: BucketFunction, count: int) -> None:
    assert infer_function(sample(function, [f"key-{n}" for n in range(3000)], count), count) is function


@pytest.mark.parametrize("function", CANDIDATES)
def test_a_few_misplaced_keys_do_not_hide_the_function(function: BucketFunction) -> None:
    found = sample(function, [f"key-{n}" for n in range(3000)], 4)
    found[0] = pl.concat([found[0], pl.Series("k", [f"stray-{n}" for n in range(20)])])
    assert infer_function(found, 4) is function


def test_a_handful_of_keys_proves_nothing() -> None:
    found = sample(CRC, [f"key-{n}" for n in range(12)], 4)
    assert infer_function(found, 4) is None


def test_one_key_repeated_proves_nothing() -> None:
    found = sample(CRC, ["key"] * 1000, 256)
    assert infer_function(found, 256) is None


def test_one_bucket_proves_nothing() -> None:
    assert infer_function({0: pl.Series([f"key-{n}" for n in range(1000)])}, 1) is None


def test_no_keys_prove_nothing() -> None:
    assert infer_function({}, 256) is None
    assert infer_function({3: pl.Series([None], dtype=pl.String)}, 256) is None


@settings(max_examples=30)
@given(st.lists(st.text(), unique=True, max_size=60), st.integers(2, 256), st.randoms(use_true_random=False))
def test_keys_put_anywhere_prove_nothing(keys: list[str], count: int, chance: Any) -> None:
    places = [chance.randrange(count) for _ in keys]
    found = {
        bucket: pl.Series([key for key, place in zip(keys, places, strict=True) if place == bucket])
        for bucket in set(places)
    }
    assert infer_function(found, count) is None
