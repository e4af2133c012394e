"""``metaplat dev`` as a background job: it serves the UI, and ends with everything it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Callable

START_SECONDS = 400
STOP_SECONDS = 200


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def processes_of(home: Path) -> list[str]:
    """Command lines of the processes that serve ``home``, by their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"DAGSTER_HOME={home}/dagster".encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def waited_for(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.5)
    return False


def test_a_background_job_serves_the_ui_and_leaves_no_process_behind(tmp_path: Path) -> None:
    """A shell starts background jobs with SIGINT ignored; Dagster inherited that and could not be stopped."""
    port, home = free_port(), tmp_path / "home"
    job = subprocess.Popen(
        ["/bin/sh", "-c", f"trap '' INT; exec {sys.executable} -m metaplat dev --port {port}"],
        env=os.environ | {"METAPLAT_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert waited_for(lambda: answers(port), START_SECONDS)
        job.send_signal(signal.SIGTERM)
        assert job.wait(STOP_SECONDS) == 0
        assert waited_for(lambda: not processes_of(home), STOP_SECONDS), processes_of(home)
    finally:
        job.kill()
