"""``--via rest``: an attempt by the numbers of the server, which must replay its log for them.

Here: what is asked, in which order, and the attempt it makes.
Not here: each answer (``rest_environment``, ``rest_executors``, ``rest_stages``), sums (``rest_totals``).

What this way cannot give, or not rightly, is None and named in ``source_coverage``: broken lines and lost
events (the server drops a log with a broken line from its list), speculative tasks, histograms of tasks, the
run time of single executors (the server has the time tasks took, waiting included), and sums over lists that
it cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.collectors.spark.attempt import COMPLETED, FAILED, RUNNING, ApplicationAttempt
from metaplat.collectors.spark.conclusions.tags import property_tags
from metaplat.collectors.spark.history_server.rest_environment import (
    fill_environment,
    profiles_of,
    properties_of,
)
from metaplat.collectors.spark.history_server.rest_executors import fill_lifetimes, served_executors
from metaplat.collectors.spark.history_server.rest_failures import resubmitted_tasks, was_any_lost
from metaplat.collectors.spark.history_server.rest_stages import (
    WITH_QUANTILES,
    are_jobs_cut,
    are_stages_cut,
    cpu_nanoseconds,
    served_jobs,
    served_stages,
)
from metaplat.collectors.spark.history_server.rest_totals import Whole, fill_totals
from metaplat.collectors.spark.history_server.server import MissingError
from metaplat.model.errors import PermanentSourceError, TransientSourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.history_server.listing import ListedAttempt
    from metaplat.collectors.spark.history_server.server import HistoryServer

SOURCE = "history-server"


def read_rest(
    server: HistoryServer, listed: ListedAttempt, request: CollectRequest
) -> ApplicationAttempt | None:
    """Return the attempt as the server counts it; None where filters leave it out.

    Parameters
    ----------
    server : HistoryServer
        Whom to ask.
    listed : ListedAttempt
        What to read.
    request : CollectRequest
        Filters and settings.

    Raises
    ------
    TransientSourceError, PermanentSourceError
        The server does not answer for this attempt.
    """
    asked = _Asked(server, listed)
    attempt = _listed(listed)
    environment = asked.environment()
    properties = properties_of(environment)
    fill_environment(attempt, properties)
    if environment is None:
        attempt.source_coverage = ["environment", "tags", "submit_time", "master", "executor_memory_mb"]
    prefixes = request.settings.spark.tag_prefixes
    if not request.wants(attempt.user, attempt.app_name, property_tags(properties, prefixes)):
        return None
    executors, jobs, stages = asked.listed("allexecutors"), asked.listed("jobs"), asked.stages(request)
    attempt.executors = served_executors(executors, attempt, profiles_of(environment))
    attempt.job_list = served_jobs(jobs)
    attempt.stages = served_stages(stages, attempt.job_list)
    if attempt.executor_cores is None:
        attempt.executor_cores = max((each.cores or 0 for each in attempt.executors), default=0) or None
    _fill_observed(attempt)
    fill_lifetimes(attempt)
    whole, resubmitted = _corrected(server, listed, attempt, stages)
    fill_totals(attempt, whole, cpu_nanoseconds(stages), resubmitted)
    return attempt


class _Asked:
    """The answers to the questions about one attempt."""

    def __init__(self, server: HistoryServer, listed: ListedAttempt) -> None:
        self._server, self._listed = server, listed

    def environment(self) -> Any:
        """Return the environment; None from a server without any (before Spark 2.2)."""
        try:
            return self._json("environment")
        except MissingError:
            return None

    def listed(self, what: str) -> list[Any]:
        """Return a list."""
        return self._checked(what, self._json(what))

    def stages(self, request: CollectRequest) -> list[Any]:
        """Return the stages with the quantiles of their tasks; without where those are too much for it."""
        try:
            return self._checked("stages", self._json("stages", WITH_QUANTILES))
        except TransientSourceError as error:
            self._server.check()
            found = self.listed("stages")
            request.warn(f"{self._listed.shown}: read without quantiles of tasks: {error}")
            return found

    def _json(self, what: str, query: Mapping[str, str] | None = None) -> Any:
        attempted = f"ask for the {what} of {self._listed.shown}"
        return self._server.json(f"{self._listed.path}/{what}", attempted, query, replayed=True)

    def _checked(self, what: str, answer: Any) -> list[Any]:
        if isinstance(answer, list):
            return answer
        raise PermanentSourceError(
            self._server.name,
            f"ask for the {what} of {self._listed.shown}",
            "JSON that is no list",
            "Check that the address is that of a History Server.",
        )


def _listed(listed: ListedAttempt) -> ApplicationAttempt:
    """Return what the list says of the attempt."""
    ended = FAILED if listed.exit_code else COMPLETED
    return ApplicationAttempt(
        source=SOURCE,
        app_id=listed.app_id,
        attempt_id=listed.attempt_id,
        app_name=listed.name,
        user=listed.user,
        status=ended if listed.completed else RUNNING,
        exit_code=listed.exit_code if listed.completed else None,
        start_time=listed.start,
        end_time=listed.end,
        duration_ms=listed.duration_ms,
        spark_version=listed.spark_version,
    )


def _fill_observed(attempt: ApplicationAttempt) -> None:
    """Fill the first and the last time that anything has."""
    times = sorted(time for time in _times(attempt) if time is not None)
    if times:
        attempt.observed_start, attempt.observed_end = times[0], times[-1]


def _times(attempt: ApplicationAttempt) -> Iterator[datetime | None]:
    yield from (attempt.start_time, attempt.end_time)
    for job in attempt.job_list:
        yield from (job.submission_time, job.completion_time)
    for stage in attempt.stages:
        yield from (stage.submission_time, stage.completion_time)
    for executor in attempt.executors:
        yield from (executor.add_time, executor.remove_time)


def _corrected(
    server: HistoryServer, listed: ListedAttempt, attempt: ApplicationAttempt, stages: list[Any]
) -> tuple[Whole, int | None]:
    """Return which lists are whole, and the resubmitted tasks, which are taken out of the failed ones."""
    jobs_cut, stages_cut = are_jobs_cut(attempt.job_list), are_stages_cut(stages, attempt.job_list)
    resubmitted: int | None = 0
    if was_any_lost(attempt.executors):
        resubmitted = resubmitted_tasks(server, listed, attempt.stages)
        resubmitted = None if stages_cut else resubmitted
    if resubmitted != 0:  # nobody knows on which executors
        for each in attempt.executors:
            each.failed_tasks = None
    by_stages = sum(stage.tasks or 0 for stage in attempt.stages)
    by_executors = sum(each.tasks or 0 for each in attempt.executors)
    settled = listed.completed and all(stage.tasks is not None for stage in attempt.stages)
    stages_cut = stages_cut or (settled and by_stages < by_executors)
    executors_cut = settled and not stages_cut and by_stages > by_executors
    return Whole(stages=not stages_cut, jobs=not jobs_cut, executors=not executors_cut), resubmitted
