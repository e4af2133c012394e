"""CQL2 text as a filter: ``mission_id = 'HST' AND observation_timestamp >= DATE('2026-03-01')``.

Here: the grammar, of OGC 21-065 annex B what ``model.filters`` can say: ``= <> < <= > >=``, ``AND OR NOT``,
``[NOT] IN``, ``[NOT] BETWEEN``, ``[NOT] LIKE``, ``IS [NOT] NULL``, ``TRUE``, ``FALSE``, temporal functions;
and our functions ``CONE(ra, dec, radius)`` (degrees, ICRS) and ``TEXT('words')``.
Not here: tokens (``scanning``), what predicates mean (``predicates``), columns and types
(``catalog.queryables``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NoReturn, TypeVar, cast

from metaplat.catalog.cql2 import predicates
from metaplat.catalog.cql2.operands import (
    MAX_DEPTH,
    Interval,
    MisuseError,
    Operand,
    Property,
    bound_of,
    day_of,
    moment_of,
)
from metaplat.catalog.cql2.scanning import Kind, Token, problem_at, tokens
from metaplat.catalog.words import shown
from metaplat.model.filters import And, Filter, IsNull, Not, Or

if TYPE_CHECKING:
    from collections.abc import Callable

    from metaplat.model.filters import Operator

Found = TypeVar("Found")
TIMES = frozenset({"DATE", "TIMESTAMP", "INTERVAL"})
COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})


def parse_text(text: str) -> Filter:
    """Read a filter in CQL2 text.

    Parameters
    ----------
    text : str
        Any text at all, hostile ones too: reading takes time proportional to its length.

    Returns
    -------
    Filter
        Columns by the names that were written; ``queryables.checked`` comes next.

    Raises
    ------
    UsageError
        It is no filter of the supported part of CQL2; the text says where and why.
    """
    return _Parser(text).whole()


class _Parser:
    """Recursive descent with one token of foresight; depth is counted, not left to the stack."""

    def __init__(self, text: str) -> None:
        self._text, self._tokens, self._depth = text, tokens(text), 0
        self._now = next(self._tokens)

    def whole(self) -> Filter:
        if self._is_done():
            raise problem_at(self._text, 0, "there is nothing; example: mission_id = 'HST'")
        found = self._disjunction()
        if not self._is_done():
            self._fail("expected AND, OR or the end")
        return found

    def _is_done(self) -> bool:
        return self._now.kind is Kind.END

    def _disjunction(self) -> Filter:
        parts = [self._conjunction()]
        while self._accepted("OR"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _conjunction(self) -> Filter:
        parts = [self._condition()]
        while self._accepted("AND"):
            parts.append(self._condition())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _condition(self) -> Filter:
        at = self._now.at
        if self._accepted("NOT"):
            return Not(self._deeper(self._condition, at))
        if self._accepted("("):
            found = self._deeper(self._disjunction, at)
            self._expect(")", "AND, OR or )")
            return found
        return self._predicate()

    def _deeper(self, rule: Callable[[], Found], at: int) -> Found:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise problem_at(self._text, at, f"brackets and NOT are nested more than {MAX_DEPTH} deep")
        found = rule()
        self._depth -= 1
        return found

    def _predicate(self) -> Filter:
        token = self._now
        if token.kind is Kind.WORD and token.value.upper() not in TIMES:
            self._next()
            if self._is_sign("("):
                args = self._arguments()
                return self._meaning(token.at, lambda: predicates.call(token.value, args))
            left: Operand = Property(token.value)
        else:
            left = self._operand()
        sign = self._now
        if sign.kind is Kind.SIGN and sign.value in COMPARISONS:
            self._next()
            right = self._operand()
            operator = cast("Operator", sign.value)
            return self._meaning(token.at, lambda: predicates.compare(left, operator, right))
        if isinstance(left, bool):
            return And(()) if left else Or(())
        return self._keyword_predicate(token.at, left)

    def _keyword_predicate(self, at: int, left: Operand) -> Filter:
        """Parse what follows a column: ``IS [NOT] NULL``, ``[NOT] IN``, ``[NOT] BETWEEN``, ``[NOT] LIKE``."""
        if not isinstance(left, Property):
            self._fail("expected a comparison: = <> < <= > >=")
        if self._accepted("IS"):
            is_negated = self._accepted("NOT")
            self._expect("NULL", "NULL or NOT NULL")
            return Not(IsNull(left.name)) if is_negated else IsNull(left.name)
        is_negated = self._accepted("NOT")
        if self._accepted("IN"):
            values = self._arguments()
            found = self._meaning(at, lambda: predicates.among(left, values))
        elif self._accepted("BETWEEN"):
            low = self._operand()
            self._expect("AND", "AND and the upper bound")
            high = self._operand()
            found = self._meaning(at, lambda: predicates.between(left, low, high))
        elif self._accepted("LIKE"):
            pattern = self._operand()
            found = self._meaning(at, lambda: predicates.like(left, pattern))
        else:
            self._fail("expected a comparison (= <> < <= > >=), IN, BETWEEN, LIKE or IS NULL")
        return Not(found) if is_negated else found

    def _arguments(self) -> list[Operand]:
        """Parse ``(operand, ...)``; it may be empty."""
        self._expect("(", "(")
        args: list[Operand] = []
        if self._accepted(")"):
            return args
        while True:
            args.append(self._operand())
            if not self._accepted(","):
                self._expect(")", ", or )")
                return args

    def _operand(self) -> Operand:
        token = self._next()
        match token.kind, token.value:
            case Kind.TEXT, text:
                return text
            case Kind.NUMBER, digits:
                return self._number(token, digits)
            case Kind.NAME, name:
                return Property(name)
            case Kind.WORD, _ if self._is_sign("("):
                return self._deeper(lambda: self._time(token), token.at)
            case Kind.WORD, name:
                return Property(name)
            case Kind.KEYWORD, "TRUE" | "FALSE":
                return token.value == "TRUE"
            case Kind.KEYWORD, "NULL":
                raise problem_at(self._text, token.at, "nothing equals NULL; write: column IS NULL")
        raise problem_at(self._text, token.at, "expected a column or a value; text stands in 'single quotes'")

    def _number(self, token: Token, digits: str) -> int | float:
        if digits.lstrip("+-").isdigit():
            return int(digits)
        number = float(digits)
        if not math.isfinite(number):
            raise problem_at(self._text, token.at, "the number is too large")
        return number

    def _time(self, name: Token) -> Operand:
        args = self._arguments()
        return self._meaning(name.at, lambda: _time(name.value.upper(), args))

    def _meaning(self, at: int, build: Callable[[], Found]) -> Found:
        try:
            return build()
        except MisuseError as error:
            raise problem_at(self._text, at, str(error)) from error

    def _is_sign(self, sign: str) -> bool:
        return self._now.kind is Kind.SIGN and self._now.value == sign

    def _accepted(self, value: str) -> bool:
        """Step over a keyword or sign if it is the next one."""
        if self._now.value != value or self._now.kind not in {Kind.KEYWORD, Kind.SIGN}:
            return False
        self._next()
        return True

    def _expect(self, value: str, expected: str) -> None:
        if not self._accepted(value):
            self._fail(f"expected {expected}")

    def _next(self) -> Token:
        token = self._now
        if token.kind is not Kind.END:
            self._now = next(self._tokens)
        return token

    def _fail(self, problem: str) -> NoReturn:
        raise problem_at(self._text, self._now.at, problem)


def _time(name: str, args: list[Operand]) -> Operand:
    """Return the literal that ``DATE``, ``TIMESTAMP`` or ``INTERVAL`` makes; raises MisuseError."""
    match name, args:
        case "DATE", [str(text)]:
            return day_of(text)
        case "TIMESTAMP", [str(text)]:
            return moment_of(text)
        case "INTERVAL", [start, end]:
            return Interval(bound_of(start), bound_of(end))
        case "DATE", _:
            raise MisuseError("DATE takes one text: DATE('2026-03-01')")
        case "TIMESTAMP", _:
            raise MisuseError("TIMESTAMP takes one text: TIMESTAMP('2026-03-01T12:00:00Z')")
        case "INTERVAL", _:
            raise MisuseError("INTERVAL takes two times: INTERVAL('2026-03-01', '..')")
    raise MisuseError(f"the function {shown(name)} cannot stand where a value is needed")
