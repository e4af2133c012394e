"""The vendor's lake: transfer, history, charts and anomalies, against floors and the old ways.

Each part can be run alone (``python -m benchmarks.vip_transfer`` and so on); its module says what is
measured, and how sizes are set.
"""

from __future__ import annotations

from benchmarks.vip_anomalies import anomaly_lines
from benchmarks.vip_charts import chart_lines
from benchmarks.vip_history import history_lines
from benchmarks.vip_transfer import transfer_lines


def measure() -> list[tuple[str, str, str]]:
    """Return rows of (what, figure, target)."""
    return [*transfer_lines(), *history_lines(), *chart_lines(), *anomaly_lines()]


if __name__ == "__main__":
    for line in measure():
        print(*line, sep=" | ")
