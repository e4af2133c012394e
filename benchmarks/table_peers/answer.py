"""What every script is told, and what it answers: one line of JSON.

Standard library only, since every peer imports it.
"""

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

KEY = "customer_user_id"
THREADS = os.cpu_count() or 1
ROWS, WITH_NULLS, SURPLUS = "rows", "rows, NULLs as one group", "surplus rows"
"""What a peer counts: rows whose key occurs again, the same with NULL as a key, or all but one of each."""


@dataclass
class Answer:
    """What was found; ``seconds`` is the time since the imports, ``counts`` what is meant by duplicates.

    ``duplicates`` is None where they are not looked for.
    """

    rows: int
    nulls: int
    duplicates: int | None
    counts: str
    seconds: float = 0.0


def folder() -> Path:
    """Return the folder of the table: the first argument."""
    return Path(sys.argv[1])


def files() -> list[str]:
    """Return the files of the table."""
    return sorted(map(str, folder().glob("id_bucket=*/*.parquet")))


def tell(answer: Answer, start: float) -> None:
    """Print the answer to work begun at ``start``."""
    answer.seconds = time.perf_counter() - start
    print(json.dumps(asdict(answer)))
