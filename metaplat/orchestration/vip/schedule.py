"""The schedule of the histories: the hours that are new enter them, and are judged and drawn."""

import dagster as dg

from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.jobs import partition_tags
from metaplat.orchestration.vip.assets import HISTORY_JOB, HOURS_TAG
from metaplat.orchestration.vip.histories import days_of, due_span
from metaplat.stores.home import Stores


@dg.schedule(
    name=f"{HISTORY_JOB}_hourly",
    job_name=HISTORY_JOB,
    cron_schedule="35 * * * *",  # an hour enters the history half an hour after it began
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,  # it skips where nothing was ever delivered
    description="Writes the newest hours of the vendor's histories, and a few before for late files.",
)
def history_schedule(
    context: dg.ScheduleEvaluationContext, stores: dg.ResourceParam[Stores]
) -> dg.RunRequest | dg.SkipReason:
    """Ask for the hours since the last run; after a long pause that is many, in one run."""
    del context
    span = due_span(stores, utc_now())
    if span is None:
        return dg.SkipReason("nothing was delivered, or no hour is new")
    days = days_of(span)
    return dg.RunRequest(tags={**partition_tags(days[0], days[-1]), HOURS_TAG: str(span)})
