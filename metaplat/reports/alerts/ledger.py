"""The memory of alerts, in the state store: one JSON object per subject, ``alerts/<subject>.json``.

Here: reading and writing it. Not here: what the entries mean (``entry``), their form (``entry_json``).
One object a subject, so that writers of different subjects never meet. Two writers of one subject read it
right before they write; what is left is that a sink may hear of something twice.
A subject of which nothing stands, and nothing is left to tell, has no object.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from metaplat.model.errors import PermanentStoreError, UnknownNameError
from metaplat.reports.alerts.entry import (
    Acknowledgement,
    Entries,
    delivered,
    observed,
    undelivered,
    without_settled,
)
from metaplat.reports.alerts.entry_json import entry_from_item, entry_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from metaplat.reports.alerts.due import Notice
    from metaplat.reports.alerts.entry import Entry
    from metaplat.reports.alerts.standing import Standing
    from metaplat.stores.objects import ObjectStore

PREFIX = "alerts/"
LONGEST_NAME = 200
"""Bytes; file systems take 255."""


class AlertLedger:
    """What stands, who takes care, and what each sink was told.

    Every method raises TransientStoreError or PermanentStoreError where the store fails, and
    PermanentStoreError where a stored object cannot be read.

    Parameters
    ----------
    state : ObjectStore
        The state store.
    """

    def __init__(self, state: ObjectStore) -> None:
        self._state = state

    def subjects(self) -> list[str]:
        """Return the subjects of which anything is remembered, sorted."""
        return sorted({entry.alert.subject for entries in self._all() for entry in entries.values()})

    def load(self, subjects: Iterable[str]) -> dict[str, Entries]:
        """Return what is remembered of subjects, by subject and alert id."""
        keys = {ledger_key(subject): subject for subject in subjects}
        found = self._state.get_many(list(keys))
        return {keys[key]: self._decode(key, content) for key, content in found}

    def observe(self, standing: Mapping[str, Standing], now: datetime) -> dict[str, Entries]:
        """Take note of how subjects stand now; returns their entries. What changed nothing writes nothing."""
        before = self.load(standing)
        after = {subject: observed(before[subject], seen, now) for subject, seen in standing.items()}
        for subject, entries in after.items():
            self._put(subject, before[subject], entries)
        return after

    def foresee(self, standing: Mapping[str, Standing], now: datetime) -> dict[str, Entries]:
        """Return what ``observe`` would, and write nothing."""
        before = self.load(standing)
        return {subject: observed(before[subject], seen, now) for subject, seen in standing.items()}

    def record(self, sink: str, notices: Sequence[Notice], problem: str | None, now: datetime) -> None:
        """Remember that ``sink`` was told; or that it could not be, with the problem."""
        by_subject: dict[str, dict[str, Notice]] = {}
        for notice in notices:
            by_subject.setdefault(notice.alert.subject, {})[notice.alert.id] = notice
        for subject, named in by_subject.items():

            def told(entry: Entry, named: Mapping[str, Notice] = named) -> Entry:
                notice = named.get(entry.alert.id)
                if notice is None:
                    return entry
                if problem is not None:
                    return undelivered(entry, sink, notice.change, problem, now)
                return delivered(entry, sink, notice.change, notice.alert, now)

            self._update(subject, told, now)

    def acknowledge(self, entry: Entry, acknowledgement: Acknowledgement) -> Entry:
        """Remember who takes care of an alert; raises UnknownNameError where it does not stand (any more)."""
        subject, name = entry.alert.subject, entry.alert.id
        [entries] = self.load([subject]).values()
        if name not in entries or not entries[name].firing:
            raise UnknownNameError("standing alert", name, [key for key in entries if entries[key].firing])
        after = {**entries, name: replace(entries[name], acknowledged=acknowledgement)}
        self._put(subject, entries, after)
        return after[name]

    def _update(self, subject: str, change: Callable[[Entry], Entry], now: datetime) -> None:
        [before] = self.load([subject]).values()  # anew: somebody may have acknowledged meanwhile
        after = {name: change(entry) for name, entry in before.items()}
        self._put(subject, before, without_settled(after, now))

    def _put(self, subject: str, before: Entries, after: Entries) -> None:
        key = ledger_key(subject)
        if after == before:
            return
        if not after:
            self._state.delete(key)
            return
        items = [entry_item(after[name]) for name in sorted(after)]
        content = orjson.dumps(
            {"subject": items[0]["subject"], "alerts": items},
            option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
        )
        self._state.put(key, content)

    def _all(self) -> list[Entries]:
        keys = [info.key for info in self._state.list_objects(PREFIX) if info.key.endswith(".json")]
        return [self._decode(key, content) for key, content in self._state.get_many(keys)]

    def _decode(self, key: str, content: bytes | None) -> Entries:
        if content is None:
            return {}
        try:
            entries = [entry_from_item(item) for item in orjson.loads(content)["alerts"]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PermanentStoreError(
                f"state store {self._state.address}",
                f"read {key}",
                f"it is not a ledger of alerts ({type(error).__name__}: {error})",
                "Delete it: what stands is then sent once more, and acknowledgements are lost.",
            ) from error
        return {entry.alert.id: entry for entry in entries}


def ledger_key(subject: str) -> str:
    """Key of a subject's object; what is no letter, digit, ``_`` or ``-`` is written ``=2F``."""
    encoded = subject.encode("utf-8", "replace")
    name = re.sub(rb"[^A-Za-z0-9_-]", lambda found: b"=%02X" % found[0][0], encoded).decode()
    if len(name) > LONGEST_NAME:
        name = f"{name[: LONGEST_NAME - 25]}-{hashlib.blake2b(encoded, digest_size=12).hexdigest()}"
    return f"{PREFIX}{name}.json"
