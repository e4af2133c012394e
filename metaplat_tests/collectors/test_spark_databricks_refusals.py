"""A Databricks workspace that throttles, refuses, is slow, is down, or is none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.collectors.spark.databricks import collect
from metaplat.collectors.spark.databricks.workspace import FailingError
from metaplat.model.errors import (
    MissingExtraError,
    PermanentSourceError,
    SettingsError,
    TransientSourceError,
    UsageError,
)
from metaplat_tests.standins.databricks_api import TOKEN, DatabricksApi
from metaplat_tests.standins.databricks_runs import cluster, run, task
from metaplat_tests.standins.platform_collection import Collection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIST = "/runs/list"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the person who runs the tests is used."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))  # the SDK asks the commands of clouds for credentials


@pytest.fixture
def api() -> Iterator[DatabricksApi]:
    with DatabricksApi([run(number, task("a", "c-1", "111")) for number in (1, 2, 3)]) as serving:
        serving.clusters["c-1"] = cluster("111")
        yield serving


def collection(url: str, token: str | None = TOKEN, **settings: Any) -> Collection:
    return Collection(
        collect,
        {"databricks_host": url, "databricks_token": token, "retries": 1, "timeout_seconds": 60} | settings,
    )


@pytest.mark.parametrize("fault", [429, 503, "dropped"])
def test_what_passes_is_tried_again(api: DatabricksApi, fault: int | str) -> None:
    api.faults[LIST].append(fault)
    assert len(collection(api.url).run()) == 3
    assert len(api.paths(LIST)) == 4


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (429, "HTTP 429 in 1 attempts"),
        (503, "it failed"),
        (500, "it failed"),
        ("dropped", "the connection failed"),
        ("cut", "the connection failed"),
    ],
)
def test_what_stays_is_an_outage(api: DatabricksApi, fault: int | str, answer: str) -> None:
    api.broken[LIST] = fault
    with pytest.raises(TransientSourceError, match=f"list the runs: {answer}"):
        collection(api.url, retries=0).run()


def test_a_slow_workspace_is_waited_for_so_long_and_no_longer(api: DatabricksApi) -> None:
    api.broken[LIST] = "slow"
    with pytest.raises(TransientSourceError, match=r"no answer within 0\.2 s, 1 times"):
        collection(api.url, retries=0, timeout_seconds=0.2).run()


def test_a_pause_of_an_hour_is_not_taken(api: DatabricksApi) -> None:
    """The SDK would sleep as long as the server asks, and only then look at its deadline."""
    api.retry_after = "3600"
    api.broken[LIST] = 429
    with pytest.raises(FailingError):
        collection(api.url, retries=0).run()
    assert len(api.paths(LIST)) == 1


def test_a_workspace_that_is_down_is_an_outage() -> None:
    with DatabricksApi() as gone:
        url = gone.url
    with pytest.raises(
        TransientSourceError, match=f"Databricks at {url[7:]}: list the runs: the connection failed"
    ):
        collection(url, retries=0).run()


def test_an_outage_in_the_middle_keeps_what_came_before(api: DatabricksApi) -> None:
    records = collect(collection(api.url, retries=0).request())
    assert next(records)["run_id"] == "1"
    api.broken[LIST] = 503
    assert next(records)["run_id"] == "2", "of the page that was answered"
    with pytest.raises(TransientSourceError, match="list the runs"):
        next(records)


def test_an_expired_token_is_said_and_never_shown(api: DatabricksApi) -> None:
    api.tokens = {"another"}
    with pytest.raises(
        PermanentSourceError, match=r"HTTP 401\..*Renew the token: spark\.databricks_token"
    ) as caught:
        collection(api.url).run()
    assert TOKEN not in str(caught.value)
    assert "dapi" not in str(caught.value.__cause__)


def test_a_token_that_expires_in_the_middle_stops_the_collection(api: DatabricksApi) -> None:
    api.broken["/clusters/get"] = 401
    with pytest.raises(PermanentSourceError, match="HTTP 401"):
        collection(api.url).run()


def test_no_permission_to_list_is_said(api: DatabricksApi) -> None:
    api.broken[LIST] = 403
    with pytest.raises(PermanentSourceError, match=r"list the runs: HTTP 403\..*may view jobs and clusters"):
        collection(api.url).run()


@pytest.mark.parametrize("fault", ["html", "list"])
def test_what_answers_no_json_object_is_no_workspace(api: DatabricksApi, fault: str) -> None:
    api.broken[LIST] = fault
    with pytest.raises(PermanentSourceError, match="an answer that is not JSON"):
        collection(api.url).run()


def test_a_page_token_that_never_changes_ends(api: DatabricksApi) -> None:
    api.stuck, api.page_size = True, 25
    api.runs = [run(number) for number in range(1, 60)]
    with pytest.raises(PermanentSourceError, match="every page with the same token"):
        collection(api.url).run()


@pytest.mark.parametrize(
    "url", ["http://adb.example.com", "https://", "http://127.0.0.1:0", "https://[::1", "ftp://x"]
)
def test_an_address_that_is_none_or_would_show_the_token_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="looks like https://"):
        collection(url).run()


def test_without_an_address_the_setting_is_named() -> None:
    with pytest.raises((SettingsError, PermanentSourceError), match=r"spark\.databricks_host"):
        Collection(collect, {"databricks_token": TOKEN}).run()


def test_without_credentials_it_is_said_where_they_go(api: DatabricksApi) -> None:
    with pytest.raises(
        PermanentSourceError, match=r"find address and credentials.*Set spark\.databricks_token"
    ):
        collection(api.url, token=None).run()


def test_the_credentials_of_the_sdk_are_used_where_none_are_set(
    api: DatabricksApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", api.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    assert len(Collection(collect, {"retries": 0}).run()) == 3


def test_the_address_of_the_request_comes_first(api: DatabricksApi) -> None:
    assert len(collection("https://elsewhere.example.com").run(url=api.url)) == 3


def test_without_the_sdk_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "databricks.sdk.core", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'metaplat\[databricks\]'"):
        collection("https://adb.example.com").run()
