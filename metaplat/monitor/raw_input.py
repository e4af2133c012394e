"""The raw input of a snapshot: whether anything lies where the table's data came from.

Here: its address, and counting objects there up to a limit.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from metaplat.model.table_evidence import RawInputFacts
from metaplat.monitor.location import holds_data
from metaplat.stores.s3_errors import obstore_failures, s3_error
from metaplat.stores.s3_objects import S3Objects

if TYPE_CHECKING:
    from datetime import date

    from metaplat.model.table import MonitoredTable
    from metaplat.settings import S3Settings

MOST_COUNTED = 10_000
"""Counting ends here: the question is whether there is any input at all."""


def raw_input_address(table: MonitoredTable, data_bucket: str, day: date) -> str:
    """Return the prefix of the raw input, with a slash at the end."""
    return f"s3://{data_bucket}/opus/{table.dataset}/raw_input/snapshot_dt={day.isoformat()}/"


def count_raw_input(address: str, settings: S3Settings) -> RawInputFacts:
    """Count the objects below ``address`` that hold data, ``MOST_COUNTED`` at the most.

    Raises
    ------
    StoreError
        The store fails or refuses.
    """
    objects = S3Objects(address, settings)
    try:
        pages = objects.client.list(chunk_size=1000)
        data = (meta for page in pages for meta in page if holds_data(meta["path"], meta["size"]))
        return RawInputFacts(address, sum(1 for _ in islice(data, MOST_COUNTED)))
    except obstore_failures() as error:
        raise s3_error(objects.system, "list the raw input", error) from None
