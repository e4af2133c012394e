"""A small Google Dataproc: ListJobs and GetCluster of one project, and a place that renews credentials.

Here: pages by tokens, the filter on state and time, faults on request (``json_api``).
Not here: writes.
"""

from __future__ import annotations

import re
from typing import Any

from metaplat_tests.standins.json_api import JsonApi

PLACE = "/v1/projects/acme/regions/us-central1"
OVER = ("DONE", "ERROR", "CANCELLED")
SINCE = re.compile(r'insertTime >= "([^"]*)"')


class DataprocApi(JsonApi):
    """A service; ``jobs`` as they are listed, ``clusters`` by their names."""

    def __init__(self, jobs: list[Any] | None = None, *, page_size: int = 2) -> None:
        super().__init__()
        self.jobs = jobs or []
        self.clusters: dict[str, Any] = {}
        self.unreachable: list[str] = []
        self.page_size = page_size
        self.stuck = False

    def answer(self, path: str, query: dict[str, str], authorization: str | None) -> tuple[int, Any]:
        """Answer as the service does; nobody sends credentials over plain http."""
        if path == "/token":
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        assert authorization is None
        if path == f"{PLACE}/jobs":
            return 200, self._page(query)
        name = path.removeprefix(f"{PLACE}/clusters/")
        found = self.clusters.get(name, 404)
        if isinstance(found, int):
            return found, {"error": {"code": found, "message": f"no {name}", "status": "NO"}}
        return 200, found

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        chosen = [job for job in self.jobs if _is_chosen(job, query.get("filter", ""))]
        first = int(query.get("pageToken", "0"))
        after = first + min(self.page_size, int(query.get("pageSize", "100")))
        following = "7" if self.stuck else str(after) if after < len(chosen) else ""
        return {"jobs": chosen[first:after], "nextPageToken": following, "unreachable": self.unreachable}


def _is_chosen(job: dict[str, Any], wanted: str) -> bool:
    is_over = job["status"]["state"] in OVER
    if "status.state = ACTIVE" in wanted:
        return not is_over
    first = SINCE.search(wanted)
    inserted = (job.get("statusHistory") or [job["status"]])[0]["stateStartTime"]
    return is_over and (first is None or inserted >= first[1])
