"""A listing beside what the catalog knows of the same place, file by file, in bounded memory.

Here: the merge of both in the order of paths, and when a file that is not listed may be believed gone.
Not here: what follows from it (``watching``, ``reconciling``).
"""

from __future__ import annotations

import re
from itertools import chain, groupby
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

from metaplat.model.errors import TransientSourceError
from metaplat.model.observation import FileState, dataset_id_of, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from metaplat.catalog.ingesting.listing import FileEntry, Listing
    from metaplat.stores.catalog.index import CatalogIndex, KnownFile

_T = TypeVar("_T")
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")

Pair = tuple["FileEntry | None", "KnownFile | None"]
"""A file as it is listed, and as it is known: one of both at least."""


def compared(listing: Listing, index: CatalogIndex, *, allow_empty: bool = False) -> Iterator[Pair]:
    """Yield every file that is listed or known, in the order of the shown paths.

    Parameters
    ----------
    listing : Listing
        Of the place.
    index : CatalogIndex
        What is known below it.
    allow_empty : bool
        Believe an empty place where the catalog knows files.

    Raises
    ------
    TransientSourceError
        The place is empty, and the catalog knows files there: it is likely not mounted.
    UsageError, SourceError
        As the listing raises them.
    """
    below = listing.below
    entries = iter(listing)
    first = next(entries, None)
    if first is None:
        yield from ((None, known) for known in _all_gone(listing, index, allow_empty=allow_empty))
        return
    if below is None:
        yield first, index.known([dataset_id_of(first.path)]).get(dataset_id_of(first.path))
        return
    yield from _merged(chain([first], entries), index.known_below(below))


def ensure_listed(listing: Listing) -> None:
    """Make sure that a place still holds anything at all; raises as ``compared`` where it does not."""
    if next(iter(listing), None) is None:
        raise _empty(listing)


def is_gone(known: KnownFile, listing: Listing) -> bool:
    """Whether a known file that was not listed is gone: its folder was looked into, and it is not there.

    Only to be asked when the listing has come to a later path.
    """
    if known.file_state == FileState.VANISHED:
        return False
    path = known.file_path
    if any(path == folder.path or path.startswith(f"{folder.path}/") for folder in listing.unlisted):
        return False
    return not listing.is_there(real_path(path, known.dataset_id))


def real_path(shown: str, dataset_id: str) -> str:
    """Return the path by which a known file can be opened: names that are not UTF-8 are stored escaped."""
    if "\\x" not in shown or dataset_id_of(shown) == dataset_id:
        return shown
    raw = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), shown.encode())
    unescaped = raw.decode("utf-8", "surrogateescape")
    return unescaped if dataset_id_of(unescaped) == dataset_id else shown


def _all_gone(listing: Listing, index: CatalogIndex, *, allow_empty: bool) -> Iterator[KnownFile]:
    below = listing.below
    for known in index.known_below(below) if below else ():
        if known.file_state != FileState.VANISHED and not allow_empty:
            raise _empty(listing)
        yield known


def _empty(listing: Listing) -> TransientSourceError:
    return TransientSourceError(
        listing.address,
        "list it",
        "it is empty, and the catalog knows files there",
        "Check that it is mounted; if it was emptied on purpose, run "
        "`metaplat catalog reconcile PLACE --allow-empty`.",
    )


def _merged(entries: Iterable[FileEntry], known: Iterable[KnownFile]) -> Iterator[Pair]:
    left = groupby(entries, key=lambda entry: shown_path(entry.path))
    right = groupby(known, key=attrgetter("file_path"))
    listed, stored = _next(left), _next(right)
    while listed is not None or stored is not None:
        if stored is None or (listed is not None and listed[0] < stored[0]):
            assert listed is not None  # noqa: S101  # one of both is there
            yield from ((entry, None) for entry in listed[1])
            listed = _next(left)
        elif listed is None or stored[0] < listed[0]:
            yield from ((None, each) for each in stored[1])
            stored = _next(right)
        else:
            yield from _matched(listed[1], stored[1])
            listed, stored = _next(left), _next(right)


def _next(groups: Iterator[tuple[str, Iterator[_T]]]) -> tuple[str, list[_T]] | None:
    found = next(groups, None)
    return None if found is None else (found[0], list(found[1]))


def _matched(entries: Sequence[FileEntry], stored: Sequence[KnownFile]) -> Iterator[Pair]:
    """Match files with the same shown path: different names may be shown alike, where one is not UTF-8."""
    by_id = {known.dataset_id: known for known in stored}
    for entry in entries:
        yield entry, by_id.pop(dataset_id_of(entry.path), None)
    yield from ((None, known) for known in by_id.values())
