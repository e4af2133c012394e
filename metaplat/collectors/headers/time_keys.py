"""Where the times of a header are: keywords, their forms, and what is assumed where nothing says more.

Here: the description alone, as ``mappings`` makes it from data.
Not here: reading them (``times``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re

FORMS = ("text", "mjd", "jd", "unix", "gps", "ymd")


@dataclass(frozen=True, slots=True)
class TimeKey:
    """One keyword that may hold a time.

    Parameters
    ----------
    name : str
        As ``values`` has it.
    form : str
        One of ``FORMS``: ``text`` in any form of ``time_texts``; days ``mjd`` and ``jd``; seconds since 1970
        ``unix`` and since 1980 ``gps``; ``ymd``, the year alone, where ``clock`` names month and day.
    clock : tuple of str
        Keywords of the time of day, where the text is a date only.
    scale : str or None
        Its time scale, whatever ``TIMESYS`` says.
    """

    name: str
    form: str = "text"
    clock: tuple[str, ...] = ()
    scale: str | None = None


@dataclass(frozen=True)
class TimeKeys:
    """Where the times of a mission are.

    Parameters
    ----------
    begin, end : tuple of TimeKey
        The first readable one counts.
    exposure : tuple of str
        Seconds, for an end that no keyword states.
    timesys : tuple of str
        Keywords that name the time scale.
    scale : str
        The scale where none does.
    date_order : str or None
        ``dmy`` or ``mdy`` where ``07/06/2011`` is known to be written so.
    paths : tuple of compiled patterns
        With groups ``year`` and ``month`` and ``day``, or ``doy``, and optional ``hour``, ``minute``,
        ``second``.
    """

    begin: tuple[TimeKey, ...] = (TimeKey("DATE-OBS"),)
    end: tuple[TimeKey, ...] = ()
    exposure: tuple[str, ...] = ()
    timesys: tuple[str, ...] = ("TIMESYS",)
    scale: str = "UTC"
    date_order: str | None = None
    paths: tuple[re.Pattern[str], ...] = ()
