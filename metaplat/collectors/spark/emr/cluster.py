"""What is kept of an EMR cluster and of the Spark steps it ran.

Here: the two forms, and what follows from their states and times.
Not here: reading them (``describing``), keeping them (``inventory``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta  # msgspec reads the annotations

ENDED = frozenset(("TERMINATED", "TERMINATED_WITH_ERRORS"))
OPEN_STEPS = frozenset(("PENDING", "CANCEL_PENDING", "RUNNING"))
SLACK = timedelta(seconds=10)
"""Clocks of EMR and of the cluster differ by less."""


@dataclass(frozen=True)
class Seen:
    """A cluster as the list of clusters has it.

    Parameters
    ----------
    cluster_id, name, state : str
        ``name`` is empty where it has none.
    created, ready, ended : datetime or None
        Aware UTC.
    normalized_hours : int or None
        Approximate instance hours, weighted by size.
    """

    cluster_id: str
    name: str
    state: str
    created: datetime | None
    ready: datetime | None
    ended: datetime | None
    normalized_hours: int | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing runs on it any more."""
        return self.state in ENDED

    @property
    def fingerprint(self) -> str:
        """What changes while there may be news of it."""
        return f"{self.state} {self.ended.isoformat() if self.ended else '-'} {self.normalized_hours}"


@dataclass(frozen=True)
class Step:
    """A step that submits a Spark application.

    Parameters
    ----------
    step_id, name, state : str
        In the words of EMR.
    created, started, ended : datetime or None
        Aware UTC.
    names : list of str
        Names that the application may have.
    conf : dict of str to str
        Spark properties on its command line, without secrets.
    application_ids : list of str
        YARN applications, where EMR says which; empty where it does not.
    """

    step_id: str
    name: str
    state: str
    created: datetime | None
    started: datetime | None
    ended: datetime | None
    names: list[str] = field(default_factory=list)
    conf: dict[str, str] = field(default_factory=dict)
    application_ids: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether its state may still change."""
        return self.state in OPEN_STEPS

    def covers(self, moment: datetime | None) -> bool:
        """Whether it was running at ``moment``."""
        if moment is None or self.started is None or moment < self.started - SLACK:
            return False
        return self.ended is None or moment <= self.ended + SLACK


@dataclass(frozen=True)
class Cluster:
    """A cluster, described.

    Parameters
    ----------
    seen : Seen
        As it was listed.
    tags : dict of str to str
        Its tags.
    environment : dict of str to str
        What else EMR says of it, under ``emr.*``: release, instances, hours, states, times.
    conf : dict of str to str
        Classification ``spark-defaults``, without secrets.
    spark_version : str or None
        Of the application Spark that is installed on it.
    log_folders : list of str
        Where its event logs are written: ``s3://...`` without a slash at the end.
    steps : list of Step
        Spark steps, the oldest first.
    """

    seen: Seen
    tags: dict[str, str]
    environment: dict[str, str]
    conf: dict[str, str]
    spark_version: str | None
    log_folders: list[str]
    steps: list[Step]

    @property
    def has_settled(self) -> bool:
        """Whether EMR will say nothing new of it."""
        return self.seen.has_ended and not any(step.is_open for step in self.steps)
