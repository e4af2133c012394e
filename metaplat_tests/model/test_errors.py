"""Errors say whose fault it is, whether to run again, and no secret; and they travel between processes."""

from __future__ import annotations

import pickle

import pytest

from metaplat.model import errors
from metaplat.model.errors import MetaplatError, Permanent, Transient, UnknownNameError, shown_address

FACTS = ("the store", "read", "no answer", "Look at it.")
EXAMPLES: list[MetaplatError] = [
    errors.SettingsError("s3.region", "is wrong", "Correct it."),
    errors.MissingExtraError("reading FITS headers", "astropy", "catalog"),
    errors.UsageError("no such file"),
    UnknownNameError("domain", "job_exections", ["job_executions", "clusters"]),
    errors.InvalidInputError("not JSON"),
    errors.TransientSourceError(*FACTS),
    errors.PermanentSourceError(*FACTS),
    errors.TransientStoreError(*FACTS),
    errors.PermanentStoreError(*FACTS),
    errors.HotConflictError("runs", {"a": 1}, {"a": 2}),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_is_one_line_transient_or_permanent_and_survives_pickling(error: MetaplatError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
    assert "\n" not in str(error)
    assert isinstance(error, Transient) is not isinstance(error, Permanent)


def test_an_error_of_another_system_says_whether_running_again_helps() -> None:
    expected = "the store: read: no answer. Running again {} help. Look at it."
    assert str(errors.TransientStoreError(*FACTS)) == expected.format("may")
    assert str(errors.PermanentStoreError(*FACTS)) == expected.format("cannot")


def test_an_unknown_name_names_the_nearest_or_all() -> None:
    assert str(EXAMPLES[3]) == "no domain named 'job_exections'; did you mean job_executions?"
    assert str(UnknownNameError("domain", "x", ["b", "a"])) == "no domain named 'x'; there are: a, b"
    assert str(UnknownNameError("domain", "x", [])) == "no domain named 'x'; there are: none"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:canary@host:8443/path/?sig=canary#canary", "host:8443/path"),
        ("https://host/a?x-amz-signature=canary", "host/a"),
        ("postgresql://user:can@ry@db/name", "db/name"),
        ("redis://:canary@redis:6379/0", "redis:6379/0"),
        ("host:9090", "host:9090"),
        ("user:canary@host/path", "host/path"),
        ("http://host:port/x", "host:port/x"),
        ("http://[::1]:80/x", "[::1]:80/x"),
        ("http://[::1", "an address that is none"),
        ("", ""),
    ],
)
def test_of_an_address_only_host_and_path_are_shown(url: str, shown: str) -> None:
    assert shown_address(url) == shown
