"""HDF5, HDF-EOS5 and NetCDF-4: the attributes of the file, and which of the three it is.

Here: who reads it: ``hdf5_tree`` takes the common forms apart, the library reads the others (``hdf5_child``).
Not here: what is wanted of such a file (``hdf5_contents``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.headers.hdf5_bytes import DAMAGED, UnusualError
from metaplat.collectors.headers.hdf5_child import read_in_child
from metaplat.collectors.headers.hdf5_contents import describe
from metaplat.collectors.headers.hdf5_tree import open_tree
from metaplat.collectors.headers.header import HeaderError

if TYPE_CHECKING:
    from metaplat.collectors.headers.header import ByteSource, Header


def read_hdf5(source: ByteSource) -> Header:
    """Read the attributes of an HDF5, HDF-EOS5 or NetCDF-4 file.

    Parameters
    ----------
    source : ByteSource
        The file; its magic is at byte 0, or behind a user block.

    Returns
    -------
    Header
        Attributes of the root under their names, those of the groups in it as ``group/name``; of HDF-EOS5
        also ``HDFEOS/ADDITIONAL/FILE_ATTRIBUTES/name``. Flags say what is not in it: ``left_out`` what is no
        text and no number, or too many numbers; ``out_of_reach`` what would take a third request to S3;
        ``damaged`` and ``time_unreadable``.

    Raises
    ------
    HeaderError
        ``truncated``, ``broken``, ``out_of_reach`` or ``reader_missing``.
    """
    try:
        return read_tree(source)
    except UnusualError:
        return read_in_child(source)


def read_tree(source: ByteSource) -> Header:
    """Read a file as ``read_hdf5``, but raise UnusualError where that takes the library."""
    flags: set[str] = set()
    try:
        return describe(open_tree(source, flags), flags)
    except DAMAGED as error:
        raise HeaderError("broken", f"HDF5: it is damaged: {error}") from error
