"""A small Databricks workspace: jobs/runs/list, jobs/runs/get, jobs/get and clusters/get.

Here: pages by tokens, filters, one bearer token, faults on request (``json_api``).
Not here: writes.
"""

from __future__ import annotations

from typing import Any

from metaplat_tests.standins.json_api import JsonApi

TOKEN = "dapi0123456789abcdef0123456789abcdef"  # noqa: S105, RUF100  # of nobody
ACTIVE = ("QUEUED", "PENDING", "RUNNING", "TERMINATING", "BLOCKED", "WAITING_FOR_RETRY")
TASKS_A_PAGE = 100


class DatabricksApi(JsonApi):
    """A workspace; ``runs`` are listed newest first as they stand, ``clusters`` and ``jobs`` by their ids."""

    def __init__(self, runs: list[Any] | None = None, *, page_size: int = 2) -> None:
        super().__init__()
        self.runs = runs or []
        self.clusters: dict[str, Any] = {}
        self.jobs: dict[str, Any] = {}
        self.page_size = page_size
        self.stuck = False
        self.tokens = {TOKEN}

    def answer(self, path: str, query: dict[str, str], authorization: str | None) -> tuple[int, Any]:
        """Answer as a workspace does."""
        if path == "/.well-known/databricks-config":
            return 404, {}
        if authorization not in {f"Bearer {token}" for token in self.tokens}:
            return 401, {"error_code": "UNAUTHENTICATED", "message": f"{authorization} expired"}
        if path == "/api/2.2/jobs/runs/list":
            return 200, self._page(query)
        if path == "/api/2.2/jobs/runs/get":
            return self._run(query)
        if path == "/api/2.2/jobs/get":
            return self._named(self.jobs, query["job_id"])
        if path == "/api/2.1/clusters/get":
            return self._named(self.clusters, query["cluster_id"])
        return 404, {"error_code": "ENDPOINT_NOT_FOUND", "message": path}

    def _named(self, things: dict[str, Any], name: str) -> tuple[int, Any]:
        found = things.get(name)
        if isinstance(found, int):
            return found, {"error_code": "SOMETHING", "message": "no"}
        if found is None:  # as the Clusters API says of clusters that ended a month ago
            return 400, {"error_code": "INVALID_PARAMETER_VALUE", "message": f"{name} does not exist"}
        return 200, found

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        chosen = [run for run in self.runs if _is_chosen(run, query)]
        first = int(query.get("page_token", "0"))
        after = first + min(self.page_size, int(query.get("limit", "20")))
        following = "7" if self.stuck else str(after) if after < len(chosen) else ""
        shown = [_shortened(run) for run in chosen[first:after]]
        return {"runs": shown, "has_more": bool(following), "next_page_token": following} if shown else {}

    def _run(self, query: dict[str, str]) -> tuple[int, Any]:
        run = next(
            one for one in self.runs if isinstance(one, dict) and str(one["run_id"]) == query["run_id"]
        )
        first = int(query.get("page_token", "0"))
        after = first + TASKS_A_PAGE
        following = {"next_page_token": str(after)} if after < len(run["tasks"]) else {}
        return 200, {**run, "tasks": run["tasks"][first:after], **following}


def _shortened(run: Any) -> Any:
    if not isinstance(run, dict) or len(run.get("tasks") or ()) <= TASKS_A_PAGE:
        return run
    return {**run, "tasks": run["tasks"][:TASKS_A_PAGE], "has_more": True}


def _is_chosen(run: Any, query: dict[str, str]) -> bool:
    """Apply the filters; what is too malformed to judge is listed with the completed runs."""
    state = run.get("state") if isinstance(run, dict) else None
    life = state.get("life_cycle_state") if isinstance(state, dict) else None
    if query.get("active_only") == "true":
        return life in ACTIVE
    if life in ACTIVE:
        return query.get("completed_only") != "true"
    start = run.get("start_time", 0) if isinstance(run, dict) else 0
    return not isinstance(start, int) or start >= int(query.get("start_time_from", "0"))
