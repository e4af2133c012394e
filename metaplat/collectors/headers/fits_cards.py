"""The cards of a FITS header, 80 bytes each: keyword and value.

Most cards of an instrument are the same from file to file. Each is parsed once and kept under its bytes, so a
header costs one look-up a card, and a parse only where a value is new.
Here: cards that are understood on their own (also HIERARCH, and records such as ``DP1``), and the cache.
Not here: cards that need their neighbours or leniency (``fits_odd_cards``), headers in a file (``fits``).
Format: FITS Standard 4.0, sections 3.3.2, 4.1 and 4.2.
"""

from __future__ import annotations

import re
from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from metaplat.collectors.headers.header import Scalar

CARD = 80
BLOCK = 2880

COMMENTARY: Pair = ("", None)
"""What cards without a value count as: COMMENT, HISTORY and blank ones."""
ODD: Pair = ("\0", None)
"""Stands for a card that is not understood on its own."""

KEPT_CARDS = 1 << 14
"""So many parsed cards are kept: about 4 MB."""
SPLIT_AT_ONCE = 20 * BLOCK // CARD
"""Headers of up to so many cards are split in one step."""

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[EDed][+-]?[0-9]+)?"
_COMMENT = r" *(?:/|\Z)"
VALUE = (
    r" *(?:'([^']*)'"
    r"|(([+-]?[0-9]+)(?:\.[0-9]*)?(?:[EDed][+-]?[0-9]+)?)"  # a whole number where both groups are the same
    rf"|([TF])|){_COMMENT}"
)
"""Most values, with a group each for strings, numbers, their whole part and logical ones."""
_KEYWORD = r"(?=.{8}= )(?!COMMENT |HISTORY )([A-Z0-9_-]{1,8}) *= "
_LONG_KEYWORD = r"HIERARCH +([^=]*[^= ]) *="
_ANY_KEYWORD = rf"(?:{_KEYWORD}|{_LONG_KEYWORD})"

_plain = re.compile(_KEYWORD + VALUE, re.DOTALL).match
_long = re.compile(_LONG_KEYWORD + VALUE, re.DOTALL).match
_quoted = re.compile(rf"{_ANY_KEYWORD} *'((?:[^']|'')*)'{_COMMENT}", re.DOTALL).match
_fraction = re.compile(rf"{_ANY_KEYWORD} *({_NUMBER}){_COMMENT}", re.DOTALL).match
_complex = re.compile(rf"{_ANY_KEYWORD} *(\( *{_NUMBER} *, *{_NUMBER} *\)){_COMMENT}", re.DOTALL).match
_record = re.compile(rf"([A-Za-z_]\w*(?:\.\w+)*): +({_NUMBER})\Z", re.ASCII).match
_NO_VALUE = frozenset({"", "COMMENT", "HISTORY"})

Pair = tuple[str, "Scalar"]


class SeenCards(dict[bytes, Pair]):
    """Cards seen lately, parsed; asked for another one, it parses and keeps it."""

    def __missing__(self, card: bytes) -> Pair:
        pair = parse_card(card)
        if len(self) >= KEPT_CARDS:
            self.clear()
        self[card] = pair
        return pair


_seen = SeenCards()
_splitters: dict[int, Struct] = {}


def split_cards(raw: bytes) -> Sequence[bytes]:
    """Return the cards of a header, 80 bytes each."""
    count = len(raw) // CARD
    if count > SPLIT_AT_ONCE:
        return [raw[at : at + CARD] for at in range(0, len(raw), CARD)]
    splitter = _splitters.get(count)
    if splitter is None:
        splitter = _splitters[count] = Struct(f"{CARD}s" * count)
    return splitter.unpack(raw)


def parse_cards(cards: Iterable[bytes]) -> list[Pair]:
    """Return what ``parse_card`` returns, for every card."""
    return [*map(_seen.__getitem__, cards)]


def parse_card(card: bytes) -> Pair:
    """Return keyword and value of one card.

    Parameters
    ----------
    card : bytes, length 80
        As the file holds it; bytes that are no UTF-8 are replaced.

    Returns
    -------
    tuple of str and Scalar
        The keyword in upper case, without ``HIERARCH``; an undefined or blank value is None, a complex one is
        text. ``COMMENTARY`` for a card without a value, ``ODD`` where ``fits_odd_cards`` may know more.
    """
    match = _plain(text := card.decode("utf-8", "replace"))
    return _parse_other(text) if match is None else _pair(match)


def _pair(match: re.Match[str]) -> Pair:
    keyword, quoted, number, whole, logical = match.groups()
    if quoted is not None:
        return _string(keyword, quoted)
    return keyword, plain_value(number, whole, logical)


def plain_value(number: str | None, whole: str | None, logical: str | None) -> Scalar:
    """Return what the last three groups of ``VALUE`` say; None where a value is undefined."""
    if number is not None:
        return int(number) if number == whole else real(number)
    return None if logical is None else logical == "T"


def real(text: str) -> float:
    """Return the number that a real value writes, also with the exponents ``D`` and ``d``."""
    try:
        return float(text)
    except ValueError:
        return float(text.upper().replace("D", "E"))


def _string(keyword: str, quoted: str) -> Pair:
    """Return a string, or the field of a record: ``DP1 = 'AXIS.1: 2'`` is ``DP1.AXIS.1`` with 2."""
    value = quoted.rstrip(" ")
    if not value.isprintable():
        return ODD
    if ": " in value and keyword[-1].isdigit() and (record := _record(value)):
        return f"{keyword}.{record[1]}", real(record[2])
    return keyword, value or None


def _parse_other(text: str) -> Pair:
    """Return what a card holds that is no plain one."""
    if text[:8].rstrip(" ") in _NO_VALUE:
        return COMMENTARY
    if not text.isprintable() or text.startswith(("END ", "CONTINUE ")):
        return ODD
    if match := _long(text):
        keyword, value = _pair(match)
        return keyword.upper(), value
    if match := _quoted(text):
        return (match[1] or match[2]).upper(), match[3].replace("''", "'").rstrip(" ") or None
    if match := _fraction(text):
        return (match[1] or match[2]).upper(), real(match[3])
    if match := _complex(text):
        return (match[1] or match[2]).upper(), match[3]
    return ODD
