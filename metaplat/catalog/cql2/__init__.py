"""CQL2, the query language of OGC (21-065), in text and in JSON, as filters and back.

Here: ``parse_cql2`` for either encoding, and each of them alone.
Not here: the filter tree (``model.filters``), columns and types (``catalog.queryables``), asking
(``catalog.search``). What is supported is listed in ``text``; what times mean, in ``temporal``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.catalog.cql2.json_form import parse_json
from metaplat.catalog.cql2.text import parse_text
from metaplat.catalog.cql2.writing import to_json, to_text

if TYPE_CHECKING:
    from metaplat.model.filters import Filter

__all__ = ["parse_cql2", "parse_json", "parse_text", "to_json", "to_text"]


def parse_cql2(written: str) -> Filter:
    """Read a filter in CQL2, JSON where it begins with a brace, else text.

    Raises
    ------
    UsageError
        As ``parse_text`` and ``parse_json``.
    """
    return parse_json(written) if written.lstrip()[:1] == "{" else parse_text(written)
