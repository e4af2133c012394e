"""One check step per domain: every rule of every partition of the run, then the summaries.

Here: the working form of partitioned checks, for one key and for ranges (docs/decisions/0002).
Not here: judging (``judging``).
"""

import warnings
from collections.abc import Iterator
from typing import Any

import dagster as dg

from metaplat.ingest.receipts import Receipts
from metaplat.model.domain import MetadataDomain
from metaplat.model.errors import MetaplatError
from metaplat.model.rule import Rule
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


def build_checks(domain: MetadataDomain) -> dg.AssetChecksDefinition:
    """Make the one check definition of a domain, with a check per rule and a summary check per rule."""
    per_partition = {rule.name: rule for rule in domain.rules if rule.judge}
    summaries = {rule.summary_name: rule for rule in domain.rules}
    specs = [_partition_spec(domain, rule) for rule in per_partition.values()]
    specs += [_summary_spec(domain, name, rule) for name, rule in summaries.items()]
    by_name = {spec.name: spec for spec in specs}

    @dg.multi_asset_check(name=f"{domain.name}_checks", specs=specs, can_subset=True, retry_policy=RETRIES)
    def check_domain(
        context: dg.AssetCheckExecutionContext, stores: dg.ResourceParam[Stores]
    ) -> Iterator[CheckEvent]:
        selected = {key.name for key in context.selected_asset_check_keys}
        chosen = [rule for name, rule in per_partition.items() if name in selected]
        judge = Judge(domain, stores, utc_now(), context.run.run_id)
        try:
            named = _partitions_of(context, domain, stores) if chosen else ()
            partitions = in_order(named, domain.partitions)
            judgement = judge.judge_partitions(partitions, chosen)
            yield from _evaluations(context, domain, judgement)
            for rule in chosen:
                yield dg.Output(None, output_name=by_name[rule.name].get_python_identifier())
            tables = judge.judge_table([rule for name, rule in summaries.items() if name in selected])
        except MetaplatError as error:
            raise failure_for(error) from error
        for name, rule in summaries.items():
            if name in selected:
                yield _summary(by_name[name], rule, tables[rule.name])
        if judgement.errors:
            raise partial_failure("judgements", judgement.errors, len(partitions) * len(chosen))

    return check_domain


def _evaluations(
    context: dg.AssetCheckExecutionContext, domain: MetadataDomain, judgement: Judgement
) -> Iterator[dg.AssetCheckEvaluation]:
    """Yield every verdict with its partition; what was not evaluated has no evaluation, only a log line."""
    rules, asset = {rule.name: rule for rule in domain.rules}, dg.AssetKey(domain.name)
    targets = latest_targets(context.instance, asset, judgement.verdicts)
    for partition, verdicts in judgement.verdicts.items():
        for name, verdict in verdicts.items():
            if verdict.outcome is Outcome.NOT_EVALUATED:
                context.log.info("%s of %s was not evaluated: %s", name, partition, verdict.sentence)
                continue
            rule = rules[name]
            yield dg.AssetCheckEvaluation(
                asset_key=asset,
                check_name=name,
                partition=partition,
                passed=verdict.outcome is Outcome.PASSED,
                severity=SEVERITIES[rule.severity],
                blocking=rule.blocking,  # Dagster looks here, not at the spec
                metadata=verdict_metadata(verdict),
                description=verdict.sentence,
                target_materialization_data=targets.get(partition),
            )


def _partitions_of(
    context: dg.AssetCheckExecutionContext, domain: MetadataDomain, stores: Stores
) -> list[str]:
    """Return the partitions of the run; all ingested ones where it names none ("Execute all" in the UI)."""
    if context.has_partition_key or context.has_partition_key_range:
        return list(context.partition_keys)
    return list(Receipts(stores.state, domain).load_all())


def _partition_spec(domain: MetadataDomain, rule: Rule) -> dg.AssetCheckSpec:
    partitions = partitions_definition(domain.partitions)
    with warnings.catch_warnings():  # partitions_def is a preview feature; dagster is pinned for it
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            rule.name,
            asset=domain.name,
            description=rule.doc,
            blocking=rule.blocking,
            partitions_def=partitions,
        )


def _summary_spec(domain: MetadataDomain, name: str, rule: Rule) -> dg.AssetCheckSpec:
    text = rule.doc if rule.judge is None else f"The whole table: {rule.doc}"
    return dg.AssetCheckSpec(name, asset=domain.name, description=text)


def _summary(spec: dg.AssetCheckSpec, rule: Rule, verdict: Verdict) -> CheckEvent:
    if verdict.outcome is Outcome.NOT_EVALUATED:
        return dg.Output(None, output_name=spec.get_python_identifier())
    return dg.AssetCheckResult(
        check_name=spec.name,
        passed=verdict.outcome is Outcome.PASSED,
        severity=SEVERITIES[rule.severity],
        metadata=verdict_metadata(verdict),
        description=verdict.sentence,
    )
