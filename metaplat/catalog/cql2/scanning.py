"""The words of CQL2 text, each with the place where it stands.

Here: splitting a text into tokens, in time proportional to its length.
Not here: what they make together (``text``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from metaplat.catalog.words import shown
from metaplat.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHARACTERS = 16 << 20
NEAR = 24
"""Characters of the filter that an error repeats."""
MAX_DIGITS = 64
RESERVED = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS", "NULL", "TRUE", "FALSE"})
TOKEN = re.compile(
    r"""
    (?P<text>'[^']*+(?:''[^']*+)*+') |
    (?P<quoted>"[^"]*+(?:""[^"]*+)*+") |
    (?P<number>[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?) |
    (?P<word>[^\W\d][\w:.]*+) |
    (?P<sign><=|>=|<>|[=<>(),])
    """,
    re.VERBOSE,
)
SPACE = re.compile(r"[ \t\r\n]*+")
BAD_IN_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
"""What a character literal may not hold (OGC 21-065, annex B, ``alpha``)."""
HINTS = {
    "'": "this text does not end; a quote inside is written twice",
    '"': "this name does not end",
    "!": "not equal is <>",
    ";": "one condition is enough; join more with AND",
    "+": "arithmetic is not supported",
    "-": "arithmetic is not supported; text stands in 'single quotes'",
    "*": "arithmetic is not supported",
    "/": "arithmetic is not supported",
    ":": "a time is TIMESTAMP('...')",
}


class Kind(Enum):
    """What a token is."""

    TEXT = auto()
    NUMBER = auto()
    NAME = auto()
    """Quoted: always a column."""
    WORD = auto()
    """A column or a function."""
    KEYWORD = auto()
    SIGN = auto()
    END = auto()


@dataclass(frozen=True)
class Token:
    """One word: what it is, what it says (keywords in capitals, quotes resolved), and where it begins."""

    kind: Kind
    value: str
    at: int


def problem_at(text: str, at: int, problem: str) -> UsageError:
    """Return the error about the place ``at``; characters count from 1."""
    where = f"at character {at + 1}, {shown(text[at : at + NEAR])}" if at < len(text) else "at its end"
    return UsageError(f"filter, {where}: {problem}")


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a text, the last one ``END``.

    Raises
    ------
    UsageError
        Something is no token; the text says where.
    """
    if len(text) > MAX_CHARACTERS:
        raise UsageError(f"the filter has more than {MAX_CHARACTERS} characters; ask in parts")
    at = _after_space(text, 0)
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise problem_at(text, at, HINTS.get(text[at], "this character has no meaning here"))
        yield _token(text, found)
        at = _after_space(text, found.end())
    yield Token(Kind.END, "", len(text))


def _after_space(text: str, at: int) -> int:
    found = SPACE.match(text, at)
    return found.end() if found else at


def _token(text: str, found: re.Match[str]) -> Token:
    at, value = found.start(), found.group()
    match found.lastgroup:
        case "text" | "quoted":
            if bad := BAD_IN_TEXT.search(value):
                raise problem_at(text, at + bad.start(), "this character cannot stand in a text")
            quote = value[0]
            kind = Kind.TEXT if quote == "'" else Kind.NAME
            return Token(kind, value[1:-1].replace(quote * 2, quote), at)
        case "number":
            if len(value) > MAX_DIGITS:
                raise problem_at(text, at, f"a number has at most {MAX_DIGITS} characters")
            return Token(Kind.NUMBER, value, at)
        case "word":
            if value.upper() in RESERVED:
                return Token(Kind.KEYWORD, value.upper(), at)
            return Token(Kind.WORD, value, at)
    return Token(Kind.SIGN, value, at)
