"""The engine ``global``: exact over the whole table, whatever decides the bucket."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.monitor.profilers.hashed_count import HashedCount
from metaplat.monitor.profilers.key_figures import figures_frame
from metaplat.monitor.profilers.key_reader import KeyReader
from metaplat.monitor.profilers.profiler import KeyCounts

if TYPE_CHECKING:
    from metaplat.monitor.profilers.profiler import CountRequest


MOST_REQUESTS = 16
"""Buckets fetched side by side: more would cost memory, and bring nothing where a bucket is of usual size."""


@dataclass(frozen=True)
class GlobalProfiler:
    """Compares every key with every other.

    Parameters
    ----------
    memory_rows : int
        Hashes kept in memory, 8 bytes each; beyond that they go to a temporary file.
    threads : int or None
        Buckets read side by side; None means what the store and this machine allow.
    """

    memory_rows: int = 64_000_000
    threads: int | None = None

    def count_keys(self, request: CountRequest) -> KeyCounts:
        """Count the keys of the requested buckets as one table."""
        threads = self.threads or max(min(request.files.parallel, MOST_REQUESTS), os.cpu_count() or 1)
        count = HashedCount(KeyReader(request), threads, self.memory_rows)
        count.run(sorted(request.buckets))
        samples = [sample for bucket in sorted(count.figures) for sample in count.figures[bucket].samples]
        return KeyCounts(figures_frame(count.figures.values()), samples, count.problems)
