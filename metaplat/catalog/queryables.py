"""What can be asked: the columns of an observation, and whether a filter fits them.

Here: ``checked``, which every front passes its filter through before a store sees it.
Not here: the columns (``query_columns``), single values (``query_values``), CQL2 (``cql2``), asking
(``search``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.catalog.query_columns import (
    ALIASES,
    Queryable,
    UnknownQueryableError,
    fields,
    listing,
    queryables,
    resolved,
)
from metaplat.catalog.query_values import checked_cone, checked_text, checked_value, checked_window
from metaplat.catalog.words import Day, compare_day
from metaplat.model.errors import UsageError
from metaplat.model.filters import (
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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.filters import Operator

__all__ = ["ALIASES", "Queryable", "UnknownQueryableError", "checked", "listing", "queryables", "resolved"]

MAX_DEPTH = 50
"""Levels of and, or and not in one filter."""
MAX_NODES = 10_000
"""Conditions in one filter, ands, ors and nots included."""
MAX_LITERALS = 200_000


def checked(where: Filter) -> Filter:
    """Return the filter as stores take it: columns by their own names, values of their types.

    Text is read as a time where the column is one; a day there means the whole day. Integers become numbers
    and whole numbers integers, as the column is.

    Parameters
    ----------
    where : Filter
        From any front, as wild as it may be.

    Raises
    ------
    UsageError
        A column does not exist, a value is not of its type or not among its choices, a number is not finite,
        a text holds what no store takes, or the tree is deeper than ``MAX_DEPTH`` or larger than
        ``MAX_NODES`` and ``MAX_LITERALS``.
    """
    return _Check().tree(where, 1)


class _Check:
    """One walk over one tree, which counts what it meets."""

    def __init__(self) -> None:
        self._nodes = self._literals = 0

    def tree(self, where: Filter, depth: int) -> Filter:
        if depth > MAX_DEPTH:
            raise UsageError(f"the filter is nested more than {MAX_DEPTH} levels deep; write it flatter")
        self._count(nodes=1)
        match where:
            case And(args):
                return And(tuple([self.tree(arg, depth + 1) for arg in args]))
            case Or(args):
                return Or(tuple([self.tree(arg, depth + 1) for arg in args]))
            case Not(arg):
                return Not(self.tree(arg, depth + 1))
        return self._leaf(where)

    def _count(self, *, nodes: int = 0, literals: int = 0) -> None:
        self._nodes += nodes
        self._literals += literals
        if self._nodes > MAX_NODES:
            raise UsageError(
                f"the filter has more than {MAX_NODES} conditions; use IN for many values of one column"
            )
        if self._literals > MAX_LITERALS:
            raise UsageError(f"the filter has more than {MAX_LITERALS} values; ask in parts")

    def _leaf(self, where: Filter) -> Filter:
        match where:
            case Compare(name, operator, value):
                return self._compare(resolved(name), operator, value)
            case In(name, values):
                return self._among(resolved(name), values)
            case Between(name, low, high):
                return self._between(resolved(name), low, high)
            case IsNull(name):
                return IsNull(resolved(name))
            case Prefix(name, text) | Contains(name, text):
                return self._pattern(type(where), resolved(name), text)
            case Overlaps(start, end):
                return checked_window(start, end)
            case Cone(ra_deg, dec_deg, radius_deg):
                return checked_cone(ra_deg, dec_deg, radius_deg)
            case Text(words):
                self._count(literals=len(words))
                return Text(tuple([checked_text(word, "free text") for word in words if word != ""]))
        raise UsageError(f"a filter cannot hold a {type(where).__name__}")

    def _compare(self, column: str, operator: Operator, value: object) -> Filter:
        self._count(literals=1)
        fitting = checked_value(fields()[column], value, is_listed=operator in {"=", "<>"})
        if isinstance(fitting, Day):
            self._count(nodes=2)
            return compare_day(column, operator, fitting)
        return Compare(column, operator, fitting)

    def _among(self, column: str, values: Sequence[object]) -> Filter:
        self._count(literals=len(values))
        fitting = [checked_value(fields()[column], value, is_listed=True) for value in values]
        exact = In(column, tuple([each for each in fitting if not isinstance(each, Day)]))
        days = [compare_day(column, "=", each) for each in fitting if isinstance(each, Day)]
        self._count(nodes=3 * len(days))
        if not days:
            return exact
        return Or((*days, exact)) if exact.values else Or(tuple(days))

    def _between(self, column: str, low: object, high: object) -> Filter:
        self._count(literals=2)
        first, last = (checked_value(fields()[column], value, is_listed=False) for value in (low, high))
        if isinstance(first, Day) or isinstance(last, Day):
            return And((self._compare(column, ">=", low), self._compare(column, "<=", high)))
        return Between(column, first, last)

    def _pattern(self, kind: type[Prefix | Contains], column: str, text: object) -> Filter:
        self._count(literals=1)
        if fields()[column].dtype is not str:
            raise UsageError(f"{column} holds no text to search in; {listing()}")
        sought = checked_text(text, column)
        return kind(column, sought) if sought else Compare(column, ">=", "")  # any text at all
