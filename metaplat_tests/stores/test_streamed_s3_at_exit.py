"""A process that ends right after a large upload ends well: its work is done, and its exit code says so."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

from metaplat_tests.standins.stub_s3 import stub_s3

PROCESSES = 6
PROGRAM = """
import asyncio, sys
from pathlib import Path
from pydantic import SecretStr
from metaplat.settings import S3Settings, Settings, VipSettings
from metaplat.stores.deliveries import DeliveryKeys, open_deliveries

async def chunks():
    for _ in range(4 * 48):
        yield bytes(2**18)

settings = Settings(home=Path("nowhere"), s3=S3Settings(endpoint_url=sys.argv[1]), vip=VipSettings())
keys = DeliveryKeys("bucket", SecretStr("key"), SecretStr("secret"))
asyncio.run(open_deliveries(settings, keys).write("large", chunks(), 48 * 2**20))
"""


def test_a_process_that_ends_with_its_upload_is_not_killed_at_its_end() -> None:
    """A thread of obstore that dropped a chunk while Python ended killed one process in four."""
    with stub_s3() as s3:
        codes = Counter(
            subprocess.run([sys.executable, "-c", PROGRAM, s3.endpoint], stderr=subprocess.DEVNULL).returncode
            for _ in range(PROCESSES)
        )
        assert s3.counts()["asked"]["complete"] == PROCESSES
    assert codes == {0: PROCESSES}
