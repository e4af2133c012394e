"""A file host as fast as they come: one file, sent from the page cache by the kernel.

Here: ``python -m benchmarks.vip_file_host BYTES FILE`` writes ``FILE``, prints its port and serves it.
Not here: faults and signatures (``metaplat_tests.standins.vip``).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 1 << 20
LONGEST_LINE = 1 << 16


class Host(ThreadingTCPServer):
    """Serves one file to whoever asks for anything."""

    daemon_threads = True

    def __init__(self, file: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.file = file


class Answer(StreamRequestHandler):
    """One connection: request after request, each answered with the whole file."""

    def handle(self) -> None:
        """Answer until the client goes."""
        assert isinstance(self.server, Host)
        while self.rfile.readline(LONGEST_LINE):
            while self.rfile.readline(LONGEST_LINE).strip():
                pass  # its headers
            with self.server.file.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                head = f'HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: "{size}"\r\n\r\n'
                self.connection.sendall(head.encode())
                self.connection.sendfile(file)


@contextmanager
def file_host(size: int) -> Iterator[str]:
    """Run the host of a file of ``size`` bytes in a process of its own; yields the address of the file."""
    with tempfile.TemporaryDirectory(prefix="metaplat-bench-") as folder:
        command = [sys.executable, "-m", "benchmarks.vip_file_host", str(size), str(Path(folder, "file"))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield f"http://127.0.0.1:{int(process.stdout.readline())}/extract/Voyage_0.csv.gz"
            finally:
                process.terminate()


def _serve(size: int, file: Path) -> None:
    block = os.urandom(BLOCK)
    with file.open("wb") as written:
        for begin in range(0, size, BLOCK):
            written.write(block[: size - begin])
    with Host(file) as host:
        print(host.server_address[1], flush=True)
        host.serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), Path(sys.argv[2]))
