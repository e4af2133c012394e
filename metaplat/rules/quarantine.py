"""Nothing in quarantine: a person learns of records that were rejected.

Here: the count and the reasons of one ingest. Not here: rejecting (``ingest``), the good rows (other rules).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.samples import shown_value
from metaplat.rules.wording import counted, materialize_command

if TYPE_CHECKING:
    from collections.abc import Mapping


def quarantine() -> Rule:
    """Return the rule that ingest rejected no record; a warning, since the good rows are in the lake."""

    def judge(evidence: PartitionEvidence) -> Verdict:
        receipt = evidence.receipt
        if receipt is None:
            return Verdict.not_evaluated("This partition was never ingested.")
        rejected, records = receipt.quarantined, receipt.records
        numbers = {
            "quarantined": rejected,
            "records": records,
            "share": rejected / records if records else 0.0,
        }
        sentence = f"{rejected} of {counted(records, 'record')} in quarantine; none expected."
        if rejected:
            sentence += (
                " They are kept with reason and landing object: correct those objects at the source, land "
                f"them again and run {materialize_command(evidence.domain, evidence.partition)}."
            )
        return Verdict.judged(
            passed=not rejected, sentence=sentence, numbers=numbers, samples=_by_reason(receipt.reasons)
        )

    return Rule("quarantine", "Ingest rejects no record.", judge, severity=Severity.WARN)


def _by_reason(reasons: Mapping[str, int]) -> list[dict[str, object]]:
    """Reasons with their counts, the most frequent first."""
    ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return [{"reason": shown_value(reason), "records": count} for reason, count in ranked]
