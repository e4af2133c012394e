"""What headers with the same keywords have in common: files of one instrument differ in values only.

Here: ``Shape``: which of the configured keywords such headers have, and what the stable ones among them mean.
Nothing of it changes a row: it only leaves out what would find nothing, or the same again.
Not here: which keywords there are (``mappings``), filling the row of one file (``observation``).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from metaplat.collectors.headers.completeness import header_completeness
from metaplat.collectors.headers.mappings import TEXT_COLUMNS, folded
from metaplat.collectors.headers.observation_texts import Notes, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from metaplat.collectors.headers.header import Header, Value
    from metaplat.collectors.headers.mappings import Mappings, Plan
    from metaplat.collectors.headers.time_keys import TimeKey

KEPT_SHAPES = 128
KEPT_MEANINGS = 1024
"""So many combinations of stable values are kept of a shape."""

TARGET = TEXT_COLUMNS.index("target_object")
"""The one column of text that differs from file to file."""
RAW = "raw"


class Meaning(NamedTuple):
    """What the stable keywords of a header say.

    Parameters
    ----------
    plan : Plan
        The keywords of its mission, those that it has.
    mission : str or None
        As it is stated, else known.
    texts : tuple of str or None
        Of ``TEXT_COLUMNS``; that of the target is left None.
    status : str
        How far it is processed.
    used : frozenset of str
        Keywords that these columns hold in full.
    flags : tuple of str
        What was odd.
    timed, untimed : float
        Completeness with and without a time.
    stated : str
        Mission and texts as one text, for a digest.
    """

    plan: Plan
    mission: str | None
    texts: tuple[str | None, ...]
    status: str
    used: frozenset[str]
    flags: tuple[str, ...]
    timed: float
    untimed: float
    stated: str


class Shape:
    """Headers of one family of formats with the same keywords.

    Parameters
    ----------
    family : str
        ``fits``, or any other format.
    keywords : tuple of str
        As the file writes them; those without a value are among them only in FITS.
    mappings : Mappings
        What they mean.
    """

    def __init__(self, family: str, keywords: tuple[str, ...], mappings: Mappings) -> None:
        self._family, self._mappings = family, mappings
        looked_up = _looked_up(mappings, family)
        self.names: dict[str, str] | None = None
        self._present = looked_up.of_all.intersection(keywords)
        if family != "fits":
            self.names = {name: key for name, key in _names(keywords).items() if name in looked_up.of_all}
            self._present = frozenset(self.names)
        self._values_in_order: Callable[[Any], Any] | None = None
        if self.names:
            self._values_in_order = _getter(tuple(self.names.values()))
        self._plans: dict[str | None, Plan] = {}
        stable = [key for key in looked_up.stable if key in self._present]
        self._stable_of = _getter(tuple(stable))
        self._meanings: dict[tuple[Value, ...], Meaning] = {}

    def by_name(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """Return values by the names that are looked up."""
        if self.names is None:
            return values
        return (
            dict(zip(self.names, self._values_in_order(values), strict=True)) if self._values_in_order else {}
        )

    def meaning(self, values: Mapping[str, Value], path: str) -> Meaning:
        """Return what the stable ones of the values by name say, and the path where they do not tell."""
        stable = self._stable_of(values)
        try:
            known = self._meanings.get(stable)
        except TypeError:  # a list
            return self._read(values, path)[0]
        if known is None:
            known, by_path = self._read(values, path)
            if by_path or not all(value is None or type(value) is str for value in stable):
                return known  # 1, 1.0 and True would be taken for each other
            if len(self._meanings) >= KEPT_MEANINGS:
                self._meanings.clear()
            self._meanings[stable] = known
        return known

    def _plan(self, mission: str | None) -> Plan:
        plan = self._plans.get(mission)
        if plan is None:
            plan = self._plans[mission] = _reduced(self._mappings.plan(self._family, mission), self._present)
        return plan

    def _read(self, values: Mapping[str, Value], path: str) -> tuple[Meaning, bool]:
        """Find the mission and fill the stable columns; tell whether the path had a say."""
        usual, mappings = self._plan(None), self._mappings
        stated = text_of(values, usual.mission, Notes())
        satellite = text_of(values, usual.texts[0][1], Notes())
        known = mappings.mission_named(stated) if stated else None
        if known is None and satellite:
            known = mappings.mission_of_telescope(satellite)
        by_path = known is None and stated is None
        if by_path:
            known = mappings.mission_of_path(path)
        plan, notes = self._plan(known), Notes()
        stated = text_of(values, plan.mission, notes)
        texts = tuple(
            None if column == TARGET else text_of(values, keywords, notes)
            for column, (_, keywords) in enumerate(plan.texts)
        )
        status = _status(values, plan, notes)
        calibration, expected = texts[-1], plan.expected[:-1]
        meaning = Meaning(
            plan,
            stated or known,
            texts,
            status,
            frozenset(notes.used),
            tuple(notes.flags),
            header_completeness(values, expected, calibration),
            header_completeness(values, (*expected, ()), calibration),
            f"{stated or known}\0{texts}",
        )
        return meaning, by_path


_shapes: dict[tuple[str, bool, tuple[str, ...]], Shape] = {}


def shape_of(header: Header, mappings: Mappings) -> tuple[Shape, Mapping[str, Value]]:
    """Return the shape of a header, and its values by the names that are looked up."""
    values, is_fits = header.values, header.file_format == "fits"
    if not is_fits and None in values.values():
        values = {key: value for key, value in values.items() if value is not None}
    key = mappings.digest, is_fits, tuple(values)
    shape = _shapes.get(key)
    if shape is None:
        if len(_shapes) >= KEPT_SHAPES:
            _shapes.clear()
        shape = _shapes[key] = Shape("fits" if is_fits else header.file_format, key[2], mappings)
    return shape, shape.by_name(values)


class _LookedUp(NamedTuple):
    """Keywords that columns of any mission may come from; the stable ones are those of ``Meaning``."""

    of_all: frozenset[str]
    stable: tuple[str, ...]


_keywords: dict[tuple[str, str], _LookedUp] = {}


def _looked_up(mappings: Mappings, family: str) -> _LookedUp:
    """Return the keywords of a family of formats."""
    wanted = "fits" if family == "fits" else "attributes"
    found = _keywords.get((mappings.digest, wanted))
    if found is None:
        plans = {id(plan): plan for (name, _), plan in mappings.plans.items() if name == wanted}
        stable = dict.fromkeys(key for plan in plans.values() for key in _stable_keywords(plan))
        of_all = set(stable)
        for plan in plans.values():
            of_all.update(_other_keywords(plan))
        found = _keywords[mappings.digest, wanted] = _LookedUp(frozenset(of_all), tuple(stable))
    return found


def _stable_keywords(plan: Plan) -> Iterator[str]:
    yield from (*plan.mission, *plan.status, *chain(*plan.expected[:-1]))
    for column, (_, keywords) in enumerate(plan.texts):
        if column != TARGET:
            yield from keywords


def _other_keywords(plan: Plan) -> Iterator[str]:
    times = plan.times
    yield from (*plan.texts[TARGET][1], *plan.expected[-1], *times.exposure, *times.timesys)
    yield from chain(*plan.directions, *((key.name, *key.clock) for key in (*times.begin, *times.end)))
    yield from (keyword for keyword, _ in plan.quality)


def _names(keywords: tuple[str, ...]) -> dict[str, str]:
    """Return what the file calls each name: attributes of the root come first, then the first of a group."""
    names: dict[str, str] = {}
    for in_group in (False, True):
        for key in keywords:
            if ("/" in key) is in_group:
                names.setdefault(folded(key.rpartition("/")[2]), key)
    return names


def _getter(keys: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return what gives the values of keys as a tuple, however many there are."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda values: tuple(values[key] for key in keys)


def _reduced(plan: Plan, present: Collection[str]) -> Plan:
    """Return a plan without the keywords that are not there."""

    def kept(keywords: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(key for key in keywords if key in present)

    def timed(keys: tuple[TimeKey, ...]) -> tuple[TimeKey, ...]:
        return tuple(key for key in keys if key.name in present)

    times = replace(
        plan.times,
        begin=timed(plan.times.begin),
        end=timed(plan.times.end),
        exposure=kept(plan.times.exposure),
        timesys=kept(plan.times.timesys),
    )
    return replace(
        plan,
        mission=kept(plan.mission),
        texts=tuple((column, kept(keywords)) for column, keywords in plan.texts),
        directions=tuple(pair for pair in plan.directions if pair[0] in present and pair[1] in present),
        quality=tuple(each for each in plan.quality if each[0] in present),
        status=kept(plan.status),
        times=times,
        expected=tuple(kept(keywords) for keywords in plan.expected),
    )


def _status(values: Mapping[str, Value], plan: Plan, notes: Notes) -> str:
    """Return how far the file is processed; its keyword stays among the rest, since it says more."""
    found = text_of(values, plan.status, Notes())
    if found is None:
        return RAW
    status = plan.status_words.get(found.lower())
    if status is None:
        notes.flags.append("status_unknown")
    return status or RAW
