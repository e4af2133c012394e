"""MD5 (RFC 1321) of many values of one length at once; as a bucket function only, never for security."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_SHIFTS = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
_SINES = tuple(int(abs(math.sin(step + 1)) * 2**32) for step in range(64))


def md5(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return the digests of ``rows``, uint8 of shape (values, length), as four little-endian words each."""
    import numpy as np

    words = _padded(rows)
    state = np.empty((4, len(rows)), np.uint32)
    state.T[:] = _START
    for block in range(0, words.shape[1], 16):
        state += _round(state, [words[:, block + word] for word in range(16)])
    return state


def _padded(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    import numpy as np

    count, length = rows.shape
    padded = np.zeros((count, (length + 8) // 64 * 64 + 64), np.uint8)
    padded[:, :length] = rows
    padded[:, length] = 0x80
    padded[:, -8:] = np.frombuffer((8 * length).to_bytes(8, "little"), np.uint8)
    return padded.view("<u4")


def _round(state: NDArray[np.uint32], words: list[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    """Return what one block of 16 words adds to the state."""
    import numpy as np

    a, b, c, d = state
    for step in range(64):
        quarter = step // 16
        if quarter == 0:
            mixed, word = d ^ (b & (c ^ d)), step
        elif quarter == 1:
            mixed, word = c ^ (d & (b ^ c)), (5 * step + 1) % 16
        elif quarter == 2:
            mixed, word = b ^ c ^ d, (3 * step + 5) % 16
        else:
            mixed, word = c ^ (b | ~d), 7 * step % 16
        mixed = mixed + a + np.uint32(_SINES[step]) + words[word]
        shift = _SHIFTS[quarter][step % 4]
        a, d, c = d, c, b
        b = b + ((mixed << np.uint32(shift)) | (mixed >> np.uint32(32 - shift)))
    return np.stack((a, b, c, d))
