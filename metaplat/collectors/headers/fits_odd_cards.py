"""FITS cards that are not understood on their own: continued strings, and what programs write by mistake.

Here: ``CONTINUE``, control characters, keywords in lower case, values that are not quoted, and the door to
astropy for the rest. Nothing is left out: where no rule helps, the value is the text of the card.
Not here: ordinary cards (``fits_cards``), headers in a file (``fits``).
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

from metaplat.collectors.headers.fits_cards import COMMENTARY, ODD, parse_card
from metaplat.collectors.headers.header import library

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.collectors.headers.fits_cards import Pair
    from metaplat.collectors.headers.header import Scalar

ODD_CARD = "odd_card"
CONTROL_CHARACTERS = "control_characters"
CONTINUE = b"CONTINUE"

_end = re.compile(rb"END[ \0]{5}").match
_piece = re.compile(r"CONTINUE +'((?:[^']|'')*)' *(?:/.*)?\Z", re.DOTALL).match
_near_card = re.compile(
    r"(?:HIERARCH +([^=]*[^= ])|([!-<>-~]{1,8})) *=(.*)\Z", re.DOTALL | re.IGNORECASE
).match
_is_keyword = re.compile(r"[A-Z0-9_-]+\Z").match


def end_among(cards: Sequence[bytes]) -> int:
    """Return the index of the first card that means END, whatever stands behind it; their count if none."""
    return next((index for index, card in enumerate(cards) if _end(card)), len(cards))


def values_of(cards: Sequence[bytes], pairs: Sequence[Pair]) -> tuple[dict[str, Scalar], set[str]]:
    """Return the values of a header with odd cards, the first of several, and flags for what was odd.

    Parameters
    ----------
    cards : sequence of bytes
        All cards before END.
    pairs : sequence of Pair
        What ``parse_cards`` says of them.

    Raises
    ------
    HeaderError
        A card needs astropy, which is not installed.
    """
    flags: set[str] = set()
    items: list[Pair] = []
    pieces: dict[int, list[str]] = {}
    for card, pair in zip(cards, pairs, strict=True):
        if pair is not ODD:
            items.append(pair)
        elif not card.startswith(CONTINUE):
            found, odd = _understood(card)
            items.append(found)
            flags |= odd
        elif (piece := _continued(card)) is None or not items or not isinstance(items[-1][1], str | None):
            flags.add(ODD_CARD)
        else:
            pieces.setdefault(len(items) - 1, []).append(piece)
    for index, parts in pieces.items():
        items[index] = _joined(items[index], parts)
    values = dict(items)
    values.update(reversed(items))
    return values, flags


def _continued(card: bytes) -> str | None:
    """Return the string of a ``CONTINUE`` card; None where it is none."""
    match = _piece(_printable(card))
    return None if match is None else match[1].replace("''", "'").rstrip(" ")


def _joined(pair: Pair, pieces: list[str]) -> Pair:
    """Return a string with the pieces that go on with it, without the ``&`` at the end of each."""
    keyword, value = pair
    whole = "".join(part.removesuffix("&") for part in (str(value or ""), *pieces))
    return keyword, whole.rstrip(" ") or None


@lru_cache(maxsize=4096)
def _understood(card: bytes) -> tuple[Pair, frozenset[str]]:
    """Return keyword and value of an odd card, and the flags for what was odd."""
    text = _printable(card)
    pair = parse_card(text.encode())
    if pair is not ODD:
        return pair, frozenset({CONTROL_CHARACTERS})
    pair, is_odd = _leniently(text)
    flags = {CONTROL_CHARACTERS: "\0" in card.decode("latin-1"), ODD_CARD: is_odd}
    return pair, frozenset(name for name, holds in flags.items() if holds)


def _printable(card: bytes) -> str:
    """Return a card as text, with a blank for every control character."""
    text = card.decode("utf-8", "replace")
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)


def _leniently(text: str) -> tuple[Pair, bool]:
    """Return keyword and value of a card whose form is wrong, and whether the standard forbids it."""
    match = _near_card(text)
    if match is None:
        return _without_indicator(text)
    keyword, rest = (match[1] or match[2]).upper(), match[3].strip(" ")
    regular = f"{keyword:8}= {rest}" if match[1] is None else f"HIERARCH {keyword} = {rest}"
    pair = parse_card(regular.encode())
    if pair is COMMENTARY or pair is ODD:
        pair = keyword, _by_astropy(f"{'ODD':8}= {rest}", rest)
    return pair, True


def _without_indicator(text: str) -> tuple[Pair, bool]:
    """Return what a card without ``=`` says: by the standard all of it is a remark."""
    keyword = text[:8].strip(" ").upper()
    if not keyword:
        return COMMENTARY, False
    return (keyword, text[8:].strip(" ") or None), _is_keyword(keyword) is None


def _by_astropy(card: str, rest: str) -> Scalar:
    """Return the value that astropy finds in a card; where it finds none, the text before the comment."""
    with library("reading unusual FITS headers", "astropy"):
        from astropy.io.fits import Card, VerifyError
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = Card.fromstring(card).value
        except (VerifyError, ValueError):
            value = None
    if isinstance(value, str):
        return value.rstrip(" ") or None
    if isinstance(value, bool | int | float):
        return value
    return rest.partition(" /")[0].strip(" '") or None
