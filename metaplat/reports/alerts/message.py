"""The message that groups what one sink is told: a subject line and plain text.

Here: wording and cutting. Not here: limits of single services (``stores.sns``; Apprise knows the others).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.reports.alerts.due import Notice
from metaplat.reports.alerts.entry import Change

if TYPE_CHECKING:
    from metaplat.reports.alerts.alert import Alert

LONGEST_SUBJECT = 99
MOST_LINES = 50
LONGEST_LINE = 1000
NAMED = 3


@dataclass(frozen=True)
class Message:
    """What a sink sends: one line, and lines of plain text."""

    subject: str
    body: str


Render = Callable[[Sequence[Notice]], Message]
"""Words what is due; notices come the worst first."""


def render_message(notices: Sequence[Notice]) -> Message:
    """Return the message for people: at most 50 lines, the worst first, and how many were left off."""
    lines = [line for notice in notices for line in _lines(notice)]
    shown = [one_line(line, LONGEST_LINE) for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"... and {len(lines) - MOST_LINES:,} more: metaplat alerts list")
    if any(not notice.change.good for notice in notices):
        shown += ["", "To stop reminders: metaplat alerts ack ID"]
    return Message(one_line(_subject(notices), LONGEST_SUBJECT), "\n".join(shown))


def one_line(text: str, longest: int) -> str:
    """Put ``text`` on one line of at most ``longest`` characters, without control characters."""
    line = "".join(sign if sign.isprintable() else " " for sign in text).strip()
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _subject(notices: Sequence[Notice]) -> str:
    if len(notices) == 1:
        alert = notices[0].alert
        return f"[metaplat] {_word(notices[0])}: {alert.subject}: {alert.rule}"
    good = sum(notice.change.good for notice in notices)
    by_level = Counter(notice.alert.level for notice in notices if not notice.change.good)
    counts = [f"{by_level[level]} {level}" for level in ("high", "medium", "low") if by_level[level]]
    counts += [f"{good} resolved"] if good else []
    names = list(dict.fromkeys(notice.alert.subject for notice in notices))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"[metaplat] alerts: {', '.join(counts)}: {', '.join(names[:NAMED])}{more}"


def _word(notice: Notice) -> str:
    """Say what is the matter: ``high``, ``resolved``, ``now low``, ``high, worse``, ``high, still``."""
    level, change = notice.alert.level, notice.change
    if change is Change.RESOLVED:
        return "resolved"
    if change is Change.EASED:
        return f"now {level}"
    return level + {Change.WORSE: ", worse", Change.REMINDER: ", still"}.get(change, "")


def _lines(notice: Notice) -> list[str]:
    alert, word = notice.alert, f"[{_word(notice)}]"
    end = f" ({_since(alert)}; id {alert.id})"
    if notice.change.good:
        return [f"{word} {alert.subject}: {alert.rule}{end}"]
    if notice.known is not None:
        end = f" (taken care of by {notice.known.by}; id {alert.id})"
    room = LONGEST_LINE - len(word) - len(end) - 1
    *others, last = [one_line(text, room) for text in alert.texts]
    return [*(f"{word} {text}" for text in others), f"{word} {last}{end}"]


def _since(alert: Alert) -> str:
    return f"since {alert.since:%Y-%m-%d %H:%M} UTC"
