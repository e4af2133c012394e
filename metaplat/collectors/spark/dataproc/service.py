"""Google Dataproc, asked through the vendor's SDK over REST.

Here: project, address and credentials, how often a question is asked again, and what refusals mean.
Not here: which questions are asked (``collecting``), what the answers mean (``jobs``, ``clusters``).

The SDK would try again for a quarter of an hour, and does not heed ``Retry-After``: trying again is done
here. Texts of the server stay out of every message.
"""

from __future__ import annotations

import time
import warnings
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from metaplat.model.errors import (
    MissingExtraError,
    PermanentSourceError,
    SettingsError,
    TransientSourceError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from metaplat.collectors.collector import CollectRequest
    from metaplat.model.errors import SourceError

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
PAGE = 200
PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a further attempt; they double, and ``Retry-After`` may ask for more, up to the longest."""
RENEW = "Renew the credentials: gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS."


class DeniedError(PermanentSourceError):
    """The credentials may not see this (403)."""


class MissingError(PermanentSourceError):
    """There is no such thing, or not any more (404)."""


class FailingError(TransientSourceError):
    """Dataproc answered, but kept failing at this (429, 500 and above)."""


class Dataproc:
    """Jobs and clusters of one project in one region; made by ``dataproc``."""

    def __init__(self, request: CollectRequest, project: str, jobs: Any, clusters: Any) -> None:
        settings = request.settings.spark
        self._seconds, self._retries = settings.timeout_seconds, settings.retries
        self._place = {"project_id": project, "region": settings.dataproc_region}
        self._jobs, self._clusters = jobs, clusters
        self.name = f"Dataproc of {project} in {settings.dataproc_region}"

    def job_pages(self, chosen: str) -> Iterator[Any]:
        """Yield the pages of the jobs that a filter chooses, as ``ListJobsResponse``.

        Raises
        ------
        SourceError
            They cannot be listed.
        """
        token = ""
        while True:
            query = {**self._place, "page_size": PAGE, "page_token": token, "filter": chosen}
            page = self._asked(
                partial(self._jobs.list_jobs, query, retry=None, timeout=self._seconds),
                "list the jobs",
            )
            yield page
            following = str(page.next_page_token)
            if not following:
                return
            if following == token:
                raise PermanentSourceError(
                    self.name,
                    "list the jobs",
                    "it answers every page with the same token",
                    "Check spark.dataproc_endpoint.",
                )
            token = following

    def cluster(self, name: str) -> Any:
        """Return a ``Cluster``.

        Raises
        ------
        DeniedError, MissingError, FailingError
            This one is refused; another may be answered.
        SourceError
            Dataproc cannot be reached, or refuses the credentials.
        """
        query = {**self._place, "cluster_name": name}
        ask = partial(self._clusters.get_cluster, query, retry=None, timeout=self._seconds)
        return self._asked(ask, f"get cluster {name}")

    def _asked(self, ask: Callable[[], Any], attempted: str) -> Any:
        """Ask, with bounded attempts."""
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import GoogleAuthError
        from google.protobuf.json_format import ParseError
        from requests.exceptions import RequestException

        for attempt in range(1 + self._retries):
            try:
                return ask()
            except (GoogleAPICallError, GoogleAuthError, RequestException) as error:
                judged = self._judged(error, attempted)
                if attempt == self._retries or not isinstance(judged, TransientSourceError):
                    raise judged from None
                time.sleep(_pause(error, attempt))
            except (ParseError, UnicodeDecodeError):
                raise PermanentSourceError(
                    self.name,
                    attempted,
                    "an answer that is not Dataproc's",
                    "Check spark.dataproc_endpoint, and that no login page is before it.",
                ) from None
        raise AssertionError("the last attempt returns or raises")

    def _judged(self, error: Exception, attempted: str) -> SourceError:
        """Say what a failure means."""
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import TransportError
        from requests.exceptions import RequestException, SSLError, Timeout

        if isinstance(error, GoogleAPICallError):
            return self._refused(int(error.code or 0), attempted)
        times = f"{1 + self._retries} times"
        if isinstance(error, SSLError):
            return PermanentSourceError(
                self.name, attempted, "its certificate was not accepted", "Check spark.dataproc_endpoint."
            )
        if isinstance(error, Timeout):
            answer = f"no answer within {self._seconds:g} s, {times}"
        elif isinstance(error, (RequestException, TransportError)):
            answer = f"the connection failed {times}"
        else:  # the credentials are refused by whoever issues them, or there are none to renew
            return PermanentSourceError(self.name, attempted, "the credentials were refused", RENEW)
        return TransientSourceError(self.name, attempted, answer, "Check that it is reachable from here.")

    def _refused(self, status: int, attempted: str) -> SourceError:
        answer = f"HTTP {status}"
        if status == HTTPStatus.UNAUTHORIZED:
            return PermanentSourceError(self.name, attempted, answer, RENEW)
        if status == HTTPStatus.FORBIDDEN:
            advice = (
                "Grant dataproc.jobs.list, dataproc.clusters.get (role Dataproc Viewer) to the credentials."
            )
            return DeniedError(self.name, attempted, answer, advice)
        if status == HTTPStatus.NOT_FOUND:
            advice = "Check spark.dataproc_project and spark.dataproc_region."
            return MissingError(self.name, attempted, answer, advice)
        if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            answer = f"{answer}, {1 + self._retries} times"
            return FailingError(self.name, attempted, answer, "Collect less often, or narrow it by --since.")
        advice = "Check spark.dataproc_project, spark.dataproc_region and spark.dataproc_endpoint."
        return PermanentSourceError(self.name, attempted, answer, advice)


@contextmanager
def dataproc(request: CollectRequest) -> Iterator[Dataproc]:
    """Open Dataproc, and close its connections afterwards.

    Raises
    ------
    MissingExtraError
        The SDK is not installed.
    UsageError, SettingsError
        The address is none, or no project is named.
    PermanentSourceError
        No credentials were found.
    """
    try:
        from google.cloud.dataproc_v1 import ClusterControllerClient, JobControllerClient
        from google.cloud.dataproc_v1.services.cluster_controller.transports import (
            ClusterControllerRestTransport,
        )
        from google.cloud.dataproc_v1.services.job_controller.transports import JobControllerRestTransport
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "google":
            raise
        raise MissingExtraError("collecting from Dataproc", "google-cloud-dataproc", "dataproc") from error

    scheme, host = _address(request)
    credentials, found = _credentials(scheme)
    project = request.settings.spark.dataproc_project or found
    if not project:
        raise SettingsError("spark.dataproc_project", "is not set", "Set it to the id of the project.")
    options = {"host": host, "url_scheme": scheme, "credentials": credentials}
    with (
        JobControllerClient(transport=JobControllerRestTransport(**options)) as jobs,
        ClusterControllerClient(transport=ClusterControllerRestTransport(**options)) as clusters,
    ):
        yield Dataproc(request, project, jobs, clusters)


def _address(request: CollectRequest) -> tuple[str, str]:
    """Return scheme and host: as asked for, as set, or Google's own of the region."""
    named = request.url if request.url is not None and not request.url.startswith("s3") else None
    url = named or request.settings.spark.dataproc_endpoint
    region = request.settings.spark.dataproc_region
    if url is None:
        return (
            "https",
            "dataproc.googleapis.com" if region == "global" else f"{region}-dataproc.googleapis.com",
        )
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        is_address = False
    if not is_address:
        raise UsageError("the address of Dataproc looks like https://us-central1-dataproc.googleapis.com")
    return parts.scheme, parts.netloc.rpartition("@")[2]


def _credentials(scheme: str) -> tuple[Any, str | None]:
    """Return credentials and their project; over plain http no credentials are sent."""
    import google.auth
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import GoogleAuthError

    if scheme == "http":
        return AnonymousCredentials(), None  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that a person's credentials have no quota project
            found: tuple[Any, str | None] = google.auth.default(scopes=[SCOPE])
            return found
    except (GoogleAuthError, OSError, ValueError):  # its text can repeat the file
        raise PermanentSourceError(
            "Dataproc", "find credentials", "none that can be used", RENEW.replace("Renew", "Set")
        ) from None


def _pause(error: Exception, attempt: int) -> float:
    """Return the seconds before the next attempt."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    asked = str(headers.get("Retry-After", ""))
    wished = float(asked) if asked.isascii() and asked.isdigit() else FIRST_PAUSE * 2**attempt
    return min(wished, LONGEST_PAUSE)
