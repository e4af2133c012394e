"""``metaplat alerts``: what stands, who takes care, and telling the sinks."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metaplat.cli.options import Config, Json, configured_stores
from metaplat.cli.output import note, print_json, print_table
from metaplat.model.errors import UnknownNameError, UsageError
from metaplat.orchestration.alerting import declared_subjects, receivers_of, send_alerts, standing_now
from metaplat.orchestration.clock import utc_now
from metaplat.reports.alerts.entry import Acknowledgement
from metaplat.reports.alerts.entry_json import entry_item
from metaplat.reports.alerts.ledger import AlertLedger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.reports.alerts.entry import Entry
    from metaplat.reports.alerts.notify import DeliveryOutcome

SHORTEST_PREFIX = 4

app = typer.Typer(
    help="What fails now, who takes care of it, and who has been told.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_alerts(
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is resolved and a sink has not heard of yet.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """List the alerts that stand, the worst first: since when, who takes care, who could not be told.

    It reads what was judged last; nothing is judged and nothing sent.

    Example: metaplat alerts list --all
    """
    stores = configured_stores()
    standing = standing_now(stores, declared_subjects(stores.settings))
    foreseen = AlertLedger(stores.state).foresee(standing, utc_now())
    entries = [entry for kept in foreseen.values() for entry in kept.values() if everything or entry.firing]
    entries.sort(key=_order)
    if json:
        print_json({"alerts": [entry_item(entry) for entry in entries]})
        return
    columns = ("id", "level", "state", "since", "alert", "acknowledged", "not told")
    print_table(columns, [_row(entry) for entry in entries])
    if not entries:
        note("no alert stands")


@app.command()
def ack(
    alert: Annotated[
        str, typer.Argument(help="Its id, or the first digits of it, or subject:rule, as `list` shows.")
    ],
    by: Annotated[str | None, typer.Option(help="Who takes care; default: the user of this machine.")] = None,
    message: Annotated[str, typer.Option("--note", help="What is being done.")] = "",
    json: Json = False,
    config: Config = None,
) -> None:
    """Take care of an alert: no reminders of it until it is resolved, or gets worse.

    Example: metaplat alerts ack job_executions:row_count --by ada --note "the source is down until noon"
    """
    stores, now = configured_stores(), utc_now()
    ledger = AlertLedger(stores.state)
    standing = standing_now(stores, declared_subjects(stores.settings))
    seen = ledger.observe(standing, now)
    firing = [entry for kept in seen.values() for entry in kept.values() if entry.firing]
    entry = ledger.acknowledge(_named(alert, firing), Acknowledgement(by or _user(), message, now))
    if json:
        print_json({"alert": entry_item(entry)})
        return
    note(f"{entry.alert.subject}: {entry.alert.rule} is acknowledged; it stands until its check passes")


@app.command()
def send(json: Json = False, config: Config = None) -> None:
    """Tell the sinks what is new, worse, resolved or due for a reminder, as Dagster's sensor does.

    A sink that does not answer is a warning, not a failure: it is told the next time. A sink that was told is
    not told again.

    Example: metaplat alerts send --json
    """
    stores = configured_stores()
    receivers = receivers_of(stores.settings)
    standing = standing_now(stores, declared_subjects(stores.settings))
    outcomes = send_alerts(stores, receivers, standing, utc_now())
    for outcome in outcomes:
        if outcome.problem:
            note(f"warning: sink {outcome.sink}: {outcome.problem}")
    if not receivers:
        note("warning: no sink is set up in section [alerts.sinks] of the settings")
    firing = sum(len(stand.alerts) for stand in standing.values())
    if json:
        print_json({"standing": firing, "sinks": [_outcome_item(outcome) for outcome in outcomes]})
        return
    rows = [[each.sink, len(each.notices), "no" if each.problem else "yes"] for each in outcomes]
    print_table(("sink", "alerts", "told"), rows)
    if not outcomes:
        note(f"nothing new to tell; {firing} alerts stand")


def _named(text: str, entries: Sequence[Entry]) -> Entry:
    """Return the one alert that ``text`` names."""
    by_name = {f"{entry.alert.subject}:{entry.alert.rule}": entry for entry in entries}
    if text in by_name:
        return by_name[text]
    digits = text.strip().lower()
    found = [
        entry for entry in entries if len(digits) >= SHORTEST_PREFIX and entry.alert.id.startswith(digits)
    ]
    if len(found) > 1:
        raise UsageError(f"{text!r} begins the ids {', '.join(sorted(entry.alert.id for entry in found))}")
    if not found:
        raise UnknownNameError("standing alert", text, [*by_name, *(entry.alert.id for entry in entries)])
    return found[0]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "somebody"


def _order(entry: Entry) -> tuple[bool, int, str, str]:
    return not entry.firing, -entry.alert.rank, entry.alert.subject, entry.alert.rule


def _row(entry: Entry) -> list[object]:
    alert, known = entry.alert, entry.acknowledged
    waiting = [name for name, state in sorted(entry.sinks.items()) if state.pending]
    who = f"{known.by}: {known.note}".removesuffix(": ") if known else None
    state = "firing" if entry.firing else "resolved"
    return [alert.id, alert.level, state, alert.since, "; ".join(alert.texts), who, ", ".join(waiting)]


def _outcome_item(outcome: DeliveryOutcome) -> dict[str, Any]:
    alerts = [
        {"id": notice.alert.id, "change": notice.change.value, "level": notice.alert.level}
        | {"subject": notice.alert.subject, "rule": notice.alert.rule}
        for notice in outcome.notices
    ]
    return {
        "sink": outcome.sink,
        "told": outcome.problem is None,
        "problem": outcome.problem,
        "alerts": alerts,
    }
