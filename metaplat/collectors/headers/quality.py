"""How good the data is, where a header states it as a score.

Here: reading the score.
Not here: how complete the header is (``completeness``), scores that processing finds (``catalog``).
Bit masks of problems, as ``QUALITY`` of many missions, are no score, and are not read as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.headers.time_numbers import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metaplat.collectors.headers.header import Value
    from metaplat.collectors.headers.observation_texts import Notes


def data_quality_score(
    values: Mapping[str, Value], keywords: Iterable[tuple[str, bool]], notes: Notes
) -> float | None:
    """Return the quality that a header states, 0 to 1; None where it states none.

    Parameters
    ----------
    values : mapping of str to Value
        The header.
    keywords : iterable of (str, bool)
        Keyword, and whether it is a percentage.
    notes : Notes
        Learns the keyword, ``quality_unreadable`` and ``quality_out_of_range``.
    """
    for keyword, percent in keywords:
        value = values.get(keyword)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        number = number_of(value)
        if number is None:
            notes.flags.append("quality_unreadable")
            continue
        score = number / 100 if percent else number
        if not 0 <= score <= 1:
            notes.flags.append("quality_out_of_range")
            continue
        if not percent:
            notes.used.add(keyword)
        return score
    return None
