"""Values of a header as text that every store can hold.

Here: picking the first keyword that says something, and what stands for a value that is no text.
Not here: which keywords (``mappings``), which columns (``observation``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metaplat.collectors.headers.header import Value

LONGEST_TEXT = 250
"""Characters of a column; PostgreSQL cannot index much more, and no name is longer."""

REPLACEMENT = "\ufffd"
_PADDING = " \t\r\n\0"


@dataclass(slots=True)
class Notes:
    """What is learned while a row is filled.

    Parameters
    ----------
    used : set of str
        Keywords whose value a column holds in full.
    flags : list of str
        What was odd.
    """

    used: set[str] = field(default_factory=set)
    flags: list[str] = field(default_factory=list)


def text_of(values: Mapping[str, Value], keywords: Iterable[str], notes: Notes) -> str | None:
    """Return the text of the first keyword that says something; None where none does.

    Parameters
    ----------
    values : mapping of str to Value
        The header.
    keywords : iterable of str
        In order.
    notes : Notes
        Learns the keyword, ``not_text`` where the value is a number or a list, and ``text_cut`` where it is
        longer than ``LONGEST_TEXT`` (the keyword then counts as unused, so that nothing is lost).
    """
    for keyword in keywords:
        value = values.get(keyword)
        if value is None:
            continue
        if type(value) is str:
            text = value.strip() if value.isprintable() else storable(value.strip(_PADDING))
        else:
            text = storable(shown(value))
            if text:
                notes.flags.append("not_text")
        if not text:
            continue
        if len(text) > LONGEST_TEXT:
            notes.flags.append("text_cut")
            return text[:LONGEST_TEXT]
        notes.used.add(keyword)
        return text
    return None


def shown(value: Value) -> str:
    """Return a value as FITS writes it: ``T``, ``7``, ``1.5``; empty where it is undefined or no number."""
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, float):
        return repr(value).upper() if value - value == 0 else ""
    if isinstance(value, list):
        return ", ".join(filter(None, map(shown, value)))
    return "" if value is None else str(value).strip(_PADDING)


def storable(text: str) -> str:
    """Return text without what PostgreSQL and UTF-8 refuse: NUL, and halves of surrogate pairs."""
    whole = text.replace("\0", REPLACEMENT)
    try:
        whole.encode()
    except UnicodeEncodeError:
        return "".join(REPLACEMENT if "\ud800" <= each <= "\udfff" else each for each in whole)
    return whole
