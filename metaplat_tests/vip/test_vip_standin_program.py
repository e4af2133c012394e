"""The stand-in vendor as a program of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from metaplat.settings.vip import VipSettings
from metaplat_tests.standins.vip import CANARY, Scenario, VipServer
from metaplat_tests.standins.vip.faults import FAULTS
from metaplat_tests.standins.vip.raw_client import RawClient

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = [sys.executable, "-m", "metaplat_tests.standins.vip"]
HEAVY = {"aiohttp", "boto3", "moto", "numpy", "polars", "pydantic", "metaplat"}


@contextmanager
def running(*options: str, ends_by: int = signal.SIGTERM) -> Iterator[dict[str, Any]]:
    """Run the program, and give what its first line says; it must end well."""
    with subprocess.Popen([*PROGRAM, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(ends_by)
            errors = process.stderr.read()
        assert (process.wait(60), errors, process.stdout.read()) == (0, b"", b"")


def control(told: dict[str, Any], what: str = "", content: object = None) -> Any:
    """Ask the running program how it is, or change it."""
    body = None if content is None else json.dumps(content).encode()
    with urlopen(Request(told["control_url"] + what, body), timeout=60) as answer:
        return json.load(answer)


@pytest.mark.parametrize("ends_by", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_it_says_how_to_reach_it_and_ends_when_asked_to(ends_by: int) -> None:
    with running("--files", "3", "--now", "2022-02-08T08:10", ends_by=ends_by) as told:
        assert told["environment"]["METAPLAT_VIP__AUTH_URL"] == told["auth_url"] == told["api_url"]
        assert told["environment"]["METAPLAT_VIP__CLIENT_SECRET"] == told["client_secret"]
        assert told["environment"]["METAPLAT_VIP__ALLOW_INSECURE"] == "true"
        assert control(told)["virtual_time"].startswith("2022-02-08T08:1")


def test_its_clock_and_its_faults_can_be_changed_from_outside() -> None:
    with running("--fault", "token_html", "--fault", "list_empty", "--now", "2022-02-08T08:10Z") as told:
        assert control(told)["faults"] == ["list_empty", "token_html"]
        assert control(told, "/faults", {"faults": ["file_cut_once"]})["faults"] == ["file_cut_once"]
        assert control(told, "/clock", {"advance_seconds": 7200})["virtual_time"].startswith(
            "2022-02-08T10:1"
        )


@pytest.mark.parametrize(
    ("what", "content", "status"),
    [
        ("/faults", {"faults": ["x"]}, 400),
        ("/clock", {"seconds": 1}, 400),
        ("/clock", [1], 400),
        ("/x", {}, 404),
    ],
    ids=str,
)
def test_a_wrong_change_is_refused(what: str, content: object, status: int) -> None:
    with VipServer() as server, pytest.raises(HTTPError) as refused:
        control({"control_url": f"{server.url}/_standin"}, what, content)
    assert refused.value.code == status
    refused.value.close()


def test_it_lists_every_fault_in_one_line() -> None:
    answer = subprocess.run([*PROGRAM, "--list-faults"], check=True, capture_output=True, text=True)
    lines = dict(line.split(maxsplit=1) for line in answer.stdout.splitlines())
    assert lines == FAULTS


def test_every_fault_is_tried_by_a_test_beside_this_one() -> None:
    tests = "".join(
        path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_vip_standin_*.py")
    )
    assert [name for name in FAULTS if f'"{name}"' not in tests] == []


def test_it_imports_nothing_heavy_and_nothing_of_metaplat() -> None:
    program = (
        "import sys, metaplat_tests.standins.vip.__main__, metaplat_tests.standins.vip.history_tree as t; "
    )
    answer = subprocess.run(
        [sys.executable, "-c", program + "print(*sys.modules)"], check=True, capture_output=True, text=True
    )
    assert HEAVY & set(answer.stdout.split()) == set()


def test_the_settings_of_metaplat_take_what_it_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    from metaplat.settings import load_settings

    with VipServer() as server:
        given = VipSettings(**server.settings)
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        assert load_settings().vip == given
    assert given.client_secret is not None
    assert given.client_secret.get_secret_value() == server.scenario.client_secret


def test_what_it_tells_of_itself_holds_no_secret() -> None:
    with VipServer(Scenario(files=1, tables=1)) as server:
        client = RawClient(server)
        for entry in client.files(client.complete_job()).json:
            client.get(entry["presignedDownloadURL"])
        told = control({"control_url": f"{server.url}/_standin"})
    assert told["bytes_sent"] > 0
    assert CANARY not in json.dumps(told)
