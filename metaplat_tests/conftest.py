"""Fixtures that more than one room uses: AWS, as moto plays it over HTTP."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

MAY_SKIP = os.environ.get("TESTS_MAY_SKIP", "yes") == "yes"
"""A test skips where a user lacks a tool; where every tool was installed, a skip is a failure."""

AWS_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")  # how long an example takes says more about the machine than about the code


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where ``TESTS_MAY_SKIP`` is not ``yes``."""
    report = yield
    if report.skipped and not MAY_SKIP:
        report.outcome = "failed"
        report.longrepr = f"skipped, though every tool is installed: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    """Address of an AWS that starts empty; credentials for it are in the environment from here on."""
    from moto.server import ThreadedMotoServer

    before = {name: os.environ.get(name) for name in AWS_VARIABLES}
    os.environ.update(AWS_VARIABLES)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture
def s3_bucket(moto_endpoint: str) -> str:
    """Name of a bucket that nobody else uses."""
    name = f"bucket-{uuid.uuid4().hex}"
    with urlopen(Request(f"{moto_endpoint}/{name}", method="PUT"), timeout=60):
        return name


@pytest.fixture
def s3_client(moto_endpoint: str) -> Any:
    """Return a boto3 client of S3 on ``moto_endpoint``: what others than metaplat would use."""
    import boto3

    return boto3.client("s3", endpoint_url=moto_endpoint)
