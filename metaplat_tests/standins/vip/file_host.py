"""The host of the files: signed addresses, parts of files, and everything that goes wrong with downloads.

Here: what is answered to a GET of an address from the list.
Not here: giving addresses (``signing``), the bytes (``content``), HTTP (``server``).
"""

from __future__ import annotations

import gzip
import re
import threading
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metaplat_tests.standins.vip import content
from metaplat_tests.standins.vip.answers import Answer, answer_xml
from metaplat_tests.standins.vip.listing import WRONG_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat_tests.standins.vip.listing import HostedFile
    from metaplat_tests.standins.vip.signing import Signed
    from metaplat_tests.standins.vip.vendor import Vendor

CUT_ONCE = ("file_cut_once", "file_no_range", "file_wrong_range", "file_etag_changes")
RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True)
class _Attempt:
    file: HostedFile
    number: int
    is_victim: bool


class FileHost:
    """Serves the files of all jobs.

    Parameters
    ----------
    vendor : Vendor
        Whose files, clock and faults.
    """

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.downloads: Counter[str] = Counter()
        self._served_times: Counter[str] = Counter()
        self._refused_at: dict[str, int] = {}
        self._lock = threading.Lock()

    def answer(self, target: str, headers: Mapping[str, str]) -> Answer:
        """Answer a GET.

        Parameters
        ----------
        target : str
            Path and query, as they came.
        headers : mapping of str to str
            Of the request.
        """
        signed = self.vendor.signatures.find(target)
        if signed is None:
            return answer_xml(
                403, "SignatureDoesNotMatch", "The request signature we calculated does not match."
            )
        file = signed.file
        is_victim = file.key in {each.key for each in signed.job.victims}
        with self._lock:
            self.downloads[file.key] += 1
            if self._is_expired(signed, is_victim):
                return answer_xml(403, "AccessDenied", "Request has expired")
            refusal = self._refusal(file) if is_victim else None
            if refusal is None:
                self._served_times[file.key] += 1
            attempt = _Attempt(file, self._served_times[file.key], is_victim)
        return refusal or self._bytes(attempt, headers)

    def _is_expired(self, signed: Signed, is_victim: bool) -> bool:
        """Whether its time is over; with ``file_expired``, whether it is older than the first refusal."""
        if self.vendor.now() >= signed.expires:
            return True
        if not is_victim or not self.vendor.faults.has("file_expired"):
            return False
        refused_at = self._refused_at.setdefault(signed.file.key, self.vendor.calls["list"])
        return signed.listing <= refused_at

    def _refusal(self, file: HostedFile) -> Answer | None:
        faults = self.vendor.faults
        if faults.has("file_denied"):
            return answer_xml(403, "AccessDenied", "Access Denied")
        if faults.has("file_missing"):
            return answer_xml(404, "NoSuchKey", "The specified key does not exist.")
        if faults.has("file_slowdown_always") or faults.first(2, "file_slowdown", subject=file.key):
            return answer_xml(503, "SlowDown", "Please reduce your request rate.")
        if faults.has("file_xml_200"):
            return answer_xml(200, "InternalError", "We encountered an internal error. Please try again.")
        if faults.has("file_redirect"):
            port = self.vendor.host.rpartition(":")[2]
            return Answer(302, {"Location": f"http://localhost:{port}/elsewhere/x", "Content-Length": "0"})
        return self._zipped(file) if faults.has("file_gzip") else None

    @staticmethod
    def _zipped(file: HostedFile) -> Answer:
        body = gzip.compress(file.bytes(), mtime=0)
        headers = {
            "Content-Encoding": "gzip",
            "Content-Length": str(len(body)),
            "ETag": content.etag(file.label),
        }
        return Answer(200, headers, [body])

    def _served(self, attempt: _Attempt) -> HostedFile:
        """Return what lies on the host at this attempt."""
        faults, file = self.vendor.faults, attempt.file
        if not attempt.is_victim:
            return file
        if faults.has("file_longer", "file_shorter"):
            more = WRONG_BYTES if faults.has("file_longer") else -WRONG_BYTES
            return replace(file, size=max(file.size + more, 0))
        if faults.has("file_etag_changes") and attempt.number == 1:
            return replace(file, label=f"{file.label}/before")
        return file

    def _bytes(self, attempt: _Attempt, headers: Mapping[str, str]) -> Answer:
        file = self._served(attempt)
        tag = content.etag(file.label)
        span = self._span(attempt, file, headers, tag)
        if span is None:
            problem = "The requested range is not satisfiable"
            return answer_xml(416, "InvalidRange", problem, {"Content-Range": f"bytes */{file.size}"})
        start, stop, status = span
        sent_headers = {
            "Content-Type": "binary/octet-stream",
            "Accept-Ranges": "bytes",
            "ETag": tag,
            "Content-Length": str(stop - start),
        }
        if status == 206:
            sent_headers["Content-Range"] = f"bytes {start}-{stop - 1}/{file.size}"
        answer = Answer(status, sent_headers, file.chunks(start, stop))
        return self._spoiled(answer, attempt, file, start) if attempt.is_victim else answer

    def _span(
        self, attempt: _Attempt, file: HostedFile, headers: Mapping[str, str], tag: str
    ) -> tuple[int, int, int] | None:
        """Return first byte, the one after the last, and the status; None: nothing there."""
        faults = self.vendor.faults
        asked = RANGE.fullmatch(headers.get("Range", ""))
        changed = headers.get("If-Range", tag) != tag
        if asked is None or changed or (attempt.is_victim and faults.has("file_no_range")):
            return 0, file.size, 200
        start = int(asked[1])
        if start >= file.size:
            return None
        if attempt.is_victim and faults.has("file_wrong_range"):
            start = max(start - WRONG_BYTES, 0)
        return start, min(int(asked[2] or file.size - 1) + 1, file.size), 206

    def _spoiled(self, answer: Answer, attempt: _Attempt, file: HostedFile, start: int) -> Answer:
        """Return the answer with an end that comes too early, or slowly."""
        faults, middle = self.vendor.faults, file.size // 2
        if faults.has("file_slow"):
            return replace(answer, bytes_per_second=self.vendor.scenario.slow_bytes_per_second)
        if faults.has("file_stall") or (faults.has("file_stall_once") and attempt.number == 1):
            return replace(answer, body=file.chunks(start, max(middle, start)), ending="silent")
        if faults.has("file_cut_often"):
            stop = start + max(file.size // 4, 1)
            return replace(answer, body=file.chunks(start, stop), ending="cut")
        if faults.has("file_cut_always") or (faults.has(*CUT_ONCE) and attempt.number == 1):
            return replace(answer, body=file.chunks(start, max(middle, start)), ending="cut")
        return answer
