"""Pages of text for a terminal: lines of styled pieces, columns that fit a width, bars of block characters.

Here: laying out and printing. Not here: what a page says (``spark_text``, ``spark_compare_text``).
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

from metaplat.cli.output import print_content

if TYPE_CHECKING:
    from collections.abc import Sequence

Span = tuple[str, str]
"""A text and its style; an empty style is none."""
Line = list[Span]
Cells = list[str]

WIDTH = 120
"""Columns where neither a terminal nor COLUMNS says how many."""
LEAST_WIDTH = 40
EIGHTHS = " ▏▎▍▌▋▊▉█"
HEIGHTS = " ▁▂▃▄▅▆▇█"
BOLD, DIM = "bold", "dim"


def text_width() -> int:
    """Columns to write for: of the terminal, or as COLUMNS says."""
    return max(LEAST_WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)


def printable(text: str) -> str:
    """Return text of outsiders in one line and without control characters, which a terminal would obey."""
    line = " ".join(text.split())
    return (
        line
        if line.isprintable()
        else "".join(each if each.isprintable() else _escaped(each) for each in line)
    )


def _escaped(letter: str) -> str:
    return ascii(letter)[1:-1]


def print_lines(lines: Sequence[Line]) -> None:
    """Print lines as they are; on a terminal with their styles."""
    print_content(rendered(lines, styled=sys.stdout.isatty()).encode(errors="replace"))


def rendered(lines: Sequence[Line], *, styled: bool) -> str:
    """Return lines as one text, with the control sequences of their styles or without."""
    if not styled:
        return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True, emoji=False, markup=False)
    with console.capture() as captured:
        for line in lines:
            console.print(Text.assemble(*line), soft_wrap=True)
    return captured.get()


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """Return text in exactly ``width`` columns: cut, or filled with blanks; wide letters count two."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) > width:
        text = f"{set_cell_size(text, max(width - 1, 0)).rstrip()}…" if width else ""
    missing = " " * (width - cell_len(text))
    return missing + text if right else text + missing


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return text in lines of at most ``width`` columns; every line begins with ``indent``."""
    room = max(width - len(indent), 20)
    return [indent + line for line in textwrap.wrap(text, room, break_on_hyphens=False)] or [indent.rstrip()]


def columns_of(rows: Sequence[Cells], most: int | None = None) -> list[int]:
    """Return the width of each column: that of its widest cell, at most ``most``."""
    from rich.cells import cell_len

    widths = [max(cell_len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return widths if most is None else [min(each, most) for each in widths]


def bar(start: float, length: float, width: int) -> tuple[str, str, str]:
    """Return blanks, blocks and blanks: a bar from ``start`` on, both as shares of ``width`` columns."""
    begin = min(int(start * width), width - 1)
    eighths = max(1, min(round(length * width * 8), (width - begin) * 8))
    blocks = EIGHTHS[8] * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")
    return " " * begin, blocks, " " * (width - begin - len(blocks))


def heights(values: Sequence[float], most: float) -> str:
    """Return one letter a value, as high as its share of ``most``; what is not nothing is seen."""
    steps = len(HEIGHTS) - 1
    return "".join(
        HEIGHTS[min(steps, max(round(steps * each / most), int(each > 0)))] if most else " "
        for each in values
    )
