"""What a failure of the local file system means for a store.

Here: error numbers as transient or permanent, and what a person can do about each.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError, MetaplatError, PermanentStoreError, TransientStoreError

if TYPE_CHECKING:
    from pathlib import Path

MISSING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP})
"""Errors of reading that mean: there is no such object."""

_PASSING = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.ESTALE, errno.ETIMEDOUT}
    | {errno.EIO}
)
_ADVICE = {
    errno.ENOSPC: "Free some space, or set home to a larger disk.",
    errno.EDQUOT: "Free some space, or set home to a larger disk.",
    errno.EISDIR: "A folder has the name of this object; move it away.",
    errno.EMFILE: "Raise the limit of open files (ulimit -n).",
}


def local_error(root: Path, attempted: str, error: OSError) -> MetaplatError:
    """Return the error that says what failed below ``root``, and whether to run again."""
    if error.errno == errno.ENAMETOOLONG:
        return InvalidInputError(f"folder {root}: {attempted}: the name is too long for the file system")
    kind = TransientStoreError if error.errno in _PASSING else PermanentStoreError
    advice = _ADVICE.get(error.errno or 0, "Make the folder writable, or set home to another one.")
    return kind(f"folder {root}", attempted, error.strerror or type(error).__name__, advice)
