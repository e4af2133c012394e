"""What is remembered of extracts, and the document that tells of one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.model.errors import InvalidInputError
from metaplat.model.extract import (
    EXTRACT_FIELDS,
    Extract,
    ExtractFile,
    ExtractStatus,
    FileOutcome,
    PromisedFile,
)
from metaplat.stores.local_objects import LocalObjects
from metaplat.vip.pulling.document import extract_document
from metaplat.vip.pulling.remembered import ExtractMemory
from metaplat.vip.pulling.saved_form import extract_from_json, extract_to_json

if TYPE_CHECKING:
    from pathlib import Path

HOUR = datetime(2022, 2, 8, 8, tzinfo=UTC)
BLANK = Extract("config", "Test", HOUR, "DEV/IMOSDL/Hourly/20220208/08/", ExtractStatus.FAILED)
RUNNING = replace(BLANK, status=ExtractStatus.RUNNING, job_guid="job")

texts = st.text(st.characters(), max_size=20)  # remote: half of a surrogate pair included
maybe_texts = st.none() | texts
counts = st.integers(0, 2**60)
times = st.none() | st.datetimes(timezones=st.just(UTC))
files = st.builds(
    ExtractFile,
    st.builds(PromisedFile, texts, st.none() | counts, maybe_texts),
    st.sampled_from(FileOutcome),
    st.none() | counts,
    maybe_texts,
    maybe_texts,
    maybe_texts,
)
extracts = st.builds(
    Extract,
    config_name=texts,
    environment=texts,
    hour=st.datetimes(timezones=st.just(UTC)),
    folder=texts,
    status=st.sampled_from(ExtractStatus),
    job_guid=maybe_texts,
    job_status=maybe_texts,
    asked_at=times,
    accepted_at=times,
    completed_at=times,
    finished_at=times,
    next_slot=times,
    export_calls=counts,
    transferred_files=counts,
    transferred_bytes=counts,
    seconds=st.none() | st.floats(0, 1e9),
    reason=maybe_texts,
    files=st.lists(files, max_size=3).map(tuple),
)


@pytest.fixture
def memory(tmp_path: Path) -> ExtractMemory:
    return ExtractMemory(LocalObjects(tmp_path))


@given(extracts)
def test_an_extract_comes_back_as_it_was_saved(extract: Extract) -> None:
    assert extract_from_json(extract_to_json(extract)) == extract


@given(st.binary(max_size=50) | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(
    lambda value: json.dumps(value).encode()
))  # fmt: skip
def test_anything_else_is_refused_by_one_kind_of_error(content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="extract: "):
        extract_from_json(content)


@given(extracts)
def test_the_document_has_every_field_of_the_domain_and_is_json(extract: Extract) -> None:
    document = extract_document(extract)
    assert {each.name for each in EXTRACT_FIELDS} <= document.keys()
    assert json.loads(json.dumps(document)) == document
    assert document["files_delivered"] + document["mismatches"] == document["files_promised"]
    assert all(len(each["name"]) <= 200 for each in document["problems"])


def test_a_document_names_a_hundred_problems_at_most() -> None:
    many = tuple(ExtractFile(PromisedFile(f"out/{number}")) for number in range(150))
    document = extract_document(replace(BLANK, files=many))
    assert (len(document["problems"]), document["mismatches"]) == (100, 150)


def test_nothing_is_remembered_of_an_hour_that_was_never_saved(memory: ExtractMemory) -> None:
    assert memory.load("config", HOUR) is None
    assert memory.unfinished("config", HOUR) == []


def test_configurations_and_hours_are_kept_apart(memory: ExtractMemory) -> None:
    names = ["a", "b", "a/b", "..", ".", "ü %2F"]
    for number, name in enumerate(names):
        for later in range(2):
            hour = HOUR + timedelta(hours=later)
            memory.save(replace(BLANK, config_name=name, hour=hour, export_calls=number * 2 + later))
    found = [memory.load(name, HOUR + timedelta(hours=later)) for name in names for later in range(2)]
    assert [each.export_calls for each in found if each] == list(range(12))
    assert [each.hour for each in memory.load_range("a", HOUR, HOUR).values()] == [HOUR]


def test_a_range_holds_its_two_ends_and_all_between_in_order(memory: ExtractMemory) -> None:
    hours = [HOUR + timedelta(hours=number) for number in range(40)]
    for hour in reversed(hours):
        memory.save(replace(BLANK, hour=hour))
    assert list(memory.load_range("config", hours[3], hours[30])) == hours[3:31]


def test_the_job_of_another_machine_is_not_forgotten(memory: ExtractMemory) -> None:
    memory.save_job(replace(RUNNING, export_calls=1))
    memory.save(replace(BLANK, export_calls=1))
    known = memory.load("config", HOUR)
    assert known is not None
    assert (known.job_guid, known.status) == ("job", ExtractStatus.RUNNING)
    assert memory.load_range("config", HOUR, HOUR) == {HOUR: known}
    assert memory.unfinished("config", HOUR) == [known]


def test_unfinished_are_those_whose_job_may_still_bring_files(memory: ExtractMemory) -> None:
    for number, status in enumerate(ExtractStatus):
        hour = HOUR + timedelta(hours=number * 5)
        memory.save(replace(BLANK, hour=hour, status=status, job_guid="job"))
    memory.save(replace(BLANK, hour=HOUR + timedelta(hours=40)))
    memory.save(replace(RUNNING, hour=HOUR - timedelta(hours=1)))
    found = [each.status for each in memory.unfinished("config", HOUR)]
    assert found == [ExtractStatus.RUNNING, ExtractStatus.INCOMPLETE, ExtractStatus.FAILED]


def test_an_object_that_cannot_be_read_is_named_and_hides_no_other(
    memory: ExtractMemory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    memory.save(RUNNING)
    memory.save(replace(RUNNING, hour=HOUR + timedelta(hours=1)))
    (tmp_path / "vip/config/20220208/08.json").write_bytes(b"{")
    (tmp_path / "vip/config/20220208/notes.txt").write_bytes(b"mine")
    with pytest.raises(InvalidInputError, match=r"vip/config/20220208/08\.json: extract: .*delete it"):
        memory.load("config", HOUR)
    assert [each.hour.hour for each in memory.unfinished("config", HOUR)] == [9]
    assert "08.json" in caplog.text


def test_where_only_the_job_can_still_be_read_it_is_gone_on_with(
    memory: ExtractMemory, tmp_path: Path
) -> None:
    memory.save_job(RUNNING)
    (tmp_path / "vip/config/20220208/08.json").write_bytes(b"{")
    assert memory.load("config", HOUR) == RUNNING
