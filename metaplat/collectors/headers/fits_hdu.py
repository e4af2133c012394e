"""One header of a FITS file: where it ends and what it says.

Here: END, also of headers that are longer than what was read so far, and putting the cards together.
Not here: which headers of a file are read (``fits``), cards (``fits_cards``, ``fits_odd_cards``), sizes
(``fits_sizes``).
Format: FITS Standard 4.0, sections 3.1 to 3.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from metaplat.collectors.headers.fits_cards import BLOCK, CARD, COMMENTARY, ODD, parse_cards, split_cards
from metaplat.collectors.headers.fits_layouts import Layouts
from metaplat.collectors.headers.fits_odd_cards import end_among, values_of
from metaplat.collectors.headers.fits_sizes import data_bytes, padded
from metaplat.collectors.headers.header import HeaderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.collectors.headers.fits_cards import Pair
    from metaplat.collectors.headers.header import ByteSource, Scalar

END = b"END".ljust(CARD)
EXTENSION = b"XTENSION"
NON_ASCII = "non_ascii"
FAR_HEADER = 5 * BLOCK
"""Bytes that are read first where a further header begins."""
CARDS_OF_BLOCK = BLOCK // CARD
TEXT = bytes(range(0x20, 0x7F))

_layouts = Layouts()


class Hdu(NamedTuple):
    """One header, and where its data are."""

    values: dict[str, Scalar]
    flags: set[str]
    header_stop: int
    """Offset behind its last card, in bytes of the file."""
    data_at: int
    data_bytes: int | None
    """Bytes of its data without padding; None where the header does not say it rightly."""


def read_hdu(source: ByteSource, at: int, max_header_bytes: int) -> Hdu:
    """Read the header at an offset.

    Parameters
    ----------
    source : ByteSource
        The file.
    at : int
        Where the header begins, in bytes.
    max_header_bytes : int
        A header without END within so many bytes is refused.

    Raises
    ------
    HeaderError
        It has no END, is cut, too long, has line ends in its cards, or is out of reach.
    """
    first = source.first
    if at and at + CARD <= len(first) and not first.startswith(EXTENSION, at):
        raise _other()
    stop = _find_end(first, at)
    if 0 <= stop - at <= max_header_bytes:
        return _parsed(first, at, stop, at)
    found, stop = _whole_header(source, at, max_header_bytes)
    return _parsed(found, 0, stop, at)


def _find_end(buffer: bytes, start: int) -> int:
    """Return the offset of the END card, -1 where there is none; within a value it is no card."""
    at = buffer.find(END, start)
    while at >= 0 and (at - start) % CARD:
        at = buffer.find(END, at + 1)
    return at


def _parsed(buffer: bytes, start: int, stop: int, at: int) -> Hdu:
    """Return the header between two offsets of a buffer; the first of them is ``at`` in the file."""
    raw = buffer[start:stop]
    if _has_lines(raw):
        raw = _before_loose_end(raw)
    is_ascii = raw.isascii()
    found = _layouts.read(raw) if is_ascii else None
    if found is not None:
        length = stop - start + CARD
        return Hdu(found[0], set(), at + length, at + padded(length), found[1])
    values, flags, length = _card_by_card(raw)
    if not is_ascii:
        flags.add(NON_ASCII)
    return Hdu(values, flags, at + length, at + padded(length), data_bytes(values))


def _card_by_card(raw: bytes) -> tuple[dict[str, Scalar], set[str], int]:
    """Return the values of a header, flags for what is odd in it, and its bytes up to END, with that."""
    cards = split_cards(raw)
    pairs = parse_cards(cards)
    values: dict[str, Scalar] = dict(pairs)
    flags: set[str] = set()
    if ODD[0] in values:
        cards = cards[: end_among(cards)]
        pairs = pairs[: len(cards)]
        _refuse_data(cards, pairs)
        values, flags = values_of(cards, pairs)
    elif len(values) != len(pairs):  # the first of several wins, at the place of the first
        values.update(reversed(pairs))
    if any(card.startswith(EXTENSION) for card in cards[CARDS_OF_BLOCK::CARDS_OF_BLOCK]):
        raise _no_end(len(raw))  # the END that was found is that of the next header
    values.pop(COMMENTARY[0], None)
    if not flags and raw.isascii():
        _layouts.learn(cards, pairs, values)
    return values, flags, (len(cards) + 1) * CARD


def _refuse_data(cards: Sequence[bytes], pairs: Sequence[Pair]) -> None:
    """Raise an error where data stand between the cards: the header before them has no END."""
    for index, pair in enumerate(pairs):
        if pair is ODD and not _is_text(cards[index]):
            raise _no_end(index * CARD)


def _has_lines(raw: bytes) -> bool:
    return b"\n" in raw or b"\r" in raw


def _before_loose_end(raw: bytes) -> bytes:
    """Return the cards before an END with something behind it: the line ends may be in the data."""
    stop = _loose_end(raw)
    if stop < 0 or _has_lines(raw[:stop]):
        raise _line_ends()
    return raw[: stop + CARD]


def _whole_header(source: ByteSource, at: int, most: int) -> tuple[bytes, int]:
    """Read a header that does not end in the first block; return it and the offset of its END."""
    length = min(most, FAR_HEADER if at else 2 * len(source.first))
    while True:
        buffer = source.read(at, length)
        if at and not buffer.startswith(EXTENSION):
            raise _other() if buffer else HeaderError("empty", "nothing follows")
        stop = _find_end(buffer, 0)
        if stop < 0:
            stop = _loose_end(buffer)
        if stop >= 0:
            return buffer, stop
        if len(buffer) < length or not _is_text(buffer[-BLOCK:]):
            raise _without_end(buffer)
        if length >= most:
            raise HeaderError(
                "too_long", f"its header has no END within {most} bytes, the limit of the settings"
            )
        length = min(most, length * 2)


def _loose_end(buffer: bytes) -> int:
    """Return the offset of a card that means END but is not blank behind it; -1 where there is none."""
    cards = split_cards(buffer[: len(buffer) // CARD * CARD])
    index = end_among(cards)
    return index * CARD if index < len(cards) else -1


def _is_text(block: bytes) -> bool:
    """Tell whether a block may belong to a header: most of its bytes are printable."""
    return len(block.translate(None, TEXT)) * 2 < len(block)


def _without_end(buffer: bytes) -> HeaderError:
    """Return why there is no END: the file is cut, its cards are lines, or data follow without one."""
    if _has_lines(buffer[:BLOCK]):
        return _line_ends()
    if len(buffer) % BLOCK and _is_text(buffer[-BLOCK:]):
        needs = padded(len(buffer) + 1)
        return HeaderError(
            "cut_header", f"it ends after {len(buffer)} bytes, its header needs {needs} or more"
        )
    return _no_end(len(buffer))


def _no_end(count: int) -> HeaderError:
    return HeaderError("no_end", f"its header has no END card within the {count} bytes that may be one")


def _line_ends() -> HeaderError:
    return HeaderError("broken", "line ends within its header: a text program wrote or changed it")


def _other() -> HeaderError:
    return HeaderError("unknown_format", "what follows the data is no further header")
