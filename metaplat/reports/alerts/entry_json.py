"""An entry of the ledger as JSON values, and back.

Here: the form that is stored and that ``alerts list --json`` prints. Not here: keeping it (``ledger``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from metaplat.reports.alerts.alert import RANKS, Alert
from metaplat.reports.alerts.entry import Acknowledgement, Change, Entry, Pending, SinkState, Told
from metaplat.reports.plain_values import plain, utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping


def entry_item(entry: Entry) -> dict[str, Any]:
    """Return an entry as JSON values."""
    alert, known = entry.alert, entry.acknowledged
    return {
        "id": alert.id,
        "subject": plain(alert.subject),
        "rule": plain(alert.rule),
        "partition": plain(alert.partition),
        "level": alert.level,
        "state": "firing" if entry.firing else "resolved",
        "since": utc_text(alert.since),
        "resolved_at": utc_text(entry.resolved_at) if entry.resolved_at else None,
        "texts": plain(alert.texts),
        "sentence": plain(alert.sentence),
        "acknowledged": {"by": plain(known.by), "note": plain(known.note), "at": utc_text(known.at)}
        if known
        else None,
        "sinks": {name: _sink_item(state) for name, state in sorted(entry.sinks.items())},
    }


def _sink_item(state: SinkState) -> dict[str, Any]:
    told, pending = state.told, state.pending
    return {
        "told": {"level": told.level, "since": utc_text(told.since), "at": utc_text(told.at)}
        if told
        else None,
        "pending": {
            "change": pending.change.value,
            "attempts": pending.attempts,
            "problem": plain(pending.problem),
            "at": utc_text(pending.at),
        }
        if pending
        else None,
    }


def entry_from_item(item: Mapping[str, Any]) -> Entry:
    """Return the entry that ``entry_item`` wrote; else raises ValueError, KeyError or TypeError."""
    alert = Alert(
        _text(item["subject"]),
        _text(item["rule"]),
        _level(item["level"]),
        tuple(_text(text) for text in item["texts"]),
        _text(item["sentence"]),
        _moment(item["since"]),
        None if item["partition"] is None else _text(item["partition"]),
    )
    resolved, known = item["resolved_at"], item["acknowledged"]
    return Entry(
        alert,
        _moment(resolved) if resolved else None,
        Acknowledgement(_text(known["by"]), _text(known["note"]), _moment(known["at"])) if known else None,
        {_text(name): _sink_state(state) for name, state in dict(item["sinks"]).items()},
    )


def _sink_state(item: Mapping[str, Any]) -> SinkState:
    told, pending = item["told"], item["pending"]
    return SinkState(
        Told(_level(told["level"]), _moment(told["since"]), _moment(told["at"])) if told else None,
        Pending(
            Change(pending["change"]),
            int(pending["attempts"]),
            _text(pending["problem"]),
            _moment(pending["at"]),
        )
        if pending
        else None,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} in place of a text")
    return value


def _level(value: object) -> Any:
    if value not in RANKS:
        raise ValueError(f"level {value!r}")
    return value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(_text(text))
    if moment.tzinfo is None:
        raise ValueError(f"time without zone: {text}")
    return moment.astimezone(UTC)
