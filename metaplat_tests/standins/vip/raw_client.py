"""A client of the stand-in that forgives nothing and retries nothing, to see what was really sent.

Here: one request at a time over a connection of its own, and the four calls of the contract.
Not here: metaplat's client; what is to be expected.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from metaplat_tests.standins.vip.server import EXPORT_PATH, FILES_PATH, STATUS_PATH, TOKEN_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat_tests.standins.vip.server import VipServer

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Raw:
    """What came.

    Parameters
    ----------
    status : int
        0: the connection ended without an answer.
    headers : mapping of str to str
        By name in lower case.
    body : bytes
        What came of it.
    whole : bool
        Whether it is as long as it was announced.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


class RawClient:
    """Asks a stand-in.

    Parameters
    ----------
    server : VipServer
        Whom.
    """

    def __init__(self, server: VipServer) -> None:
        self.server = server

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Raw:
        """Send one request; ``target`` is a path with its query, or a whole address on the server."""
        if target.startswith("http"):
            parts = urlsplit(target)
            target = f"{parts.path}?{parts.query}"
        connection = HTTPConnection(self.server.vendor.host, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, target, body, dict(headers or {}))
            return _read(connection.getresponse())
        except (ConnectionError, HTTPException):
            return Raw(0, {}, b"", whole=False)
        finally:
            connection.close()

    def token(self) -> Raw:
        """Ask for a token."""
        form = {
            "grant_type": "client_credentials",
            "scope": "datalake",
            "client_id": self.server.scenario.client_id,
            "client_secret": self.server.scenario.client_secret,
        }
        return self.ask("POST", TOKEN_PATH, urlencode(form).encode())

    def bearer(self) -> dict[str, str]:
        """Return the header with a new token."""
        return {"Authorization": f"Bearer {self.token().json['access_token']}"}

    def export(
        self, config_name: str = "onDemandExtract1DayTest", headers: Mapping[str, str] | None = None
    ) -> Raw:
        """Ask for an export, with a new token where no headers are given."""
        body = json.dumps({"configName": config_name}).encode()
        return self.ask("POST", EXPORT_PATH, body, headers or self.bearer())

    def status(self, job_guid: str, headers: Mapping[str, str] | None = None) -> Raw:
        """Ask for the status of a job."""
        body = json.dumps({"jobGuid": job_guid}).encode()
        return self.ask("POST", STATUS_PATH, body, headers or self.bearer())

    def complete_job(self) -> str:
        """Let a job be done, and return its identifier."""
        job_guid = str(self.export().json["JobGuid"])
        self.server.complete(job_guid)
        return job_guid

    def files(self, job_guid: str, company: str | None = None, **query: str) -> Raw:
        """Ask for the list of files."""
        asked = {
            "apiToken": self.server.scenario.client_secret,
            "environmentType": "Test",
            "jobGuid": job_guid,
            "fileFilter": "*",
            "hideMetaData": "False",
            "expirationInMinutes": "60",
            **query,
        }
        company = company or self.server.scenario.company
        return self.ask("GET", f"{FILES_PATH}{company}?{urlencode(asked)}")

    def get(self, address: str, **headers: str) -> Raw:
        """Download; ``If_Range="..."`` gives the header If-Range."""
        return self.ask(
            "GET", address, None, {name.replace("_", "-"): each for name, each in headers.items()}
        )

    def silent_after(
        self, method: str, target: str, body: bytes, headers: Mapping[str, str], count: int | None
    ) -> bytes:
        """Send a request and return the ``count`` bytes of the answer's body after which nothing more comes.

        Parameters
        ----------
        method, target, body, headers
            As of ``ask``.
        count : int or None
            None: not even a head comes.

        Raises
        ------
        AssertionError
            More came, or the connection ended.
        """
        connection = HTTPConnection(self.server.vendor.host, timeout=PATIENCE_SECONDS)
        with closing(connection):
            connection.request(method, target, body, dict(headers))
            answer = None if count is None else connection.getresponse()
            content = b"" if answer is None else answer.read(count)
            connection.sock.settimeout(0.2)
            try:
                more = connection.sock.recv(1) if answer is None else answer.read(1)
            except TimeoutError:
                return content
            finally:
                if answer is not None:
                    answer.close()
        raise AssertionError(f"more came: {more!r}")


def _read(answer: HTTPResponse) -> Raw:
    headers = {name.lower(): value for name, value in answer.getheaders()}
    try:
        return Raw(answer.status, headers, answer.read())
    except IncompleteRead as error:
        return Raw(answer.status, headers, error.partial, whole=False)
