"""A process that permissions of files bind, also where the tests run as root.

Here: giving up the two capabilities by which root reads everything, before a program starts.
Not here: what is started.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_GIVE_UP = (
    "import ctypes, os, sys; give_up = ctypes.CDLL(None).prctl; "
    "[give_up(24, capability, 0, 0, 0) for capability in (1, 2)]; "  # PR_CAPBSET_DROP, CAP_DAC_*
    "os.execv(sys.argv[1], sys.argv[1:])"
)


def bound(*command: object) -> list[str]:
    """Return the command that runs ``command``, a program by its path, bound by permissions."""
    return [sys.executable, "-c", _GIVE_UP, *map(str, command)]


def refuse(path: Path) -> None:
    """Take every permission off a file or folder; skips the test where that binds nobody."""
    path.chmod(0)
    look = "import os, sys; os.access(sys.argv[1], os.R_OK) and sys.exit(1)"
    if subprocess.run(bound(sys.executable, "-c", look, path), check=False).returncode:
        pytest.skip("permissions bind no process here")
