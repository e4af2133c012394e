"""NetCDF-4: what it adds to HDF5.

Here: telling it from other HDF5, and the range of its time variable.
Not here: groups, attributes and values (``hdf5_tree`` or ``hdf5_library``, whichever reads the file).
The library netCDF4 is not needed: it takes longer, knows the file only by a path or a URL, and its attributes
are those of HDF5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.headers.netcdf_time import TIME_ATTRIBUTES, is_time, time_range, time_rank

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from metaplat.collectors.headers.hdf5_values import Node
    from metaplat.collectors.headers.header import Value
    from metaplat.collectors.headers.netcdf_time import TimeRange

MARKS = ("_NCProperties", "_nc3_strict")
"""Attributes of the root by which the library marks its files since 4.4.1."""

_WANTED = frozenset({*TIME_ATTRIBUTES, "CLASS"})
_DIMENSIONS = frozenset({"_Netcdf4Dimid", "CLASS"})


def has_dimensions(nodes: Sequence[tuple[str, Node]]) -> bool:
    """Tell whether there is a dimension scale: how older files show that they are NetCDF-4."""
    for _, node in nodes:
        marks = {} if node.is_group else node.attributes(_DIMENSIONS)
        if "_Netcdf4Dimid" in marks or marks.get("CLASS") == "DIMENSION_SCALE":
            return True
    return False


def find_time_range(nodes: Collection[tuple[str, Node]]) -> TimeRange | None:
    """Return the range of the most likely time variable; None where there is none.

    Parameters
    ----------
    nodes : collection of (str, Node)
        What is in the root group, or the first of it.
    """
    best: tuple[tuple[int, str], Node, dict[str, Value]] | None = None
    for name, node in sorted(nodes, key=lambda each: time_rank(each[0], is_coordinate=False)):
        shape = node.shape
        if shape is None or len(shape) > 1:
            continue
        attributes = node.attributes(_WANTED)
        if not is_time(attributes.get("units")):
            continue
        is_coordinate = attributes.get("CLASS") == "DIMENSION_SCALE"
        rank = time_rank(name, is_coordinate=is_coordinate)
        if best is None or rank < best[0]:
            best = rank, node, attributes
        if rank[0] == 0:
            break
    ends = best and best[1].ends()
    return time_range(*ends, best[2]) if best and ends else None
