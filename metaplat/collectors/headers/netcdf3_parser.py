"""The header of a NetCDF-3 file, taken apart byte by byte.

Here: dimensions, attributes and variables of the three classic forms, and the size that they announce.
Not here: where the bytes come from, and what a catalog makes of them (``netcdf3``).
Format: "NetCDF Classic Format Specification", NetCDF user's guide, appendix B.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING, NoReturn

from metaplat.collectors.headers.header import HeaderError
from metaplat.collectors.headers.netcdf_time import TIME_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from metaplat.collectors.headers.header import Value

LONGEST_LIST = 100
"""Elements of an attribute; a longer one is data rather than metadata, and is left out with a flag."""

MOST_AXES = 1024
"""NC_MAX_VAR_DIMS: more is garbage."""

Place = tuple[bytes, int, int, int]
"""Name, type, number of values and byte of the first one of an attribute."""

_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12
_CHAR = 2
_LETTERS = {1: "b", 2: "c", 3: "h", 4: "i", 5: "f", 6: "d", 7: "B", 8: "H", 9: "I", 10: "q", 11: "Q"}
_ONE = {kind: Struct(">" + letter).unpack_from for kind, letter in _LETTERS.items()}
_SIZES = {kind: Struct(">" + letter).size for kind, letter in _LETTERS.items()}
_OF_TIMES = {name.encode(): name for name in TIME_ATTRIBUTES}
_SHORT, _LONG = Struct(">I"), Struct(">Q")
_SHORT_PAIR, _LONG_PAIR = Struct(">II"), Struct(">IQ")
_TAIL, _TAIL_FAR, _TAIL_LONG = Struct(">III"), Struct(">IIQ"), Struct(">IQQ")


@dataclass(slots=True)
class Variable:
    """One variable: ``kind`` is the number of its type, ``begin`` the byte of its first value.

    ``size`` is the bytes of all its values, or, where it grows with the records, of those of one record;
    without padding.
    """

    name: str
    axes: tuple[int, ...]
    attributes: dict[str, Value]
    kind: int
    begin: int
    size: int
    is_record: bool

    @property
    def value_size(self) -> int:
        """Bytes of one value."""
        return _SIZES[self.kind]

    def value(self, raw: bytes) -> float:
        """Return the number that the bytes of one value are."""
        number: float = _ONE[self.kind](raw)[0]
        return number

    @property
    def is_text(self) -> bool:
        """Whether its values are characters."""
        return self.kind == _CHAR


class Parser:
    """One pass over the bytes of a header.

    Parameters
    ----------
    data : bytes
        From the first byte of the file; ``struct.error`` is raised where they end before the header does, and
        ``position`` says then how far the header goes at least.
    """

    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 4
        self.flags: set[str] = set()
        self.places: list[Place] = []
        form = data[3]
        self._word, self._pair = (_LONG, _LONG_PAIR) if form == 5 else (_SHORT, _SHORT_PAIR)
        self._tail = {1: _TAIL, 2: _TAIL_FAR}.get(form, _TAIL_LONG)

    def parse(self) -> None:
        """Read everything there is; raises HeaderError where it is no header."""
        self.records = self._records()
        dimensions = [(self._name(), self._number()) for _ in range(self._count(_DIMENSIONS))]
        self.names, self.lengths = [name for name, _ in dimensions], [length for _, length in dimensions]
        self.attributes = self._attributes()
        self.variables = [self._variable() for _ in range(self._count(_VARIABLES))]

    def parse_like(self, other: Parser, differing: Iterable[Place]) -> None:
        """Take what another header says: it is the same but for some attributes and the number of records."""
        self.records = self._records()
        self.names, self.lengths, self.variables = other.names, other.lengths, other.variables
        self.position, self.places = other.position, other.places
        self.attributes = other.attributes.copy()
        for name, kind, number, at in differing:
            self.attributes[self._text(name)] = self._value(kind, number, at)

    def length(self, variable: Variable) -> int | None:
        """Return how many values a variable of at most one dimension has; None where only the file tells."""
        if variable.is_record:
            return self.records
        return self.lengths[variable.axes[0]] if variable.axes else 1

    def record_size(self) -> int:
        """Return the bytes from one record to the next; one record variable alone has no padding."""
        sizes = [variable.size for variable in self.variables if variable.is_record]
        return sizes[0] if len(sizes) == 1 else sum([size + 3 & -4 for size in sizes])

    def place_end(self, place: Place) -> int:
        """Return the byte behind the values of an attribute."""
        _, kind, number, at = place
        return at + number * _SIZES[kind]

    def announced_size(self) -> int:
        """Return the bytes up to the last value; the padding after it is not counted."""
        earlier = max((self.records or 0) - 1, 0) * self.record_size()
        ends = [
            variable.begin + variable.size + (earlier if variable.is_record else 0)
            for variable in self.variables
            if self.records or not variable.is_record
        ]
        return max([self.position, *ends])

    def _records(self) -> int | None:
        """Return the number of records; None while they are still written."""
        records = self._number()
        return None if records == (1 << 8 * self._word.size) - 1 else records

    def _number(self) -> int:
        number: int = self._word.unpack_from(self.data, self.position)[0]
        self.position += self._word.size
        return number

    def _count(self, expected: int) -> int:
        tag, count = self._pair.unpack_from(self.data, self.position)
        if tag != expected and (tag or count):
            self._refuse("another list begins here than must")
        self.position += self._pair.size
        return int(count)

    def _name(self) -> str:
        length = self._number()
        begin = self.position
        if not length:
            self._refuse("a name is empty")
        self.position = begin + length + (-length & 3)
        return self._text(self.data[begin : begin + length])

    def _text(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            self.flags.add("latin1")
            return raw.decode("latin-1")

    def _attributes(self) -> dict[str, Value]:
        """Read the attributes of the file."""
        found: dict[str, Value] = {}
        self.places = self._scan()
        for name, kind, number, at in self.places:
            found.setdefault(self._text(name), self._value(kind, number, at))
        return found

    def _scan(self, wanted: Container[bytes] | None = None) -> list[Place]:
        """Return name, type, number of values and place of attributes: nearly all time goes into this."""
        count, data, position, found = self._count(_ATTRIBUTES), self.data, self.position, []
        word, pair, width, sizes = self._word.unpack_from, self._pair.unpack_from, self._word.size, _SIZES
        for _ in range(count):
            (length,) = word(data, position)
            begin = position + width
            self.position = position = begin + (length + 3 & -4)
            kind, number = pair(data, position)
            if kind not in sizes or not length:
                self._refuse(f"no attribute has type {kind} and a name of {length} bytes")
            name = data[begin : begin + length]
            if wanted is None or name in wanted:
                found.append((name, kind, number, position + 4 + width))
            self.position = position = position + 4 + width + (number * sizes[kind] + 3 & -4)
        return found

    def _value(self, kind: int, number: int, at: int) -> Value:
        if kind == _CHAR:
            text = self._text(self.data[at : at + number].partition(b"\0")[0])
            return text if text and not text.isspace() else None
        if number == 1:
            scalar: float = _ONE[kind](self.data, at)[0]
            return scalar
        if number > LONGEST_LIST:
            self.flags.add("left_out")
            return None
        return list(Struct(f">{number}{_LETTERS[kind]}").unpack_from(self.data, at)) or None

    def _variable(self) -> Variable:
        name = self._name()
        (rank,) = self._word.unpack_from(self.data, self.position)
        if rank > MOST_AXES:
            self._refuse(f"a variable has {rank} dimensions")
        axes = struct.unpack_from(f">{rank + 1}{self._word.format[1]}", self.data, self.position)[1:]
        if axes and max(axes) >= len(self.lengths):
            self._refuse("a variable has a dimension that is none")
        self.position += (rank + 1) * self._word.size
        # files have thousands of other attributes of variables
        attributes = {_OF_TIMES[key]: self._value(*where) for key, *where in self._scan(_OF_TIMES)}
        kind, _, begin = self._tail.unpack_from(self.data, self.position)  # the size between is often wrong
        if kind not in _SIZES:
            self._refuse(f"no variable has the type {kind}")
        self.position += self._tail.size
        shape = [self.lengths[axis] for axis in axes]
        is_record = bool(shape) and shape[0] == 0
        size = math.prod(shape[1:] if is_record else shape) * _SIZES[kind]
        return Variable(name, axes, attributes, kind, begin, size, is_record)

    def _refuse(self, what: str) -> NoReturn:
        raise HeaderError("broken", f"NetCDF-3: {what} (byte {self.position})")
