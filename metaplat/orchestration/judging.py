"""Evidence is gathered, rules judge it, verdicts are logged.

Here: reading each partition once for all its rules, earlier rows once for all partitions, and the table's
evidence once for all summaries.
Not here: Dagster (``checks``), the judgements (``rules``).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from metaplat.ingest.partition import landing_prefix
from metaplat.ingest.receipts import Receipts
from metaplat.model.errors import MetaplatError
from metaplat.model.rule import PartitionEvidence, TableEvidence
from metaplat.orchestration.cataloged import EDGES, with_current_states
from metaplat.orchestration.progress import tracked
from metaplat.reports.verdict_log import VerdictLog

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.landed import IngestReceipt, ObjectInfo
    from metaplat.model.rule import Rule
    from metaplat.model.verdict import Outcome, Verdict
    from metaplat.stores.home import Stores
    from metaplat.stores.lake import Lake


@dataclass
class Judgement:
    """What came out of judging.

    Parameters
    ----------
    verdicts : dict
        By partition key, then by rule name.
    errors : dict
        What could not be judged, by ``rule of partition``.
    """

    verdicts: dict[str, dict[str, Verdict]] = field(default_factory=dict)
    errors: dict[str, MetaplatError] = field(default_factory=dict)


class Judge:
    """Judges partitions and the table of one domain, and logs every verdict.

    Parameters
    ----------
    domain : MetadataDomain
        Whose rules.
    stores : Stores
        Where the evidence lies.
    now : datetime
        Aware UTC.
    run_id : str or None
        Run the verdicts are logged under.
    """

    def __init__(self, domain: MetadataDomain, stores: Stores, now: datetime, run_id: str | None) -> None:
        self._domain, self._stores, self._now, self._run_id = domain, stores, now, run_id
        self._receipts = Receipts(stores.state, domain)
        self._log = VerdictLog(stores.state)

    def judge_partitions(self, partitions: Sequence[str], rules: Sequence[Rule]) -> Judgement:
        """Judge partitions by ``rules``; what cannot be judged does not stop the rest.

        Raises
        ------
        StoreError
            The state store failed, so that nothing could be judged or logged.
        """
        judgement = Judgement()
        history = {key: receipt.rows for key, receipt in self._receipts.load_all().items()}
        prefixes = [landing_prefix(self._domain, partition) for partition in partitions]
        landed = self._landed(prefixes)
        earlier = EarlierRows(self._domain, self._stores.lake, partitions, history, rules)
        for partition, prefix in tracked("check", list(zip(partitions, prefixes, strict=True))):
            try:
                evidence = self._evidence(partition, landed[prefix], history)
            except MetaplatError as error:
                judgement.errors |= {f"{rule.name} of {partition}": error for rule in rules}
                continue
            judgement.verdicts[partition] = self._judge(evidence, earlier, rules, judgement.errors)
        severities = {rule.name: rule.severity for rule in rules}
        logged = {
            partition: {name: (verdict, severities[name]) for name, verdict in verdicts.items()}
            for partition, verdicts in judgement.verdicts.items()
        }
        self._log.record_many(self._domain.name, logged, now=self._now, run_id=self._run_id)
        return judgement

    def judge_table(self, rules: Sequence[Rule]) -> dict[str, Verdict]:
        """Judge the table by ``rules`` from the logged outcomes of all partitions; verdicts by rule name."""
        receipts = self._receipts.load_all()
        outcomes: dict[str, dict[str, Outcome]] = {}
        for record in self._log.load(self._domain.name):
            if record.partition in receipts:
                outcomes.setdefault(record.rule, {})[record.partition] = record.outcome
        keys = self._domain.partitions.keys(self._now)
        verdicts: dict[str, Verdict] = {}
        for rule in rules:
            known = outcomes.get(rule.name, {})
            ordered = {key: known[key] for key in receipts if key in known}
            evidence = TableEvidence(self._domain, ordered, receipts, keys, self._now)
            verdicts[rule.name] = rule.summarize(evidence)
        logged = {rule.name: (verdicts[rule.name], rule.severity) for rule in rules}
        self._log.record(self._domain.name, None, logged, now=self._now, run_id=self._run_id)
        return verdicts

    def picture(self, rule: Rule) -> Mapping[str, Any]:
        """Return nothing: the UI itself draws the dates of a domain."""
        del rule
        return {}

    def _landed(self, prefixes: Sequence[str]) -> Mapping[str, Sequence[ObjectInfo]]:
        if not self._domain.lands:
            return dict.fromkeys(prefixes, ())
        return self._stores.landing.list_prefixes(prefixes)

    def _evidence(
        self, partition: str, landed: Sequence[ObjectInfo], history: dict[str, int]
    ) -> PartitionEvidence:
        receipt: IngestReceipt | None = self._receipts.load(partition)
        frame = self._stores.lake.read(self._domain, [partition])
        if self._domain.name == EDGES:  # a file may vanish long after an edge was recorded
            frame = with_current_states(frame, self._stores)
        return PartitionEvidence(self._domain, partition, frame, receipt, landed, history, self._now)

    def _judge(
        self,
        evidence: PartitionEvidence,
        earlier: EarlierRows,
        rules: Sequence[Rule],
        errors: dict[str, MetaplatError],
    ) -> dict[str, Verdict]:
        verdicts: dict[str, Verdict] = {}
        for rule in rules:
            if rule.judge is None:
                continue
            try:
                if rule.history:
                    evidence = replace(evidence, history=earlier.before(evidence.partition))
                verdicts[rule.name] = rule.judge(evidence)
            except MetaplatError as error:
                errors[f"{rule.name} of {evidence.partition}"] = error
        return verdicts


class EarlierRows:
    """The rows before each of many partitions: read once, with the first one that is asked for.

    Parameters
    ----------
    domain : MetadataDomain
        Whose rows.
    lake : Lake
        Where they are.
    partitions : sequence of str
        Those that are judged.
    ingested : collection of str
        Every partition there is; others are not looked for.
    rules : sequence of Rule
        What they ask for decides how far back and which columns.
    """

    def __init__(
        self,
        domain: MetadataDomain,
        lake: Lake,
        partitions: Sequence[str],
        ingested: Collection[str],
        rules: Sequence[Rule],
    ) -> None:
        self._domain, self._lake, self._ingested = domain, lake, ingested
        asked = [rule.history for rule in rules if rule.history]
        self._length = timedelta(days=max((history.days for history in asked), default=0))
        columns = [domain.partitions.by, *(name for history in asked for name in history.columns)]
        self._columns = list(dict.fromkeys(columns))
        self._starts = sorted(start for key in partitions if (start := self._start(key)) is not None)
        self._rows: pl.DataFrame | None = None
        self._failure: MetaplatError | None = None

    def before(self, partition: str) -> pl.DataFrame | None:
        """Return the rows before ``partition``, oldest first; None for a bucket, which has no time.

        Raises
        ------
        StoreError
            A partition before it cannot be read.
        """
        start = self._start(partition)
        if start is None:
            return None
        rows = self._rows = self._read() if self._rows is None else self._rows
        moments = rows[self._domain.partitions.by]
        first, last = (moments.search_sorted(moment, side="left") for moment in (start - self._length, start))
        return rows.slice(first, last - first)

    def _read(self) -> pl.DataFrame:
        if self._failure is not None:  # what failed once is not tried again for every partition
            raise self._failure
        keys = [key for key in self._ingested if self._is_before_some(key)]
        try:
            rows = self._lake.read(self._domain, keys, self._columns)
        except MetaplatError as error:
            self._failure = error
            raise
        return rows.sort(self._domain.partitions.by, maintain_order=True)

    def _is_before_some(self, key: str) -> bool:
        """Whether a partition lies before one of those that are judged, and not too long before."""
        moment = self._start(key)
        if moment is None:
            return False
        following = bisect_right(self._starts, moment)
        return following < len(self._starts) and self._starts[following] - moment <= self._length

    def _start(self, key: str) -> datetime | None:
        window = self._domain.partitions.window(key)
        return window[0] if window else None
