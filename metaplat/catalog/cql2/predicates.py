"""What a predicate of CQL2 means as a filter, whichever way it was written.

Here: comparisons, lists, ranges, patterns, and our own functions ``CONE`` and ``TEXT``.
Not here: grammars and positions (``text``, ``json_form``), temporal functions (``temporal``), whether
columns exist and values fit (``catalog.queryables``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.catalog.cql2.operands import Interval, Literal, MisuseError, Operand, Property
from metaplat.catalog.cql2.temporal import FUNCTIONS, temporal
from metaplat.catalog.words import Day, compare_day, shown, words_of
from metaplat.model.errors import UsageError
from metaplat.model.filters import And, Between, Compare, Cone, Contains, Filter, In, Or, Prefix, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.filters import Operator, Value

MIRRORED: dict[Operator, Operator] = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
WILDCARDS = "%_\\"


def compare(left: Operand, operator: Operator, right: Operand) -> Filter:
    """Return ``left operator right``, one of which is a column; raises MisuseError."""
    if isinstance(left, Property) and isinstance(right, Property):
        raise MisuseError("two columns cannot be compared with each other; text stands in 'single quotes'")
    if isinstance(left, Interval) or isinstance(right, Interval):
        raise MisuseError("an interval cannot be compared; use T_INTERSECTS, T_BEFORE, T_AFTER or T_DURING")
    if isinstance(left, Property) and not isinstance(right, Property):
        return _compared(left.name, operator, right)
    if isinstance(right, Property) and not isinstance(left, Property):
        return _compared(right.name, MIRRORED[operator], left)
    raise MisuseError("a comparison needs a column, for example mission_id = 'HST'")


def _compared(column: str, operator: Operator, value: Literal) -> Filter:
    if isinstance(value, Day):
        return compare_day(column, operator, value)
    return Compare(column, operator, value)


def among(column: Property, values: Sequence[Operand]) -> Filter:
    """Return ``column IN (values)``; raises MisuseError."""
    literals = [_literal(value) for value in values]
    exact: list[Value] = []
    days: list[Filter] = []
    for value in literals:
        if isinstance(value, Day):
            days.append(compare_day(column.name, "=", value))
        else:
            exact.append(value)
    if exact or not days:
        days.append(In(column.name, tuple(exact)))
    return days[0] if len(days) == 1 else Or(tuple(days))


def between(column: Property, low: Operand, high: Operand) -> Filter:
    """Return ``column BETWEEN low AND high``; raises MisuseError."""
    first, last = _literal(low), _literal(high)
    if isinstance(first, Day) or isinstance(last, Day):
        return And((_compared(column.name, ">=", first), _compared(column.name, "<=", last)))
    return Between(column.name, first, last)


def _literal(value: Operand) -> Literal:
    if isinstance(value, Property):
        raise MisuseError(
            f"{shown(value.name)} is a column where a value is needed; text stands in 'single quotes'"
        )
    if isinstance(value, Interval):
        raise MisuseError("an interval stands where a single value is needed")
    return value


def like(column: Property, pattern: Operand) -> Filter:
    r"""Return ``column LIKE pattern``; ``\%``, ``\_`` and ``\\`` stand for the characters themselves.

    Raises
    ------
    MisuseError
        The pattern is none of ``'abc%'``, ``'%abc%'`` and ``'abc'``.
    """
    if not isinstance(pattern, str):
        raise MisuseError("LIKE takes a text such as 'abc%'")
    begins, core = pattern.startswith("%"), pattern.lstrip("%")
    ends, core = _without_end(core)
    text = _unescaped(core, pattern)
    if not core and (begins or ends):
        return Compare(column.name, ">=", "")  # any text at all
    if begins and ends:
        return Contains(column.name, text)
    if begins:
        raise _pattern_error(pattern)
    return Prefix(column.name, text) if ends else Compare(column.name, "=", text)


def _without_end(core: str) -> tuple[bool, str]:
    """Split off the wildcards at the end; an escaped one belongs to the text."""
    bare = core.rstrip("%")
    if len(bare) < len(core) and (len(bare) - len(bare.rstrip("\\"))) % 2:
        bare += "%"
    return len(bare) < len(core), bare


def _unescaped(core: str, pattern: str) -> str:
    text, escaped = [], False
    for character in core:
        if escaped and character not in WILDCARDS:
            raise MisuseError(
                f"in the pattern {shown(pattern)} a backslash stands before {character!r}; "
                "one backslash is written \\\\"
            )
        if not escaped and character in "%_":
            raise _pattern_error(pattern)
        if character == "\\" and not escaped:
            escaped = True
            continue
        text.append(character)
        escaped = False
    if escaped:
        raise MisuseError(f"the pattern {shown(pattern)} ends in a single backslash; \\\\ is one backslash")
    return "".join(text)


def _pattern_error(pattern: str) -> MisuseError:
    return MisuseError(
        f"LIKE {shown(pattern)} is not supported: patterns are 'abc%' (begins with) and '%abc%' (contains); "
        "a percent sign or underscore itself is \\% or \\_"
    )


def call(name: str, args: Sequence[Operand]) -> Filter:
    """Return what a function of CQL2, or of ours, finds.

    Parameters
    ----------
    name : str
        In any case.
    args : sequence of Operand
        As they were written.

    Raises
    ------
    MisuseError
        There is no such function, or it takes other arguments.
    """
    match name.lower():
        case "cone":
            return _cone(args)
        case "text":
            return _text(args)
    if name.lower() in FUNCTIONS:
        return temporal(name.lower(), args)
    known = ", ".join(each.upper() for each in ("cone", "text", *FUNCTIONS))
    raise MisuseError(f"no function {shown(name)}; there are: {known}")


def _cone(args: Sequence[Operand]) -> Cone:
    numbers = [arg for arg in args if isinstance(arg, int | float) and not isinstance(arg, bool)]
    if len(args) != 3 or len(numbers) != 3:
        raise MisuseError(
            "CONE takes right ascension, declination and radius in degrees: CONE(10.68, 41.27, 0.5)"
        )
    try:
        ra_deg, dec_deg, radius_deg = map(float, numbers)
    except OverflowError as error:
        raise MisuseError("a number of the cone is too large") from error
    return Cone(ra_deg, dec_deg, radius_deg)


def _text(args: Sequence[Operand]) -> Text:
    if len(args) != 1 or not isinstance(args[0], str):
        raise MisuseError("TEXT takes one text: TEXT('crab nebula')")
    try:
        return Text(words_of(args[0]))
    except UsageError as error:
        raise MisuseError(str(error)) from error
