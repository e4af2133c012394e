"""One check step per subject: every rule of every partition of the run, then the summaries.

Here: the working form of partitioned checks, for one key and for ranges (docs/decisions/0002); a subject is a
domain or a monitored table.
Not here: judging (``judging``, ``tables.judging``).
"""

import warnings
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import dagster as dg

from metaplat.ingest.receipts import Receipts
from metaplat.model.domain import MetadataDomain
from metaplat.model.errors import MetaplatError
from metaplat.model.partitioning import Partitioning
from metaplat.model.rule import RuleHead
from metaplat.model.verdict import Outcome, Severity, Verdict
from metaplat.orchestration.check_targets import latest_targets
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.failures import RETRIES, failure_for, partial_failure
from metaplat.orchestration.judging import Judge, Judgement
from metaplat.orchestration.metadata import verdict_metadata
from metaplat.orchestration.partitions import in_order, partitions_definition
from metaplat.stores.home import Stores

SEVERITIES = {
    Severity.INFO: dg.AssetCheckSeverity.WARN,  # Dagster knows two
    Severity.WARN: dg.AssetCheckSeverity.WARN,
    Severity.ERROR: dg.AssetCheckSeverity.ERROR,
}

CheckEvent = dg.AssetCheckEvaluation | dg.AssetCheckResult | dg.Output[Any]


class SubjectJudge(Protocol):
    """Judges the partitions and the table of one subject, and logs every verdict."""

    def judge_partitions(self, partitions: Sequence[str], rules: Sequence[Any]) -> Judgement:
        """Judge partitions; what cannot be judged does not stop the rest."""

    def judge_table(self, rules: Sequence[Any]) -> Mapping[str, Verdict]:
        """Judge the table; verdicts by rule name."""

    def picture(self, rule: Any) -> Mapping[str, Any]:
        """Return further metadata for the summary of a rule: a heat map, for example."""


@dataclass(frozen=True)
class CheckSubject:
    """What is checked.

    Parameters
    ----------
    name : str
        Of the check step, with ``_checks`` after it.
    key : dagster.AssetKey
        The asset.
    partitions : Partitioning
        How it is cut.
    rules : sequence of RuleHead
        All of them.
    judge : callable
        Stores, time and run id -> its judge.
    known : callable
        Stores -> partitions to check where a run names none ("Execute all" in the UI).
    """

    name: str
    key: dg.AssetKey
    partitions: Partitioning
    rules: Sequence[RuleHead]
    judge: Callable[[Stores, datetime, str | None], SubjectJudge]
    known: Callable[[Stores], Collection[str]]


def domain_subject(domain: MetadataDomain) -> CheckSubject:
    """Return a domain as the subject of checks."""
    return CheckSubject(
        domain.name,
        dg.AssetKey(domain.name),
        domain.partitions,
        domain.rules,
        judge=lambda stores, now, run_id: Judge(domain, stores, now, run_id),
        known=lambda stores: Receipts(stores.state, domain).load_all(),
    )


def build_checks(subject: CheckSubject) -> dg.AssetChecksDefinition:
    """Make the one check definition of a subject, with a check per rule and a summary check per rule."""
    per_partition = {rule.name: rule for rule in subject.rules if rule.judge}
    summaries = {rule.summary_name: rule for rule in subject.rules}
    specs = [_partition_spec(subject, rule) for rule in per_partition.values()]
    specs += [_summary_spec(subject, name, rule) for name, rule in summaries.items()]
    by_name = {spec.name: spec for spec in specs}

    @dg.multi_asset_check(name=f"{subject.name}_checks", specs=specs, can_subset=True, retry_policy=RETRIES)
    def check_subject(
        context: dg.AssetCheckExecutionContext, stores: dg.ResourceParam[Stores]
    ) -> Iterator[CheckEvent]:
        selected = {key.name for key in context.selected_asset_check_keys}
        chosen = [rule for name, rule in per_partition.items() if name in selected]
        judge = subject.judge(stores, utc_now(), context.run.run_id)
        try:
            named = _partitions_of(context, subject, stores) if chosen else ()
            partitions = in_order(named, subject.partitions)
            judgement = judge.judge_partitions(partitions, chosen)
            yield from _evaluations(context, subject, judgement)
            for rule in chosen:
                yield dg.Output(None, output_name=by_name[rule.name].get_python_identifier())
            tables = judge.judge_table([rule for name, rule in summaries.items() if name in selected])
        except MetaplatError as error:
            raise failure_for(error) from error
        for name, rule in summaries.items():
            if name in selected:
                yield _summary(by_name[name], rule, tables[rule.name], judge.picture(rule))
        if judgement.errors:
            raise partial_failure("judgements", judgement.errors, len(partitions) * len(chosen))

    return check_subject


def _evaluations(
    context: dg.AssetCheckExecutionContext, subject: CheckSubject, judgement: Judgement
) -> Iterator[dg.AssetCheckEvaluation]:
    """Yield every verdict with its partition; what was not evaluated has no evaluation, only a log line."""
    rules = {rule.name: rule for rule in subject.rules}
    left_out: dict[tuple[str, str], list[str]] = defaultdict(list)
    targets = latest_targets(context.instance, subject.key, judgement.verdicts)
    for partition, verdicts in judgement.verdicts.items():
        for name, verdict in verdicts.items():
            if verdict.outcome is Outcome.NOT_EVALUATED:
                left_out[name, verdict.sentence].append(partition)
                continue
            rule = rules[name]
            yield dg.AssetCheckEvaluation(
                asset_key=subject.key,
                check_name=name,
                partition=partition,
                passed=verdict.outcome is Outcome.PASSED,
                severity=SEVERITIES[rule.severity],
                blocking=rule.blocking,  # Dagster looks here, not at the spec
                metadata=verdict_metadata(verdict),
                description=verdict.sentence,
                target_materialization_data=targets.get(partition),
            )
    for (name, sentence), partitions in left_out.items():  # one line for all: each is an event to store
        first, count = partitions[0], len(partitions)
        context.log.info(
            "%s was not evaluated for %d partitions from %s on: %s", name, count, first, sentence
        )


def _partitions_of(
    context: dg.AssetCheckExecutionContext, subject: CheckSubject, stores: Stores
) -> list[str]:
    """Return the partitions of the run, or all known ones where it names none."""
    if context.has_partition_key or context.has_partition_key_range:
        return list(context.partition_keys)
    return list(subject.known(stores))


def _partition_spec(subject: CheckSubject, rule: RuleHead) -> dg.AssetCheckSpec:
    partitions = partitions_definition(subject.partitions)
    with warnings.catch_warnings():  # partitions_def is a preview feature; dagster is pinned for it
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            rule.name,
            asset=subject.key,
            description=rule.doc,
            blocking=rule.blocking,
            partitions_def=partitions,
        )


def _summary_spec(subject: CheckSubject, name: str, rule: RuleHead) -> dg.AssetCheckSpec:
    text = rule.doc if rule.judge is None else f"The whole table: {rule.doc}"
    return dg.AssetCheckSpec(name, asset=subject.key, description=text)


def _summary(
    spec: dg.AssetCheckSpec, rule: RuleHead, verdict: Verdict, picture: Mapping[str, Any]
) -> CheckEvent:
    if verdict.outcome is Outcome.NOT_EVALUATED:
        return dg.Output(None, output_name=spec.get_python_identifier())
    return dg.AssetCheckResult(
        check_name=spec.name,
        passed=verdict.outcome is Outcome.PASSED,
        severity=SEVERITIES[rule.severity],
        metadata={**verdict_metadata(verdict), **picture},
        description=verdict.sentence,
    )
