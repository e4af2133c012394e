"""Fetch the footers of a table's files, many at a time where they are far away.

Here: how much of a file's end is read, and in which order answers come.
Not here: what a footer says (``parquet_footer``).
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError
from metaplat.stores.tables.parquet_footer import (
    CUT,
    ENCRYPTED_MAGIC,
    MAGIC,
    FooterLongerError,
    parse_footer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metaplat.model.landed import ObjectInfo
    from metaplat.stores.tables.files import TableFiles
    from metaplat.stores.tables.parquet_footer import Footer

TAIL_BYTES = 65536
"""Read of an object's end: the footer of nearly every file, in one request."""

LOCAL_TAIL_BYTES = 16384
"""Read of a local file's end: a second read costs next to nothing there."""

KEPT_BODY_BYTES = 65536
"""A longer footer is not kept once its chunks are known: fetching it again is cheaper than keeping all."""


def read_footer(files: TableFiles, info: ObjectInfo, column: str | None = None) -> Footer:
    """Return the footer of one file.

    Parameters
    ----------
    files, info
        Which file.
    column : str or None
        Look at the chunks of this column now where the file has it, so that damage shows here.

    Raises
    ------
    InvalidInputError
        The file is no readable Parquet; one sentence without its name.
    KeyError
        It is gone, or was rewritten since it was listed.
    """
    local = files.local_path(info) is not None
    tail = files.read_tail(info, LOCAL_TAIL_BYTES if local else TAIL_BYTES)
    try:
        footer = parse_footer(tail, info.size)
    except FooterLongerError as more:
        footer = parse_footer(files.read_tail(info, more.needed), info.size)
    except InvalidInputError:
        no_end = tail[-4:] not in (MAGIC, ENCRYPTED_MAGIC)
        if no_end and info.size > len(tail) and files.read_ranges(info, [(0, 4)]) == [MAGIC]:
            raise InvalidInputError(CUT) from None
        raise
    if column is None:
        return footer
    footer = footer.named(column)
    if column not in footer.columns:
        return footer
    footer.chunks(column)
    return footer.without_body(column) if local or len(footer.body) > KEPT_BODY_BYTES else footer


def read_footers(
    files: TableFiles, infos: Sequence[ObjectInfo], column: str | None = None
) -> Iterator[tuple[ObjectInfo, Footer | InvalidInputError | KeyError]]:
    """Yield the footer of each file, or why there is none, in the order of ``infos``.

    ``files.parallel`` are asked for at a time, and no more than that many wait to be taken.
    """
    if files.parallel <= 1:
        for info in infos:
            yield info, _attempt(files, info, column)
        return
    width = min(files.parallel, len(infos)) or 1
    waiting: deque[tuple[ObjectInfo, Future[Footer | InvalidInputError | KeyError]]] = deque()
    pool = ThreadPoolExecutor(width, thread_name_prefix="footer")
    try:
        for info in infos:
            waiting.append((info, pool.submit(_attempt, files, info, column)))
            if len(waiting) > 2 * width:
                done, answer = waiting.popleft()
                yield done, answer.result()
        for done, answer in waiting:
            yield done, answer.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _attempt(
    files: TableFiles, info: ObjectInfo, column: str | None
) -> Footer | InvalidInputError | KeyError:
    try:
        return read_footer(files, info, column)
    except (InvalidInputError, KeyError) as error:
        return error
