"""Few enough files without a usable time (Completeness of the column that decides the partition).

Here: files in the partition of the unknown against all there are: about the table, since days hold none of
them, and every day that is written makes the share another one.
Not here: other columns (``completeness``), what times are wrong (``time_within_mission``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from metaplat.model.rule import Rule, TableEvidence
from metaplat.model.verdict import Verdict
from metaplat.rules.wording import agreeing, counted, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.model.landed import IngestReceipt

NAME = "completeness_observation_timestamp"


def observation_time(max_missing: float = 0.05) -> Rule:
    """Return the rule that files rarely lack a usable time of observation.

    Parameters
    ----------
    max_missing : float
        Largest lawful share of all files, 0 to 1; exactly this share passes.
    """
    if not 0 <= max_missing <= 1:
        raise ValueError(f"{NAME}: max_missing is a share from 0 to 1, not {max_missing}")
    doc = f"At most {percent(max_missing)} of all files lack a usable time of observation."
    return Rule(NAME, doc, judge_table=partial(_judge_table, max_missing=max_missing))


def _judge_table(evidence: TableEvidence, *, max_missing: float) -> Verdict:
    files, missing = _counts(evidence.receipts, evidence.domain.partitions.unknown)
    numbers = {"files": files, "missing": missing}
    if not files:
        return Verdict.not_evaluated("No files.", numbers)
    passed = missing / files <= max_missing
    lack = agreeing(missing, "has", "have")
    sentence = (
        f"{missing:,} of {counted(files, 'file')} ({percent(missing / files)}) {lack} no usable time, and "
        f"no day; at most {percent(max_missing)} expected."
    )
    if not passed:
        sentence += (
            ' Find them with `metaplat query "select file_path from observations where month is null"`; look '
            "at their headers, say in the file of catalog.mappings where the time is (observation_timestamp, "
            "time_path), and run `metaplat catalog ingest PLACE`."
        )
    return Verdict.judged(
        passed=passed, sentence=sentence, numbers=numbers | {"missing_pct": 100 * missing / files}
    )


def _counts(receipts: Mapping[str, IngestReceipt], unknown: str | None) -> tuple[int, int]:
    """Return all files, and those in the partition of the unknown."""
    found = receipts.get(unknown or "")
    return sum(receipt.rows for receipt in receipts.values()), found.rows if found else 0
