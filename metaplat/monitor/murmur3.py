"""The hash of Spark's ``hash()``: 32-bit murmur3 with seed 42, and Spark's own way with the last bytes.

Source: org.apache.spark.unsafe.hash.Murmur3_x86_32 (hashUnsafeBytes, hashInt, hashLong). Each byte after the
last full word is a round of its own, as a signed number; an int is hashed as its 4 bytes, a long as its 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEED = 42
_C1, _C2, _C3 = 0xCC9E2D51, 0x1B873593, 0xE6546B64
_F1, _F2 = 0x85EBCA6B, 0xC2B2AE35


def murmur3(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Hash values of one length.

    Parameters
    ----------
    rows : numpy array of uint8, shape (values, length)
        The bytes of each value; numbers in little-endian order.

    Returns
    -------
    numpy array of uint32, shape (values,)
        The bits of Spark's signed result.
    """
    import numpy as np

    count, length = rows.shape
    words = length // 4
    state = np.full(count, SEED, np.uint32)
    aligned = np.ascontiguousarray(rows[:, : 4 * words]).view("<u4")
    for word in range(words):
        state = _mix(state, aligned[:, word])
    for byte in range(4 * words, length):
        state = _mix(state, rows[:, byte].view(np.int8).astype(np.int32).view(np.uint32))
    state ^= np.uint32(length)
    state ^= state >> np.uint32(16)
    state *= np.uint32(_F1)
    state ^= state >> np.uint32(13)
    state *= np.uint32(_F2)
    state ^= state >> np.uint32(16)
    return state


def _mix(state: NDArray[np.uint32], word: NDArray[np.uint32]) -> NDArray[np.uint32]:
    import numpy as np

    mixed = _rotated(word * np.uint32(_C1), 15)
    mixed *= np.uint32(_C2)
    mixed ^= state
    mixed = _rotated(mixed, 13)
    mixed *= np.uint32(5)
    mixed += np.uint32(_C3)
    return mixed


def _rotated(word: NDArray[np.uint32], bits: int) -> NDArray[np.uint32]:
    import numpy as np

    high = word << np.uint32(bits)
    high |= word >> np.uint32(32 - bits)
    return high
