"""What a failure of the local file system means for a store.

Here: error numbers as transient or permanent, and what a person can do about each.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError, MetaplatError, PermanentStoreError, TransientStoreError

if TYPE_CHECKING:
    from pathlib import Path

MISSING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP})
"""Errors of reading that mean: there is no such object."""

DENIED = frozenset({errno.EACCES, errno.EPERM})
"""Errors that mean: it is there, and not for this user."""

_PASSING = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.ESTALE, errno.ETIMEDOUT}
    | {errno.EIO}
)
_ADVICE = {
    errno.ENOSPC: "Free some space, or set home to a larger disk.",
    errno.EDQUOT: "Free some space, or set home to a larger disk.",
    errno.EFBIG: "Raise the limit of the size of a file (ulimit -f).",
    errno.EISDIR: "A folder has the name of this object; move it away.",
    errno.ENOTDIR: "A file has the name of this folder; move it away, or set home to another one.",
    errno.EMFILE: "Raise the limit of open files (ulimit -n).",
}


def writing_error(root: Path, attempted: str, error: OSError) -> MetaplatError:
    """Return the error that says what could not be written below ``root``, and whether to run again."""
    return _error(root, attempted, error, "Make the folder writable, or set home to another one.")


def reading_error(root: Path, attempted: str, error: OSError) -> MetaplatError:
    """Return the error that says what could not be read below ``root``, and whether to run again.

    Where it is not for this user, the folder that refuses is named.
    """
    if error.errno not in DENIED:
        return _error(root, attempted, error, "Look at the disk or the network share it lies on.")
    advice = "Make it and what lies in it readable for the user that runs metaplat."
    return _error(_refusing_folder(error, root), attempted, error, advice)


def _refusing_folder(error: OSError, root: Path) -> str:
    """Return the folder that could not be listed, or whose files could not be looked up or opened."""
    if not isinstance(error.filename, str):
        return str(root)
    is_folder = os.path.isdir(error.filename)  # noqa: PTH112  # a name that is not UTF-8 stays a string
    name = error.filename if is_folder else os.path.dirname(error.filename)  # noqa: PTH120
    shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return shown.rstrip("/") or "/"


def _error(root: Path | str, attempted: str, error: OSError, otherwise: str) -> MetaplatError:
    if error.errno == errno.ENAMETOOLONG:
        return InvalidInputError(f"folder {root}: {attempted}: the name is too long for the file system")
    kind = TransientStoreError if error.errno in _PASSING else PermanentStoreError
    advice = _ADVICE.get(error.errno or 0, otherwise)
    return kind(f"folder {root}", attempted, error.strerror or type(error).__name__, advice)
