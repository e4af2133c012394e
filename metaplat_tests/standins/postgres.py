"""A real PostgreSQL for tests: a server of its own, in a temporary folder, on a Unix socket.

Here: finding the server's programs, starting and stopping, addresses of it.
Not here: what is stored there (``stores.catalog.postgres_index``).

The server sorts text by ICU's English by default, so that code which forgets to ask for code points is found
out. It ends with the process that started it, also where that is killed.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, PASSWORD, DATABASE = "metaplat", "pa/ss@wo:rd", "archive"
"""The password holds what must be quoted in an address."""
START_SECONDS = 120.0
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "jit": "off",
    "autovacuum_naptime": "5s",
}


def postgres_programs() -> Path | None:
    """Return the folder with ``initdb`` and ``postgres``, the newest of several; None without."""
    found = shutil.which("postgres")
    folders = [Path(found).parent] if found and shutil.which("initdb") else []
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return next(iter([*folders, *(path.parent for path in reversed(debian))]), None)


class PostgresServer:
    """A running server, also as another process sees it.

    Parameters
    ----------
    folder : Path
        Where its socket is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def url(self, user: str = USER, password: str = PASSWORD, database: str = DATABASE) -> str:
        """Return the address of a database as a user."""
        return f"postgresql://{user}:{quote(password, safe='')}@/{database}?host={self.folder}"

    def execute(self, statement: str, database: str = DATABASE) -> list[tuple[object, ...]]:
        """Execute one statement as the owner of everything, outside of a transaction."""
        import psycopg2

        connection = psycopg2.connect(self.url(database=database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


@contextmanager
def running_postgres(programs: Path) -> Iterator[PostgresServer]:
    """Start a server, and stop it at the end; ``programs`` as ``postgres_programs`` found them."""
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path may have 107 bytes, no more
    try:
        _create(programs, folder)
        process = _start(programs, folder)
        try:
            server = PostgresServer(folder)
            _wait(server, process)
            server.execute(f"CREATE DATABASE {DATABASE}", "postgres")
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # "fast": connections are ended
            process.wait(60)
    finally:
        shutil.rmtree(folder)


def _create(programs: Path, folder: Path) -> None:
    password_file = folder / "password"
    password_file.write_text(PASSWORD, encoding="utf-8")
    if owner := _owner():
        for path in (folder, password_file):
            os.chown(path, owner, -1)
    command: list[Path | str] = [
        programs / "initdb",
        "-D",
        folder / "data",
        "-U",
        USER,
        "-A",
        "scram-sha-256",
        "-E",
        "UTF8",
    ]
    command += ["--pwfile", password_file, "--no-sync", "--locale=C.UTF-8"]
    command += ["--locale-provider=icu", "--icu-locale=en"]
    done = subprocess.run(command, user=_owner(), cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def _start(programs: Path, folder: Path) -> subprocess.Popen[bytes]:
    command = [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder)]
    command += [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    prctl = ctypes.CDLL(None).prctl
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            user=_owner(),
            cwd=folder,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: prctl(_DEATH_SIGNAL, signal.SIGINT, 0, 0, 0),
        )


def _wait(server: PostgresServer, process: subprocess.Popen[bytes]) -> None:
    import psycopg2

    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.execute("SELECT 1", "postgres")
        except psycopg2.OperationalError:
            log = (server.folder / "log").read_text(encoding="utf-8", errors="replace")
            assert process.poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.05)
        else:
            return


def _owner() -> int | None:
    """Return the user that the server runs as: it refuses root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
