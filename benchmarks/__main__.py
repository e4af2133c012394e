"""``make bench``: every benchmark in one go, as a table of ratios."""

from __future__ import annotations

import importlib
import os
import pkgutil

import benchmarks


def main() -> None:
    """Run every module of this folder that can measure, and print what it found."""
    for name in [name for name in os.environ if name.startswith("METAPLAT_")]:
        if not name.startswith("METAPLAT_BENCH_"):
            del os.environ[name]  # it would win over the homes that the benchmarks make
    for module in pkgutil.iter_modules(benchmarks.__path__):
        measure = getattr(importlib.import_module(f"benchmarks.{module.name}"), "measure", None)
        if measure is not None:
            print(f"\n## {module.name}\n\n| measured | figure | target |\n|---|---|---|")
            for row in measure():
                print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
