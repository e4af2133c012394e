"""Whatever happens, in whatever order: each sink ends up knowing what stands, and is told nothing twice.

A model keeps what each sink believes, from the notices it was told; checks fail and pass, sinks die and come
back, people acknowledge, hours pass.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from metaplat.reports.alerts.alert import RANKS
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.reports.alert_samples import HOUR, Watch, alert

if TYPE_CHECKING:
    from metaplat_tests.reports.alert_samples import Recording

RULES = ("key", "volume", "rows")
LEAST = {"all": "low", "grave": "high"}
LEVELS = st.sampled_from(["low", "medium", "high"])


class AnyHistory(RuleBasedStateMachine):
    """Three alerts, two sinks."""

    @initialize()
    def begin(self) -> None:
        """Start with nothing failing."""
        self.folder = tempfile.TemporaryDirectory()
        self.watch = Watch(LocalObjects(Path(self.folder.name)))
        self.sinks: dict[str, Recording] = {
            name: self.watch.sink(name, level)  # type: ignore[arg-type]
            for name, level in LEAST.items()
        }
        self.failing: dict[str, Any] = {}
        self.believed: dict[str, set[str]] = {name: set() for name in LEAST}
        self.looked = True

    def teardown(self) -> None:
        """Remove the ledger."""
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(name=st.sampled_from(RULES), level=LEVELS)
    def fail(self, name: str, level: str) -> None:
        """Let a check fail."""
        self.failing[name] = level
        self.looked = False

    @rule(name=st.sampled_from(RULES))
    def succeed(self, name: str) -> None:
        """Let a check pass."""
        self.failing.pop(name, None)
        self.looked = False

    @rule(sink=st.sampled_from(sorted(LEAST)), dead=st.booleans())
    def change_health(self, sink: str, *, dead: bool) -> None:
        """Let a sink die, or come back."""
        self.sinks[sink].dead = dead
        self.looked = False

    @rule()
    def acknowledge(self) -> None:
        """Take care of what stands."""
        entries = self.watch.ledger.load(["jobs"])["jobs"]
        for name in sorted(self.failing):
            if (known := entries.get(alert(name).id)) and known.firing:
                self.watch.acknowledge(known.alert)

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        """Let hours pass."""
        self.watch.now += hours * HOUR
        self.looked = False

    @rule()
    def look(self) -> None:
        """Look and tell, twice: the second time only dead sinks have something to hear."""
        now = self.watch.now
        alerts = [alert(name, level, since=now) for name, level in self.failing.items()]
        for outcome in self.watch.look(*alerts):
            assert (outcome.problem is not None) == self.sinks[outcome.sink].dead
            believed = self.believed[outcome.sink]
            for notice in outcome.notices:
                known = notice.alert.rule in believed
                assert not notice.change.good or known  # nobody hears of the end of what he did not know
                if outcome.problem is None:
                    (believed.discard if notice.change.good else believed.add)(notice.alert.rule)
        self.watch.now = now  # else a reminder may have become due in between
        repeated = {each.sink for each in self.watch.look(*alerts)}
        assert repeated <= {name for name, sink in self.sinks.items() if sink.dead}
        self.looked = True

    @invariant()
    def every_living_sink_knows_what_stands(self) -> None:
        """Compare what sinks believe with what they asked for, after a look."""
        if not hasattr(self, "watch") or not self.looked:
            return
        for name, sink in self.sinks.items():
            if not sink.dead:
                wanted = {
                    each
                    for each, level in self.failing.items()
                    if RANKS[level] >= RANKS[LEAST[name]]  # type: ignore[index]
                }
                assert self.believed[name] == wanted


AnyHistory.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestAnyHistory = AnyHistory.TestCase
