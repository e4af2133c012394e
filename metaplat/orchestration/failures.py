"""How Dagster hears of our errors: only a transient one may be retried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from metaplat.model.errors import MetaplatError, Transient

if TYPE_CHECKING:
    from collections.abc import Mapping

RETRIES = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL)
SHOWN = 5


def failure_for(error: MetaplatError) -> dg.Failure:
    """Return the failure of a step that could do nothing at all."""
    retryable = isinstance(error, Transient)
    return dg.Failure(str(error), metadata={"retryable": retryable}, allow_retries=retryable)


def partial_failure(what: str, errors: Mapping[str, MetaplatError], total: int) -> dg.Failure:
    """Return the failure of a step in which some of ``total`` items failed; a few of the reasons are told.

    It is retried where that may help at least one of them: what succeeded is found done by the retry.
    """
    retryable = any(isinstance(error, Transient) for error in errors.values())
    reasons = [f"{item}: {error}" for item, error in list(errors.items())[:SHOWN]]
    more = f" (and {len(errors) - SHOWN} more)" if len(errors) > SHOWN else ""
    text = f"{len(errors)} of {total} {what} failed: {'; '.join(reasons)}{more}"
    failed = dg.MetadataValue.json(list(errors))
    return dg.Failure(text, metadata={"retryable": retryable, "failed": failed}, allow_retries=retryable)
