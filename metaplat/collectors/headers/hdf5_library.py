"""HDF5 files as h5py reads them: whatever the parser does not know.

Here: opening without a lock or a trace in the folder, values as the parser gives them, failures in one line.
Not here: the common forms (``hdf5_tree``), what is wanted of a file (``hdf5``).
"""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from metaplat.collectors.headers.hdf5_bytes import Window
from metaplat.collectors.headers.hdf5_values import (
    HIDDEN,
    LEFT_OUT,
    LONGEST_LIST,
    TIME_UNREADABLE,
    as_name,
    as_text,
    as_value,
)
from metaplat.collectors.headers.header import HeaderError, library

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from metaplat.collectors.headers.header import ByteSource, Scalar, Value

FAILURES = (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, MemoryError)
"""What h5py raises on damaged files, by what is damaged."""

_EOF = re.compile(r"eof = \d+, .*stored_eof = \d+")


@contextmanager
def open_library(source: ByteSource, flags: set[str]) -> Iterator[LibraryNode]:
    """Open a file with h5py and give its root group.

    Parameters
    ----------
    source : ByteSource
        The file.
    flags : set of str
        Gets what is odd in the values that are read.

    Raises
    ------
    HeaderError
        ``broken``, ``truncated`` or ``out_of_reach``; ``reader_missing`` where h5py is not installed.
    """
    with library("reading this form of HDF5", "h5py"):
        import h5py
    remote = None if source.path is not None else RemoteFile(source, flags)
    place: Any = source.path or remote
    try:
        with h5py.File(place, "r", locking=False, rdcc_nbytes=0) as file:
            yield LibraryNode(file, flags)
    except FAILURES as error:
        if remote is not None and remote.failure is not None:
            raise remote.failure from error
        raise _header_error(error) from error


class RemoteFile(io.RawIOBase):
    """A file for h5py over what one further request gives; ``failure`` says why that is too little."""

    def __init__(self, source: ByteSource, flags: set[str]) -> None:
        self._window, self._at, self._flags = Window(source), 0, flags
        self.failure: HeaderError | None = None

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a byte."""
        self._at = offset + (0, self._at, self._window.size)[whence]
        return self._at

    def tell(self) -> int:
        """Return where it is."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, with nothing behind the end of the file."""
        length = max(min(len(buffer), self._window.size - self._at), 0)
        try:
            buffer[:length] = self._window.get(self._at, length)
        except HeaderError as error:
            self.failure = self.failure or error
            self._flags.add(error.code)
            raise OSError(error.text) from error
        self._at += length
        return length


class LibraryNode:
    """One group or dataset of h5py; ``flags`` gets what is odd."""

    def __init__(self, found: Any, flags: set[str]) -> None:
        self._found, self._flags = found, flags

    @property
    def is_group(self) -> bool:
        """Whether it can hold others."""
        import h5py

        return isinstance(self._found, h5py.Group)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Of a dataset; None of anything else."""
        shape: tuple[int, ...] | None = getattr(self._found, "shape", None)
        return shape

    def attributes(self, wanted: Container[str] | None = None) -> dict[str, Value]:
        """Return the attributes by name, those of libraries left out unless they are wanted."""
        values: dict[str, Value] = {}
        for kept in self._found.attrs:
            name = as_name(kept.encode("utf-8", "surrogateescape"))
            if name not in HIDDEN if wanted is None else name in wanted:
                values[name] = self._value(kept)
        return values

    def children(self) -> Iterator[tuple[str, LibraryNode]]:
        """Yield what is in a group, by name; links to elsewhere are left out."""
        import h5py

        for name in sorted(self._found):
            if isinstance(self._found.get(name, getlink=True), h5py.HardLink):
                shown = as_name(name.encode("utf-8", "surrogateescape"))
                yield shown, LibraryNode(self._found[name], self._flags)

    def ends(self) -> tuple[float, float] | None:
        """Return the first and the last number of a dataset of one dimension; None where there is none."""
        shape, dtype = self.shape, self._found.dtype
        if shape is None or dtype.kind not in "iuf" or not all(shape):
            return None
        try:
            first, last = (self._found[0], self._found[shape[0] - 1]) if shape else 2 * (self._found[()],)
        except (OSError, ValueError):  # a filter that is not installed, or a damaged chunk
            self._flags.add(TIME_UNREADABLE)
            return None
        return float(first), float(last)

    def _value(self, name: str) -> Value:
        """Return an attribute, or None and a flag where it is of a type that h5py cannot give."""
        try:
            return self._shown(self._found.attrs[name])
        except (OSError, TypeError, ValueError, LookupError):
            self._flags.add(LEFT_OUT)
            return None

    def _shown(self, value: Any) -> Value:
        import h5py
        import numpy as np

        if isinstance(value, h5py.Empty):
            return None
        array = np.asarray(value)
        elements = array.ravel().tolist()
        if not elements:
            return None
        if array.dtype.kind in "iufb" and len(elements) <= LONGEST_LIST:
            return as_value([each if array.itemsize <= 8 else float(each) for each in elements])
        if array.dtype.kind in "SUO" and len(elements) <= LONGEST_LIST:
            return as_value([self._text(each) for each in elements])
        raise TypeError

    def _text(self, element: object) -> Scalar:
        if isinstance(element, str):
            return as_text(element.encode("utf-8", "surrogateescape"), self._flags)
        if isinstance(element, bytes):
            return as_text(element, self._flags)
        raise TypeError


def _header_error(error: BaseException) -> HeaderError:
    text = " ".join(str(error).split()) or type(error).__name__
    if found := _EOF.search(text):
        return HeaderError("truncated", f"HDF5: the file is cut: {found[0]}")
    return HeaderError("broken", f"HDF5: {text}")
