"""Saved kubectl output in all its forms, and files that are not what they should be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import InvalidInputError, PermanentSourceError, UsageError
from metaplat_tests.standins.kubernetes_api import items_of
from metaplat_tests.standins.kubernetes_collection import RECORDED, from_files, save
from metaplat_tests.standins.kubernetes_objects import at, condition, container, ended, failed, job, pod

if TYPE_CHECKING:
    from pathlib import Path

APIS = {"jobs": ("Job", "batch/v1"), "pods": ("Pod", "v1"), "events": ("Event", "v1")}


def recorded(plural: str, *, named: bool) -> list[dict[str, Any]]:
    """Return recorded items, each with kind and apiVersion as kubectl adds them where ``named``."""
    kind, version = APIS[plural]
    added = {"kind": kind, "apiVersion": version} if named else {}
    return [{**added, **item} for item in items_of(RECORDED / f"{plural}.json")]


def write(file: Path, content: object) -> Path:
    """Write JSON."""
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def test_a_mixed_list_in_one_file_gives_the_same_as_a_folder_of_api_lists(tmp_path: Path) -> None:
    items = [item for plural in ("events", "jobs", "pods") for item in recorded(plural, named=True)]
    file = write(tmp_path / "all.txt", {"kind": "List", "apiVersion": "v1", "items": items})
    assert from_files(file) == from_files(RECORDED)


def test_lists_of_unnamed_items_are_told_apart_by_shape_whatever_the_file_is_called(tmp_path: Path) -> None:
    for name, plural in (("one", "pods"), ("two", "events"), ("three", "jobs")):
        write(tmp_path / f"{name}.json", {"kind": "List", "items": recorded(plural, named=False)})
    assert from_files(tmp_path) == from_files(RECORDED)


def test_single_objects_and_bare_arrays_are_read_too(tmp_path: Path) -> None:
    write(tmp_path / "one.json", recorded("jobs", named=True)[1])
    write(tmp_path / "pods.json", recorded("pods", named=False))
    collected = from_files(tmp_path)
    assert collected.only["failure_reason"] == "OOMKilled"
    assert ["no list of Events" in line for line in collected.warnings] == [True]


def test_files_of_other_kinds_are_ignored(tmp_path: Path) -> None:
    save(tmp_path, jobs=[job()], pods=[], events=[])
    deployment = {"metadata": {"name": "web"}, "spec": {"template": {}, "replicas": 2}, "status": {}}
    volcano = {"kind": "Job", "apiVersion": "batch.volcano.sh/v1alpha1", **job("volcano")}
    write(tmp_path / "nodes.json", {"kind": "NodeList", "items": items_of(RECORDED / "nodes.json")})
    write(tmp_path / "deployments.json", {"kind": "List", "items": [deployment]})
    write(tmp_path / "volcano.json", volcano)
    write(tmp_path / "settings.json", {"theme": "dark"})
    write(tmp_path / "number.json", 5)
    (tmp_path / "notes.txt").write_text("not JSON at all", encoding="utf-8")
    collected = from_files(tmp_path)
    assert (collected.only["job_name"], collected.warnings) == ("load", [])


def test_several_files_of_a_kind_are_merged_and_the_newest_writing_of_a_job_wins(tmp_path: Path) -> None:
    running, done = job("load"), job("load", condition("Complete"), status={"completionTime": at("02:20")})
    running["metadata"]["resourceVersion"], done["metadata"]["resourceVersion"] = "99", "100"
    write(tmp_path / "jobs-1.json", {"kind": "JobList", "items": [done]})
    write(tmp_path / "jobs-2.json", {"kind": "JobList", "items": [running, job("other")]})
    attempt = pod("a", container(ended("Completed", 0)), phase="Succeeded")
    write(tmp_path / "pods-1.json", {"kind": "PodList", "items": [attempt]})
    write(tmp_path / "pods-2.json", {"kind": "PodList", "items": [attempt]})
    collected = from_files(tmp_path)
    assert {record["job_name"]: record["status"] for record in collected.records} == {
        "load": "SUCCESS",
        "other": "RUNNING",
    }
    assert collected["load"]["attempts"] == 1


def test_two_runs_under_one_job_name_stay_two(tmp_path: Path) -> None:
    jobs = [job("load", uid="first"), job("load", uid="second")]
    assert [record["job_id"] for record in from_files(save(tmp_path, jobs=jobs)).records] == [
        "first",
        "second",
    ]


def test_jobs_without_uid_are_all_kept(tmp_path: Path) -> None:
    jobs = [job("a", uid=None), job("b", uid=None)]
    assert [record["job_id"] for record in from_files(save(tmp_path, jobs=jobs)).records] == [None, None]


def test_without_a_pod_list_the_fields_of_pods_are_unknown_and_said_so(tmp_path: Path) -> None:
    collected = from_files(save(tmp_path, jobs=[job("load", failed("DeadlineExceeded"))]) / "jobs.json")
    record = collected.only
    assert (record["attempts"], record["pod_failure_reasons"]) == (None, None)
    assert (record["failure_reason"], record["error_details"]["exit_code"]) == ("DeadlineExceeded", None)
    assert ["Pods" in line or "Events" in line for line in collected.warnings] == [True, True]


def test_an_empty_pod_list_is_known_to_be_empty(tmp_path: Path) -> None:
    collected = from_files(save(tmp_path, jobs=[job()], pods=[], events=[]))
    assert (collected.only["attempts"], collected.only["pod_failure_reasons"]) == (0, [])
    assert collected.warnings == []


def test_an_empty_job_list_gives_nothing_and_no_error(tmp_path: Path) -> None:
    assert from_files(save(tmp_path, jobs=[])).records == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_redirected_by_powershell_are_read(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "jobs.json"
    file.write_text(json.dumps({"kind": "JobList", "items": [job("größe")]}), encoding=encoding)
    assert from_files(file).only["job_name"] == "größe"


def test_no_path_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="needs a path"):
        from_files(None)


def test_a_path_that_does_not_exist_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(PermanentSourceError, match=r"read .*nowhere: No such file or directory") as caught:
        from_files(tmp_path / "nowhere")
    assert "\n" not in str(caught.value)


def test_a_folder_without_jobs_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no list of Jobs found"):
        from_files(save(tmp_path, pods=[pod("a")]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"  \n", "the file is empty"),
        (b"No resources found", "not JSON at line 1 column 1"),
        (b'{"items": [\n{"metadata": {"name": "a"', "not JSON at line 2"),
        (b'{"a": "\xff"}', "not Unicode text at byte 7"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b'{"kind": "JobList", "items": {}}', "items is dict, not a list"),
    ],
)
def test_a_broken_file_is_one_line_with_its_name_and_the_position(
    tmp_path: Path, content: bytes, said: str
) -> None:
    save(tmp_path, jobs=[job()])
    (tmp_path / "jobs-2.json").write_bytes(content)
    with pytest.raises(InvalidInputError) as caught:
        from_files(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'jobs-2.json'}: {said}")
    assert "\n" not in str(caught.value)


def test_every_prefix_of_a_file_is_refused_with_its_name(tmp_path: Path) -> None:
    content = json.dumps({"kind": "JobList", "items": [job()]}).encode()
    file = tmp_path / "jobs.json"
    for length in range(0, len(content), 7):
        file.write_bytes(content[:length])
        with pytest.raises(InvalidInputError, match=r"jobs\.json"):
            from_files(file)
