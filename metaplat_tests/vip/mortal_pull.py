"""A pull in a process of its own that kills itself at a chosen moment: nothing of it can tidy up.

Run as ``python -m metaplat_tests.vip.mortal_pull SETTINGS MOMENT NUMBER``; settings are JSON of section
``vip``, and ``home``. Moments are ``before`` or ``after`` the n-th saving of state, ``bytes`` transferred, or
``never``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from metaplat.settings import Settings, VipSettings
from metaplat.stores.local_objects import LocalObjects
from metaplat.vip.pulling.document import extract_document
from metaplat.vip.pulling.pull import pull

if TYPE_CHECKING:
    from metaplat.model.landed import ObjectInfo

NOW = datetime(2022, 2, 8, 8, 10, tzinfo=UTC)


class MortalObjects(LocalObjects):
    """A store of state that ends the process before or after one of its writes."""

    def put(self, key: str, content: bytes) -> ObjectInfo:
        """Replace ``key``, and maybe die."""
        SAVINGS.append(key)
        self._die("before")
        written = super().put(key, content)
        self._die("after")
        return written

    def _die(self, moment: str) -> None:
        if sys.argv[2] == moment and len(SAVINGS) == int(sys.argv[3]):
            die()


SAVINGS: list[str] = []


def die() -> None:
    """End this process as nobody can prevent."""
    os.kill(os.getpid(), signal.SIGKILL)


def watch(what: str, done: int, total: int) -> None:
    """Die once so many bytes came."""
    del what, total
    if sys.argv[2] == "bytes" and done >= int(sys.argv[3]):
        die()


def main() -> None:
    """Pull, and print the document and how often state was saved."""
    given = json.loads(sys.argv[1])
    settings = Settings(home=Path(given["home"]), vip=VipSettings(**given["vip"]))
    pulled = pull(settings, MortalObjects(settings.home / "state"), lambda: NOW, progress=watch)
    print(json.dumps({"savings": len(SAVINGS), **extract_document(pulled.extract)}))  # noqa: T201


if __name__ == "__main__":
    main()
