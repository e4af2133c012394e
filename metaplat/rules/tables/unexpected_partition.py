"""No data lie where no bucket is.

Here: folders of unknown, padded, default or unreadable bucket numbers, and data outside all buckets.
Not here: buckets that are missing (``s3_partition``), what Glue registers (``glue_partition``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.table_metrics import Strange
from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.samples import shown_value
from metaplat.rules.tables.bucket_figures import named
from metaplat.rules.tables.folders import padded_folders, width_misfits
from metaplat.rules.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.table_evidence import TableFacts
    from metaplat.model.table_metrics import StrangeFolder


def _judge_facts(facts: TableFacts) -> Verdict:
    strange = _unexpected(facts)
    files = sum(folder.files for folder in strange)
    numbers = {"folders": len(strange), "files": files, "bytes": sum(folder.bytes for folder in strange)}
    for kind in Strange:
        numbers[kind.value.replace(" ", "_")] = sum(folder.kind is kind for folder in strange)
    if not strange:
        return Verdict.judged(passed=True, sentence="All data lie in buckets.", numbers=numbers)
    first, last = facts.table.folder(0), facts.table.folder(facts.table.bucket_count - 1)
    sentence = (
        f"All data should lie in {first} to {last}; "
        f"{counted(files, 'file')} outside: {named([_shown(folder) for folder in strange])}. "
        "No rule counts rows there. Find out who wrote such files, move or remove them, then check again."
    )
    samples = [
        {"folder": shown_value(f.name), "kind": f.kind.value, "files": f.files, "bytes": f.bytes}
        for f in strange
    ]
    return Verdict.judged(passed=False, sentence=sentence, numbers=numbers, samples=samples)


def _unexpected(facts: TableFacts) -> Sequence[StrangeFolder]:
    """Return the strange folders; where projection has the wrong width, ``partition_projection`` tells it."""
    strange = facts.profile.inventory.strange
    projected = facts.glue is not None and facts.glue.projected
    if not (strange and projected and width_misfits(facts, facts.table.bucket_digits)):
        return strange
    padded = set(padded_folders(facts).values())
    return [folder for folder in strange if folder.name.partition("/")[0] not in padded]


def _shown(folder: StrangeFolder) -> str:
    name = "the table's own folder" if folder.name in ("", ".") else shown_value(folder.name)
    return f"{name} ({folder.kind.value})"


UNEXPECTED_PARTITION = TableRule(
    "unexpected_partition",
    "Data lie in the folders of buckets only: no unknown, padded, default or unreadable bucket number.",
    _judge_facts,
    severity=Severity.WARN,
)
