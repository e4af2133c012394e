"""What a store says of a place that is only read: the same failure, as one of a source.

Here: the translation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.errors import PermanentSourceError, StoreError, TransientSourceError, TransientStoreError

if TYPE_CHECKING:
    from metaplat.model.errors import MetaplatError

_READING = "Grant this identity s3:ListBucket on the bucket and s3:GetObject on what lies below the prefix."


def as_source_error(error: MetaplatError) -> MetaplatError:
    """Return a store's error as a source's; others stay as they are."""
    if not isinstance(error, StoreError):
        return error
    kind = TransientSourceError if isinstance(error, TransientStoreError) else PermanentSourceError
    advice = _READING if "GetObject" in error.advice else error.advice  # nothing is written here
    return kind(error.system, error.attempted, error.answer, advice)


def gone(system: str, shown: str, answer: str) -> TransientSourceError:
    """Return the error of a file that is not what was listed any more."""
    return TransientSourceError(system, f"read {shown}", answer, "Collect again: it is found as it is now.")
