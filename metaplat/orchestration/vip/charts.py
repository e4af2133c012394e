"""The page of charts: drawn from the histories, and linked from their metadata.

Here: which rows are drawn, where the page lies, its small pictures as Dagster metadata.
Not here: drawing (``reports.vip``), the asset (``assets``).
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from metaplat.orchestration.vip.histories import newest_hour, read_histories
from metaplat.vip.pulling.remembered import safe_segment

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.reports.vip.charts import ChartFiles
    from metaplat.stores.home import Stores
    from metaplat.stores.objects import ObjectStore

FOLDER = "vip/"
DRAWN = timedelta(days=400)
"""As far back as the charts show: a year and a month."""


def charts_address(stores: Stores) -> str:
    """Return where the page of the configuration is."""
    from metaplat.reports.vip.charts import PAGE

    return f"{stores.reports.address}/{_folder(stores)}{PAGE}"


def charts_metadata(stores: Stores) -> dict[str, Any]:
    """Return the link from a history to its charts."""
    return {"charts": dg.MetadataValue.path(charts_address(stores))}


def write_chart_files(
    stores: Stores, now: datetime, store: ObjectStore | None = None, folder: str | None = None
) -> ChartFiles:
    """Draw the charts of the configuration.

    Parameters
    ----------
    stores : Stores
        Where the histories are.
    now : datetime
        Aware UTC.
    store : ObjectStore or None
        Where to; None means the store of reports.
    folder : str or None
        Below it, with a slash at the end, or empty; None means the configuration's own.

    Raises
    ------
    MissingExtraError
        The library that draws is not installed.
    StoreError
        The lake cannot be read, or the page not written.
    """
    from metaplat.reports.vip.charts import write_charts

    vip, last = stores.settings.vip, newest_hour(stores) or now
    rows = read_histories(stores, last - DRAWN, last)
    place = _folder(stores) if folder is None else folder
    return write_charts(
        rows.jobs,
        rows.tables,
        rows.sizes,
        vip.config,
        vip.slo_objective,
        store or stores.reports,
        place,
        now,
        slo_days=vip.slo_days,
        small=store is None,
    )


def draw_charts(stores: Stores, now: datetime) -> dict[str, Any]:
    """Draw the charts, and return the link and a few small pictures as metadata."""
    files = write_chart_files(stores, now)
    pictures = [
        f"![{name}](data:image/png;base64,{base64.b64encode(content).decode()})"
        for name, content in files.small_images.items()
    ]
    return {
        "charts": dg.MetadataValue.path(charts_address(stores)),
        "pictures": dg.MetadataValue.md("\n\n".join(pictures)),
    }


def _folder(stores: Stores) -> str:
    return f"{FOLDER}{safe_segment(stores.settings.vip.config)}/"
