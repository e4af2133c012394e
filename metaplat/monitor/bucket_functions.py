"""The bucket in which a key belongs, by each known function, and which function a sample of keys proves.

Here: keys to bucket numbers.
Not here: reading keys (``profilers``), what misplaced keys mean (``rules.tables``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from metaplat.model.table import BucketFunction
from metaplat.monitor.crc32 import crc32
from metaplat.monitor.key_bytes import rows_of_one_length, spark_bytes, text_bytes
from metaplat.monitor.md5 import md5
from metaplat.monitor.murmur3 import murmur3

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Numbers = Callable[[NDArray[np.uint8], int], NDArray[np.integer]]

CANDIDATES = (BucketFunction.SPARK_MURMUR3, BucketFunction.CRC32, BucketFunction.MD5)
FITTING_SHARE = 0.95
"""So much of a sample must fit: a few misplaced keys do not hide the function, arbitrary ones prove none."""
EVIDENCE_BITS = 40
"""That many keys fit by accident once in 2 ** 40 tables."""


def buckets_of(keys: pl.Series, function: BucketFunction, count: int) -> NDArray[np.int64]:
    """Say where each key belongs.

    Parameters
    ----------
    keys : polars.Series
        Keys of any scalar type. NULL keys belong nowhere and are left out.
    function : BucketFunction
        ``spark_murmur3`` hashes a key as Spark's ``hash()`` does by its type; ``crc32`` and ``md5`` hash the
        UTF-8 text of the key, ``md5`` read as one big-endian number.
    count : int
        Number of buckets.

    Returns
    -------
    numpy array of int64, shape (keys that are not NULL,)

    Raises
    ------
    InvalidInputError
        The keys are of a nested type.
    """
    import numpy as np

    keys = keys.drop_nulls()
    numbers = _NUMBERS[function]
    values = spark_bytes(keys) if function is BucketFunction.SPARK_MURMUR3 else text_bytes(keys)
    if isinstance(values, np.ndarray):
        return numbers(values, count).astype(np.int64)
    found = np.empty(len(keys), np.int64)
    for positions, rows in rows_of_one_length(values):
        found[slice(None) if positions is None else positions] = numbers(rows, count)
    return found


def infer_function(sample: Mapping[int, pl.Series], count: int) -> BucketFunction | None:
    """Return the function that a sample of keys proves, or None.

    Parameters
    ----------
    sample : mapping of int to polars.Series
        Keys by the bucket they lie in; repeated keys count once.
    count : int
        Number of buckets; 1 proves nothing.
    """
    if count < 2:
        return None
    distinct = {bucket: keys.drop_nulls().unique() for bucket, keys in sample.items()}
    keys_in_all = sum(map(len, distinct.values()))
    for function in CANDIDATES:
        fitting = sum(
            int((buckets_of(keys, function, count) == bucket).sum()) for bucket, keys in distinct.items()
        )
        if fitting * math.log2(count) >= EVIDENCE_BITS and fitting >= FITTING_SHARE * keys_in_all:
            return function
    return None


def _by_murmur3(rows: NDArray[np.uint8], count: int) -> NDArray[np.integer]:
    import numpy as np

    hashes = murmur3(rows)
    if count & (count - 1) == 0:  # the same as below, and several times faster
        return hashes & np.uint32(count - 1)
    return hashes.view(np.int32) % np.int64(count)


def _by_crc32(rows: NDArray[np.uint8], count: int) -> NDArray[np.integer]:
    import numpy as np

    return crc32(rows) % np.uint32(count)


def _by_md5(rows: NDArray[np.uint8], count: int) -> NDArray[np.integer]:
    import numpy as np

    number = np.zeros(len(rows), np.uint64)
    for word in md5(rows).byteswap():  # the digest is little-endian words, the number big-endian
        number = ((number << np.uint64(32)) | word) % np.uint64(count)
    return number


_NUMBERS: Mapping[BucketFunction, Numbers] = {
    BucketFunction.SPARK_MURMUR3: _by_murmur3,
    BucketFunction.CRC32: _by_crc32,
    BucketFunction.MD5: _by_md5,
}
