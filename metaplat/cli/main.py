"""The command's entry point: errors become one line and an exit code.

0 all good, 1 a check failed or an item was rejected, 2 usage or settings error, 3 an outside system failed;
130 where Ctrl-C ended it.
"""

from __future__ import annotations

import sys

from metaplat.cli.output import fail
from metaplat.model.errors import MetaplatError, OutsideError, SettingsError, UsageError
from metaplat.orchestration.interrupts import remembering_interrupts

CHECK_FAILED = 1
USAGE = 2
OUTSIDE = 3
INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit.

    By then the error is let go: its frames hold objects that DuckDB would report as leaked.
    """
    sys.exit(_code())


def _code() -> int:
    try:
        with remembering_interrupts():
            return _run()
    except KeyboardInterrupt:
        return INTERRUPTED


def _run() -> int:
    from metaplat.cli.app import app  # most of the time until a command runs goes into this line

    try:
        app()
    except MetaplatError as error:
        fail(str(error))
        return exit_code(error)
    return 0


def exit_code(error: MetaplatError) -> int:
    """Return the exit code of an error, by whose fault it is."""
    if isinstance(error, SettingsError | UsageError):
        return USAGE
    return OUTSIDE if isinstance(error, OutsideError) else CHECK_FAILED
