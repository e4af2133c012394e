"""Rows under a stand-in key give way to the real one, also where that lies in another partition.

Here: which runs a partition holds stand-in rows of, and which of those have been settled elsewhere.
Not here: leaving the rows out (``deduplicate``), ingesting the partition again (``partition``).
A job that waits over midnight is first known by the day it was created, then by the day it started.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.ingest.receipts import Receipts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import polars as pl

    from metaplat.model.domain import MetadataDomain, Provisional, Row
    from metaplat.stores.home import Stores


def provisional_runs(domain: MetadataDomain, rows: Iterable[Row]) -> tuple[str, ...]:
    """Return the identities of the rows under a stand-in key, sorted."""
    rule = domain.provisional
    if rule is None:
        return ()
    waiting = {row[rule.identity] for row in rows if row[rule.column] == rule.value}
    return tuple(sorted(waiting - {None}))


def settled_elsewhere(
    domain: MetadataDomain, stores: Stores, partitions: Sequence[str]
) -> dict[str, frozenset[str]]:
    """Find stand-in rows whose real row lies elsewhere, in whatever order the partitions are ingested.

    Asked are two things: which stand-in rows, anywhere, have their real row in one of ``partitions``; and
    which in one of ``partitions`` have it in a later one, that was ingested before.

    Parameters
    ----------
    domain : MetadataDomain
        Whose rows.
    stores : Stores
        Where the receipts and the lake are.
    partitions : sequence of str
        Keys of the partitions that were just ingested.

    Returns
    -------
    dict
        Identities of settled runs, by key of the partition that holds their stand-in row.
    """
    rule = domain.provisional
    if rule is None:
        return {}
    receipts = Receipts(stores.state, domain).load_all()
    waiting = {key: set(receipt.provisional) for key, receipt in receipts.items() if receipt.provisional}
    if not waiting:
        return {}
    ingested = set(partitions)
    first = next((key for key in waiting if key in ingested), None)  # later ones than today's there are none
    later = list(receipts)[list(receipts).index(first) :] if first is not None else []
    asked = [*partitions, *(key for key in later if key not in ingested and receipts[key].rows)]
    real = _real_runs(stores.lake.read(domain, asked, columns=[rule.column, rule.identity]), rule)
    found = {key: frozenset(runs & real) for key, runs in waiting.items()}
    return {key: runs for key, runs in found.items() if runs}


def _real_runs(frame: pl.DataFrame, rule: Provisional) -> set[str]:
    """Return the identities of rows under a real key; a null is no stand-in, for nobody said that it is."""
    import polars as pl

    return set(frame.filter(pl.col(rule.column).ne_missing(rule.value))[rule.identity].unique())
