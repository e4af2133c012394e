"""metaplat: the same table once more, unchanged and with one bucket written anew, and all of it.

Arguments as of ``ours``. Prints one line of JSON: seconds of each.
"""

import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.table_peers.answer import files
from benchmarks.table_peers.ours import profile, the_table
from metaplat.stores.local_objects import LocalObjects

ROUNDS = 9


def main() -> None:
    """Measure each in one process, after a full profile that bears the imports."""
    table = the_table()
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        profile(table, LocalObjects(Path(first)))
        full = _seconds(lambda: profile(table, LocalObjects(Path(second))))
        state = LocalObjects(Path(second))
        unchanged = statistics.median(_seconds(lambda: profile(table, state)) for _ in range(ROUNDS))
        changed = []
        for path in files()[:ROUNDS]:
            os.utime(path)
            changed.append(_seconds(lambda: profile(table, state)))
    print(json.dumps({"full": full, "unchanged": unchanged, "one": statistics.median(changed)}))


def _seconds(work: object) -> float:
    start = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
