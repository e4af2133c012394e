"""One schedule per monitored table: every bucket is looked at once a day, changed or not.

The sensor asks for buckets whose files changed; the schedule is what notices that nothing changed at all (an
old snapshot), and what changed in Glue or in the source table. Unchanged files are not read again.
"""

import dagster as dg

from metaplat.model.table import MonitoredTable
from metaplat.orchestration.jobs import partition_tags
from metaplat.orchestration.tables.naming import profile_job_name, python_name

DAILY = "0 6 * * *"


def build_table_schedule(table: MonitoredTable) -> dg.ScheduleDefinition:
    """Make the schedule of a monitored table."""

    @dg.schedule(
        name=f"{python_name(table)}_daily",
        job_name=profile_job_name(table),
        cron_schedule=DAILY,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,  # a stale table shows only if somebody looks
        description=f"Profiles and checks every bucket of {table.name}.",
    )
    def all_buckets(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        del context
        return dg.RunRequest(tags=partition_tags("0", str(table.bucket_count - 1)))

    return all_buckets
