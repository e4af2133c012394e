"""Source ``cluster``: the live API server of a Kubernetes cluster.

Here: which lists are read for which namespaces, and what a missing permission costs.
Not here: the connection (``connection``), paging and retries (``listing``), the join (``executions``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.collectors.kubernetes.connection import connection
from metaplat.collectors.kubernetes.executions import executions
from metaplat.collectors.kubernetes.listing import DeniedError, Listing
from metaplat.collectors.kubernetes.objects import Kind, Snapshot
from metaplat.collectors.kubernetes.reading import Read, read_all, read_event, read_job, read_pod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from metaplat.collectors.collector import CollectRequest

LOST: Mapping[Kind, str] = {
    Kind.POD: "attempts, exit codes and pod reasons stay unknown",
    Kind.EVENT: "mount and scheduling failures stay unknown",
}


def collect_cluster(request: CollectRequest) -> Iterator[Mapping[str, Any]]:
    """Yield the executions that an API server knows of.

    Parameters
    ----------
    request : CollectRequest
        ``settings.kubernetes`` says which namespaces; ``url`` reads a server without authentication (such as
        ``kubectl proxy``) instead of the one of the kubeconfig or the surrounding cluster.

    Raises
    ------
    UsageError
        ``url`` is not an address.
    PermanentSourceError
        No connection is configured, the credentials are refused, or Jobs may not be listed anywhere.
    TransientSourceError
        The server is unreachable, slow or failing, after retries.
    """
    settings = request.settings.kubernetes
    namespaces: list[str | None] = list(dict.fromkeys(settings.namespaces)) or [None]
    with connection(request) as api:
        listing = Listing(api, settings.page_size, settings.timeout_seconds)
        denials: list[DeniedError] = []
        for namespace in namespaces:
            try:
                snapshot = _read_scope(listing, namespace, request.warn)
            except DeniedError as denied:  # no Jobs here; the other namespaces still count
                denials.append(denied)
                continue
            yield from executions(snapshot, request)
        if len(denials) == len(namespaces):
            raise denials[0]
        for denial in denials:
            request.warn(str(denial))


def _read_scope(listing: Listing, namespace: str | None, warn: Callable[[str], None]) -> Snapshot:
    """Read Jobs first: the Pods read after them are at least as far along."""
    return Snapshot(
        jobs=_read(listing, Kind.JOB, namespace, read_job, warn),
        pods=_read_if_allowed(listing, Kind.POD, namespace, read_pod, warn),
        events=_read_if_allowed(listing, Kind.EVENT, namespace, read_event, warn),
    )


def _read_if_allowed(
    listing: Listing,
    kind: Kind,
    namespace: str | None,
    read: Callable[[dict[str, Any]], Read | None],
    warn: Callable[[str], None],
) -> list[Read] | None:
    try:
        return _read(listing, kind, namespace, read, warn)
    except DeniedError as denied:
        warn(f"{denied.system}: {denied.attempted}: {denied.answer}: {LOST[kind]}. {denied.advice}")
        return None


def _read(
    listing: Listing,
    kind: Kind,
    namespace: str | None,
    read: Callable[[dict[str, Any]], Read | None],
    warn: Callable[[str], None],
) -> list[Read]:
    """Reduce each page to what is kept before the next is read, so that memory stays small."""
    complaints: list[str] = []

    def reduced(page: list[object]) -> list[Read]:
        return read_all(page, kind, read, complaints.append)

    found = listing.read(kind, namespace, reduced)
    for complaint in dict.fromkeys(complaints):  # a restarted list repeats them
        warn(complaint)
    return found
