"""The vendor behind its API: tokens, one export an hour, jobs on a timeline, lists of files.

Here: the four calls of the contract, with their faults.
Not here: HTTP (``server``), what is in a list (``listing``), the file host (``file_host``).
"""

from __future__ import annotations

import itertools
import json
import random
import threading
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from fnmatch import fnmatch
from math import ceil
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from metaplat_tests.standins.vip.answers import (
    DROPPED,
    SILENT,
    Answer,
    answer_bytes,
    answer_json,
    answer_message,
    answer_page,
)
from metaplat_tests.standins.vip.faults import TOO_EARLY, FaultPlan
from metaplat_tests.standins.vip.listing import Entry, HostedFile, Job, hidden_files, listed
from metaplat_tests.standins.vip.scenario import CANARY, Scenario, VirtualClock
from metaplat_tests.standins.vip.signing import Signatures

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN_SECONDS = 3600
SHORT_TOKEN_SECONDS = 5
SKEW = timedelta(minutes=10)
LONGEST_URL_MINUTES = 7 * 24 * 60
NOT_AUTHORIZED = "Authorization has been denied for this request."
END_WORDS = {
    "status_failed": "Failed",
    "status_timed_out": "TimedOut",
    "status_cancelled": "Cancelled",
    "status_completed": "Completed",
}


class Vendor:
    """All that the vendor remembers.

    Parameters
    ----------
    scenario : Scenario
        How it is.
    clock : VirtualClock
        Of slots, tokens and addresses.
    """

    def __init__(self, scenario: Scenario, clock: VirtualClock) -> None:
        self.scenario = scenario
        self.clock = clock
        self.faults = FaultPlan(scenario.faults)
        self.client_id, self.client_secret = scenario.client_id, scenario.client_secret
        self.signatures = Signatures()
        self.host = ""
        self.calls: Counter[str] = Counter()
        self.jobs: dict[str, Job] = {}
        self.accepted: dict[str, datetime] = {}
        self._tokens: dict[str, datetime] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._begun = self.now()

    def now(self) -> datetime:
        """Return the vendor's time."""
        return self.clock.now() + (SKEW if self.faults.has("clock_skew") else timedelta())

    def token(self, form: Mapping[str, str]) -> Answer:
        """Answer ``POST /connect/token``."""
        self.calls["token"] += 1
        if self.faults.has("token_500_always") or self.faults.first(2, "token_500"):
            return answer_message(500, "An error has occurred.")
        if self.faults.has("token_html"):
            return answer_page()
        if form.get("grant_type") != "client_credentials":
            return answer_json(400, {"error": "unsupported_grant_type"})
        given = (form.get("client_id"), form.get("client_secret"))
        if self.faults.has("invalid_client") or given != (self.client_id, self.client_secret):
            return answer_json(400, {"error": "invalid_client"})
        if form.get("scope") != "datalake":
            return answer_json(400, {"error": "invalid_scope"})
        return self._new_token()

    def _new_token(self) -> Answer:
        seconds = SHORT_TOKEN_SECONDS if self.faults.has("token_short") else TOKEN_SECONDS
        with self._lock:
            token = f"{CANARY}-token-{next(self._numbers)}"
            self._tokens[token] = self.now() + timedelta(seconds=seconds)
        content = {"access_token": token, "expires_in": seconds, "token_type": "Bearer", "scope": "datalake"}
        if self.faults.has("token_oversized"):
            content["padding"] = "x" * (2 << 20)
        return answer_json(200, content)

    def export(self, authorization: str | None, body: bytes) -> Answer:
        """Answer ``POST /api/datalake/v1/export``."""
        with self._lock:
            self.calls["export"] += 1
            if self.faults.first(1, "export_401"):
                self._tokens.clear()
            if not self._is_known(authorization):
                return answer_message(401, NOT_AUTHORIZED)
            if self.faults.first(2, "export_503"):
                return answer_message(503, "Service Unavailable", {"Retry-After": "0"})
            config_name = _field(body, "configName")
            if self.faults.has("unknown_config") or config_name not in self.scenario.config_names:
                return answer_message(400, "Unknown configuration name.")
            now = self.now()
            slot = self._next_slot(config_name, now)
            return self._accept(config_name, now) if slot is None else self._too_early(slot, now)

    def _next_slot(self, config_name: str, now: datetime) -> datetime | None:
        """Return when the next export is allowed; None: now."""
        last = self.accepted.get(config_name)
        if last is None and self.faults.has(*TOO_EARLY) and self.scenario.slot_taken_minutes is not None:
            last = self._begun - timedelta(minutes=self.scenario.slot_taken_minutes)
        if last is None:
            return None
        slot = last + timedelta(minutes=self.scenario.slot_minutes)
        if self.faults.has("slot_clock_hour"):
            slot = last.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return slot if now < slot else None

    def _too_early(self, slot: datetime, now: datetime) -> Answer:
        status = 400 if self.faults.has("too_early_400") else 403 if self.faults.has("too_early_403") else 429
        seconds = ceil((slot - now).total_seconds())
        if self.faults.has("retry_after_zero"):
            return answer_message(status, "Too many requests.", {"Retry-After": "0"})
        if self.faults.has("too_early_retry_after"):
            return answer_message(status, "Too many requests.", {"Retry-After": str(seconds)})
        if self.faults.has("too_early_no_date"):
            return answer_message(status, "An export job was already run within the last hour.")
        return answer_message(status, f"Next job can be triggered at {self._worded(slot)}")

    def _worded(self, slot: datetime) -> str:
        slot = (slot + timedelta(microseconds=999_999)).replace(microsecond=0)
        if self.faults.has("too_early_us_date"):
            return f"{slot.month}/{slot.day}/{slot.year} {slot.hour % 12 or 12}:{slot:%M:%S %p}"
        if self.faults.has("too_early_naive"):
            return f"{slot:%Y-%m-%dT%H:%M:%S}"
        if self.faults.has("too_early_other_zone"):
            return slot.astimezone(timezone(timedelta(hours=2))).isoformat()
        if self.faults.has("too_early_far"):
            slot += timedelta(days=3)
        return f"{slot:%Y-%m-%dT%H:%M:%SZ}"

    def _accept(self, config_name: str, now: datetime) -> Answer:
        number = len(self.jobs)
        rng = random.Random(f"{self.scenario.seed}/{number}/{now.isoformat()}")
        guid = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        self.jobs[guid] = Job(guid, config_name, now, self.scenario)
        self.accepted[config_name] = now
        if self.faults.first(1, "export_lost_answer"):
            return DROPPED
        if self.faults.first(1, "export_stall"):
            return SILENT
        if self.faults.first(1, "export_502"):
            return answer_bytes(502, "text/html", b"<html>Bad Gateway</html>")
        return answer_page() if self.faults.first(1, "export_html") else answer_json(200, {"JobGuid": guid})

    def status(self, authorization: str | None, body: bytes) -> Answer:
        """Answer ``POST /api/datalake/v1/CheckJobStatus``."""
        with self._lock:
            self.calls["status"] += 1
            if self.calls["status"] >= 2 and self.faults.first(1, "expired_token_midjob"):
                self._tokens.clear()
            if not self._is_known(authorization):
                return answer_message(401, NOT_AUTHORIZED)
            if self.faults.has("status_flapping") and self.calls["status"] % 2:
                return answer_bytes(502, "text/html", b"<html>Bad Gateway</html>")
            if self.faults.first(1, "status_html"):
                return answer_page()
            job = self.jobs.get(_field(body, "jobGuid"))
            if job is None or self.faults.has("status_404"):
                return answer_message(404, "Job not found.")
            word = self._word(job)
            job.polls += 1
            return answer_json(200, {"JobStatus": word})

    def _word(self, job: Job) -> str:
        now = self.now()
        if self.faults.has("status_never"):
            return "Running"
        if job.is_complete(now):
            return next((END_WORDS[name] for name in END_WORDS if self.faults.has(name)), "Complete")
        if job.minutes(now) < self.scenario.startup_minutes:
            return "Queued"
        return "Replicating" if self.faults.has("status_unknown_word") else "Running"

    def files(self, company: str, query: Mapping[str, str]) -> Answer:
        """Answer ``GET /v1/datalake/presignedUrls/{company}``."""
        with self._lock:
            self.calls["list"] += 1
            if self.faults.first(1, "list_401"):
                self._tokens.clear()
                return answer_message(401, NOT_AUTHORIZED)
            problem = self._list_problem(company, query)
            return problem or self._list(self.jobs[query["jobGuid"]], query)

    def _list_problem(self, company: str, query: Mapping[str, str]) -> Answer | None:
        api_token = query.get("apiToken", "")
        if api_token != self.client_secret and not self._is_known(f"Bearer {api_token}"):
            return answer_message(401, "Invalid API token.")
        if company != self.scenario.company:
            return answer_message(404, "Unknown company.")
        if query.get("environmentType") not in ("Test", "Prod"):
            return answer_message(400, "environmentType must be Test or Prod.")
        minutes = query.get("expirationInMinutes", "")
        if not minutes.isdecimal() or not 1 <= int(minutes) <= LONGEST_URL_MINUTES:
            return answer_message(400, f"expirationInMinutes must be 1 to {LONGEST_URL_MINUTES}.")
        job = self.jobs.get(query.get("jobGuid", ""))
        if job is None:
            return answer_message(404, "Job not found.")
        ended_badly = self.faults.has("status_failed", "status_timed_out", "status_cancelled", "status_never")
        if ended_badly or not job.is_complete(self.now()) or self.faults.first(2, "list_409_first"):
            return answer_message(409, "The job is not complete.")
        return None

    def _list(self, job: Job, query: Mapping[str, str]) -> Answer:
        if self.faults.first(2, "list_500_first"):
            return answer_message(500, "An error has occurred.")
        if self.faults.has("list_empty") or self.faults.first(2, "list_empty_first"):
            return answer_json(200, [])
        if self.faults.has("list_not_list"):
            return answer_json(200, {"files": []})
        if self.faults.has("list_deep_json"):
            return answer_bytes(200, "application/json", b"[" * 200 + b"]" * 200)
        entries = [each for each in listed(job, self.faults, self.host) if _is_asked(each.file, query)]
        if self.faults.first(1, "list_growing"):
            entries = entries[: len(entries) // 2]
        content = [self._entry(job, each, float(query["expirationInMinutes"])) for each in entries]
        if self.faults.has("list_oversized"):
            content.append({"key": "x" * (33 << 20)})
        return answer_json(200, content)

    def _entry(self, job: Job, entry: Entry, minutes: float) -> dict[str, Any]:
        minutes = self.scenario.url_minutes if self.scenario.url_minutes is not None else minutes
        target = self.signatures.sign(job, entry.file, self.calls["list"], self.now(), minutes)
        content = {
            "key": entry.file.key,
            "presignedDownloadURL": (entry.base or f"http://{self.host}") + target,
            "size": entry.size,
            "checksum": entry.checksum,
        }
        return {name: value for name, value in content.items() if value is not None}

    def _is_known(self, authorization: str | None) -> bool:
        scheme, _, token = (authorization or "").partition(" ")
        return (
            scheme.lower() == "bearer"
            and self._tokens.get(token, datetime.min.replace(tzinfo=UTC)) > self.now()
        )

    def hosted(self, job_guid: str) -> dict[str, HostedFile]:
        """Return all files of a job by key, as they are served."""
        return hidden_files(self.jobs[job_guid], self.faults)


def _is_asked(file: HostedFile, query: Mapping[str, str]) -> bool:
    hides = query.get("hideMetaData", "False").lower() == "true"
    return fnmatch(file.name, query.get("fileFilter", "*")) and (file.is_data or not hides)


def _field(body: bytes, name: str) -> str:
    """Return a field of a request in JSON; an empty text where there is none."""
    try:
        content = json.loads(body)
    except ValueError:
        return ""
    found = content.get(name) if isinstance(content, dict) else None
    return found if isinstance(found, str) else ""


def form_fields(text: str) -> dict[str, str]:
    """Return the fields of a form or a query."""
    return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
