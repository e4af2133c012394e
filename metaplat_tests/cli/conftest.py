"""The command line, called in this process or as a process of its own, each test with a home of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from metaplat.cli.main import main
from metaplat_tests.standins.bound_process import bound

METAPLAT = Path(sys.executable).with_name("metaplat")
KUBERNETES = Path(__file__).parents[1] / "data" / "kubernetes"


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document that was printed."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The JSON lines that were printed."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> str:
        """The one line of error, without its beginning."""
        [line] = self.err.splitlines()
        assert line.startswith("error: ")
        return line.removeprefix("error: ")


class Invoke(Protocol):
    """Runs a command in this process."""

    def __call__(self, *arguments: object) -> Answer:
        """Run ``metaplat`` with ``arguments``."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty home, which every command of the test uses; no other setting is made."""
    for name in [name for name in os.environ if name.startswith(("METAPLAT_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("METAPLAT_CONFIG", "restored when the test ends, whatever --config makes of it")
    monkeypatch.delenv("METAPLAT_CONFIG")
    monkeypatch.setenv("METAPLAT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def metaplat(monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Return the function that runs a command in this process."""

    def invoke(*arguments: object) -> Answer:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        monkeypatch.setattr(sys, "argv", ["metaplat", *map(str, arguments)])
        code: object = 0
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
            except SystemExit as ended:
                code = ended.code or 0
        assert isinstance(code, int)
        return Answer(code, _text(out), _text(err))

    return invoke


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def process(*arguments: object, **variables: str) -> subprocess.Popen[str]:
    """Start ``metaplat`` as a process of its own."""
    return _started([str(METAPLAT), *map(str, arguments)], variables)


def bound_process(*arguments: object) -> subprocess.Popen[str]:
    """Start ``metaplat`` as a process that permissions of files bind."""
    return _started(bound(METAPLAT, *arguments), {})


def _started(command: list[str], variables: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer_of(started: subprocess.Popen[str], timeout: float = 600) -> Answer:
    """Wait for a process, and return what it printed."""
    out, err = started.communicate(timeout=timeout)
    return Answer(started.returncode, out, err)


def execution(moment: str, name: str = "etl", **other: Any) -> dict[str, Any]:
    """Return the landed record of an execution that began at ``moment`` (an ISO time in UTC)."""
    return {
        "job_id": f"{name}-{moment}",
        "job_name": name,
        "execution_date": moment,
        "execution_date_source": "startTime",
        "status": "SUCCESS",
        "duration_minutes": 30.0,
        "resources_used": {"peak_memory_gb": 1.5},
        **other,
    }


def write_records(path: Path, *records: dict[str, Any]) -> Path:
    """Write records as NDJSON."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def three_days(folder: Path) -> list[Path]:
    """Write three files, one a day from 2025-11-01 on; the second breaks a rule."""
    folder.mkdir(exist_ok=True)
    missing: dict[str, Any] = {"resources_used": {"peak_memory_gb": None}}
    return [
        write_records(
            folder / "first.ndjson", *(execution(f"2025-11-01T0{hour}:00:00Z") for hour in range(3))
        ),
        write_records(
            folder / "second.ndjson",
            execution("2025-11-02T01:00:00Z", **missing),
            execution("2025-11-02T02:00:00Z", status="FAILED"),
        ),
        write_records(folder / "third.ndjson", execution("2025-11-03T01:00:00Z", "report")),
    ]


def files_below(folder: Path, *names: str) -> dict[str, tuple[int, bytes]]:
    """Return time and content of every file below ``folder``, or below some of its folders."""
    roots = [folder / name for name in names] or [folder]
    paths = (path for root in roots for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}


def contents_below(folder: Path, *names: str) -> dict[str, bytes]:
    """Return the content of every file below ``folder``, or below some of its folders."""
    return {name: content for name, (_, content) in files_below(folder, *names).items()}
