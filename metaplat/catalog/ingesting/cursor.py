"""What one look at a place leaves for the next: which files were not settled, and which were missing.

Here: the form of it, a short JSON text.
Not here: what is concluded (``watching``).
Files are kept as digests of path and content, at most ``REMEMBERED`` of each kind: one that is not remembered
is only taken, or believed gone, a look later.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

REMEMBERED = 4000
"""Digests of each kind; about 80 kB of text."""

_VERSION = 1


@dataclass
class Cursor:
    """What a look leaves.

    Parameters
    ----------
    unsettled, absent : dict of str to None
        Digests in the order they were seen: of files that were not cataloged, and of missing ones.
    """

    unsettled: dict[str, None] = field(default_factory=dict)
    absent: dict[str, None] = field(default_factory=dict)

    def text(self) -> str:
        """Return it as text."""
        return json.dumps({"v": _VERSION, "unsettled": list(self.unsettled), "absent": list(self.absent)})


def read_cursor(text: str | None) -> Cursor:
    """Return the cursor of the last look; an empty one where there was none, or of another version."""
    try:
        found = json.loads(text or "null")
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("v") != _VERSION:
        return Cursor()
    return Cursor(_digests(found.get("unsettled")), _digests(found.get("absent")))


def remember(kept: dict[str, None], digest: str) -> None:
    """Keep a digest where there is room."""
    if len(kept) < REMEMBERED:
        kept[digest] = None


def digest_of(*parts: str) -> str:
    """Return the digest of a path and a content."""
    text = "\0".join(parts).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def _digests(found: object) -> dict[str, None]:
    return dict.fromkeys(each for each in found if isinstance(each, str)) if isinstance(found, list) else {}
