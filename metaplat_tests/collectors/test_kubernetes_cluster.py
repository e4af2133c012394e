"""The live source against a server that pages, refuses, stumbles and expires."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import PermanentSourceError, TransientSourceError, UsageError
from metaplat_tests.standins.kubernetes_api import KubernetesApi, items_of
from metaplat_tests.standins.kubernetes_collection import RECORDED, from_files, from_server, save
from metaplat_tests.standins.kubernetes_objects import container, ended, event, failed, job, pod

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = {True: 1.0, False: 60.0}
"""Seconds until a server is given up that is slow, and one that is not: a busy machine must not look slow."""
TOKEN = "token-that-nobody-may-see"
JOB, POD, EVENT = (items_of(RECORDED / f"{plural}.json") for plural in ("jobs", "pods", "events"))


@pytest.fixture(autouse=True)
def _no_configuration_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "no-kubeconfig"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


def kubeconfig(folder: Path, url: str, token: str) -> Path:
    """Write a kubeconfig with two contexts: ``right`` and, current, ``wrong``."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "wrong",
        "clusters": [{"name": "here", "cluster": {"server": url}}],
        "users": [
            {"name": "right", "user": {"token": token}},
            {"name": "wrong", "user": {"token": f"stale-{token}"}},
        ],
        "contexts": [
            {"name": name, "context": {"cluster": "here", "user": name}} for name in ("right", "wrong")
        ],
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML
    return file


def names(collected: Any) -> list[str]:
    """Return the Jobs' own names."""
    return [record["kubernetes_job_name"] for record in collected.records]


@pytest.mark.parametrize("page_size", [1, 7, 24, 500])
def test_a_server_and_saved_files_give_the_same_records_whatever_the_page_size(page_size: int) -> None:
    with KubernetesApi(JOB, POD, EVENT) as api:
        assert from_server(api.url, page_size=page_size) == from_files(RECORDED)


def test_planted_objects_give_the_same_from_server_and_files(tmp_path: Path) -> None:
    jobs = [job("load", failed()), job("other", failed("DeadlineExceeded")), {"metadata": "broken"}]
    pods = [pod("a", container(ended("Error", 1))), pod("b", of="other", phase="Pending")]
    events = [event("FailedMount", "b", "timed out"), event("FailedMount", "a")]
    with KubernetesApi(jobs, pods, events) as api:
        live = from_server(api.url, page_size=1)
    assert live == from_files(save(tmp_path, jobs=jobs, pods=pods, events=events))
    assert live["other"]["failure_reason"] == "MountFailure"


def test_only_the_namespaces_of_the_settings_are_read_each_once() -> None:
    jobs = [job("a", namespace="one"), job("b", namespace="two"), job("c", namespace="three")]
    with KubernetesApi(jobs) as api:
        assert names(from_server(api.url, namespaces=["two", "one", "two"])) == ["b", "a"]
        assert all("/namespaces/" in path for path in api.requests)


def test_an_expired_list_is_read_anew_without_duplicates() -> None:
    with KubernetesApi(JOB, POD, EVENT, expiring=2) as api:
        assert from_server(api.url, page_size=10) == from_files(RECORDED)
        first_pages = [path for path in api.requests if "/jobs" in path and "continue" not in path]
    assert len(first_pages) == 3


def test_warnings_of_an_expired_list_are_not_repeated() -> None:
    with KubernetesApi([{"metadata": {}}, job("a"), job("b")], expiring=1) as api:
        assert from_server(api.url, page_size=2).warnings == [
            "Job without a name left out: metadata.name is missing"
        ]


def test_a_list_that_keeps_expiring_is_given_up_as_transient() -> None:
    with (
        KubernetesApi(JOB, expiring=99) as api,
        pytest.raises(TransientSourceError, match=r"expired \(410\).*page_size"),
    ):
        from_server(api.url, page_size=10)


def test_forbidden_pods_cost_their_fields_and_one_warning() -> None:
    with KubernetesApi(JOB, POD, EVENT, denied=["pods"]) as api:
        collected = from_server(api.url)
    record = collected["cust-001"]
    assert (record["attempts"], record["pod_failure_reasons"]) == (None, None)
    assert (record["failure_reason"], record["duration_minutes"]) == ("BackoffLimitExceeded", 9.0)
    (warning,) = collected.warnings
    assert "list Pods in all namespaces: HTTP 403 Forbidden" in warning
    assert "Grant the verb list on pods" in warning


def test_forbidden_events_cost_one_warning_and_pods_still_tell() -> None:
    with KubernetesApi(JOB, POD, EVENT, denied=["events"]) as api:
        collected = from_server(api.url)
    assert collected["cust-001"]["failure_reason"] == "OOMKilled"
    (warning,) = collected.warnings
    assert "list Events" in warning


def test_forbidden_pods_of_one_namespace_cost_only_its_fields() -> None:
    jobs = [job("a", namespace="one"), job("b", namespace="two")]
    with KubernetesApi(jobs, denied=["pods/one"]) as api:
        collected = from_server(api.url, namespaces=["one", "two"])
    assert [record["attempts"] for record in collected.records] == [None, 0]


def test_forbidden_jobs_are_a_permanent_error_that_says_what_to_grant() -> None:
    with (
        KubernetesApi(JOB, denied=["jobs"]) as api,
        pytest.raises(PermanentSourceError, match=r"HTTP 403.*Grant the verb list on jobs"),
    ):
        from_server(api.url)


def test_forbidden_jobs_of_one_namespace_do_not_sink_the_others() -> None:
    jobs = [job("a", namespace="one"), job("b", namespace="two")]
    with KubernetesApi(jobs, denied=["jobs/one"]) as api:
        collected = from_server(api.url, namespaces=["one", "two"])
    assert names(collected) == ["b"]
    assert ["list Jobs in namespace one: HTTP 403" in line for line in collected.warnings] == [True]


@pytest.mark.parametrize("fault", [500, 503, 429, "cut", "dropped", "html", "slow"])
def test_a_server_that_stumbles_once_is_asked_again(fault: int | str) -> None:
    with KubernetesApi(JOB, POD, EVENT, faults=[fault]) as api:
        assert from_server(api.url, timeout_seconds=PATIENCE[fault == "slow"]) == from_files(RECORDED)
        assert len(api.requests) == 4


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (503, "HTTP 503 Service Unavailable"),
        ("slow", "ReadTimeoutError"),
        ("cut", "no complete answer"),
        ("html", "an answer that is not JSON"),
    ],
)
def test_a_server_that_keeps_stumbling_is_a_transient_error(fault: int | str, said: str) -> None:
    with (
        KubernetesApi(JOB, faults=[fault] * 20) as api,
        pytest.raises(TransientSourceError, match=said) as caught,
    ):
        from_server(api.url, timeout_seconds=PATIENCE[fault == "slow"])
    assert len(api.requests) == 4
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("plural", ["pods", "events"])
def test_a_list_that_cannot_be_read_for_now_fails_the_collection_rather_than_land_nulls(plural: str) -> None:
    with (
        KubernetesApi(JOB, POD, EVENT, failing=[plural]) as api,
        pytest.raises(TransientSourceError, match=f"list {plural.title()}.*HTTP 500"),
    ):
        from_server(api.url)


def test_an_unreachable_server_is_a_transient_error_without_the_query() -> None:
    with KubernetesApi() as api:
        url = api.url
    with pytest.raises(TransientSourceError) as caught:
        from_server(f"{url}?token={TOKEN}")
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("status", [400, 404])
def test_other_refusals_are_permanent_at_once(status: int) -> None:
    with (
        KubernetesApi(faults=[status]) as api,
        pytest.raises(PermanentSourceError, match=f"HTTP {status}"),
    ):
        from_server(api.url)
    assert len(api.requests) == 1


def test_a_kubeconfig_and_its_context_are_followed_and_not_rewritten(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with KubernetesApi(JOB, POD, EVENT, token=TOKEN) as api:
        file = kubeconfig(tmp_path, api.url, TOKEN)
        before = file.read_bytes()
        monkeypatch.setenv("KUBECONFIG", os.pathsep.join([str(tmp_path / "absent"), str(file)]))
        assert from_server(None, context="right") == from_files(RECORDED)
        assert file.read_bytes() == before


def test_refused_credentials_are_permanent_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with KubernetesApi(JOB, token=TOKEN) as api:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, api.url, TOKEN)))
        with pytest.raises(PermanentSourceError, match="HTTP 401 Unauthorized") as caught:
            from_server(None)
    assert TOKEN not in str(caught.value)
    assert len(api.requests) == 1


def test_a_given_address_is_read_without_the_credentials_of_the_kubeconfig(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with KubernetesApi(JOB, token=TOKEN) as api:
        file = kubeconfig(tmp_path, "http://127.0.0.1:9", TOKEN)
        monkeypatch.setenv("KUBECONFIG", str(file))
        with pytest.raises(PermanentSourceError, match="HTTP 401"):
            from_server(api.url, context="right")


@pytest.mark.parametrize("content", ["", "- a list", "users: [{name: " + TOKEN, "current-context: " + TOKEN])
def test_a_broken_kubeconfig_is_one_line_that_repeats_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(content, encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(file))
    with pytest.raises(PermanentSourceError, match="read the kubeconfig") as caught:
        from_server(None)
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_kubeconfig_and_cluster_the_error_says_what_to_set() -> None:
    with pytest.raises(PermanentSourceError, match="Check KUBECONFIG"):
        from_server(None)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8001", "ftp://host", "http://", "http://host:port", "http://[::1"]
)
def test_an_address_that_is_none_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="looks like http"):
        from_server(url)


def test_an_https_address_that_answers_without_tls_is_a_transient_error() -> None:
    with KubernetesApi(JOB) as api, pytest.raises(TransientSourceError, match=r"TLS|no complete answer"):
        from_server(api.url.replace("http:", "https:"))


def test_an_error_body_that_is_not_text_is_told_like_any_other() -> None:
    with (
        KubernetesApi(JOB, faults=["binary 400"]) as api,
        pytest.raises(PermanentSourceError, match="HTTP 400"),
    ):
        from_server(api.url)


def test_a_proxy_of_the_environment_is_not_asked_for_a_server_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with KubernetesApi(JOB, POD, EVENT) as api:
        assert from_server(api.url) == from_files(RECORDED)
