"""What goes wrong with one file of a job, told apart by what can be done about it.

Here: refused before or while it is fetched, other than promised, changed on the way.
Not here: failures of the API (``errors``), of our own storage (``model.errors``).

A file host that is down, slow or throttling is a plain ``TransientSourceError``.
"""

from __future__ import annotations

from metaplat.model.errors import PermanentSourceError, TransientSourceError

FILE_HOST = "file host"
"""How errors call the system that files come from."""


class RefusedFileError(PermanentSourceError):
    """Its address, size or answer is not safe: nothing of it may become visible, and nobody asks again."""


class FileMismatchError(PermanentSourceError):
    """What the host has is longer, shorter or other than promised."""


class FileChangedError(TransientSourceError):
    """It changed while it was fetched, or cannot be gone on with: its first bytes are to be fetched again."""

    rerun = "Fetching it again from its start may help"
