"""The stand-in vendor: how jobs end, and what their lists of files say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from metaplat_tests.standins.vip import CANARY, Scenario, VipServer
from metaplat_tests.standins.vip.raw_client import RawClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

NOW = datetime(2022, 2, 8, 8, 10, tzinfo=UTC)
FOLDER = "EXAMPLE/20220208_081000/"
NAMES = [
    "Voyages_0.csv.gz", "Voyages_1.csv.gz", "VoyageItineraries_0.csv.gz", "VoyageItineraries_1.csv.gz",
    "_MasterTableSchema.json", "CreateTables.sql",
]  # fmt: skip


def served(*faults: str, **more: Any) -> AbstractContextManager[VipServer]:
    """Return a server with four data files of two tables, whose clock stands."""
    return VipServer(Scenario(faults=faults, files=4, tables=2, size=2_000, **more), lambda: NOW)


@pytest.fixture
def client() -> Iterator[RawClient]:
    with served() as server:
        yield RawClient(server)


def listed(*faults: str) -> list[dict[str, Any]]:
    """Return the list of a complete job."""
    with served(*faults) as server:
        client = RawClient(server)
        answer = client.files(client.complete_job())
        assert answer.status == 200
        return list(answer.json)


def names(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["key"].rpartition("/")[2] for entry in entries]


def words(*faults: str, polls: int = 4) -> list[str]:
    """Return what a job is said to be, question after question; statuses other than 200 as numbers."""
    with served(*faults) as server:
        client = RawClient(server)
        job_guid = client.export().json["JobGuid"]
        answers = [client.status(job_guid) for _ in range(polls)]
        return [each.json["JobStatus"] if each.status == 200 else str(each.status) for each in answers]


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ((), ["Queued", "Running", "Complete", "Complete"]),
        (("status_failed",), ["Queued", "Running", "Failed", "Failed"]),
        (("status_timed_out",), ["Queued", "Running", "TimedOut", "TimedOut"]),
        (("status_cancelled",), ["Queued", "Running", "Cancelled", "Cancelled"]),
        (("status_completed",), ["Queued", "Running", "Completed", "Completed"]),
        (("status_unknown_word",), ["Queued", "Replicating", "Complete", "Complete"]),
        (("status_404",), ["404"] * 4),
        (("status_flapping",), ["502", "Queued", "502", "Running"]),
        (("status_never",), ["Running"] * 4),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_a_job_ends_as_the_scenario_says(faults: tuple[str, ...], said: list[str]) -> None:
    assert words(*faults) == said


def test_a_job_also_goes_on_with_the_clock(client: RawClient) -> None:
    job_guid = client.export().json["JobGuid"]
    client.server.advance(minutes=21)
    assert client.status(job_guid).json["JobStatus"] == "Complete"


def test_an_unknown_job_is_not_found(client: RawClient) -> None:
    assert client.status("00000000-0000-4000-8000-000000000000").status == 404


def test_status_html_is_a_page_once() -> None:
    with served("status_html") as server:
        client = RawClient(server)
        job_guid = client.export().json["JobGuid"]
        assert client.status(job_guid).headers["content-type"] == "text/html"
        assert client.status(job_guid).json == {"JobStatus": "Queued"}


def test_expired_token_midjob_kills_the_tokens_at_the_second_question() -> None:
    with served("expired_token_midjob") as server:
        client = RawClient(server)
        headers = client.bearer()
        job_guid = client.export(headers=headers).json["JobGuid"]
        assert [client.status(job_guid, headers).status for _ in range(3)] == [200, 401, 401]
        assert client.status(job_guid).status == 200


def test_the_list_has_tables_schema_and_script_with_true_sizes_and_secret_addresses(
    client: RawClient,
) -> None:
    job_guid = client.complete_job()
    entries = client.files(job_guid).json
    assert [entry["key"] for entry in entries] == [FOLDER + name for name in NAMES]
    assert {entry["key"]: entry["size"] for entry in entries} == client.server.sizes(job_guid)
    assert all(entry["presignedDownloadURL"].count(CANARY) == 3 for entry in entries)


def test_each_list_has_new_signatures(client: RawClient) -> None:
    job_guid = client.complete_job()
    first, second = (
        {entry["presignedDownloadURL"] for entry in client.files(job_guid).json} for _ in range(2)
    )
    assert first.isdisjoint(second)


def test_the_schema_file_names_the_tables_and_their_fields(client: RawClient) -> None:
    job_guid = client.complete_job()
    content = json.loads(client.server.expected_bytes(job_guid, f"{FOLDER}_MasterTableSchema.json"))
    assert [each["DataObjectName"] for each in content] == ["Voyages", "VoyageItineraries"]
    assert content[0]["Fields"][0] == {"Name": "VoyagesID", "Type": "bigint", "Nullable": False}


def test_each_table_has_one_to_four_files_where_no_number_is_asked_for() -> None:
    with VipServer(Scenario(), lambda: NOW) as server:
        job_guid = RawClient(server).complete_job()
        tables = [
            key.rpartition("/")[2].partition("_")[0] for key in server.sizes(job_guid) if "_" in key[9:]
        ]
        counts = {tables.count(table) for table in tables if table and table != "CreateTables.sql"}
        assert counts == {1, 2, 3, 4}


def test_the_list_can_be_filtered_and_without_papers(client: RawClient) -> None:
    job_guid = client.complete_job()
    assert names(client.files(job_guid, fileFilter="Voyages_*").json) == NAMES[:2]
    assert names(client.files(job_guid, hideMetaData="True").json) == NAMES[:4]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"apiToken": "wrong"}, 401),
        ({"environmentType": "Staging"}, 400),
        ({"expirationInMinutes": "0"}, 400),
        ({"expirationInMinutes": "soon"}, 400),
        ({"jobGuid": "another"}, 404),
        ({"company": "OTHER"}, 404),
    ],
    ids=str,
)
def test_a_wrong_question_for_the_list_is_refused(
    client: RawClient, changed: dict[str, str], status: int
) -> None:
    assert client.files(**{"job_guid": client.complete_job(), **changed}).status == status


def test_an_access_token_opens_the_list_as_well(client: RawClient) -> None:
    job_guid = client.complete_job()
    assert client.files(job_guid, apiToken=client.token().json["access_token"]).status == 200


def test_a_job_that_runs_has_no_list(client: RawClient) -> None:
    assert client.files(client.export().json["JobGuid"]).status == 409


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("list_401", [401, 6, 6]),
        ("list_409_first", [409, 409, 6]),
        ("list_500_first", [500, 500, 6]),
        ("list_empty_first", [0, 0, 6]),
        ("list_empty", [0, 0, 0]),
        ("list_growing", [3, 6, 6]),
    ],
)
def test_the_list_may_come_late(fault: str, seen: list[int]) -> None:
    with served(fault) as server:
        client = RawClient(server)
        job_guid = client.complete_job()
        answers = [client.files(job_guid) for _ in range(3)]
        assert [len(each.json) if each.status == 200 else each.status for each in answers] == seen


@pytest.mark.parametrize(
    ("fault", "changed"),
    [
        ("list_missing_table", NAMES[2:]),
        ("list_extra_table", [*NAMES, "Surprises_0.csv.gz"]),
        ("list_duplicate_keys", [*NAMES, NAMES[0]]),
        ("list_duplicate_sizes", [*NAMES, NAMES[0]]),
        ("list_same_name_two_folders", [*NAMES, NAMES[0]]),
        ("list_dotdot", [*NAMES, "x.csv", ".."]),
        ("list_backslash", [*NAMES, "..\\..\\x.csv"]),
        ("list_percent", [*NAMES, "%2e%2e%2fx.csv"]),
        ("list_nul", [*NAMES, "Voyages\0_9.csv.gz"]),
        ("list_long_name", [*NAMES, "L" * 2_040 + "_0.csv"]),
        ("list_reserved_name", [*NAMES, "_manifest.json", "_PresignedUrls.json"]),
        ("list_markup_name", [*NAMES, "<img src=x onerror=alert(1)>_0.csv"]),
    ],
)
def test_the_list_may_name_what_it_should_not(fault: str, changed: list[str]) -> None:
    assert names(listed(fault)) == changed


def test_what_only_a_fault_lists_can_be_downloaded() -> None:
    with served(
        "list_dotdot", "list_nul", "list_long_name", "list_markup_name", "list_extra_table"
    ) as server:
        client = RawClient(server)
        job_guid = client.complete_job()
        for entry in client.files(job_guid).json:
            body = client.get(entry["presignedDownloadURL"]).body
            assert body == server.expected_bytes(job_guid, entry["key"])


def test_duplicates_have_one_key_and_one_size_or_two_or_two_keys() -> None:
    def first_and_last(fault: str) -> tuple[bool, int]:
        entries = listed(fault)
        return entries[-1]["key"] == entries[0]["key"], entries[-1]["size"] - entries[0]["size"]

    assert first_and_last("list_duplicate_keys") == (True, 0)
    assert first_and_last("list_duplicate_sizes") == (True, 1_000)
    assert first_and_last("list_same_name_two_folders") == (False, 0)


def test_sizes_may_be_wrong_absent_or_nothing() -> None:
    right = listed()[0]["size"]
    assert listed("list_wrong_size")[0]["size"] == right + 1_000
    assert listed("list_zero_but_full")[0]["size"] == 0
    assert "size" not in listed("list_no_size")[0]


def test_list_size_zero_is_a_file_of_no_bytes_and_list_zero_but_full_is_not() -> None:
    for fault, served_bytes in (("list_size_zero", False), ("list_zero_but_full", True)):
        with served(fault) as server:
            client = RawClient(server)
            entry = client.files(client.complete_job()).json[0]
            assert entry["size"] == 0
            answer = client.get(entry["presignedDownloadURL"])
            assert (answer.status, bool(answer.body)) == (200, served_bytes)


def test_checksums_are_told_where_asked_for_and_may_be_wrong() -> None:
    for fault, wrong in (("list_checksum", []), ("list_checksum_wrong", [NAMES[0]])):
        with served(fault) as server:
            client = RawClient(server)
            job_guid = client.complete_job()
            entries = client.files(job_guid).json
            told = {entry["key"]: entry["checksum"] for entry in entries}
            true = {key: sha256(server.expected_bytes(job_guid, key)).hexdigest() for key in told}
            assert [key for key in told if told[key] != true[key]] == [FOLDER + name for name in wrong]
            assert true == {key: server.expected_sha256(job_guid, key) for key in told}


@pytest.mark.parametrize(
    ("fault", "start"),
    [
        ("list_foreign_host", "https://files.example.com/"),
        ("list_http", "http://bucket.s3.amazonaws.com/"),
        ("list_link_local", "http://169.254.169.254/"),
        ("list_private", "https://10.0.0.1/"),
        ("list_user_info", "http://user:password@127.0.0.1:"),
    ],
)
def test_an_address_may_lead_elsewhere_for_the_victims_only(fault: str, start: str) -> None:
    addresses = [entry["presignedDownloadURL"] for entry in listed(fault)]
    assert addresses[0].startswith(start)
    assert {urlsplit(each).hostname for each in addresses[1:]} == {"127.0.0.1"}


def test_all_files_can_be_victims() -> None:
    with served("list_http", victims=None) as server:
        client = RawClient(server)
        entries = client.files(client.complete_job()).json
        assert [each["presignedDownloadURL"].startswith("http://bucket") for each in entries] == [
            True
        ] * 4 + [False] * 2


def test_the_list_may_be_no_list_too_deep_or_too_large() -> None:
    faults = ("list_not_list", "list_deep_json", "list_oversized")
    bodies = []
    for fault in faults:
        with served(fault) as server:
            client = RawClient(server)
            bodies.append(client.files(client.complete_job()).body)
    assert bodies[0] == b'{"files": []}'
    assert bodies[1].startswith(b"[" * 200)
    assert len(bodies[2]) > 33 << 20
