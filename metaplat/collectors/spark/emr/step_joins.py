"""Which step an application is of.

Here: a join that is sure, which names the step on the record; and one that is likely, which only keeps an
application from being told twice, by its log and by its step.
Not here: which cluster it ran on (``owners``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.collectors.spark.emr.cluster import Step


def begun(attempt: ApplicationAttempt) -> datetime | None:
    """Return when an application began, as far as is known."""
    return attempt.submit_time or attempt.start_time or attempt.observed_start


def sure_step(attempt: ApplicationAttempt, steps: Iterable[Step]) -> Step | None:
    """Return the step that EMR says an application is of, else the only one of its name and time.

    A step whose applications EMR names has no others. The name is that of the step, or the one that its
    command line gives the application.
    """
    every = list(steps)
    said = [step for step in every if attempt.app_id in step.application_ids]
    if said:
        return said[0]
    named = [
        step
        for step in every
        if not step.application_ids and attempt.app_name in step.names and step.covers(begun(attempt))
    ]
    return named[0] if len(named) == 1 else None


def likely_steps(moments: Iterable[datetime], steps: Sequence[Step]) -> set[str]:
    """Return the ids of steps during which an application began that no other step needs.

    Parameters
    ----------
    moments : iterable of datetime
        When applications began that are of no step for sure.
    steps : sequence of Step
        Steps without a sure application.

    Returns
    -------
    set of str
        Each application stands for at most one step: the one that ended first of those that were running.
    """
    left = [step for step in steps if not step.application_ids and step.started is not None]
    left.sort(key=lambda step: (step.ended is None, step.ended or step.started, step.step_id))
    found: set[str] = set()
    for moment in sorted(moments):
        step = next((step for step in left if step.covers(moment)), None)
        if step is not None:
            found.add(step.step_id)
            left.remove(step)
    return found
