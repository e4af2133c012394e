"""Addresses of files that carry their permission with them, as presigned URLs of S3 do.

Here: giving them, and judging one that comes back.
Not here: which files get one (``listing``), what is sent (``file_host``).
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING
from urllib.parse import quote

from metaplat_tests.standins.vip.scenario import CANARY

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat_tests.standins.vip.listing import HostedFile, Job

BUCKET = "vendor-bucket"


@dataclass(frozen=True)
class Signed:
    """What one signature allows.

    Parameters
    ----------
    job : Job
        Whose file it is.
    file : HostedFile
        The file.
    target : str
        Path and query, to the letter: an address that a library wrote anew is not the one that was signed.
    listing : int
        Number of the call that gave it.
    expires : datetime
        On the vendor's clock.
    """

    job: Job
    file: HostedFile
    target: str
    listing: int
    expires: datetime


class Signatures:
    """All that were given."""

    def __init__(self) -> None:
        self._given: dict[str, Signed] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def sign(self, job: Job, file: HostedFile, listing: int, now: datetime, minutes: float) -> str:
        """Return path and query of an address, with a signature that was never given before."""
        with self._lock:
            number = next(self._numbers)
        digest = blake2b(f"{job.guid}/{file.key}/{number}".encode(), digest_size=20).hexdigest()
        signature = f"{CANARY}{digest}"
        path = f"/{BUCKET}/{quote(file.key, safe='/')}"
        target = f"{path}?{_query(signature, now, round(minutes * 60))}"
        self._given[signature] = Signed(job, file, target, listing, now + timedelta(minutes=minutes))
        return target

    def find(self, target: str) -> Signed | None:
        """Return what an address allows; None where it is not, letter by letter, one that was given."""
        signature = target.rpartition("X-Amz-Signature=")[2]
        signed = self._given.get(signature)
        return signed if signed is not None and signed.target == target else None


def _query(signature: str, now: datetime, seconds: int) -> str:
    credential = quote(f"AKIA{CANARY}/{now:%Y%m%d}/eu-west-1/s3/aws4_request", safe="")
    token = quote(f"{CANARY}/session+token==", safe="")
    return (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={now:%Y%m%dT%H%M%SZ}"
        f"&X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host&X-Amz-Security-Token={token}"
        f"&X-Amz-Signature={signature}"
    )
