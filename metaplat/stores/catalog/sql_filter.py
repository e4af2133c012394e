"""Filters as SQL conditions with parameters.

Here: ``compile_filter``, with the meaning of ``model.filters`` in the words of a ``Dialect``.
Not here: choosing and ordering rows (``sql_search``), the parts a rollup answers (``sql_window``).

No value ever becomes part of a statement, and no column that is not declared.

SQLite's parser has a stack of 100 entries, and counts ``a AND b AND c`` as depth three of at most a thousand
(https://sqlite.org/limits.html). So And and Or are written as balanced trees, and the highest argument first:
one entry waits for it on the stack, three for any other.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from metaplat.model.errors import InvalidInputError
from metaplat.model.filters import (
    TEXT_COLUMNS,
    And,
    Between,
    Compare,
    Cone,
    Contains,
    Filter,
    In,
    IsNull,
    Not,
    Or,
    Overlaps,
    Prefix,
    Text,
)
from metaplat.stores.catalog.polars_filter import chord_limit, fitting
from metaplat.stores.catalog.sql_values import FIELDS, MAX_INTEGER, after_prefix, direction, microseconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metaplat.model.filters import Operator, Value
    from metaplat.stores.catalog.sql_dialect import Dialect, Stored

MAX_HEIGHT = 80
"""Entries of the parser's stack that a filter may take; the rest of a statement needs some too."""
LEAF_HEIGHT = 12
"""A condition takes no more than these."""
MAX_CONDITIONS = 20_000
FEW_VALUES, FEW_REALS = 100, 10_000
"""More values of an ``In`` than these become one parameter; as JSON text, where fractions may be rounded."""
TRUE, FALSE, UNKNOWN = "(1 = 1)", "(1 = 0)", "(1 = NULL)"
UPPER = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})
DEC_MARGIN = 1e-6
"""Degrees by which the range of declinations is wider than the cone, against rounding."""


class Condition(NamedTuple):
    """A condition and the values of its placeholders, in their order."""

    sql: str
    parameters: list[Stored]


class _Part(NamedTuple):
    """A condition in parentheses, and how many entries of the parser's stack it takes."""

    sql: str
    parameters: list[Stored]
    height: int


def compile_filter(where: Filter, dialect: Dialect, drivers: frozenset[str] | None = None) -> Condition:
    """Return a filter as an SQL condition on the observations table.

    Parameters
    ----------
    where : Filter
        Checked already: values are of the types of their columns.
    dialect : Dialect
        The database.
    drivers : frozenset of str or None
        Columns whose conditions may choose an index, where the dialect can say so; None means all.

    Returns
    -------
    Condition
        In parentheses; true, false or null, as ``model.filters`` says.

    Raises
    ------
    InvalidInputError
        A column does not exist, text is not Unicode, or the tree is too deep (more than some sixty levels of
        And and Or by turns) or has more than ``MAX_CONDITIONS`` conditions.
    """
    part = _Compiler(dialect, drivers).compiled(where, 0, negated=False)
    return Condition(part.sql, part.parameters)


def conjuncts(where: Filter) -> list[Filter]:
    """Return the conditions that all have to be true; any depth."""
    where, negated = _bare(where, negated=False)
    if not isinstance(where, And | Or) or isinstance(where, And) == negated:
        return [Not(where) if negated else where]
    return [Not(found) if is_opposite else found for found, is_opposite in _level(where, negated=negated)]


class _Compiler:
    def __init__(self, dialect: Dialect, drivers: frozenset[str] | None) -> None:
        self._dialect, self._drivers = dialect, drivers
        self._parameters: list[Stored] = []
        self._conditions = 0

    def compiled(self, where: Filter, depth: int, *, negated: bool) -> _Part:
        """Compile a node or its opposite: Not is pushed to the leaves, which keeps unknown unknown."""
        where, negated = _bare(where, negated=negated)
        if depth > MAX_HEIGHT:
            raise _too_deep()
        if isinstance(where, And | Or):
            parts = [
                self.compiled(arg, depth + 1, negated=is_opposite)
                for arg, is_opposite in _level(where, negated=negated)
            ]
            is_and = isinstance(where, And) != negated
            part = _joined(parts, "AND", TRUE) if is_and else _joined(parts, "OR", FALSE)
        else:
            part = self._leaf_part(where, negated=negated)
        if part.height > MAX_HEIGHT:
            raise _too_deep()
        return part

    def _leaf_part(self, where: Filter, *, negated: bool) -> _Part:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise InvalidInputError(f"the filter has more than {MAX_CONDITIONS} conditions; use an IN list")
        self._parameters = []
        leaf = f"({self._leaf(where, positive=not negated)})"
        return _Part(f"(NOT {leaf})" if negated else leaf, self._parameters, LEAF_HEIGHT)

    def _leaf(self, where: Filter, *, positive: bool) -> str:
        """Compile a condition; ``positive`` where false and unknown come to the same."""
        match where:
            case Compare(column, operator, value):
                return self._compare(column, operator, value)
            case In(column, values):
                return self._among(column, values)
            case Between(column, low, high):
                return f"{self._compare(column, '>=', low)} AND {self._compare(column, '<=', high)}"
            case IsNull(column):
                return f"{self._column(column)} IS NULL"
            case Prefix(column, text):
                return self._prefix(column, text)
            case Contains(column, text):
                return self._dialect.contains.format(text=self._column(column), part=self._text(text))
            case Overlaps(start, end):
                return self._overlaps(start, end)
            case Cone():
                return self._cone(where, positive=positive)
            case Text(words):
                return " AND ".join([self._word(word) for word in words]) or TRUE
        raise TypeError(f"no condition: {where!r}")  # pragma: no cover - the match is complete

    def _compare(self, column: str, operator: Operator, value: Value) -> str:
        known = self._column(column)
        fitted = fitting(column, operator, value)
        if fitted is None:
            return UNKNOWN
        if isinstance(fitted, bool):  # what every value answers alike, null stays unknown
            return f"{known} = {known}" if fitted else f"{known} <> {known}"
        return f"{known} {fitted[0]} {self._value(fitted[1])}"

    def _among(self, column: str, values: Sequence[Value]) -> str:
        if not values:
            return FALSE
        fitted = [fitting(column, "=", value) for value in values]
        found = self._listed(column, [self._storable(pair[1]) for pair in fitted if isinstance(pair, tuple)])
        return f"({found}) OR {UNKNOWN}" if None in fitted else found

    def _listed(self, column: str, values: Sequence[Stored]) -> str:
        known = self._column(column)
        if not values:
            return f"{known} <> {known}"
        if len(values) <= (FEW_REALS if FIELDS[column].dtype is float else FEW_VALUES):
            return f"{known} IN ({', '.join(self._mark(value) for value in values)})"
        return self._dialect.among.format(column=known, values=self._mark(self._dialect.pack(values)))

    def _prefix(self, column: str, text: str) -> str:
        known, after = self._column(column), after_prefix(text)
        begin = f"{known} >= {self._text(text)}"
        return begin if after is None else f"{begin} AND {known} < {self._text(after)}"

    def _overlaps(self, start: datetime | None, end: datetime | None) -> str:
        begin = self._column("observation_timestamp")
        if start is not None and end is not None and start >= end:
            return f"{begin} <> {begin}"
        # the first comparison keeps the whole unknown where there is no begin
        before = f"{begin} <= {self._mark(MAX_INTEGER)}" if end is None else f"{begin} < {self._value(end)}"
        if start is None:
            return before
        lasts = f"coalesce(observation_end, observation_timestamp) >= {self._value(start)}"
        return f"{before} AND ({begin} >= {self._value(start)} OR {lasts})"

    def _cone(self, cone: Cone, *, positive: bool) -> str:
        if cone.radius_deg < 0:
            return "unit_x <> unit_x"
        if cone.radius_deg >= 180:  # half a circle around is every direction
            return "unit_x = unit_x"
        axes = zip(("x", "y", "z"), direction(cone.ra_deg, cone.dec_deg), strict=True)
        squares = [
            f"(unit_{axis} - {self._mark(at)}) * (unit_{axis} - {self._mark(at)})" for axis, at in axes
        ]
        chord = f"{' + '.join(squares)} <= {self._mark(chord_limit(cone.radius_deg))}"
        if not positive:  # the range below is false, not unknown, where only ra_deg is null
            return chord
        low, high = cone.dec_deg - cone.radius_deg - DEC_MARGIN, cone.dec_deg + cone.radius_deg + DEC_MARGIN
        return f"{chord} AND {self._column('dec_deg')} BETWEEN {self._mark(low)} AND {self._mark(high)}"

    def _word(self, word: str) -> str:
        wanted = word.translate(UPPER)
        found = [
            self._dialect.contains.format(text=f"lower(coalesce({column}, ''))", part=self._text(wanted))
            for column in TEXT_COLUMNS
        ]
        return f"({' OR '.join(found)})"

    def _column(self, name: str) -> str:
        if name not in FIELDS:
            raise InvalidInputError(f"an observation has no column {name!r}")
        if self._drivers is None or name in self._drivers:
            return name
        return self._dialect.no_index.format(column=name)

    def _value(self, value: Value) -> str:
        return self._mark(self._storable(value))

    def _text(self, text: str) -> str:
        return self._mark(self._storable(text))

    def _mark(self, value: Stored) -> str:
        self._parameters.append(value)
        return self._dialect.mark

    def _storable(self, value: Value) -> Stored:
        if isinstance(value, datetime):
            return microseconds(value)
        if isinstance(value, str) and not _is_unicode(value):
            raise InvalidInputError(f"the text {value!a} of the filter is not Unicode")
        return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _bare(where: Filter, *, negated: bool) -> tuple[Filter, bool]:
    """Return what is inside all Nots, and whether it is asked for or its opposite."""
    while isinstance(where, Not):
        where, negated = where.arg, not negated
    return where, negated


def _level(where: And | Or, *, negated: bool) -> Iterator[tuple[Filter, bool]]:
    """Yield the arguments of an And or Or (of its opposite), those of equal ones inside it included."""
    is_and = isinstance(where, And) != negated
    stack: list[tuple[Filter, bool]] = [(where, negated)]
    while stack:
        found, is_opposite = stack.pop()
        found, is_opposite = _bare(found, negated=is_opposite)
        if isinstance(found, And | Or) and (isinstance(found, And) != is_opposite) == is_and:
            stack.extend((arg, is_opposite) for arg in reversed(found.args))
        else:
            yield found, is_opposite


def _joined(parts: Sequence[_Part], word: str, empty: str) -> _Part:
    """Join conditions: the highest one first and outside, the others as a tree of low height."""
    if not parts:
        return _Part(empty, [], LEAF_HEIGHT)
    highest, *level = sorted(parts, key=lambda part: -part.height)
    while len(level) > 1:
        level = [_pair(level[place : place + 2], word) for place in range(0, len(level), 2)]
    return _pair([highest, *level], word)


def _pair(parts: Sequence[_Part], word: str) -> _Part:
    if len(parts) == 1:
        return parts[0]
    first, second = parts
    height = max(first.height + 1, second.height + 3)
    return _Part(f"({first.sql} {word} {second.sql})", [*first.parameters, *second.parameters], height)


def _too_deep() -> InvalidInputError:
    return InvalidInputError("the filter is nested too deeply; say it with fewer levels of and, or and not")
