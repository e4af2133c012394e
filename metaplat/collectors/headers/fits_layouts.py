"""FITS headers that repeat: the files of one instrument have the same cards, and a few of other values.

A layout holds what was the same in all headers of its kind. A header that agrees with it is compared in long
runs, and only the values that vary are parsed. Where remarks stay in their places, a value is all that lies
between two runs; plain numbers and texts are then JSON but for the quotes, and are parsed at once: a third
of the work of looking every card up.
Here: layouts, and learning them from headers that were read card by card.
Not here: cards (``fits_cards``), and headers with repeated or wrong ones: they have no layout.
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import orjson

from metaplat.collectors.headers.fits_cards import CARD, COMMENTARY, ODD, VALUE, parse_card, plain_value
from metaplat.collectors.headers.fits_odd_cards import CONTINUE
from metaplat.collectors.headers.fits_sizes import SIZE_KEYWORDS, data_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from metaplat.collectors.headers.fits_cards import Pair
    from metaplat.collectors.headers.header import Scalar

LAYOUTS_OF_A_LENGTH = 4
LENGTHS = 64
MOST_CARDS = 720
"""Longer headers have no layout."""
PATIENCE = 64
"""After so many headers in a row that no layout fits, only one in sixteen is learned from."""
NAMED = 8
"""Bytes of a remark that hold its keyword."""

QUOTE, DOUBLE_QUOTE = "'", '"'

_value = re.compile(" " + VALUE, re.DOTALL).match


class Slot(NamedTuple):
    """A card whose value varies: its keyword, where it begins, and where its value does (behind ``=``)."""

    keyword: str
    at: int
    value_at: int


class Layout:
    """What is the same in the headers of one kind.

    Parameters
    ----------
    cards : sequence of bytes
        The cards of one of them.
    pairs : sequence of Pair
        Their keywords and values.
    values : dict of str to Scalar
        What they say together.
    varying : mapping of int to int
        Which of the cards have other values in others, and the byte of each from which it is the same again.
    """

    __slots__ = ("_cards", "_keywords", "_others", "_plain", "_runs", "_size", "_slots", "_values", "varying")

    def __init__(
        self,
        cards: Sequence[bytes],
        pairs: Sequence[Pair],
        values: dict[str, Scalar],
        varying: Mapping[int, int],
    ) -> None:
        self._cards, self._values, self.varying = cards, values, varying
        self._keywords = [keyword for keyword, _ in pairs]
        names = [_named(card, keyword) for card, keyword in zip(cards, self._keywords, strict=True)]
        places = [index for index in sorted(varying) if self._keywords[index]]
        slots = {
            index: Slot(self._keywords[index], index * CARD, index * CARD + names[index]) for index in places
        }
        plain = [
            index for index in places if _is_plain(cards[index], names[index], varying[index], pairs[index])
        ]
        for index in plain:
            names[index] += 1  # the blank behind "="
        self._slots = list(slots.values())
        self._others = [slots[index] for index in places if index not in plain]
        self._plain = (
            _PlainValues(
                [
                    (index * CARD + names[index], index * CARD + varying[index], *pairs[index])
                    for index in plain
                ]
            )
            if plain
            else None
        )
        self._runs = _runs(cards, names, varying)
        has_own_size = any(slot.keyword.startswith(SIZE_KEYWORDS) for slot in self._slots)
        self._size = None if has_own_size else data_bytes(values)

    def read(self, raw: bytes, text: str) -> tuple[dict[str, Scalar], int | None] | None:
        """Return the values of a header and the bytes of its data; None if it is not of this layout."""
        for at, run in self._runs:
            if not raw.startswith(run, at):
                return None
        values = self._values.copy()
        is_read = self._plain is not None and self._plain.read(text, values)
        for slot in self._others if is_read else self._slots:
            pair = _careful(raw, text, slot)
            if pair is None:
                return None
            values[slot.keyword] = pair[1]
        return values, data_bytes(values) if self._size is None else self._size

    def differing(self, cards: Sequence[bytes], pairs: Sequence[Pair]) -> dict[int, int] | None:
        """Return what varies if another header is of this kind, as ``varying``; None if it is not."""
        if self._keywords != [keyword for keyword, _ in pairs]:
            return None
        varying = dict(self.varying)
        for index, card in enumerate(cards):
            if card != self._cards[index]:
                same_from = _same_from(card, self._cards[index], self._keywords[index])
                varying[index] = max(varying.get(index, 0), same_from)
        return varying


class _PlainValues:
    """Values that lie between fixed bytes: whole numbers, real ones and texts.

    Parameters
    ----------
    places : list of (int, int, str, Scalar)
        Begin and end of each, its keyword, and the value in one header, which tells its kind.
    """

    __slots__ = ("_keywords", "_kinds", "_number_length", "_pieces", "_reals", "_texts")

    def __init__(self, places: list[tuple[int, int, str, Scalar]]) -> None:
        numbers = [place for place in places if type(place[3]) is not str]
        texts = [place for place in places if type(place[3]) is str]
        ordered = numbers + texts
        self._keywords = [keyword for _, _, keyword, _ in ordered]
        self._kinds = [type(value) for *_, value in ordered]
        slices = [slice(begin, end) for begin, end, _, _ in ordered]
        self._pieces: Callable[[str], tuple[str, ...]] = itemgetter(
            *slices, slice(0)
        )  # one more: always a tuple
        self._number_length = sum(end - begin + 1 for begin, end, _, _ in numbers)
        self._reals = self._kinds.count(float)
        self._texts = range(len(numbers), len(ordered))

    def read(self, text: str, values: dict[str, Scalar]) -> bool:
        """Put the values of a header into a dict; False, and nothing done, where one is of another form."""
        joined = ",".join(self._pieces(text))
        if '"' in joined or "\\" in joined or "\t" in joined or "\x7f" in joined or ": " in joined:
            return False  # what JSON takes for something else, or not for the control character that it is
        if joined.count(",") != len(self._kinds) or joined.count(".", 0, self._number_length) != self._reals:
            return False  # a value could spread, or a number too long for a whole one become a real one
        try:
            found = orjson.loads(f"[{joined.replace(QUOTE, DOUBLE_QUOTE)}0]")
        except orjson.JSONDecodeError:
            return False
        found.pop()
        if [*map(type, found)] != self._kinds:
            return False
        for index in self._texts:
            found[index] = found[index].rstrip(" ") or None
        values.update(zip(self._keywords, found, strict=True))
        return True


def _is_plain(card: bytes, named: int, same_from: int, pair: Pair) -> bool:
    """Tell whether the value of a card is all that lies between its name and a byte of it."""
    keyword, value = pair
    if type(value) not in (int, float, str) or "." in keyword or card[named : named + 1] != b" ":
        return False
    read: dict[str, Scalar] = {}
    values = _PlainValues([(named + 1, same_from, keyword, value)])
    return values.read(card.decode("ascii"), read) and read[keyword] == value


def _careful(raw: bytes, text: str, slot: Slot) -> Pair | None:
    """Return what one card says; None where it is not of the layout."""
    keyword, at, value_at = slot
    match = _value(text, value_at, at + CARD)
    if match is None:
        return None
    quoted, number, whole, logical = match.groups()
    if quoted is None:
        return keyword, plain_value(number, whole, logical)
    if quoted.isprintable() and ": " not in quoted and "." not in keyword:
        return keyword, quoted.rstrip(" ") or None
    pair = parse_card(raw[at : at + CARD])  # it may be a record
    return pair if pair[0] == keyword else None


def _same_from(card: bytes, other: bytes, keyword: str) -> int:
    """Return the byte of two cards from which they are the same, because their remarks are."""
    named = _named(card, keyword)
    ends = {_remark_at(card, named), _remark_at(other, named)}
    at = ends.pop()
    return CARD if ends or card[at:] != other[at:] else at


def _remark_at(card: bytes, named: int) -> int:
    match = _value(card.decode("ascii"), named)
    return match.end() - 1 if match and match.end() < CARD else CARD


def _named(card: bytes, keyword: str) -> int:
    """Return how many bytes of a card are its name: up to ``=``, of a remark the first eight."""
    return card.index(b"=") + 1 if keyword and keyword != ODD[0] else NAMED


def _runs(
    cards: Sequence[bytes], names: Sequence[int], varying: Mapping[int, int]
) -> list[tuple[int, bytes]]:
    """Return offset and content of what is the same: all but the values of the cards that vary."""
    runs: list[tuple[int, bytes]] = []
    begin, run = 0, b""
    for index, card in enumerate(cards):
        if index not in varying:
            run += card
            continue
        runs.append((begin, run + card[: names[index]]))
        begin, run = index * CARD + varying[index], card[varying[index] :]
    return [*runs, (begin, run)] if run else runs


class Layouts:
    """The layouts of headers seen lately, by the number of their cards."""

    def __init__(self) -> None:
        self._known: dict[int, list[Layout]] = {}
        self._misses = 0

    def read(self, raw: bytes) -> tuple[dict[str, Scalar], int | None] | None:
        """Return the values of an ASCII header and the bytes of its data; None if no layout fits."""
        known = self._known.get(len(raw) // CARD)
        if known is None:
            return None
        text = raw.decode("ascii")
        for layout in known:
            found = layout.read(raw, text)
            if found is not None:
                self._misses = 0
                return found
        return None

    def learn(self, cards: Sequence[bytes], pairs: Sequence[Pair], values: dict[str, Scalar]) -> None:
        """Learn from a header that no layout fits.

        Parameters
        ----------
        cards : sequence of bytes
            All cards before END.
        pairs : sequence of Pair
            What each says on its own.
        values : dict of str to Scalar
            What they say together, without remarks.
        """
        self._misses += 1
        if len(cards) > MOST_CARDS or (self._misses > PATIENCE and self._misses % 16):
            return
        if len(values) + sum(pair is COMMENTARY for pair in pairs) + _continued(cards) != len(cards):
            return  # a keyword occurs twice
        known = self._known.get(len(cards), [])
        for place, layout in enumerate(known):
            varying = layout.differing(cards, pairs)
            if varying is None:
                continue
            if varying != layout.varying and not any(_has_neighbour(each, cards, pairs) for each in varying):
                known[place] = Layout(cards, pairs, dict(values), varying)
            return
        if len(self._known) >= LENGTHS:
            self._known = {}
        newest = Layout(cards, pairs, dict(values), {})
        self._known[len(cards)] = [newest, *known][:LAYOUTS_OF_A_LENGTH]


def _continued(cards: Sequence[bytes]) -> int:
    return sum(card.startswith(CONTINUE) for card in cards)


def _has_neighbour(index: int, cards: Sequence[bytes], pairs: Sequence[Pair]) -> bool:
    """Tell whether a card is odd or goes on in the next one: what it says is not in it alone."""
    return pairs[index] is ODD or any(card.startswith(CONTINUE) for card in cards[index + 1 : index + 2])
