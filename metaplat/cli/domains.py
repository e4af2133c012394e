"""``metaplat domains``: what is kept, how, and how fresh it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.cli.options import Config, Json, configured_stores
from metaplat.cli.output import print_json, print_table
from metaplat.domains import all_domains
from metaplat.ingest.receipts import Receipts
from metaplat.model.partitioning import DailyOrUnknown

if TYPE_CHECKING:
    from metaplat.model.domain import MetadataDomain
    from metaplat.stores.home import Stores


def domains(json: Json = False, config: Config = None) -> None:
    """List every domain: partitions, cadence, retention, rules, rows, newest partition with rows.

    Example: metaplat domains --json
    """
    stores = configured_stores()
    entries = [_entry(domain, stores) for domain in all_domains()]
    if json:
        print_json({"domains": entries})
        return
    columns = ("domain", "partitions", "cadence", "hot", "archive", "rules", "rows", "newest")
    print_table(columns, [_row(entry) for entry in entries])


def _entry(domain: MetadataDomain, stores: Stores) -> dict[str, Any]:
    receipts = Receipts(stores.state, domain).load_all()
    filled = [key for key, receipt in receipts.items() if receipt.rows]
    hot = domain.retention.hot
    return {
        "domain": domain.name,
        "doc": domain.doc,
        "partitioned_by": _cut(domain),
        "partitions": len(receipts),
        "cadence": domain.cadence,
        "hot_days": hot.days if hot else None,
        "archive_days": domain.retention.archive.days,
        "sources": sorted(domain.collectors),
        "rules": [rule.name for rule in domain.rules],
        "rows": sum(receipt.rows for receipt in receipts.values()),
        "newest_partition": filled[-1] if filled else None,
        "landing": domain.landing if domain.lands else None,
    }


def _cut(domain: MetadataDomain) -> str:
    """Return what a partition is; files of the lake may hold more."""
    return "date" if isinstance(domain.partitions, DailyOrUnknown) else domain.partitions.column


def _row(entry: dict[str, Any]) -> list[object]:
    hot = f"{entry['hot_days']} d" if entry["hot_days"] is not None else "-"
    partitions = f"{entry['partitions']} by {entry['partitioned_by']}"
    archive = f"{entry['archive_days']} d"
    rules = ", ".join(entry["rules"])
    newest = entry["newest_partition"] or "-"
    return [entry["domain"], partitions, entry["cadence"], hot, archive, rules, entry["rows"], newest]
