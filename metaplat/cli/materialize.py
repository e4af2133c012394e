"""``metaplat materialize`` and ``metaplat check``: partitions are ingested and judged in a Dagster run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from metaplat.cli.materialize_tables import check_named, is_table, materialize_named
from metaplat.cli.options import Config, Domain, From, Json, Partition, To, configured_stores
from metaplat.cli.output import note, print_json, progress_bar
from metaplat.cli.run_output import exit_on_failures, latest_verdicts, print_outcomes
from metaplat.domains import domain_named, with_children
from metaplat.ingest.receipts import Receipts
from metaplat.model.verdict import Outcome
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.partition_choice import (
    ingested_partitions,
    missing_partitions,
    named_stretches,
)
from metaplat.orchestration.progress import watching
from metaplat.reports.verdict_log import verdict_item

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.landed import IngestReceipt
    from metaplat.orchestration.runs import RunOutcome
    from metaplat.stores.home import Stores

Missing = Annotated[
    bool,
    typer.Option("--missing", help="What landed and was not ingested, or not checked, yet (the default)."),
]

RECEIPT_FIGURES = (
    "partition",
    "rows",
    "records",
    "quarantined",
    "reasons",
    "repeated",
    "superseded",
    "stale",
    "conflicts",
    "conflict_samples",
    "rerouted",
    "unknown_fields",
    "oldest",
    "newest",
    "hot_problem",
)


def materialize(
    domain: Domain,
    partition: Partition = None,
    first: From = None,
    last: To = None,
    missing: Missing = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Ingest partitions from their landed objects, then check them, in one Dagster run.

    Scattered partitions of --missing take one run per contiguous stretch. Running it again is safe: the same
    objects give the same rows. Domains made of the same objects follow in runs of their own: spark_stages
    after spark_applications. A monitored table is named table_profile/TABLE: its buckets are profiled.
    Exit code 1: a check fails; 3: a store failed, and what was ingested stays.

    Example: metaplat materialize job_executions --from 2025-11-01 --to 2025-11-30
    """
    from metaplat.orchestration.runs import materialize as run

    if is_table(domain):
        materialize_named(domain, partition, first, last, missing=missing, as_json=json)
        return
    chosen, stores, now = domain_named(domain), configured_stores(), utc_now()
    named = named_stretches(chosen.partitions, partition, first, last, missing=missing)

    def stretches_of(each: MetadataDomain) -> Sequence[Sequence[str]]:
        found = missing_partitions(each, stores, now) if named is None else named
        if not found:
            note(f"nothing landed for {each.name} that was not ingested and checked")
        return found

    _run_and_print(run, chosen, stores, stretches_of, as_json=json)


def check(
    domain: Domain,
    partition: Partition = None,
    first: From = None,
    last: To = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Check partitions as they are stored, by default all that were ingested; nothing is ingested.

    Domains made of the same landed objects follow. Exit code 1: a check fails; 3: a store failed, and not
    everything could be checked.

    Example: metaplat check job_executions --partition 2025-11-29
    """
    from metaplat.orchestration.runs import check as run

    if is_table(domain):
        check_named(domain, partition, first, last, as_json=json)
        return
    chosen, stores = domain_named(domain), configured_stores()
    named = named_stretches(chosen.partitions, partition, first, last, missing=False)

    def stretches_of(each: MetadataDomain) -> Sequence[Sequence[str]]:
        if named is not None:
            return named
        found = ingested_partitions(each, Receipts(stores.state, each), utc_now())
        if not found:
            note(f"nothing of {each.name} was ever ingested")
        return found

    _run_and_print(run, chosen, stores, stretches_of, as_json=json)


def _run_and_print(
    run: Callable[[MetadataDomain, Stores, Sequence[str]], RunOutcome],
    domain: MetadataDomain,
    stores: Stores,
    stretches_of: Callable[[MetadataDomain], Sequence[Sequence[str]]],
    *,
    as_json: bool,
) -> None:
    outcomes: dict[str, list[RunOutcome]] = {}
    with progress_bar() as draw, watching(draw):
        for each in with_children(domain):
            outcomes[each.name] = [run(each, stores, partitions) for partitions in stretches_of(each)]
    documents = [as_document(each, outcomes[each.name]) for each in with_children(domain)]
    if as_json:
        children = {"children": documents[1:]} if documents[1:] else {}
        print_json(documents[0] | children)
    for name, runs in outcomes.items():
        if runs and not as_json:
            if len(outcomes) > 1:
                note(f"{name}:")
            print_verdicts(runs)
    exit_on_failures([outcome for runs in outcomes.values() for outcome in runs])
    verdicts = (verdict for document in documents for verdict in document["verdicts"])
    if any(verdict["outcome"] == Outcome.FAILED for verdict in verdicts):
        raise typer.Exit(1)


def as_document(domain: MetadataDomain, outcomes: Sequence[RunOutcome]) -> dict[str, Any]:
    """Return the runs as one JSON document: their ids, what each partition got, every verdict, failures."""
    receipts = [receipt for outcome in outcomes for receipt in outcome.receipts.values()]
    return {
        "domain": domain.name,
        "run_id": outcomes[-1].run_id if outcomes else None,
        "run_ids": [outcome.run_id for outcome in outcomes],
        "partitions": [_receipt_entry(receipt) for receipt in receipts],
        "verdicts": [verdict_item(record) for record in latest_verdicts(outcomes)],
        "failures": [failure for outcome in outcomes for failure in outcome.failures],
    }


def print_verdicts(outcomes: Sequence[RunOutcome]) -> None:
    """Print the verdicts, then what was ingested."""
    print_outcomes(outcomes)
    receipts = [receipt for outcome in outcomes for receipt in outcome.receipts.values()]
    ingested = sum(receipt.rows for receipt in receipts)
    bad = sum(receipt.quarantined for receipt in receipts)
    note(f"{len(receipts)} partitions, {ingested} rows, {bad} records in quarantine")
    for receipt in receipts:
        if receipt.hot_problem:
            note(f"warning: {receipt.partition}: not in the hot store: {receipt.hot_problem[:300]}")


def _receipt_entry(receipt: IngestReceipt) -> dict[str, Any]:
    return {"objects": len(receipt.identities), **{name: getattr(receipt, name) for name in RECEIPT_FIGURES}}
