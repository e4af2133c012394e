"""Failing keys as verdicts show them.

Here: which of the profile's samples a verdict carries.
Not here: whether keys are shown as digests (``monitor`` decides).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.verdict import MAX_SAMPLES
from metaplat.rules.samples import shown_value

if TYPE_CHECKING:
    from metaplat.model.table_evidence import TableFacts
    from metaplat.model.table_metrics import KeySample


def key_samples(facts: TableFacts, kind: str, bucket: int | None = None) -> list[dict[str, object]]:
    """Return the samples of one kind: of one bucket, or of all of them, as many of each as there is room."""
    found = [
        sample for sample in facts.profile.samples if sample.kind == kind and bucket in (None, sample.bucket)
    ]
    seen: dict[int, int] = {}
    ranked: list[tuple[int, int, int, KeySample]] = []
    for sample in found:
        seen[sample.bucket] = seen.get(sample.bucket, 0) + 1
        ranked.append((seen[sample.bucket], sample.bucket, len(ranked), sample))
    chosen = [sample for *_, sample in sorted(ranked, key=lambda entry: entry[:3])[:MAX_SAMPLES]]
    return [
        {"id_bucket": sample.bucket, "key": shown_value(sample.key), "rows": sample.rows}
        | ({} if sample.belongs_in is None else {"belongs_in": sample.belongs_in})
        for sample in sorted(chosen, key=lambda sample: sample.bucket)
    ]
