"""How many bytes of data a FITS header announces.

Here: sizes of data units, and of blocks.
Not here: headers (``fits_hdu``), comparing sizes with that of a file (``fits``).
Format: FITS Standard 4.0, sections 3.1, 3.3, 4.4.1, 6 (random groups) and 7.3.5 (heap).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.headers.fits_cards import BLOCK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.collectors.headers.header import Scalar

MOST_AXES = 999
SIZE_KEYWORDS = ("BITPIX", "GCOUNT", "PCOUNT", "GROUPS", "NAXIS")
"""What the size depends on; also ``NAXIS1`` and so on."""


def padded(size: int) -> int:
    """Return a size rounded up to whole blocks of 2880 bytes."""
    return -(-size // BLOCK) * BLOCK


def data_bytes(values: Mapping[str, Scalar]) -> int | None:
    """Return the bytes of the data that a header announces, without padding; None where it is wrong.

    Parameters
    ----------
    values : mapping of str to Scalar
        The header.
    """
    axes_count = values.get("NAXIS")
    if axes_count == 0:
        return 0
    if type(axes_count) is not int or not 0 < axes_count <= MOST_AXES:
        return None
    bitpix, groups, heap = values.get("BITPIX"), values.get("GCOUNT", 1), values.get("PCOUNT", 0)
    if type(bitpix) is not int or type(groups) is not int or type(heap) is not int:
        return None
    elements = _elements(values, axes_count)
    if elements is None or groups < 0 or heap < 0:
        return None
    return abs(bitpix) // 8 * groups * (heap + elements)


def _elements(values: Mapping[str, Scalar], axes_count: int) -> int | None:
    """Return the product of the axes; of random groups without the first one, which is 0 for them."""
    elements = 1
    for axis in range(1, axes_count + 1):
        side = values.get(f"NAXIS{axis}")
        if type(side) is not int or side < 0:
            return None
        is_group_mark = side == 0 and axis == 1 and values.get("GROUPS") is True
        elements *= 1 if is_group_mark else side
    return elements
