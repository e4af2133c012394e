"""What an attempt cost, estimated from what it reserved.

Here: core hours and GiB hours of its executors (in local mode of the driver) at the prices of the settings.
Not here: the bill: machines, discounts, storage and traffic are not known, and the driver of a
cluster is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.settings import SparkSettings

SECONDS_AN_HOUR = 3600


def fill_cost(attempt: ApplicationAttempt, settings: SparkSettings) -> None:
    """Fill the estimated cost and its currency; both None without a price, or where a priced part is unknown.

    A part without a price costs nothing.
    """
    priced = [
        (price, amount)
        for price, amount in (
            (settings.price_core_hour, attempt.core_seconds_reserved),
            (settings.price_gb_hour, attempt.memory_gb_seconds_reserved),
        )
        if price is not None
    ]
    costs = [price * amount / SECONDS_AN_HOUR for price, amount in priced if amount is not None]
    whole = bool(priced) and len(costs) == len(priced)
    attempt.estimated_cost = sum(costs) if whole else None
    attempt.cost_currency = settings.price_currency if whole else None
