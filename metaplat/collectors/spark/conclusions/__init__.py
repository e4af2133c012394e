"""What is concluded from an attempt, whichever source filled it: figures, tags, cost, findings.

Here: ``conclude``, the order of the conclusions, and the flags of an attempt that runs or fell silent.
Not here: reading sources (the other packages beside this one), thresholds and prices (``settings``), judging
many attempts against each other (``rules.spark``).
To add a kind of finding, write one function in ``findings`` and name it there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import RUNNING
from metaplat.collectors.spark.conclusions.cost import fill_cost
from metaplat.collectors.spark.conclusions.figures import fill_figures
from metaplat.collectors.spark.conclusions.findings import find
from metaplat.collectors.spark.conclusions.properties import Properties
from metaplat.collectors.spark.conclusions.secret_values import without_login, without_secrets
from metaplat.collectors.spark.conclusions.tags import property_tags

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.settings import SparkSettings

__all__ = ["conclude"]


def conclude(attempt: ApplicationAttempt, settings: SparkSettings, now: datetime) -> None:
    """Fill what follows from what a source said of an attempt, in place; doing it again changes nothing.

    Parameters
    ----------
    attempt : ApplicationAttempt
        As a source filled it; ``environment`` as Spark says it. Afterwards the fields below ``Concluded``,
        the figures of its stages so marked, ``tags`` and flags are filled, and secret values are out of
        ``environment`` and ``tags``. What cannot be known is None.
    settings : SparkSettings
        Prefixes of tags, prices, thresholds.
    now : datetime
        Aware UTC.
    """
    attempt.tags = without_secrets(property_tags(attempt.environment, settings.tag_prefixes) | attempt.tags)
    properties = Properties.of(attempt)
    fill_figures(attempt, properties)
    fill_cost(attempt, settings)
    _flag(attempt, settings, now)
    attempt.findings = find(attempt, settings, properties)
    attempt.environment = without_secrets(attempt.environment)
    attempt.app_name = without_login(attempt.app_name)


def _flag(attempt: ApplicationAttempt, settings: SparkSettings, now: datetime) -> None:
    attempt.data_quality = sorted(set(attempt.data_quality))
    if attempt.status != RUNNING:
        return
    attempt.flag("incomplete")
    last = attempt.observed_end or attempt.start_time or attempt.observed_start
    if last is not None and now - last > timedelta(hours=settings.silent_hours):
        attempt.flag("silent")
