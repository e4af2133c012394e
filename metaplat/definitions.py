"""Entry point of the Dagster code location.

Here: the one function Dagster loads. Not here: anything else (``metaplat.orchestration``).
"""

import dagster as dg

from metaplat.orchestration.build import build_definitions


@dg.definitions
def defs() -> dg.Definitions:
    """Return every asset, check, job, sensor and schedule of metaplat."""
    return build_definitions()
