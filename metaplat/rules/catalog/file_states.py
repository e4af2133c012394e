"""Files of an archive that are gone, or cannot be read.

Here: ``vanished_files`` and ``rejected_files``.
Not here: finding out (``catalog.ingesting``), files that are read in part (``flagged_files``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.observation import ExtractionStatus, FileState
from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.catalog.file_rows import NAMES, file_samples
from metaplat.rules.samples import require_columns, shown_value
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    import polars as pl

PUT_AWAY = "archived"
"""Processing status of a file that may be gone: it is kept elsewhere."""
_OF_VANISHED = ("mission_id", "observation_timestamp", "updated_at")
_OF_REJECTED = ("extraction_status", "extraction_reason", "attempts", "next_attempt")
_TOLD = 3


def vanished_files() -> Rule:
    """Return the rule that no cataloged file is gone; a warning: it may have been removed on purpose."""
    doc = f"No cataloged file has vanished, but for those whose processing_status is {PUT_AWAY}."
    return Rule("vanished_files", doc, _judge_vanished, severity=Severity.WARN)


def rejected_files() -> Rule:
    """Return the rule that every file could be read; a warning, since the others are cataloged."""
    return Rule("rejected_files", "Every file can be read.", _judge_rejected, severity=Severity.WARN)


def _judge_vanished(evidence: PartitionEvidence) -> Verdict:
    import polars as pl

    frame = evidence.frame
    require_columns(frame, [*NAMES, "file_state", "processing_status", *_OF_VANISHED], "vanished_files")
    if frame.is_empty():
        return Verdict.not_evaluated("No files.", {"files": 0, "vanished": 0, "put_away": 0})
    gone = frame.filter(pl.col("file_state") == FileState.VANISHED.value)
    missed = gone.filter(pl.col("processing_status") != PUT_AWAY)
    numbers = {
        "files": frame.height,
        "vanished": missed.height,
        "put_away": gone.height - missed.height,
    }
    sentence = (
        f"{missed.height:,} of {counted(frame.height, 'file')} {agreeing(missed.height, 'has', 'have')} "
        "vanished; none expected."
    )
    if missed.height:
        sentence += (
            " Bring them back and run `metaplat catalog reconcile PLACE`; all of them: "
            "`metaplat catalog search --all --where \"file_state = 'vanished'\"`."
        )
    return Verdict.judged(
        passed=missed.is_empty(),
        sentence=sentence,
        numbers=numbers,
        samples=file_samples(missed, _OF_VANISHED, evidence),
    )


def _judge_rejected(evidence: PartitionEvidence) -> Verdict:
    import polars as pl

    frame = evidence.frame
    require_columns(frame, [*NAMES, "file_state", *_OF_REJECTED], "rejected_files")
    rejected = frame.filter(pl.col("file_state") == FileState.REJECTED.value)
    quarantined = rejected.filter(pl.col("extraction_status") == ExtractionStatus.QUARANTINED.value).height
    numbers = {"files": frame.height, "rejected": rejected.height, "quarantined": quarantined}
    if frame.is_empty():
        return Verdict.not_evaluated("No files.", numbers)
    sentence = (
        f"{rejected.height:,} of {counted(frame.height, 'file')} cannot be read"
        f"{_by_reason(rejected)}; none expected."
    )
    if rejected.height:
        kept = f"{quarantined:,} of them {agreeing(quarantined, 'is', 'are')} in quarantine, the others"
        sentence += (
            f" {kept if quarantined else 'They'} are tried again. Deliver them anew, and run "
            "`metaplat catalog reconcile PLACE`."
        )
    return Verdict.judged(
        passed=rejected.is_empty(),
        sentence=sentence,
        numbers=numbers,
        samples=file_samples(rejected, _OF_REJECTED, evidence),
    )


def _by_reason(rejected: pl.DataFrame) -> str:
    """Return the most frequent reasons, by their codes, with counts: `` (empty 2, html 1)``."""
    import polars as pl

    codes = rejected.select(code=pl.col("extraction_reason").str.split(":").list.first().fill_null("unknown"))
    ranked = codes.group_by("code").len().sort("len", "code", descending=[True, False])
    told = [f"{shown_value(code)} {count:,}" for code, count in ranked.head(_TOLD).iter_rows()]
    more = ["others"] if ranked.height > _TOLD else []
    return f" ({', '.join(told + more)})" if told else ""
