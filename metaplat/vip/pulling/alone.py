"""One pull at a time for each configuration on a machine.

Here: the lock. It ends with its process, however that ends.
Not here: pulls on two machines; there the vendor's slot decides, and state is shared.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from metaplat.stores.local_errors import writing_error
from metaplat.vip.pulling.remembered import FOLDER, safe_segment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import TextIOWrapper
    from pathlib import Path

    from metaplat.settings import Settings
    from metaplat.vip.pulling.bench import Tell


@contextmanager
def alone(settings: Settings, tell: Tell) -> Iterator[None]:
    """Wait until nobody else on this machine works on the extracts of the configuration, and keep others out.

    Raises
    ------
    TransientStoreError, PermanentStoreError
        The lock's file, in ``home``, cannot be written.
    """
    path = settings.home / FOLDER / f"{safe_segment(settings.vip.config)}.lock"
    try:
        file = _locked(path, settings.vip.config, tell)
    except OSError as error:
        raise writing_error(settings.home, f"take the lock of {settings.vip.config}", error) from None
    with file:
        yield


def _locked(path: Path, config_name: str, tell: Tell) -> TextIOWrapper:
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        file = opened.enter_context(path.open("a"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(f"another pull of {config_name} is running on this machine; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        opened.pop_all()
        return file
