"""The recent rows of a partition go to the hot store, after the lake has them.

Here: which rows and columns are hot.
Not here: how a hot row may be overwritten (``stores.hot``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from metaplat.model.domain import MetadataDomain, Row
    from metaplat.stores.home import Stores


def put_hot_rows(stores: Stores, domain: MetadataDomain, rows: Sequence[Row], now: datetime) -> str:
    """Put every row that has not outlived its time to live; the lake's content wins.

    Returns
    -------
    str
        Why some rows cannot be hot, in one line; empty where all could. The lake has them all the same.
    """
    store, table, keep = stores.hot(domain), domain.hot, domain.retention.hot
    if store is None or table is None or keep is None:
        return ""
    moment = int(now.timestamp())
    oldest = moment - int(keep.total_seconds())
    names = (
        table.partition_key,
        table.sort_key,
        *filter(None, (table.status, table.identity)),
        *table.columns,
    )
    names = tuple(dict.fromkeys(names))
    fresh = [{name: row[name] for name in names} for row in rows if row[table.sort_key] > oldest]
    try:
        if fresh:
            store.put_many(fresh, moment)
    except InvalidInputError as error:  # too large a text, say; the others are written
        return str(error)
    return ""
