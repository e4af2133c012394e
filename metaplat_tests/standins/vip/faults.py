"""What can be wrong with the vendor: every fault has a name and one line that says what happens.

Here: the names, and the plan of one server, which counts what it has played.
Not here: playing them (``vendor``, ``listing``, ``file_host``).

Faults of files hit the first ``Scenario.victims`` data files; several faults may be on at once.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FAULTS = {
    "invalid_client": "token: 400 invalid_client, whatever the credentials",
    "token_500": "token: the first two answers are 500",
    "token_500_always": "token: every answer is 500",
    "token_short": "token: expires_in is 5 seconds, and it means it",
    "token_oversized": "token: a body of 2 MiB",
    "token_html": "token: 200 with a login page",
    "export_401": "export: the first call is 401, as if the token had expired; a new token is accepted",
    "export_lost_answer": "export: accepted, but the connection ends without an answer, once",
    "export_502": "export: accepted, but a gateway answers 502, once",
    "export_stall": "export: accepted, but no answer ever comes, once",
    "export_503": "export: the first two answers are 503 with Retry-After: 0, and nothing is accepted",
    "export_html": "export: accepted, but the answer is 200 with a page, once",
    "unknown_config": "export: 400, no configuration is known",
    "too_early_429": "export: 429 with the next time in UTC, as if one had been accepted 20 minutes ago",
    "too_early_400": "export: the same as 400",
    "too_early_403": "export: the same as 403",
    "too_early_us_date": "export: the same with a time such as 2/8/2022 9:00:00 AM",
    "too_early_no_date": "export: the same without any time",
    "too_early_naive": "export: the same with a time without a zone",
    "too_early_other_zone": "export: the same with a time at +02:00",
    "too_early_retry_after": "export: the same without a time in the text, with Retry-After in seconds",
    "too_early_far": "export: the same with a time 3 days off",
    "retry_after_zero": "export: the same without a time in the text, with Retry-After: 0",
    "slot_clock_hour": "export: one a clock hour, instead of one in 60 minutes",
    "status_failed": "status: the job ends as Failed",
    "status_timed_out": "status: the job ends as TimedOut",
    "status_cancelled": "status: the job ends as Cancelled",
    "status_completed": "status: the job ends as Completed, not Complete",
    "status_unknown_word": "status: the job is Replicating, then Complete",
    "status_404": "status: 404, no job is known",
    "status_flapping": "status: every other answer is 502",
    "status_never": "status: Running for ever",
    "status_html": "status: the first answer is 200 with a page",
    "expired_token_midjob": "status: the second call is 401, all tokens so far are dead",
    "list_401": "list: the first call is 401",
    "list_409_first": "list: the first two calls are 409, though the job is complete",
    "list_empty_first": "list: the first two answers are empty",
    "list_empty": "list: every answer is empty",
    "list_growing": "list: the first answer holds half of the files",
    "list_500_first": "list: the first two answers are 500",
    "list_not_list": "list: an object in place of the list",
    "list_deep_json": "list: 200 levels of nesting",
    "list_oversized": "list: an answer of 33 MiB",
    "list_missing_table": "list: a table of the schema file has no file",
    "list_extra_table": "list: a table that the schema file does not know",
    "list_duplicate_keys": "list: one entry twice, with another signature",
    "list_duplicate_sizes": "list: one key twice, with two sizes",
    "list_same_name_two_folders": "list: the same base name in a second folder",
    "list_wrong_size": "list: 1000 bytes more than the file has",
    "list_size_zero": "list: a file of 0 bytes, which is right",
    "list_zero_but_full": "list: size 0, but the file has bytes",
    "list_no_size": "list: an entry without a size",
    "list_checksum": "list: every entry with the SHA-256 of its file",
    "list_checksum_wrong": "list: the same, wrong for the victims",
    "list_dotdot": "list: further files ../x.csv and ..",
    "list_backslash": "list: a further file ..\\..\\x.csv",
    "list_percent": "list: a further file %2e%2e%2fx.csv",
    "list_nul": "list: a further file with NUL in its name",
    "list_long_name": "list: a further file with a name of 2 KiB",
    "list_reserved_name": "list: further files _manifest.json and _PresignedUrls.json",
    "list_markup_name": "list: a further file whose name is markup",
    "list_foreign_host": "list: the address is on files.example.com",
    "list_http": "list: the address is http on a host that is not loopback",
    "list_link_local": "list: the address is on 169.254.169.254",
    "list_private": "list: the address is on 10.0.0.1",
    "list_user_info": "list: the address has a user and a password",
    "file_cut_once": "file: the first attempt ends in the middle",
    "file_cut_often": "file: every attempt ends after a quarter of the file",
    "file_cut_always": "file: no attempt gets beyond the middle",
    "file_slow": "file: Scenario.slow_bytes_per_second",
    "file_stall": "file: every attempt falls silent in the middle",
    "file_stall_once": "file: the first attempt falls silent in the middle",
    "file_expired": "file: 403 Request has expired, until the list is asked for again",
    "file_denied": "file: 403 AccessDenied, always",
    "file_missing": "file: 404 NoSuchKey, always",
    "file_slowdown": "file: the first two answers are 503 SlowDown",
    "file_slowdown_always": "file: every answer is 503 SlowDown",
    "file_no_range": "file: cut in the middle once, then Range is ignored (200)",
    "file_wrong_range": "file: cut in the middle once, then 206 from another place than asked for",
    "file_etag_changes": "file: cut in the middle once, then ETag and content are others",
    "file_longer": "file: 1000 bytes more than promised",
    "file_shorter": "file: 1000 bytes less than promised",
    "file_gzip": "file: Content-Encoding gzip, though not asked for",
    "file_redirect": "file: 302 to another host, which exists",
    "file_xml_200": "file: 200 with an XML error",
    "clock_skew": "all: the vendor's clock is 10 minutes ahead",
    "api_dropped": "token, export, status, list: connections end without an answer",
}
"""What happens, by the name of the fault."""

TOO_EARLY = (*(name for name in FAULTS if name.startswith("too_early")), "retry_after_zero")


class FaultPlan:
    """The faults of one server; they may change while it runs."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self.set(names)

    def set(self, names: Iterable[str]) -> None:
        """Play these from now on, and count anew.

        Raises
        ------
        ValueError
            A name is not one of ``FAULTS``.
        """
        chosen = frozenset(names)
        if unknown := sorted(chosen - FAULTS.keys()):
            raise ValueError(f"no fault is called {', '.join(unknown)}; there are {', '.join(FAULTS)}")
        self.names = chosen
        self._played: Counter[tuple[str, str]] = Counter()

    def has(self, *names: str) -> bool:
        """Whether one of ``names`` is on."""
        return not self.names.isdisjoint(names)

    def first(self, times: int, *names: str, subject: str = "") -> bool:
        """Whether one of ``names`` is on and was played less than ``times`` for ``subject``; it is now."""
        name = next((each for each in names if each in self.names), None)
        if name is None:
            return False
        with self._lock:
            self._played[name, subject] += 1
            return self._played[name, subject] <= times
