"""What the VAST SDK raises, as a person should hear of it; and the one door through which it is imported.

Here: ``sdk`` and ``told_plainly``.
Not here: which failures are tried again (``vast_session``: conflicts; the SDK itself: dropped connections).
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import MissingExtraError, PermanentStoreError, TransientStoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.model.errors import StoreError

PASSING = {408, 409, 429, 500, 502, 503, 504}
"""HTTP statuses that another try may change."""


def sdk() -> Any:
    """Return the SDK's module.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        import vastdb
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "vastdb":
            raise
        raise MissingExtraError("the catalog in VAST DB", "vastdb", "vast") from error
    logger = logging.getLogger("vastdb")
    if logger.level == logging.NOTSET:  # it logs each rollback with a traceback, and addresses with queries
        logger.setLevel(logging.CRITICAL)
    return vastdb


@contextmanager
def told_plainly(address: str, attempted: str) -> Iterator[None]:
    """Raise our errors where the SDK raises its own.

    Parameters
    ----------
    address, attempted : str
        For messages: which catalog, and what was being done.

    Raises
    ------
    TransientStoreError
        The cluster cannot be reached, is overloaded, or others were always faster.
    PermanentStoreError
        It refuses for good.
    """
    errors = sdk().errors
    lost, refused = _kinds(errors)
    try:
        yield
    except errors.HttpError as error:
        raise _answered(address, attempted, error) from error
    except lost as error:
        cause = getattr(error, "cause", error)
        answer = f"the connection failed ({type(cause).__name__})"
        advice = "Check that catalog.vast_endpoint is up and reachable from here."
        raise TransientStoreError(address, attempted, answer, advice) from error
    except refused as error:
        raise _refused(address, attempted, error) from error


def _kinds(errors: Any) -> tuple[tuple[type[Exception], ...], tuple[type[Exception], ...]]:
    """Return what is raised where a connection is lost, and where the cluster or the SDK refuses."""
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError
    from vastdb._internal import QueryDataInternalError

    lost = (errors.ConnectionError, RequestException, HTTPError, QueryDataInternalError, EOFError)
    refused = (errors.Missing, errors.Exists, errors.NotSupported, errors.InvalidArgument)
    return lost, (*refused, errors.ApiResponseError, NotImplementedError)


def _answered(address: str, attempted: str, error: Any) -> StoreError:
    answer = f"HTTP {error.status}" + (f" {error.code}" if error.code else "")
    if error.status == 409:
        advice = "Others were writing all the time."
        return TransientStoreError(address, attempted, answer, advice)
    if error.status in PASSING:
        return TransientStoreError(address, attempted, answer, "The cluster is overloaded or failing.")
    if error.status in {401, 403}:
        advice = "Check catalog.vast_access_key and vast_secret_key, and that they may use the bucket."
        return PermanentStoreError(address, attempted, answer, advice)
    return PermanentStoreError(address, attempted, answer, "Look at the cluster's events.")


def _refused(address: str, attempted: str, error: Any) -> StoreError:
    kind = type(error).__name__
    advice = {
        "MissingBucket": "Create the bucket (a view with S3 and database), or set catalog.vast_bucket.",
        "NotSupportedSchema": "Times with a zone need VAST 5.4 or later.",
        "NotSupportedVersion": "Upgrade the cluster.",
        "UnsupportedServer": "Set catalog.vast_endpoint to the database endpoint of a VAST cluster.",
        "NotImplementedError": "The cluster may be older than the SDK supports; upgrade it.",
    }.get(kind, "Look at the cluster's events.")
    return PermanentStoreError(address, attempted, f"refused ({kind})", advice)
