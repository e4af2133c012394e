"""Keys as bytes, in the form that each bucket function hashes.

Here: the bytes of a key by its type (Spark's own for ``spark_murmur3``, its text for the others), and groups
of values of one length. Not here: the hashes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.model.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

LONG_DIGITS = 18
"""Decimals of up to so many digits are hashed by Spark as longs."""


def rows_of_one_length(values: pl.Series) -> Iterator[tuple[NDArray[np.int64] | None, NDArray[np.uint8]]]:
    """Split binary values by their length.

    Parameters
    ----------
    values : polars.Series of Binary, without nulls

    Yields
    ------
    (numpy array of int64 or None, numpy array of uint8, shape (values, length))
        Positions in the series (None: all of it, in order), and the bytes.
    """
    lengths = values.bin.size().to_physical()
    if not len(values) or lengths.min() == lengths.max():
        yield None, _matrix(values, int(lengths[0]) if len(values) else 0)
        return
    order = lengths.arg_sort()
    values, lengths = values.gather(order), lengths.gather(order)
    runs, start = lengths.rle().struct.unnest(), 0
    for count, length in zip(runs["len"].to_list(), runs["value"].to_list(), strict=True):
        piece = values.slice(start, count)
        yield order.slice(start, count).to_numpy(), _matrix(piece, length)
        start += count


def _matrix(values: pl.Series, length: int) -> NDArray[np.uint8]:
    import numpy as np
    import polars as pl

    if length == 0 or not len(values):
        return np.empty((len(values), length), np.uint8)
    return values.rechunk().bin.reinterpret(dtype=pl.Array(pl.UInt8, length)).to_numpy()


def key_texts(keys: pl.Series) -> pl.Series:
    """Return the text of each key as String; binary keys as UTF-8, else as ``0x`` and hex digits.

    Raises
    ------
    InvalidInputError
        The keys are of a nested type, which has no text of its own.
    """
    import polars as pl

    if keys.dtype.is_nested() or keys.dtype == pl.Object:
        raise InvalidInputError(f"key column {keys.name!r} is of type {keys.dtype}, which cannot be a key")
    if keys.dtype != pl.Binary:
        return keys.cast(pl.String)
    try:
        return keys.cast(pl.String)
    except pl.exceptions.PolarsError:  # not UTF-8
        return pl.Series(keys.name, [_binary_text(key) for key in keys.to_list()], dtype=pl.String)


def _binary_text(key: bytes | None) -> str | None:
    try:
        return None if key is None else key.decode()
    except UnicodeDecodeError:
        return f"0x{key.hex()}" if key is not None else None


def text_bytes(keys: pl.Series) -> pl.Series:
    """Return the bytes of each key's text as Binary; binary keys are their own bytes."""
    import polars as pl

    return keys if keys.dtype == pl.Binary else key_texts(keys).cast(pl.Binary)


def spark_bytes(keys: pl.Series) -> pl.Series | NDArray[np.uint8]:
    """Return what Spark hashes of each key: Binary values, or for numbers a matrix of 4 or 8 bytes a row.

    Parameters
    ----------
    keys : polars.Series without nulls
        Of any type that Spark can hash; unsigned integers are read as Spark reads them from Parquet.
    """
    import polars as pl

    kind = keys.dtype
    if kind in (pl.Boolean, pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.Date):
        return _number_bytes(keys.to_physical().cast(pl.Int32))
    if kind in (pl.Int64, pl.UInt32):
        return _number_bytes(keys.cast(pl.Int64))
    if kind == pl.Datetime:
        return _number_bytes(keys.dt.cast_time_unit("us").to_physical())
    if kind in (pl.Float32, pl.Float64):
        return _array_bytes(keys.to_numpy() + 0)  # -0.0 hashes as 0.0
    if kind == pl.UInt64:
        return _big_integers(keys.to_list())
    if isinstance(kind, pl.Decimal):
        unscaled = keys.to_physical()
        if kind.precision <= LONG_DIGITS:
            return _number_bytes(unscaled.cast(pl.Int64))
        return _big_integers(unscaled.to_list())
    return text_bytes(keys)


def _number_bytes(numbers: pl.Series) -> NDArray[np.uint8]:
    return _array_bytes(numbers.to_numpy())


def _array_bytes(numbers: NDArray[Any]) -> NDArray[np.uint8]:
    import numpy as np

    array = np.ascontiguousarray(numbers)
    return array.view(np.uint8).reshape(len(array), array.dtype.itemsize)


def _big_integers(numbers: list[int]) -> pl.Series:
    """Return the shortest big-endian two's complement of each number, as java.math.BigInteger writes it."""
    import polars as pl

    def written(number: int) -> bytes:
        bits = (number if number >= 0 else ~number).bit_length()
        return number.to_bytes(bits // 8 + 1, "big", signed=True)

    return pl.Series([written(number) for number in numbers], dtype=pl.Binary)
