"""The ways to bring a file from a host to an S3, each in a process of its own.

``python -m benchmarks.vip_transfer_ways WAY FILE_URL S3_URL BYTES`` prints seconds of the clock and of CPU,
both after the imports, and the peak memory of the process.

Here: ``raw`` (read a socket, write a socket: the floor) and ``raw-verified`` (with the SHA-256 that a pull
makes of every file), ``ours``, and the two ways of a plain script: ``whole`` (read all, then ``put_object``)
and ``parts`` (read as a stream, ``upload_fileobj``), also ``unsigned``: without a digest of what is sent, as
boto3 does over https, and as ours does on this machine.
Not here: servers and rounds (``vip_transfer``).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import resource
import socket
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "DEV/IMOSDL/Hourly/20220208/08/Voyage_0.csv.gz"
BLOCK = 1 << 20


def raw(url: str, s3: str, size: int, *, verified: bool = False) -> Callable[[], None]:
    """Return what copies from socket to socket, through one buffer, with two requests written by hand."""
    source, target = urlsplit(url), urlsplit(s3)

    def copy() -> None:
        buffer = memoryview(bytearray(BLOCK))
        with _connected(source.netloc) as reader, _connected(target.netloc) as writer:
            reader.sendall(f"GET {source.path} HTTP/1.1\r\nHost: {source.netloc}\r\n\r\n".encode())
            writer.sendall(f"PUT /bucket/{KEY} HTTP/1.1\r\nContent-Length: {size}\r\n\r\n".encode())
            _, _, begun = reader.recv(4096).partition(b"\r\n\r\n")
            writer.sendall(begun)
            digest = hashlib.sha256(begun)
            left = size - len(begun)
            while left:
                count = reader.recv_into(buffer)
                writer.sendall(buffer[:count])
                if verified:
                    digest.update(buffer[:count])
                left -= count
            assert b" 200 " in writer.recv(4096)

    return copy


def ours(url: str, s3: str, size: int) -> Callable[[], None]:
    """Return what a pull does with one file, settings as they are."""
    import aiohttp
    import obstore
    import yarl
    from pydantic import SecretStr

    from metaplat.collectors.vip.download import Downloads
    from metaplat.collectors.vip.signed_file import SignedFile
    from metaplat.model.extract import PromisedFile
    from metaplat.settings import S3Settings, Settings, VipSettings
    from metaplat.stores.deliveries import open_deliveries

    del aiohttp, obstore, yarl  # loaded now: they are imported where they are used
    vip = VipSettings(allow_insecure=True, target="s3://bucket")
    settings = Settings(home=Path("nowhere"), s3=S3Settings(endpoint_url=s3), vip=vip)
    file = SignedFile(PromisedFile("extract/Voyage_0.csv.gz", size), SecretStr(url))

    async def renew() -> SignedFile:
        return file

    async def transfer() -> None:
        async with Downloads(vip) as downloads:
            written = await open_deliveries(settings).write(KEY, downloads.open(file, renew), size)
        assert written == size

    return lambda: asyncio.run(transfer())


def whole(url: str, s3: str, size: int, *, signed: bool = True) -> Callable[[], None]:
    """Return what the old script did: the whole file into memory, then one request."""
    import requests

    client = _boto3(s3, signed=signed)

    def copy() -> None:
        content = requests.get(url, timeout=600).content
        assert len(content) == size
        client.put_object(Bucket="bucket", Key=KEY, Body=content)

    return copy


def parts(url: str, s3: str, size: int, *, signed: bool = True) -> Callable[[], None]:
    """Return the streaming way of boto3: parts in threads, from a file-like answer."""
    import urllib3

    client, pool = _boto3(s3, signed=signed), urllib3.PoolManager()

    def copy() -> None:
        answer = pool.request("GET", url, preload_content=False)
        client.upload_fileobj(answer, "bucket", KEY)
        assert answer.tell() == size

    return copy


def _boto3(s3: str, *, signed: bool) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(s3=None if signed else {"payload_signing_enabled": False})
    return boto3.client("s3", endpoint_url=s3, region_name="us-east-1", config=config)


def _connected(place: str) -> socket.socket:
    host, _, port = place.partition(":")
    return socket.create_connection((host, int(port)))


def peak_megabytes() -> float:
    """Return the most memory this process has held, MiB.

    Linux hands ``ru_maxrss`` of the parent on to a child, so the process itself is asked where that works.
    """
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text())):
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


WAYS: dict[str, Callable[[str, str, int], Callable[[], None]]] = {
    "raw": raw,
    "raw-verified": partial(raw, verified=True),
    "ours": ours,
    "whole": whole,
    "whole-unsigned": partial(whole, signed=False),
    "parts-unsigned": partial(parts, signed=False),
}


def _main() -> None:
    way, url, s3, size = sys.argv[1:]
    copy = WAYS[way](url, s3, int(size))
    begun, cpu = time.perf_counter(), time.process_time()
    copy()
    cost = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu, "mb": peak_megabytes()}
    print(json.dumps(cost))


if __name__ == "__main__":
    _main()
