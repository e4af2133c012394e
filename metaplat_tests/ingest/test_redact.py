"""Personal data and secrets: what goes, what stays, and what is stored nowhere."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.ingest.redact import build_redactor, scrub, scrub_all
from metaplat.model.errors import SettingsError
from metaplat.settings import PrivacySettings
from metaplat_tests.ingest.small_domain import RUNS

SIGNED = "https://b.s3.amazonaws.com/k/o.json?X-Amz-Credential=C%2F1&X-Amz-Signature=canary"


def redacted(record: dict[str, Any], **privacy: Any) -> dict[str, Any]:
    before = copy.deepcopy(record)
    found = build_redactor(RUNS, PrivacySettings(**privacy))(record)
    assert record == before, "the landed record was changed"
    return dict(found)


@pytest.mark.parametrize(
    "text",
    [
        "mail to canary.canary+x@canary.example.com now",
        "cloning https://canary:canary@git.example.com/x.git",
        "redis://:canary@redis:6379/0",
        "postgresql://user:can@ary@canary@db/x",
        "https://canary@host/x",
        f"GET {SIGNED} 403",
        "https://host/?sig=canary",
        'open("https://host/%2F?a=canary&b=canary")',
        "key AKIACANARYCANARYCANA used",
        "key ASIACANARYCANARYCANA used",
        "Authorization: Bearer canary-canary.canary",
        "authorization: bearer canarycanary",
        "Authorization: Basic Y2FuYXJ5Canary==",
        "password=canary",
        "password = 'canary canary'",
        'passwd: "canary canary"',
        "DB_PASSWORD=canary; next",
        "aws_secret_access_key = canary",
        "AWS_SECRET_ACCESS_KEY=canary/canary+canary",
        "aws_session_token=canary",
        "client_secret=canary&x=1",
        '{"clientSecret": "canary", "x": 1}',
        '{\\"password\\": \\"canary\\"}',
        "{'api-key': 'canary'}",
        "AccountKey=canary==;EndpointSuffix=core.windows.net",
        "Server=h;UID=me;PWD=canary;",
        "run --password canary --db-token canary",
        "eyJcanary.eyJcanary.canary-canary_canary",
    ],
)
def test_credentials_and_addresses_are_scrubbed_from_free_text(text: str) -> None:
    assert "canary" not in scrub(text).lower()
    assert "[redacted]" in scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        'MountVolume.SetUp failed for volume "efs": timed out',
        'MountVolume.SetUp failed for volume "x" : secret "default-token-abcde" not found',
        "a?b",
        "what? x=1",
        "user@ is missing",
        "@decorator on line 5",
        "n@m",
        "primary key violated: key=5",
        "basic authentication failed",
        "basic configuration = wrong",
        "the token has expired",
        "no password given",
        "pass 3 of 5: ok",
        "tokens: 512 of 1024",
        "exit code 137",
        "https://host/path/to/file.json",
        "s3://bucket/prefix/file.parquet",
        "java.lang.OutOfMemoryError: Java heap space",
        "monkey=5 turkey: 6",
        "hmac:0123456789abcdef0123456789abcdef",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert scrub(text) == text


pieces = st.sampled_from(
    [
        *"@?=:/.&;\"'\\ -",
        "://",
        "a",
        "b.co",
        "password",
        "token",
        "secret",
        "eyJ",
        "Bearer ",
        "[redacted]",
        "--",
        "\n",
    ]
)


@given(st.lists(pieces, max_size=20).map("".join) | st.text())
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@pytest.mark.parametrize(
    "unit", ["a", "ab.", "@", "a@", "-", "?", "?a=", "eyJ-", "token", "password ", "://", '"']
)
def test_a_megabyte_of_anything_is_scrubbed_at_once(unit: str) -> None:
    """A text of one long word took hours where each letter was tried as the start of an address."""
    scrub("key " + unit * (200_000 // len(unit)))


def test_secrets_are_found_by_the_name_they_stand_under() -> None:
    value = {
        "password": "canary",
        "used.dbPassword": "canary",
        "API_KEY": 12345,
        "token": {"inner": "kept"},
        "env": [{"name": "DB_TOKEN", "value": "canary"}, {"name": "HOME", "value": "/home/me"}],
        "tokens": 5,
        "canary@example.com": True,
    }
    found = scrub_all(value)
    assert "canary" not in str(found)
    assert found["API_KEY"] == "[redacted]"
    assert found["token"] == {"inner": "kept"}
    assert found["env"][1] == {"name": "HOME", "value": "/home/me"}
    assert found["tokens"] == 5


def test_a_dropped_field_becomes_null_and_the_record_given_is_not_changed() -> None:
    found = redacted({"error": {"address": "canary", "message": "ok"}, "job_name": "a"})
    assert found == {"error": {"address": None, "message": "ok"}, "job_name": "a"}


def test_without_a_key_a_field_to_be_hashed_is_dropped() -> None:
    assert redacted({"owner": "Ann"}) == {"owner": None}


def test_equal_values_have_equal_hashes_and_other_keys_give_others() -> None:
    one = redacted({"owner": "Ann"}, hash_key="k1")["owner"]
    assert one == redacted({"owner": "Ann", "x": 1}, hash_key="k1")["owner"]
    others = {
        redacted({"owner": name}, hash_key=key)["owner"] for name, key in [("Ann", "k2"), ("Bob", "k1")]
    }
    assert len({one, *others}) == 3
    assert "Ann" not in str({one, *others})


values = st.none() | st.integers() | st.text() | st.lists(st.text(), max_size=2)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "owner": values,
            "error": values | st.fixed_dictionaries({}, optional={"message": values, "address": values}),
            "job_name": values,
        },
    )
)
def test_redacting_twice_changes_nothing_more_and_never_the_record_given(record: dict[str, Any]) -> None:
    once = redacted(record, hash_key="k")
    assert redacted(once, hash_key="k") == once
    assert set(once) == set(record)


def test_settings_can_drop_and_hash_further_fields() -> None:
    privacy = {"drop": ["runs.message", "others.job_name"], "hash": ["runs.job_id"], "hash_key": "k"}
    found = redacted({"job_id": "canary", "error": {"message": "canary"}, "job_name": "a"}, **privacy)
    assert found["error"] == {"message": None}
    assert found["job_id"].startswith("hmac:")
    assert found["job_name"] == "a"


def test_a_field_to_be_dropped_and_hashed_is_dropped() -> None:
    assert redacted({"job_id": "x"}, drop=["runs.job_id"], hash=["runs.job_id"], hash_key="k") == {
        "job_id": None
    }


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ("runs.job_name", "is a key"),
        ("runs.status", "is required"),
        ("runs.row_count", "is not text"),
        ("runs.adress", "has no field 'adress'"),
        ("runs.extra", "has no field 'extra'"),
        ("runs.source_object", "has no field"),
        ("runs.execution_timestamp", "has no field"),
    ],
)
@pytest.mark.parametrize("how", ["drop", "hash"])
def test_a_field_that_cannot_be_redacted_is_a_settings_error(listed: str, said: str, how: str) -> None:
    with pytest.raises(SettingsError, match=f"privacy.{how}.*{said}"):
        build_redactor(RUNS, PrivacySettings(**{how: [listed]}))
