"""How the vendor's lake stands now, in one document: the last day, what is due, the error budget."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from metaplat.domains.historical_job_metrics import configured_slo
from metaplat.model.extract import ExtractStatus, hour_start, hours_between
from metaplat.orchestration.vip.charts import charts_address
from metaplat.orchestration.vip.histories import newest_hour, read_histories
from metaplat.vip.pulling.document import extract_document
from metaplat.vip.pulling.remembered import ExtractMemory

if TYPE_CHECKING:
    from metaplat.model.extract import Extract
    from metaplat.rules.vip.error_budget import Budget
    from metaplat.stores.home import Stores

SHOWN_HOURS = 24
GOOD = (ExtractStatus.OK, ExtractStatus.LATE)


def vip_standing(stores: Stores, now: datetime) -> dict[str, Any]:
    """Return how the vendor's lake stands.

    Returns
    -------
    dict
        ``config_name``, ``environment``, ``target``, ``hour``, ``extracts`` (newest first), ``next_slot``,
        ``newest_history``, ``budget`` (None without a history), ``charts``, and ``sentences`` for people.

    Raises
    ------
    SettingsError, StoreError
        The stores cannot be read.
    """
    vip, hour = stores.settings.vip, hour_start(now)
    known = ExtractMemory(stores.state).load_range(vip.config, hour - timedelta(hours=SHOWN_HOURS - 1), hour)
    slots = [extract.next_slot for extract in known.values() if extract.next_slot and extract.next_slot > now]
    newest = newest_hour(stores)
    budget = _budget(stores, newest) if newest else None
    standing: dict[str, Any] = {
        "config_name": vip.config,
        "environment": vip.environment,
        "company": vip.company,
        "hour": _text(hour),
        "extracts": [_entry(known[each]) for each in sorted(known, reverse=True)],
        "next_slot": _text(max(slots)) if slots else None,
        "newest_history": _text(newest) if newest else None,
        "budget": vars(budget) if budget else None,
        "charts": charts_address(stores),
    }
    return standing | {"sentences": _sentences(standing, hour, known)}


def _entry(extract: Extract) -> dict[str, Any]:
    document = extract_document(extract)
    names = (
        "hour",
        "status",
        "job_guid",
        "files_promised",
        "files_delivered",
        "bytes",
        "mismatches",
        "reason",
    )
    return {name: document[name] for name in names}


def _budget(stores: Stores, newest: datetime) -> Budget:
    import polars as pl

    from metaplat.rules.vip.error_budget import error_budget

    slo = configured_slo()
    jobs = read_histories(stores, newest - timedelta(days=slo.days), newest).jobs
    counted = jobs.filter(~pl.col("excused"))
    good = counted["status"].is_in([str(status) for status in GOOD]).to_list()
    excused = jobs.height - counted.height
    return error_budget(
        counted["hour_utc"].to_list(), good, slo, newest + timedelta(hours=1), excused=excused
    )


def _sentences(standing: dict[str, Any], hour: datetime, known: dict[datetime, Extract]) -> list[str]:
    found = [f"{standing['config_name']} ({standing['environment']})"]
    if standing["company"] is None:
        found.append("vip.company is not set: nothing is pulled")
    if hour not in known:
        found.append(f"the extract of {hour:%Y-%m-%d %H:%M} UTC was not asked for yet")
    if standing["next_slot"]:
        found.append(f"the vendor allows the next export at {standing['next_slot']}")
    pulled = [each for each, extract in known.items() if extract.job_guid]
    if pulled:
        lost = [each for each in hours_between(min(pulled), hour) if each not in pulled and each != hour]
        found.append(f"{len(lost)} hours of the last {SHOWN_HOURS} were missed")
    if budget := standing["budget"]:
        found.append(
            f"{budget['bad']} of {budget['hours']} hours were bad; {budget['left']:.0%} of the budget left"
        )
    found.append(f"charts: {standing['charts']}")
    return found


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
