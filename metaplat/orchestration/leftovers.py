"""Runs whose process was killed: Dagster would show them as started for ever, and count them as running.

Here: a lock that lives as long as a run in this process, and ending the runs whose lock nobody holds.
Not here: a process that dies while the server that started it lives: Dagster sees that itself.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dagster as dg

FOLDER = "running"


@contextmanager
def held(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Say that this process works on a run; the kernel takes the word back where the process is killed.

    Where the folder cannot be written, as in a pod, nothing is said: whatever launched the pod watches it.
    """
    path = Path(instance.root_directory, FOLDER, f"{run_id}.lock")
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(_locked(path))
        yield
        with suppress(OSError):
            path.unlink()  # it stays where the run did not come to its end


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    import fcntl

    path.parent.mkdir(exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # steps of one run may have processes of their own
        yield


def end_leftovers(instance: dg.DagsterInstance) -> list[str]:
    """Report the runs of killed processes as failed, and return their ids."""
    ended = []
    for path in Path(instance.root_directory, FOLDER).glob("*.lock"):
        if _is_held(path):
            continue
        run = instance.get_run_by_id(path.stem)
        if run and not run.is_finished:
            instance.report_run_failed(run, "The process of this run was killed; run it again.")
            ended.append(run.run_id)
        path.unlink(missing_ok=True)
    return ended


def _is_held(path: Path) -> bool:
    import fcntl

    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError):  # it is running, or has just ended
        return True
    return False
