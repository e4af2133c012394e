"""What a catalog wants of an HDF5 file, however it is read: attributes, which of three formats, its time.

Here: HDF5, HDF-EOS5 and NetCDF-4 told apart, and the groups that have attributes of the whole file.
Not here: reading (``hdf5_tree``, ``hdf5_library``); the time variable (``netcdf4``).
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from metaplat.collectors.headers.hdf5_bytes import DAMAGED
from metaplat.collectors.headers.hdf5_values import DAMAGE
from metaplat.collectors.headers.header import Header, HeaderError
from metaplat.collectors.headers.netcdf4 import MARKS, find_time_range, has_dimensions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.headers.hdf5_values import Node

MOST_CHILDREN = 64
"""Groups and datasets of the root that are looked at."""

HDF_EOS = "HDFEOS"
FILE_ATTRIBUTES = ("ADDITIONAL", "FILE_ATTRIBUTES")
"""Where HDF-EOS5 keeps the attributes of the file, under its own group."""


def describe(root: Node, flags: set[str]) -> Header:
    """Return the header of a file.

    Parameters
    ----------
    root : Node
        Its root group.
    flags : set of str
        What reading found odd so far, and finds odd here.
    """
    header = Header("hdf5", root.attributes())
    with _as_far_as_possible(flags):
        _look_around(root, header, flags)
    header.flags.extend(sorted(flags))
    return header


def _look_around(root: Node, header: Header, flags: set[str]) -> None:
    """Find out which format it is, and read what else that format has."""
    header.file_format = "netcdf4" if root.attributes(MARKS) else "hdf5"
    nodes = list(islice(root.children(), MOST_CHILDREN))
    eos = dict(nodes).get(HDF_EOS)
    with _as_far_as_possible(flags):
        if header.file_format == "hdf5":
            header.file_format = "hdf-eos5" if eos else "netcdf4" if has_dimensions(nodes) else "hdf5"
    if header.file_format == "netcdf4":
        with _as_far_as_possible(flags):
            header.time_range = find_time_range(nodes)
    if eos:
        with _as_far_as_possible(flags):
            _add(header, "/".join((HDF_EOS, *FILE_ATTRIBUTES)), _below(eos, FILE_ATTRIBUTES))
    for name, node in nodes:
        with _as_far_as_possible(flags):
            _add(header, name, node if node.is_group else None)


@contextmanager
def _as_far_as_possible(flags: set[str]) -> Iterator[None]:
    """Let what is damaged or out of reach be missing, with a flag: the attributes of the file are there."""
    try:
        yield
    except HeaderError as error:
        if error.code != "out_of_reach":
            raise
        flags.add(error.code)
    except (*DAMAGED, OSError, RuntimeError):  # the latter two are the library's
        flags.add(DAMAGE)


def _below(node: Node, path: tuple[str, ...]) -> Node | None:
    """Return the group under a path, or None."""
    found: Node | None = node
    for name in path:
        found = None if found is None else dict(found.children()).get(name)
    return found


def _add(header: Header, group: str, node: Node | None) -> None:
    if node is not None:
        inner = {f"{group}/{name}": value for name, value in node.attributes().items()}
        header.values = {**inner, **header.values}
