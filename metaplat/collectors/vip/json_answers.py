"""JSON from outside, within limits.

Here: reading it, and finding a field whatever its case.
Not here: how much of it is taken at all (``exchange``), what is in it (``client``, ``file_list``).
"""

from __future__ import annotations

import orjson

from metaplat.model.errors import InvalidInputError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_json(content: bytes, deepest: int) -> object:
    """Return the document that ``content`` is; None where there is no content.

    Parameters
    ----------
    content : bytes
        UTF-8, with or without a byte order mark.
    deepest : int
        Lists and objects within each other that are accepted.

    Raises
    ------
    InvalidInputError
        It is no JSON, or nested deeper; the text starts with a verb.
    """
    content = content.removeprefix(BYTE_ORDER_MARK).strip()
    if not content:
        return None
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        is_json = False  # raised below: the parser's error holds all of the document
    else:
        is_json = True
    if not is_json:
        raise InvalidInputError("is no JSON")
    if _is_deeper(document, deepest):
        raise InvalidInputError(f"is nested deeper than {deepest} levels (vip.max_json_depth)")
    return document


def value_of(document: object, name: str) -> object:
    """Return the value of a field, and where none is called so, of one that differs in case only; or None."""
    if not isinstance(document, dict):
        return None
    if name in document:
        return document[name]
    return next((value for key, value in document.items() if key.casefold() == name.casefold()), None)


def _is_deeper(document: object, deepest: int) -> bool:
    level = [document]
    for _ in range(deepest):
        level = [each for holder in level for each in _content(holder)]
    return any(isinstance(each, list | dict) for each in level)


def _content(holder: object) -> list[object]:
    if isinstance(holder, dict):
        return list(holder.values())
    return holder if isinstance(holder, list) else []
