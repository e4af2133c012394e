"""NetCDF-3 headers that repeat: the files of one product differ in a few attributes of the same length.

A header that agrees with a layout is compared in long runs, and only the attributes that vary are parsed.
Here: layouts, and learning them from headers that were parsed.
Not here: parsing (``netcdf3_parser``), files (``netcdf3``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.headers.netcdf3_parser import Parser

if TYPE_CHECKING:
    from collections.abc import Collection

KEPT = 8
LONGEST = 64 * 1024
"""Bytes of a header that has a layout."""
_RECORDS_AT = 4
"""Where the number of records is, which any file may have another of: 4 bytes, 8 in the 64-bit data form."""


class Layout:
    """What is the same in the headers of one kind.

    Parameters
    ----------
    parser : Parser
        One of them, parsed.
    differing : collection of int
        Which of its attributes have other values in others.
    """

    __slots__ = ("_places", "_runs", "differing", "parser")

    def __init__(self, parser: Parser, differing: Collection[int]) -> None:
        self.parser, self.differing = parser, frozenset(differing)
        self._places = [parser.places[index] for index in sorted(differing)]
        data = parser.data
        begin = _RECORDS_AT + (8 if data[3] == 5 else 4)
        self._runs = [(0, data[:_RECORDS_AT])]
        for place in self._places:
            self._runs.append((begin, data[begin : place[3]]))
            begin = parser.place_end(place)
        self._runs.append((begin, data[begin : parser.position]))

    def read(self, data: bytes) -> Parser | None:
        """Return what parsing a header would give; None if it is not of this layout."""
        for at, run in self._runs:
            if not data.startswith(run, at):
                return None
        parser = Parser(data)
        parser.parse_like(self.parser, self._places)
        return parser

    def with_also(self, parser: Parser) -> Layout | None:
        """Return a layout of both headers, if all that differs are values of attributes."""
        ours, theirs = self.parser, parser
        if ours.places != theirs.places or ours.position != theirs.position:
            return None
        differing = set(self.differing)
        for index, place in enumerate(ours.places):
            values = slice(place[3], ours.place_end(place))
            if ours.data[values] != theirs.data[values]:
                differing.add(index)
        layout = Layout(parser, differing)
        return layout if layout.read(ours.data) is not None else None


class Layouts:
    """The layouts of headers seen lately, the newest first."""

    def __init__(self) -> None:
        self._known: list[Layout] = []

    def read(self, data: bytes) -> Parser | None:
        """Return the parsed header at the begin of some bytes; None if no layout fits."""
        for layout in self._known:
            parser = layout.read(data)
            if parser is not None:
                return parser
        return None

    def learn(self, parser: Parser) -> None:
        """Learn from a header that was parsed and that no layout fits."""
        is_usual = not parser.flags and len(parser.places) == len(parser.attributes)
        if not is_usual or parser.position > LONGEST:
            return
        parser.data = parser.data[: parser.position]
        for place, layout in enumerate(self._known):
            both = layout.with_also(parser)
            if both is not None:
                self._known[place] = both
                return
        self._known = [Layout(parser, ()), *self._known][:KEPT]
