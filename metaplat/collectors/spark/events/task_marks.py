"""What was seen of each task id, a byte a task, so that each is counted once.

Here: the marks, in pages that cost nothing once all their tasks went the same way.
Not here: what is counted by them (``stage_tasks``).
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np  # noqa: TID253  # imported only when a log is read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

STARTED, ENDED, SUCCEEDED, FAILED, KILLED, RESUBMITTED, SPECULATIVE = (1 << bit for bit in range(7))
PAGE_BITS = 12
PAGE = 1 << PAGE_BITS
NEAR = 16
"""So many pages are tried one by one, without looking which of them occur."""


class TaskMarks:
    """Marks by task id; ids are counted up by Spark, so pages fill one after the other."""

    def __init__(self) -> None:
        self._pages: dict[int, NDArray[np.uint8]] = {}
        self._uniform: dict[int, NDArray[np.uint8]] = {}
        self._turns = np.zeros(PAGE, np.intp)

    def mark(self, ids: NDArray[np.int64], marks: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Set marks and return, for each row, those of them that its task did not have before.

        Parameters
        ----------
        ids, marks : numpy.ndarray, shape (n,)
            An id may occur several times: the rows count in their order.
        """
        if not len(ids):
            return marks
        numbers = ids >> PAGE_BITS
        first, last = int(numbers.min()), int(numbers.max())
        if first == last:
            return self._mark_page(first, ids & (PAGE - 1), marks)
        fresh = np.empty_like(marks)
        near = last - first < NEAR
        for number in range(first, last + 1) if near else set(numbers.tolist()):
            rows = np.flatnonzero(numbers == number)
            if len(rows):
                fresh[rows] = self._mark_page(number, ids[rows] & (PAGE - 1), marks[rows])
        return fresh

    def _mark_page(
        self, number: int, places: NDArray[np.int64], marks: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        page = self._pages.get(number)
        if page is None:
            page = self._pages[number] = np.zeros(PAGE, np.uint8)
        elif not page.flags.writeable:
            page = self._pages[number] = page.copy()
        order = np.arange(len(places))
        self._turns[places] = order
        if (self._turns[places] == order).all():  # no task occurs twice
            before = page[places]
            page[places] = before | marks
            fresh = marks & ~before
        else:
            fresh = np.empty_like(marks)
            for row, place in enumerate(places.tolist()):
                fresh[row] = marks[row] & ~page[place]
                page[place] |= marks[row]
        self._share(number, page)
        return fresh

    def _share(self, number: int, page: NDArray[np.uint8]) -> None:
        """Keep one page for all whose tasks have all the same marks."""
        first = int(page[0])
        if first != int(page[-1]) or (page != first).any():
            return
        if first not in self._uniform:
            shared = np.full(PAGE, first, np.uint8)
            shared.flags.writeable = False
            self._uniform[first] = shared
        self._pages[number] = self._uniform[first]

    def lack_end(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return of each task whether no end of it was seen, shape (n,)."""
        lack = np.ones(len(ids), np.bool_)
        numbers = ids >> PAGE_BITS
        for number in set(numbers.tolist()):
            rows = np.flatnonzero(numbers == number)
            if number in self._pages:
                lack[rows] = (self._pages[number][ids[rows] & (PAGE - 1)] & ENDED) == 0
        return lack

    def without_end(self) -> int:
        """Return how many tasks started and did not end."""
        seen = STARTED | ENDED
        return sum(int(np.count_nonzero((page & seen) == STARTED)) for page in self._pages.values())

    def saved(self) -> dict[int, bytes]:
        """Return the pages, packed."""
        return {number: zlib.compress(page.tobytes(), 1) for number, page in self._pages.items()}

    @classmethod
    def restored(cls, saved: Mapping[int, bytes]) -> TaskMarks:
        """Return the marks that were saved.

        Raises
        ------
        ValueError
            A page is damaged.
        """
        marks = cls()
        for number, packed in saved.items():
            try:
                page = np.frombuffer(zlib.decompress(packed), np.uint8).copy()
            except zlib.error as error:
                raise ValueError(str(error)) from error
            if len(page) != PAGE:
                raise ValueError(f"a page of {len(page)} tasks")
            marks._pages[number] = page
            marks._share(number, page)
        return marks
