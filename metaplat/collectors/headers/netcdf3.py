"""NetCDF classic, 64-bit offset and 64-bit data: read without any library.

Here: global attributes, whether the file is as long as it says, and the range of its time variable.
Not here: the bytes of the header one by one (``netcdf3_parser``), NetCDF-4, which is HDF5 (``netcdf4``).

The library opens such a file without a word when its end is missing, and gives zeros for what is not there:
hence the comparison of sizes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from metaplat.collectors.headers.header import Header, HeaderError
from metaplat.collectors.headers.netcdf3_layouts import Layouts
from metaplat.collectors.headers.netcdf3_parser import Parser
from metaplat.collectors.headers.netcdf_time import TimeRange, is_time, time_range, time_rank

if TYPE_CHECKING:
    from metaplat.collectors.headers.header import ByteSource
    from metaplat.collectors.headers.netcdf3_parser import Variable

MAGIC = 4
FURTHER = 256 << 10
"""Bytes that are read next where the first block does not hold the whole header; then as many again."""
FARTHEST = 8 << 20
"""Bytes between the first and the last time that are worth one request."""

_layouts = Layouts()


def read_netcdf3(source: ByteSource, max_header_bytes: int = 64 << 20) -> Header:
    """Read the header of a NetCDF-3 file.

    Parameters
    ----------
    source : ByteSource
        The file; its first three bytes are ``CDF``.
    max_header_bytes : int
        A longer header is refused.

    Returns
    -------
    Header
        Global attributes; ``truncated`` where the file ends before its last value does.

    Raises
    ------
    HeaderError
        With code ``cut_header`` where the file ends within its header, ``broken`` where it is none,
        ``too_long``, ``out_of_reach``.
    """
    parser = _parsed(source, max_header_bytes)
    header = Header("netcdf3", parser.attributes, sorted(parser.flags))
    announced = parser.announced_size()
    if source.size < announced:
        header.truncated = f"the header announces {announced} bytes, the file has {source.size}"
        header.flags.append("truncated")
    elif source.size < announced + (-announced & 3):
        header.flags.append("padding_missing")
    header.time_range = _time_range(source, parser)
    return header


def _parsed(source: ByteSource, max_header_bytes: int) -> Parser:
    """Parse the first block, and once more with as many bytes as it takes."""
    data = source.first
    while True:
        if len(data) <= MAGIC:
            raise HeaderError("cut_header", f"NetCDF-3: the file ends after {len(data)} bytes")
        known = _layouts.read(data)
        if known is not None:
            return known
        parser = Parser(data)
        try:
            parser.parse()
        except (struct.error, OverflowError):  # the latter where a length is beyond all bounds
            data += _more(source, len(data), parser.position, max_header_bytes)
        else:
            _layouts.learn(parser)
            return parser


def _more(source: ByteSource, have: int, position: int, max_header_bytes: int) -> bytes:
    if max(have, position) >= source.size:
        raise HeaderError("cut_header", f"NetCDF-3: the file ends at byte {source.size}, within its header")
    if max(have, position) >= max_header_bytes:
        raise HeaderError("too_long", f"NetCDF-3: the header is longer than {max_header_bytes} bytes")
    wanted = max(FURTHER, have, position + FURTHER - have)
    more = source.read(have, min(wanted, max_header_bytes - have))
    if not more:
        raise HeaderError("changed", "NetCDF-3: the file became shorter while it was read")
    return more


def _time_range(source: ByteSource, parser: Parser) -> TimeRange | None:
    """Return the range of the values that are there; None where there is no time, or it is out of reach."""
    flat = [each for each in parser.variables if len(each.axes) <= 1]
    times = [each for each in flat if is_time(each.attributes.get("units"))]
    if not times:
        return None
    variable = min(times, key=lambda each: time_rank(each.name, is_coordinate=_is_coordinate(each, parser)))
    ends = _ends(source, parser, variable)
    return ends and time_range(*ends, variable.attributes)


def _is_coordinate(variable: Variable, parser: Parser) -> bool:
    return bool(variable.axes) and parser.names[variable.axes[0]] == variable.name


def _ends(source: ByteSource, parser: Parser, variable: Variable) -> tuple[float, float] | None:
    size = variable.value_size
    step = parser.record_size() if variable.is_record else size
    present = max((source.size - variable.begin - size) // step + 1, 0)
    count = present if (length := parser.length(variable)) is None else min(length, present)
    if variable.is_text or not count:
        return None
    span = (count - 1) * step
    try:
        ends = _bytes_at_ends(source, variable.begin, span, size)
    except HeaderError as error:
        if error.code != "out_of_reach":
            raise
        return None
    if ends is None or len(ends[0]) != size or len(ends[1]) != size:
        return None
    return variable.value(ends[0]), variable.value(ends[1])


def _bytes_at_ends(source: ByteSource, begin: int, span: int, size: int) -> tuple[bytes, bytes] | None:
    """Return the bytes of the first and the last value, ``span`` bytes apart: in one request if it is S3."""
    first, last = source.first[begin : begin + size], source.first[begin + span : begin + span + size]
    if begin + span + size <= len(source.first):
        return first, last
    if source.path is not None:
        return source.read(begin, size), source.read(begin + span, size)
    if begin + size <= len(source.first):
        return first, source.read(begin + span, size)
    if span > FARTHEST:
        return None
    both = source.read(begin, span + size)
    return both[:size], both[span:]
