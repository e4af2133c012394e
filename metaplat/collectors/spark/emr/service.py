"""Ask EMR: clusters, their steps, instance groups, fleets and instances.

Here: one method a question, all pages of the answer, failures as SourceError.
Not here: what the answers mean (``describing``), time limits and attempts (``stores.aws_client``).
Source of the format: https://docs.aws.amazon.com/emr/latest/APIReference/
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from metaplat.model.errors import (
    PermanentSourceError,
    PermanentStoreError,
    SettingsError,
    TransientSourceError,
    TransientStoreError,
)
from metaplat.stores.aws_client import CREDENTIALS, aws_client, aws_error_code, aws_failures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_emr.literals import ClusterStateType
    from mypy_boto3_emr.type_defs import (
        ClusterSummaryTypeDef,
        ClusterTypeDef,
        InstanceFleetTypeDef,
        InstanceGroupTypeDef,
        StepSummaryTypeDef,
    )

    from metaplat.settings import SparkSettings

ALIVE: tuple[ClusterStateType, ...] = ("STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING", "TERMINATING")
OVER: tuple[ClusterStateType, ...] = ("TERMINATED", "TERMINATED_WITH_ERRORS")
BEGINNING = datetime(2009, 1, 1, tzinfo=UTC)
"""EMR came in that year."""
LONGEST_LIFE = timedelta(days=366)
"""A cluster that ended lately was created at most so long before. EMR lists ended clusters for two months
only, so this costs hardly a page, and long-lived clusters are not missed."""


def region_of(settings: SparkSettings) -> str:
    """Return the region to ask: the settings, else that of the AWS chain.

    Raises
    ------
    SettingsError
        Nothing says which.
    PermanentSourceError
        The AWS configuration cannot be used.
    """
    from boto3.session import Session

    with emr_failures("AWS", "find the region"):
        region = settings.emr_region or os.environ.get("AWS_REGION") or Session().region_name
    if not region:
        raise SettingsError("spark.emr_region", "no region is known", "Set it, or AWS_DEFAULT_REGION.")
    return region


@contextmanager
def emr_failures(system: str, attempted: str) -> Iterator[None]:
    """Turn failures of boto3 into SourceError; EMR is a source, not a store of ours."""
    try:
        with aws_failures(system, attempted, "Check region and account."):
            yield
    except TransientStoreError as error:
        raise TransientSourceError(error.system, error.attempted, error.answer, error.advice) from error
    except PermanentStoreError as error:
        raise PermanentSourceError(error.system, error.attempted, error.answer, error.advice) from error


def concerns_all(error: BaseException) -> bool:
    """Whether an error says nothing about one cluster: credentials that are wrong, or have run out."""
    from botocore.exceptions import ClientError, NoCredentialsError, PartialCredentialsError

    cause = error.__cause__
    while cause is not None:
        if isinstance(cause, NoCredentialsError | PartialCredentialsError):
            return True
        if isinstance(cause, ClientError):
            return aws_error_code(cause) in CREDENTIALS
        cause = cause.__cause__
    return False


class EmrService:
    """EMR in one region.

    Parameters
    ----------
    region : str
        Name of the region.

    All methods raise TransientSourceError where EMR throttles, fails or is not reached, also after further
    attempts, and PermanentSourceError where it refuses.
    """

    def __init__(self, region: str) -> None:
        self.shown = f"EMR in {region}"
        with emr_failures(self.shown, "open a client"):
            self._client = aws_client("emr", region)

    def clusters(self, since: datetime | None) -> Iterator[ClusterSummaryTypeDef]:
        """Yield every cluster that lives, and those that ended, at least those that ended after ``since``.

        One that ends meanwhile comes twice, as it ended last.
        """
        pages = self._client.get_paginator("list_clusters")
        with emr_failures(self.shown, "list clusters"):
            for page in pages.paginate(ClusterStates=ALIVE):
                yield from page["Clusters"]
            created = BEGINNING if since is None else since - LONGEST_LIFE
            for page in pages.paginate(ClusterStates=OVER, CreatedAfter=created):
                yield from page["Clusters"]

    def cluster(self, cluster_id: str) -> ClusterTypeDef:
        """Describe a cluster."""
        with emr_failures(self.shown, f"describe cluster {cluster_id}"):
            return self._client.describe_cluster(ClusterId=cluster_id)["Cluster"]

    def steps(self, cluster_id: str) -> list[StepSummaryTypeDef]:
        """Return all steps of a cluster, the newest first."""
        pages = self._client.get_paginator("list_steps")
        with emr_failures(self.shown, f"list steps of cluster {cluster_id}"):
            return [step for page in pages.paginate(ClusterId=cluster_id) for step in page["Steps"]]

    def instance_groups(self, cluster_id: str) -> list[InstanceGroupTypeDef]:
        """Return the instance groups of a cluster that has such."""
        pages = self._client.get_paginator("list_instance_groups")
        with emr_failures(self.shown, f"list instance groups of cluster {cluster_id}"):
            return [
                group for page in pages.paginate(ClusterId=cluster_id) for group in page["InstanceGroups"]
            ]

    def instance_fleets(self, cluster_id: str) -> list[InstanceFleetTypeDef]:
        """Return the instance fleets of a cluster that has such."""
        pages = self._client.get_paginator("list_instance_fleets")
        with emr_failures(self.shown, f"list instance fleets of cluster {cluster_id}"):
            return [
                fleet for page in pages.paginate(ClusterId=cluster_id) for fleet in page["InstanceFleets"]
            ]

    def hosts(self, cluster_id: str) -> set[str]:
        """Return the private names and addresses of all instances that a cluster has had."""
        pages = self._client.get_paginator("list_instances")
        with emr_failures(self.shown, f"list instances of cluster {cluster_id}"):
            listed = [item for page in pages.paginate(ClusterId=cluster_id) for item in page["Instances"]]
        names = {item.get("PrivateDnsName") for item in listed} | {
            item.get("PrivateIpAddress") for item in listed
        }
        return {name for name in names if name}
