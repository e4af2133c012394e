"""The header of any file: the content says which format, and its module reads it.

Here: choosing the module.
Not here: recognising formats (``sniff``), reading any of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.headers.fits import read_fits
from metaplat.collectors.headers.sniff import sniff

if TYPE_CHECKING:
    from metaplat.collectors.headers.header import ByteSource, Header

MAX_HEADER_BYTES = 64 << 20


def read_header(source: ByteSource, max_header_bytes: int = MAX_HEADER_BYTES) -> Header:
    """Read the header of a file, whatever format it has.

    Parameters
    ----------
    source : ByteSource
        The bytes of the file.
    max_header_bytes : int
        Longer headers are refused, also those that only inflate to so much.

    Returns
    -------
    Header
        What the file says of itself.

    Raises
    ------
    HeaderError
        It is no observation, or it is broken, cut or out of reach; the code says which.
    """
    name = sniff(source.first, source.size)
    if name == "fits":
        return read_fits(source, max_header_bytes)
    if name == "gzip":
        from metaplat.collectors.headers.gzip_fits import read_gzip

        return read_gzip(source, max_header_bytes)
    if name == "hdf5":
        from metaplat.collectors.headers.hdf5 import read_hdf5

        return read_hdf5(source)
    if name == "netcdf3":
        from metaplat.collectors.headers.netcdf3 import read_netcdf3

        return read_netcdf3(source, max_header_bytes)
    from metaplat.collectors.headers.csv_header import read_csv

    return read_csv(source)
