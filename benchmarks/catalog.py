"""The observation catalog: extraction against the well-kept libraries, ingest, and the index with many rows.

Each part can be run alone (``python -m benchmarks.catalog_extraction`` and so on); its module says what is
measured, and how sizes are set.
"""

from __future__ import annotations

from benchmarks.catalog_extraction import extraction
from benchmarks.catalog_index import index_lines
from benchmarks.catalog_ingest import ingest_lines


def measure() -> list[tuple[str, str, str]]:
    """Return rows of (what, figure, target)."""
    return [*extraction(), *ingest_lines(), *index_lines()]


if __name__ == "__main__":
    for line in measure():
        print(*line, sep=" | ")
