"""The vendor of the lake, as a server that anyone can run: ``python -m metaplat_tests.standins.vip``.

Here: the server with every fault that a vendor may have (``faults``), and months of deliveries to look back
on (``history_tree``).
Not here: anything of metaplat: it is written from the contract alone.
"""

from metaplat_tests.standins.vip.scenario import CANARY, Scenario, VirtualClock
from metaplat_tests.standins.vip.server import VipServer

__all__ = ["CANARY", "Scenario", "VipServer", "VirtualClock"]
