"""What every way of reading a log answers: totals, and the CPU seconds after its imports."""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

CHUNK = 1 << 20


def files() -> list[Path]:
    """Return the logs that are the arguments."""
    return [Path(name) for name in sys.argv[1:]]


def chunks(file: Path) -> Iterator[bytes]:
    """Yield what is stored in a file."""
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def tell(totals: Iterable[Mapping[str, int | None]], started: float) -> None:
    """Print the totals of each log, and the seconds of CPU since ``started``."""
    answers = [dict(each) for each in totals]
    print(json.dumps({"totals": answers, "cpu": time.process_time() - started}))
