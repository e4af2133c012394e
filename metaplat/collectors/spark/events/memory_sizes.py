"""Sizes of memory as Spark's properties have them, and the memory that executors reserve.

Here: reading a size; heap and overhead of an executor from properties and resource profiles.
Not here: what was used (``summary``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZE = re.compile(r"\s*(\d{1,15})\s*([kmgtp]?)(?:i?b)?\s*", re.IGNORECASE)
KIB = {"b": 2**-10, "k": 1, "m": 2**10, "g": 2**20, "t": 2**30, "p": 2**40}
DEFAULT_HEAP_MB = 1024
DEFAULT_FACTOR = 0.1
LEAST_OVERHEAD_MB = 384
CONTAINERS = ("yarn", "k8s")
"""Masters that reserve memory beyond the heap."""
OVERHEADS = ("spark.executor.memoryOverhead", "spark.yarn.executor.memoryOverhead")
"""The second was the name before Spark 2.3."""
FACTORS = ("spark.executor.memoryOverheadFactor", "spark.kubernetes.memoryOverheadFactor")


def mebibytes(text: str | None, *, unit: str = "m") -> int | None:
    """Return a size in MiB, rounded down as Spark does; None where it is none.

    Parameters
    ----------
    text : str or None
        For example ``6G``, ``512m``, ``2gb``, or a bare number.
    unit : str
        What a bare number counts: ``m``, ``k`` or ``b``, as the property has it.
    """
    found = SIZE.fullmatch(text or "")
    if found is None:
        return None
    bare = (text or "").strip().isdigit()
    letter = unit if bare else found[2].lower() or "b"
    return int(int(found[1]) * KIB[letter] / 2**10)


def executor_heap(properties: Mapping[str, str]) -> int:
    """Return the heap of an executor in MiB: what was asked for, else Spark's default."""
    given = mebibytes(properties.get("spark.executor.memory"))
    return DEFAULT_HEAP_MB if given is None else given


def executor_overhead(properties: Mapping[str, str], heap_mb: int) -> int:
    """Return the memory of an executor beyond its heap in MiB.

    On YARN and Kubernetes what was asked for, else a tenth of the heap (or the factor that was asked for), at
    least 384; on other masters nothing is reserved. Memory off the heap and of Python, where they are asked
    for, come on top. Kubernetes takes 0.4 for programs that are not Java's, which the log does not say.
    """
    extra = mebibytes(properties.get("spark.executor.pyspark.memory")) or 0
    if properties.get("spark.memory.offHeap.enabled", "").lower() == "true":
        extra += mebibytes(properties.get("spark.memory.offHeap.size"), unit="b") or 0
    if not properties.get("spark.master", "").startswith(CONTAINERS):
        return extra
    for name in OVERHEADS:
        given = mebibytes(properties.get(name))
        if given is not None:
            return given + extra
    least = mebibytes(properties.get("spark.executor.minMemoryOverhead")) or LEAST_OVERHEAD_MB
    return max(int(_factor(properties) * heap_mb), least) + extra


def _factor(properties: Mapping[str, str]) -> float:
    for name in FACTORS:
        try:
            return float(properties[name])
        except (KeyError, ValueError):
            continue
    return DEFAULT_FACTOR
