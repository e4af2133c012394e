"""The source ``emr`` when EMR refuses, throttles or is not there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.collectors.spark.emr import collect
from metaplat.model.errors import PermanentSourceError, SettingsError, TransientSourceError
from metaplat_tests.collectors.emr_collection import Account
from metaplat_tests.standins.emr_clusters import DENIED, READY, THROTTLED, EmrFront, emr_front

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = READY + timedelta(minutes=1)
END = START + timedelta(minutes=30)


@pytest.fixture
def account(moto_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with emr_front(moto_endpoint) as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL_EMR", front.address)
        yield Account(front, tmp_path)


@pytest.fixture
def emr(account: Account) -> EmrFront:
    return account.emr


@pytest.fixture
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client try again at once."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


def test_no_permission_for_the_steps_of_one_cluster_costs_that_cluster(
    account: Account, emr: EmrFront
) -> None:
    closed, opened = emr.start("closed"), emr.start("open")
    emr.step(closed, "COMPLETED", START, END)
    step = emr.step(opened, "COMPLETED", START, END)
    emr.instead["ListSteps"] = lambda body: DENIED if body["ClusterId"] == closed else None
    assert list(account.collect()) == [step]
    assert list(account.rejected) == [f"cluster {closed}"]
    reason = account.rejected[f"cluster {closed}"]
    assert f"list steps of cluster {closed}: AccessDeniedException" in reason
    assert "Give the role in use the permission for ListSteps" in reason


def test_no_permission_to_list_clusters_is_an_error_with_advice(account: Account, emr: EmrFront) -> None:
    emr.instead["ListClusters"] = lambda _: DENIED
    with pytest.raises(
        PermanentSourceError, match=r"list clusters: AccessDenied.*permission for ListClusters"
    ):
        account.collect()


def test_without_permission_for_instances_the_rest_is_kept(account: Account, emr: EmrFront) -> None:
    step = emr.step(emr.start(), "COMPLETED", START, END)
    emr.instead["ListInstanceGroups"] = lambda _: DENIED
    environment = account.collect()[step]["environment"]
    assert environment["emr.release_label"] == "emr-7.1.0"
    assert [name for name in environment if name.startswith("emr.instance.")] == []
    assert any("its instances are left out" in warning for warning in account.warnings)
    assert account.rejected == {}


@pytest.mark.usefixtures("_no_pauses")
def test_throttled_requests_are_tried_again(account: Account, emr: EmrFront) -> None:
    step = emr.step(emr.start(), "COMPLETED", START, END)
    answers: Iterator[Any] = iter((THROTTLED, THROTTLED, None))
    emr.instead["ListSteps"] = lambda _: next(answers)
    assert list(account.collect()) == [step]
    assert (account.rejected, emr.asked["ListSteps"]) == ({}, 3)


@pytest.mark.usefixtures("_no_pauses")
def test_throttled_for_good_is_an_outage_told_after_what_was_read(account: Account, emr: EmrFront) -> None:
    clusters = [emr.start(f"etl-{number}") for number in range(6)]
    steps = {each: emr.step(each, "COMPLETED", START, END) for each in clusters}
    first = next(iter(sorted(clusters)))  # moto lists them by id
    emr.instead["ListSteps"] = lambda body: None if body["ClusterId"] == first else THROTTLED
    records = collect(account.request())
    assert next(records)["app_id"] == steps[first]
    with pytest.raises(TransientSourceError, match="ThrottlingException"):
        next(records)
    assert len(account.rejected) == 3  # the rest was not tried
    assert emr.asked["DescribeCluster"] == 4


def test_credentials_that_run_out_end_the_collection_at_once(account: Account, emr: EmrFront) -> None:
    for name in ("a", "b", "c"):
        emr.start(name)
    emr.instead["DescribeCluster"] = lambda _: (
        400,
        {
            "__type": "ExpiredTokenException",
            "Message": "The security token included in the request is expired",
        },
    )
    with pytest.raises(PermanentSourceError, match="Renew the AWS credentials"):
        account.collect()
    assert emr.asked["DescribeCluster"] == 1


def test_without_credentials_one_line_says_what_to_do(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(PermanentSourceError) as raised:
        account.collect()
    assert "list clusters: NoCredentialsError" in str(raised.value)
    assert "Check the AWS credentials" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_without_a_region_the_setting_is_named(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="emr_region"):
        account.collect()


def test_a_profile_that_does_not_exist_is_told_as_such(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(PermanentSourceError, match="ProfileNotFound"):
        account.collect()


def test_what_does_not_speak_the_protocol_is_a_failure_of_the_source(account: Account, emr: EmrFront) -> None:
    emr.instead["ListClusters"] = lambda _: (200, {"no": "clusters"})
    with pytest.raises(TransientSourceError, match="does not speak the AWS protocol"):
        account.collect()
