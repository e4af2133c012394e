"""When it was observed: from the keywords of a header, a time variable or a path, as UTC.

Here: which keyword is believed, begin and end, and how the choice is told (``rule`` and ``flags``).
Not here: forms of text (``time_texts``) and numbers (``time_numbers``), time scales (``time_scales``), which
keywords there are (``time_keys``, ``mappings``).

The first readable keyword of a configured list is the begin; then a time variable, then a pattern of the
path.
A rule reads ``DATE-OBS``, ``DATE-OBS+TIME-OBS``, ``DATE-OBS (date-only, TT)``, ``time variable`` or ``path``:
the keywords, then how they were read and the scale, where it is not UTC.

Flags: ``time_unreadable``, ``time_out_of_range``, ``timesys_unknown`` (taken as UTC), ``ut1_as_utc``,
``before_1972``, ``leap_second``, ``date_ambiguous``, ``date_mdy``, ``time_units``, ``time_calendar``,
``end_unreadable``, ``end_before_begin``; ``docs/header_mappings.md`` says what each means.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from metaplat.collectors.headers.time_numbers import number_of, read_days, read_seconds, read_since
from metaplat.collectors.headers.time_scales import scale_named, to_utc
from metaplat.collectors.headers.time_texts import PLAIN_IN_UTC, UNREADABLE, Reading, read_text

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

    from metaplat.collectors.headers.header import Value
    from metaplat.collectors.headers.time_keys import TimeKey, TimeKeys

TimeRange = tuple[float, float, str, str | None]
_NOT_IN_A_RULE = ("mjd", "jd", "unix", "gps")


class ObservedTime(NamedTuple):
    """The begin of an observation.

    Parameters
    ----------
    time : datetime or None
        Aware, UTC, with microseconds.
    raw : str or None
        What it was read from; where nothing could be read, what could not.
    rule : str or None
        How.
    flags : tuple of str
        What was odd, about the end as well.
    keywords : tuple of str
        The keywords it was read from.
    """

    time: datetime | None
    raw: str | None
    rule: str | None
    flags: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


class _Read(NamedTuple):
    reading: Reading
    keywords: tuple[str, ...]
    raw: str


def observed_time(
    values: Mapping[str, Value],
    keys: TimeKeys,
    time_range: TimeRange | None = None,
    path: str | None = None,
) -> tuple[ObservedTime, datetime | None]:
    """Find when an observation began and ended.

    Parameters
    ----------
    values : mapping of str to Value
        The header.
    keys : TimeKeys
        Which of its keywords hold times.
    time_range : tuple or None
        First and last value of a time variable, its units and calendar (``Header.time_range``).
    path : str or None
        Where the file is, for the patterns of ``keys``.

    Returns
    -------
    tuple
        The begin, whose ``time`` is None where nothing states it, and the end or None.
    """
    scale, scale_flags = _scale(values, keys)
    begin = _keyword_begin(values, keys, scale)
    span = _span(time_range)
    if begin.time is None and (time_range or keys.paths):
        begin = _elsewhere(begin, span, keys, path)
    flags = begin.flags + scale_flags if begin.keywords else begin.flags
    end, end_flags = _end(values, keys, scale, begin, span)
    if end_flags or flags is not begin.flags:
        begin = begin._replace(flags=flags + end_flags)
    return begin, end


def _scale(values: Mapping[str, Value], keys: TimeKeys) -> tuple[str, tuple[str, ...]]:
    for name in keys.timesys:
        text = values.get(name)
        if text is None or text == "":
            continue
        if text == "UTC":
            return "UTC", ()
        found = scale_named(text)
        return (found, ()) if found else ("UTC", ("timesys_unknown",))
    return keys.scale, ()


def _keyword_begin(values: Mapping[str, Value], keys: TimeKeys, scale: str) -> ObservedTime:
    unreadable: str | None = None
    flags: tuple[str, ...] = ()
    for key in keys.begin:
        value = values.get(key.name)
        if value is None:
            continue
        if scale == "UTC" and (plain := _plain(value, key)):
            return ObservedTime(plain, str(value), key.name, flags, (key.name,))
        read = _read(value, key, values, keys, scale)
        if read is None:
            continue
        found = _in_utc(read, key, scale)
        flags = tuple(dict.fromkeys(flags + found.flags))
        if found.time is not None:
            return found._replace(flags=flags)
        unreadable = unreadable or found.raw
    return ObservedTime(None, unreadable, None, flags)


def _plain(value: Value, key: TimeKey) -> datetime | None:
    """Read what nearly all files hold, at once; a Z behind it says nothing more where the scale is UTC."""
    if type(value) is str and key.form == "text" and key.scale is None and PLAIN_IN_UTC.fullmatch(value):
        try:
            return datetime.fromisoformat(value if value[-1] == "Z" else f"{value}+00:00")
        except ValueError:  # no such day: told by the careful way
            return None
    return None


def _read(
    value: Value, key: TimeKey, values: Mapping[str, Value], keys: TimeKeys, scale: str
) -> _Read | None:
    """Read a value in the form of its key; None where it is blank."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    raw = value.strip() if isinstance(value, str) else str(value)
    if not raw or value is None:
        return None
    if key.form == "ymd":
        parts = (raw, *(str(values.get(name) or "").strip() for name in key.clock))
        text = "-".join(f"{part:0>2}" for part in parts)
        return _Read(read_text(text, keys.date_order), (key.name, *key.clock), text)
    if key.form in ("mjd", "jd"):
        is_utc = (key.scale or scale) == "UTC"
        return _Read(read_days(value, key.form, is_utc=is_utc), (key.name,), raw)
    if key.form in ("unix", "gps"):
        return _Read(read_seconds(value, key.form), (key.name,), raw)
    if isinstance(value, (bool, float, list)):
        return _Read(UNREADABLE, (key.name,), raw)
    return _with_clock(_Read(read_text(raw, keys.date_order), (key.name,), raw), key, values, keys)


def _with_clock(read: _Read, key: TimeKey, values: Mapping[str, Value], keys: TimeKeys) -> _Read:
    """Join a date with the time of day that another keyword holds."""
    if not read.reading.date_only:
        return read
    for name in key.clock:
        clock = values.get(name)
        if clock is None or not str(clock).strip():
            continue
        raw = f"{read.raw} {str(clock).strip()}"
        joined = read_text(raw, keys.date_order)
        if joined.moment is None:
            flags = (*read.reading.flags, *joined.flags)
            return read._replace(reading=read.reading._replace(flags=flags))
        return _Read(joined, (*read.keywords, name), raw)
    return read


def _in_utc(read: _Read, key: TimeKey, scale: str) -> ObservedTime:
    moment, words, flags, is_utc = read.reading
    if moment is None:
        return ObservedTime(None, read.raw, None, flags)
    scale = "UTC" if is_utc or key.form == "unix" else key.scale or ("GPS" if key.form == "gps" else scale)
    utc = to_utc(moment, scale)
    if utc.time is None:
        return ObservedTime(None, read.raw, None, flags + utc.flags)
    told = [word for word in words if word not in _NOT_IN_A_RULE]
    if scale != "UTC":
        told.append(scale)
    names = "+".join(read.keywords)
    rule = f"{names} ({', '.join(told)})" if told else names
    return ObservedTime(utc.time, read.raw, rule, flags + utc.flags, read.keywords)


class _Span(NamedTuple):
    first: datetime | None
    last: datetime | None
    raw: str
    flags: tuple[str, ...]


def _span(time_range: TimeRange | None) -> _Span | None:
    """Read a time variable; it may run backwards."""
    if time_range is None:
        return None
    first, last, units, calendar = time_range
    ends = (read_since(first, units, calendar), read_since(last, units, calendar))
    flags = tuple(dict.fromkeys(ends[0].flags + ends[1].flags))
    begin, end = (each.moment.replace(tzinfo=UTC) if each.moment else None for each in ends)
    if begin and end and end < begin:
        begin, end = end, begin
    return _Span(begin, end, f"{first} {units}", flags)


def _elsewhere(begin: ObservedTime, span: _Span | None, keys: TimeKeys, path: str | None) -> ObservedTime:
    """Take the begin from the time variable, else from the path."""
    flags = begin.flags + (span.flags if span else ())
    if span and span.first:
        return ObservedTime(span.first, span.raw, "time variable", flags)
    raw = begin.raw or (span.raw if span else None)
    for pattern in keys.paths if path else ():
        found = pattern.search(path or "")
        if found and (moment := _path_moment(found)):
            return ObservedTime(moment, found.group(), "path", flags)
    return ObservedTime(None, raw, None, flags)


def _path_moment(found: re.Match[str]) -> datetime | None:
    parts = found.groupdict()
    day = f"{parts['year']}-{parts['doy']}" if parts.get("doy") else "{year}-{month}-{day}".format(**parts)
    hour, minute, second = (parts.get(name) or "00" for name in ("hour", "minute", "second"))
    moment = read_text(f"{day}T{hour}:{minute}:{second}").moment
    return moment.replace(tzinfo=UTC) if moment else None


def _end(
    values: Mapping[str, Value], keys: TimeKeys, scale: str, begin: ObservedTime, span: _Span | None
) -> tuple[datetime | None, tuple[str, ...]]:
    """Find the end: a keyword, the time variable, or the begin and the exposure; never before the begin."""
    flags: tuple[str, ...] = ()
    for key in keys.end:
        value = values.get(key.name)
        if value is None or value == "":
            continue
        plain = _plain(value, key) if scale == "UTC" else None
        read = None if plain else _read(value, key, values, keys, scale)
        end = plain or (_in_utc(read, key, scale).time if read else None)
        if end and (begin.time is None or end >= begin.time):
            return end, flags
        flags += ("end_before_begin",) if end else ("end_unreadable",)
    if span and span.last and (begin.time is None or span.last >= begin.time):
        return span.last, flags
    return _after_exposure(values, keys, begin), flags


def _after_exposure(values: Mapping[str, Value], keys: TimeKeys, begin: ObservedTime) -> datetime | None:
    if begin.time is None or begin.rule is None or "date-only" in begin.rule or begin.rule == "path":
        return None
    for name in keys.exposure:
        seconds = number_of(values.get(name))
        if seconds is not None and seconds >= 0:
            try:
                return begin.time + timedelta(seconds=seconds)
            except OverflowError:
                return None
    return None
