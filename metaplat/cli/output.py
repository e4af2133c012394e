"""How commands print: a table for people, JSON for machines, progress and errors on standard error."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

from metaplat.model.errors import PermanentStoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

TABLE_WIDTH = 160
"""Columns of a table that goes to no terminal."""

QUIET_SECONDS = 2.0
"""So long nothing is drawn: most work is done by then."""

STATE_STYLES = {"passed": "green", "failed": "red bold", "warning": "yellow", "not evaluated": "dim"}


def fail(text: str) -> None:
    """Print one line of error; line breaks in it would hide the rest."""
    print(f"error: {' '.join(text.split())}", file=sys.stderr)


def note(text: str) -> None:
    """Print one line beside the result."""
    print(text, file=sys.stderr)


def print_content(content: bytes) -> None:
    """Print bytes as they are; where the reader has gone (``| head``), the program ends quietly.

    Raises
    ------
    PermanentStoreError
        Nothing can be written there: a full disk, or a standard output that is closed.
    """
    if sys.stdout is None:
        raise _unwritable("it is closed")
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the rest, flushed at the exit
        raise SystemExit(0) from None
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise _unwritable(error.strerror or str(error)) from error


def _unwritable(answer: str) -> PermanentStoreError:
    return PermanentStoreError("standard output", "print the result", answer, "Send it where there is room.")


def print_json(value: object) -> None:
    """Print one JSON document, or one line of a stream."""
    try:
        content = orjson.dumps(value, default=_plain)
    except TypeError:  # a file name that is not UTF-8: only the standard library can write it
        content = json.dumps(value, default=_plain).encode()
    print_content(content + b"\n")


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], width: int | None = TABLE_WIDTH
) -> None:
    """Print a table; on a terminal it is as wide as that, and states are coloured.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    rows : iterable of sequence
        Cells; None is empty.
    width : int or None
        Columns where it goes to no terminal; None means as many as the longest line needs.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, header_style="bold", box=None, pad_edge=False)
    for row in rows:
        cells = ["" if cell is None else _shown(cell) for cell in row]
        table.add_row(*(Text(cell, style=STATE_STYLES.get(cell, "")) for cell in cells))
    unlimited = 2**31 if width is None else width
    console = Console(width=None if sys.stdout.isatty() else unlimited, highlight=False)
    with console.capture() as captured:
        console.print(table)
    print_content(captured.get().encode(errors="replace"))


@contextmanager
def progress_bar() -> Iterator[Any]:
    """Give a callback ``(what, done, total)`` that draws one bar a ``what`` on a terminal, after a while."""
    if not sys.stderr.isatty():
        yield lambda what, done, total: None  # noqa: ARG005  # nobody to draw for
        return
    from rich.console import Console
    from rich.progress import Progress

    begun, bars = time.monotonic(), Progress(console=Console(stderr=True), transient=True)
    tasks: dict[str, Any] = {}

    def draw(what: str, done: int, total: int | None) -> None:
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=total)
        bars.update(tasks[what], completed=done)
        if time.monotonic() - begun > QUIET_SECONDS:
            bars.start()  # once started, this does nothing

    try:
        yield draw
    finally:
        bars.stop()


def _shown(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M UTC")
    text = cell.value if isinstance(cell, StrEnum) else str(cell)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)  # no escape sequences


def _plain(value: object) -> object:
    """Encode what orjson does not know: sets, decimals, paths, as text or lists."""
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
