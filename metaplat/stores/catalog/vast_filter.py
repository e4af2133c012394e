"""Filters for VAST DB: what it decides itself, and what is left to decide on the rows it sends.

Here: ``split`` and ``predicate``.
Not here: deciding the rest (``polars_filter``), sending it (``vast_reading``).

VAST takes a conjunction of clauses, and in a clause alternatives on one column: comparisons, ranges, lists,
prefixes, null or not. It refuses alternatives on two columns, and every negation but "not null". Negations
are therefore pushed down to the conditions first; then unknown may count as false, because only true rows
are wanted and nothing above a condition turns false into true.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
from metaplat.stores.catalog.polars_filter import MAX_DEPTH, fitting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.model.filters import Operator, Value

OPPOSITE: dict[Operator, Operator] = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
COMPARE = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MAX_VALUES = 4000
"""Literals in one request: about 150 bytes each, and a request holds 4.5 MB."""
MAX_TEXT = 1_000_000
"""Letters of all literals in one request."""
MAX_CLAUSES = 60
"""More are left to the rows: the SDK walks them by recursion."""
EXCLUDED_ONE_BY_ONE = 20
"""A longer list that is negated is left to the rows."""
CONE_SLACK = 1e-9
"""Degrees by which the band of declinations is wider than the cone, because of rounding."""

Leaf = Compare | In | Between | Prefix | Contains | IsNull | Not
Clause = Sequence[Leaf]
"""Alternatives on one column."""


@dataclass(frozen=True)
class Split:
    """A filter in two parts; rows match where both do.

    Parameters
    ----------
    clauses : sequence of Clause
        For VAST.
    rest : Filter or None
        For the rows it sends.
    nothing : bool
        No row can match; nothing need be asked.
    """

    clauses: Sequence[Clause]
    rest: Filter | None
    nothing: bool = False


def split(where: Filter, unpushed: str | None = None) -> Split:
    """Split a filter into what VAST decides, and the rest.

    Parameters
    ----------
    where : Filter
        Checked already.
    unpushed : str or None
        A column whose text VAST does not have whole.

    Raises
    ------
    InvalidInputError
        The tree is deeper than ``MAX_DEPTH``, a text is no Unicode, or a time has no zone.
    """
    budget = _Budget()
    clauses: list[Clause] = []
    rest: list[Filter] = []
    for part in _conjuncts(_positive(where, 0, negated=False)):
        if part == Or(()):
            return Split((), None, nothing=True)
        clause = _clause(part, unpushed)
        if clause is not None and budget.holds(clause):
            clauses.append(clause)
        else:
            rest.append(part)
            clauses.extend(weaker for weaker in _implied(part) if budget.holds(weaker))
    return Split(clauses, And(rest) if rest else None)


class _Budget:
    """What one request has room for."""

    def __init__(self) -> None:
        self.values, self.letters, self.clauses = MAX_VALUES, MAX_TEXT, MAX_CLAUSES

    def holds(self, clause: Clause) -> bool:
        literals = [value for leaf in clause for value in _literals(leaf)]
        letters = sum(len(value) for value in literals if isinstance(value, str))
        if len(literals) > self.values or letters > self.letters or not self.clauses:
            return False
        self.values, self.letters, self.clauses = (
            self.values - len(literals),
            self.letters - letters,
            self.clauses - 1,
        )
        return True


def columns_of(where: Filter) -> set[str]:
    """Return the columns that deciding a filter needs."""
    match where:
        case And(args) | Or(args):
            return set().union(*map(columns_of, args))
        case Not(arg):
            return columns_of(arg)
        case Cone():
            return {"ra_deg", "dec_deg"}
        case Overlaps():
            return {"observation_timestamp", "observation_end"}
        case Text():
            return set(TEXT_COLUMNS)
    return {where.column}


def predicate(table: Any, clauses: Sequence[Clause]) -> Any:
    """Return clauses as the expression that the SDK compiles, None where there are none.

    Parameters
    ----------
    table : table of the SDK
        Gives its columns as ``table[name]``.
    """
    compiled = [
        functools.reduce(operator.or_, [_condition(table, leaf) for leaf in clause]) for clause in clauses
    ]
    return functools.reduce(operator.and_, compiled) if compiled else None


def _positive(where: Filter, depth: int, *, negated: bool) -> Filter:
    """Push negations down to the conditions."""
    if depth > MAX_DEPTH:
        raise InvalidInputError(f"the filter is nested more than {MAX_DEPTH} deep; say it with fewer levels")
    match where:
        case Not(arg):
            return _positive(arg, depth + (not isinstance(arg, Not)), negated=not negated)
        case And(args) | Or(args):
            parts = [_positive(arg, depth + 1, negated=negated) for arg in args]
            return And(parts) if isinstance(where, And) != negated else _either(parts)
    return _opposite(where) if negated else where


def _opposite(leaf: Filter) -> Filter:
    match leaf:
        case Compare(column, sign, value):
            return Compare(column, OPPOSITE[sign], value)
        case Between(column, low, high):
            return Or((Compare(column, "<", low), Compare(column, ">", high)))
        case In(column, values) if len(values) <= EXCLUDED_ONE_BY_ONE:
            return And([Compare(column, "<>", value) for value in values])
    return Not(leaf)


def _either(parts: Sequence[Filter]) -> Filter:
    flat: list[Filter] = []
    for part in parts:
        flat.extend(part.args if isinstance(part, Or) else [part])
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def _conjuncts(where: Filter) -> Iterator[Filter]:
    if isinstance(where, And):
        for arg in where.args:
            yield from _conjuncts(arg)
    elif isinstance(where, In) and not where.values:
        yield Or(())
    else:
        yield where


def _implied(part: Filter) -> Iterator[Clause]:
    """Yield clauses that hold wherever a part does that VAST does not know: it then sends fewer rows."""
    match part:
        case Overlaps(_, end) if end is not None:
            yield (Compare("observation_timestamp", "<", end),)
        case Overlaps():
            yield (Not(IsNull("observation_timestamp")),)
        case Cone(_, dec_deg, radius_deg):
            radius = radius_deg + CONE_SLACK
            yield (Between("dec_deg", dec_deg - radius, dec_deg + radius),)
            yield (Not(IsNull("ra_deg")),)


def _clause(part: Filter, unpushed: str | None) -> Clause | None:
    """Return a part as alternatives on one column that VAST takes; None where it does not."""
    leaves = part.args if isinstance(part, Or) else [part]
    columns = set().union(*map(columns_of, leaves))
    if len(columns) != 1 or unpushed in columns:
        return None
    equal: list[Value] = []
    others: list[Leaf] = []
    for leaf in leaves:
        exact = _exact(leaf)
        if exact is None:
            return None
        if isinstance(exact, In):
            equal.extend(exact.values)
        else:
            others.append(exact)
    if equal:
        others.append(In(columns.pop(), list(dict.fromkeys(equal))))
    return others if len(others) <= MAX_CLAUSES else None


def _exact(leaf: Filter) -> Leaf | None:
    """Return the condition with literals of the column's type; None where VAST cannot say it."""
    match leaf:
        case Compare(column, sign, value):
            fitted = _sent(column, sign, value)
            if fitted is None:
                return None
            return In(column, [fitted[1]]) if fitted[0] == "=" else Compare(column, *fitted)
        case Between(column, low, high):
            ends = _sent(column, ">=", low), _sent(column, "<=", high)
            if ends[0] is None or ends[1] is None or (ends[0][0], ends[1][0]) != (">=", "<="):
                return None
            return Between(column, ends[0][1], ends[1][1])
        case In(column, values):
            equal = [_sent(column, "=", value) for value in values]
            return None if None in equal or not equal else In(column, [pair[1] for pair in equal if pair])
        case Prefix(_, text):
            return leaf if _is_sent(text) else None
        case Contains(_, text):
            return leaf if text and _is_sent(text) else None
        case IsNull() | Not(IsNull()):
            return leaf
    return None


def _sent(column: str, sign: Operator, value: Value) -> tuple[Operator, Value] | None:
    fitted = fitting(column, sign, value)
    return fitted if isinstance(fitted, tuple) and _is_sent(fitted[1]) else None


def _is_sent(value: Value) -> bool:
    """Tell whether a literal surely arrives as it is: no NUL in text, no infinity."""
    if isinstance(value, str):
        return "\0" not in value
    return not isinstance(value, float) or math.isfinite(value)


def _literals(leaf: Leaf) -> Sequence[Value]:
    match leaf:
        case In(_, values):
            return values
        case Between(_, low, high):
            return [low, high]
        case Compare(_, _, value):
            return [value]
        case Prefix(_, text) | Contains(_, text):
            return [text]
    return []


def _condition(table: Any, leaf: Leaf) -> Any:
    if isinstance(leaf, Not):
        return ~_condition(table, leaf.arg)  # type: ignore[arg-type]
    column = table[leaf.column]
    match leaf:
        case Compare(_, sign, value):
            return COMPARE[sign](column, value)
        case In(_, values):
            return column.isin(list(values))
        case Between(_, low, high):
            return column.between(low, high)
        case Prefix(_, text):
            return column.startswith(text)
        case Contains(_, text):
            return column.contains(text)
    return column.isnull()
