"""Values of HDF5 attributes as a catalog keeps them.

Here: what the parser and the library must agree on: texts, lists, and what is left out.
Not here: finding attributes (``hdf5_tree``, ``hdf5_library``), the types of the format (``hdf5_types``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from metaplat.collectors.headers.header import Scalar, Value

LONGEST_LIST = 100
"""Elements of an attribute; a longer one is data rather than metadata."""

LEFT_OUT = "left_out"
"""The flag of a file that has attributes which are no text and no number, or too many numbers."""

HIDDEN = frozenset({"_NCProperties", "_nc3_strict", "_Netcdf4Coordinates", "_Netcdf4Dimid", "_NCCOPY"})
"""Attributes by which the library of NetCDF keeps its own books."""

DAMAGE = "damaged"
"""The flag of a file of which a part, though not the attributes of the file, cannot be read."""

TIME_UNREADABLE = "time_unreadable"
"""The flag of a file whose time variable has a filter or a layout that is not known here."""

LATIN1 = "latin1"


class Node(Protocol):
    """A group or a dataset, however it is read."""

    @property
    def is_group(self) -> bool:
        """Whether it can hold others."""

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Of a dataset; None of anything else."""

    def attributes(self, wanted: Container[str] | None = None) -> dict[str, Value]:
        """Return the attributes by name, those of libraries left out unless they are wanted."""

    def children(self) -> Iterator[tuple[str, Node]]:
        """Yield what is in a group, by name; links to elsewhere are left out."""

    def ends(self) -> tuple[float, float] | None:
        """Return the first and the last number of a dataset of one dimension; None where there is none."""


def as_text(raw: bytes, flags: set[str]) -> str | None:
    """Return the text that bytes are, up to the first NUL; None where that is nothing or blank.

    Parameters
    ----------
    raw : bytes
        UTF-8, or else taken for latin-1.
    flags : set of str
        Gets ``latin1`` where it is that.
    """
    raw = raw.partition(b"\0")[0]
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        flags.add(LATIN1)
        text = raw.decode("latin-1")
    return text if text and not text.isspace() else None


def as_value(scalars: Sequence[Scalar]) -> Value:
    """Return the elements of an attribute: one alone as such, none as None."""
    if len(scalars) == 1:
        return scalars[0]
    return list(scalars) or None


def as_name(raw: bytes) -> str:
    """Return the name of an attribute or a link: UTF-8, or else taken for latin-1."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
