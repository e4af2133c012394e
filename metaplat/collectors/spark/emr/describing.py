"""A cluster as EMR describes it, brought into the form that is kept.

Here: from the answers of EMR to ``Seen``, ``Cluster`` and ``Step``; secrets stay behind.
Not here: asking (``service``), the arguments of a step (``submission``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC
from typing import TYPE_CHECKING

from metaplat.collectors.spark.conclusions.secret_values import without_secrets
from metaplat.collectors.spark.emr.cluster import Cluster, Seen, Step
from metaplat.collectors.spark.emr.submission import submission_of
from metaplat.model.errors import PermanentSourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from mypy_boto3_emr.type_defs import (
        ClusterSummaryTypeDef,
        ClusterTypeDef,
        ConfigurationOutputTypeDef,
        InstanceFleetTypeDef,
        InstanceGroupTypeDef,
        StepSummaryTypeDef,
    )

    from metaplat.collectors.spark.emr.service import EmrService

LOG_FOLDER = "spark.eventLog.dir"
S3_SCHEMES = ("s3", "s3a", "s3n")


def seen_cluster(listed: ClusterSummaryTypeDef) -> Seen:
    """Return a cluster of the list of clusters."""
    status = listed.get("Status", {})
    times = status.get("Timeline", {})
    return Seen(
        cluster_id=listed["Id"],
        name=listed.get("Name") or "",
        state=status.get("State") or "",
        created=_utc(times.get("CreationDateTime")),
        ready=_utc(times.get("ReadyDateTime")),
        ended=_utc(times.get("EndDateTime")),
        normalized_hours=listed.get("NormalizedInstanceHours"),
    )


def described_cluster(service: EmrService, seen: Seen, warn: Callable[[str], None]) -> Cluster:
    """Ask for all of a cluster.

    Parameters
    ----------
    service : EmrService
        Is asked.
    seen : Seen
        As it was listed.
    warn : callable
        Told where its instances may not be listed; the rest is kept.

    Raises
    ------
    SourceError
        It cannot be described, or its steps cannot be listed.
    """
    said = service.cluster(seen.cluster_id)
    steps = [step for listed in service.steps(seen.cluster_id) if (step := _step(listed)) is not None]
    properties = dict(_spark_defaults(said.get("Configurations") or ()))
    folders = [log_folder(conf) for conf in (properties, *(step.conf for step in steps))]
    return Cluster(
        seen=seen,
        tags=without_secrets(
            {tag.get("Key") or "": tag.get("Value") or "" for tag in said.get("Tags") or ()}
        ),
        environment=_facts(seen, said) | _instances(service, seen, said, warn),
        conf=without_secrets(properties),
        spark_version=_spark_version(said),
        log_folders=sorted({folder for folder in folders if folder}),
        steps=sorted(steps, key=_order),
    )


def log_folder(conf: Mapping[str, str]) -> str | None:
    """Return where event logs are written as ``s3://bucket/prefix``; None where that is not S3."""
    scheme, _, rest = conf.get(LOG_FOLDER, "").strip().partition("://")
    return f"s3://{rest.strip('/')}" if scheme in S3_SCHEMES and rest.strip("/") else None


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None


def _spark_defaults(classifications: Sequence[ConfigurationOutputTypeDef]) -> Iterator[tuple[str, str]]:
    for each in classifications:
        if each.get("Classification") == "spark-defaults":
            yield from (each.get("Properties") or {}).items()


def _spark_version(said: ClusterTypeDef) -> str | None:
    installed = {each.get("Name"): each.get("Version") for each in said.get("Applications") or ()}
    return installed.get("Spark") or None


def _facts(seen: Seen, said: ClusterTypeDef) -> dict[str, str]:
    """Return what EMR says of a cluster and no field holds."""
    installed = [f"{each.get('Name')} {each.get('Version') or ''}" for each in said.get("Applications") or ()]
    hours = said.get("NormalizedInstanceHours", seen.normalized_hours)
    values = {
        "emr.release_label": said.get("ReleaseLabel"),
        "emr.applications": ", ".join(name.strip() for name in installed),
        "emr.cluster_state": seen.state,
        "emr.cluster_created": seen.created and seen.created.isoformat(),
        "emr.cluster_ready": seen.ready and seen.ready.isoformat(),
        "emr.cluster_ended": seen.ended and seen.ended.isoformat(),
        "emr.log_uri": said.get("LogUri"),
        "emr.normalized_instance_hours": None if hours is None else str(hours),
    }
    return {name: str(value) for name, value in values.items() if value}


def _instances(
    service: EmrService, seen: Seen, said: ClusterTypeDef, warn: Callable[[str], None]
) -> dict[str, str]:
    """Return the machines of a cluster: the basis of what it costs."""
    try:
        if said.get("InstanceCollectionType") == "INSTANCE_FLEET":
            return _named(
                (fleet.get("InstanceFleetType"), _fleet(fleet))
                for fleet in service.instance_fleets(seen.cluster_id)
            )
        groups = service.instance_groups(seen.cluster_id)
        return _named((group.get("InstanceGroupType"), _group(group)) for group in groups)
    except PermanentSourceError as error:
        warn(f"cluster {seen.cluster_id}: its instances are left out: {error}")
        return {}


def _named(parts: Iterator[tuple[str | None, Mapping[str, object]]]) -> dict[str, str]:
    """Name what is known of each part: ``emr.instance.core.type``; the second task group is ``task.2``."""
    found: dict[str, str] = {}
    counted: Counter[str] = Counter()
    for kind, facts in parts:
        name = (kind or "other").lower()
        counted[name] += 1
        place = name if counted[name] == 1 else f"{name}.{counted[name]}"
        found |= {
            f"emr.instance.{place}.{fact}": str(value)
            for fact, value in facts.items()
            if value not in (None, "")
        }
    return found


def _group(group: InstanceGroupTypeDef) -> dict[str, object]:
    # what was asked for: of an ended cluster nothing runs
    return {
        "type": group.get("InstanceType"),
        "count": group.get("RequestedInstanceCount"),
        "market": group.get("Market"),
    }


def _fleet(fleet: InstanceFleetTypeDef) -> dict[str, object]:
    types = [each.get("InstanceType") or "" for each in fleet.get("InstanceTypeSpecifications") or ()]
    return {
        "types": ",".join(types),
        "on_demand_capacity": fleet.get("TargetOnDemandCapacity"),
        "spot_capacity": fleet.get("TargetSpotCapacity"),
    }


def _step(listed: StepSummaryTypeDef) -> Step | None:
    """Return a step that submits a Spark application; None for any other."""
    config = listed.get("Config", {})
    submission = submission_of(config.get("MainClass"), config.get("Args") or [])
    if submission is None:
        return None
    status = listed.get("Status", {})
    times = status.get("Timeline", {})
    name = listed.get("Name") or listed["Id"]
    return Step(
        step_id=listed["Id"],
        name=name,
        state=status.get("State") or "",
        created=_utc(times.get("CreationDateTime")),
        started=_utc(times.get("StartDateTime")),
        ended=_utc(times.get("EndDateTime")),
        names=sorted({name, submission.name or name}),
        conf=without_secrets(submission.conf),
        application_ids=_application_ids(listed),
    )


def _order(step: Step) -> tuple[float, str]:
    return step.created.timestamp() if step.created else 0.0, step.step_id


def _application_ids(listed: StepSummaryTypeDef) -> list[str]:
    """Return the YARN applications of a step: EMR does not say them for every release."""
    more = listed.get("AdditionalInfo")
    ids = more.get("ResourceManagerApplicationIds") if isinstance(more, Mapping) else None
    return [str(each) for each in ids or ()]
