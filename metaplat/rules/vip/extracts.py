"""Extracts as the pull left them: their job ended well, and what was promised is there.

Here: ``extract_ended_well`` and ``promise_kept``. Not here: tables and completeness over time (the rules of
the histories).

An extract that still runs is not judged: pulling again goes on with it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from metaplat.model.extract import ExtractStatus
from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Verdict
from metaplat.rules.samples import require_columns, shown_rows, shown_value
from metaplat.rules.vip.closed_hours import CONFIG, HOUR, Excuses, is_excused
from metaplat.rules.vip.recent import recent
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    import polars as pl

RUNNING, FAILED, MISSING = (
    status.value for status in (ExtractStatus.RUNNING, ExtractStatus.FAILED, ExtractStatus.MISSING)
)


def extract_ended_well(excuses: Excuses) -> Rule:
    """Return the rule that the job of every extract ended well; what it delivered is for ``promise_kept``.

    Parameters
    ----------
    excuses : callable
        See ``Excuses``: those hours are not judged.
    """
    name = "extract_ended_well"
    doc = "The job of every extract has ended well and in time; no hour is missing."
    return Rule(name, doc, partial(_judge_end, excuses=excuses, name=name), recent(name))


def promise_kept(excuses: Excuses) -> Rule:
    """Return the rule that every promised file is in the folder, with the promised size.

    Parameters
    ----------
    excuses : callable
        See ``Excuses``: those hours are not judged.
    """
    name = "promise_kept"
    doc = "Every file that the vendor promised is delivered, by name and size."
    return Rule(name, doc, partial(_judge_promise, excuses=excuses, name=name), recent(name))


def _judge_end(evidence: PartitionEvidence, *, excuses: Excuses, name: str) -> Verdict:
    import polars as pl

    columns = ["status", "reason", "job_guid", "job_status"]
    ended, left_out = _ended(evidence, columns, name, excuses)
    wrong = ended.filter(pl.col("status").is_in([FAILED, MISSING]))
    numbers = {
        "extracts": ended.height,
        "failed": int((ended["status"] == FAILED).sum()),
        "missing": int((ended["status"] == MISSING).sum()),
        **left_out,
    }
    if ended.is_empty():
        return Verdict.not_evaluated(_nothing(left_out), numbers)
    rows = wrong.select(CONFIG, HOUR, *columns).head(MAX_SAMPLES).to_dicts()
    return Verdict.judged(
        passed=wrong.is_empty(),
        sentence=_end_sentence(ended.height, wrong),
        numbers=numbers,
        samples=shown_rows(rows, evidence.domain.columns),
    )


def _judge_promise(evidence: PartitionEvidence, *, excuses: Excuses, name: str) -> Verdict:
    import polars as pl

    columns = ["status", "files_promised", "files_delivered", "files_mismatched", "problems"]
    ended, left_out = _ended(evidence, columns, name, excuses)
    known = ended.filter(pl.col("files_promised") > 0)
    promised, delivered, mismatched = (int(known[column].sum()) for column in columns[1:4])
    numbers: dict[str, int | float] = {
        "expected": promised,
        "delivered": delivered,
        "mismatched": mismatched,
        **left_out,
    }
    if not promised:
        return Verdict.not_evaluated(_nothing(left_out, "No promise is known."), numbers)
    passed = delivered == promised and not mismatched
    sentence = f"{delivered:,} of {counted(promised, 'promised file')} delivered."
    if not passed:
        sentence += (
            " Run `metaplat vip repair` for the hour soon: it fetches what is missing as long as the vendor "
            "keeps the files of the job. A file that was refused is not safe to fetch: ask the vendor."
        )
    return Verdict.judged(
        passed=passed,
        sentence=sentence,
        numbers=numbers | {"ratio": delivered / promised},
        samples=_problems(known, evidence),
    )


def _ended(
    evidence: PartitionEvidence, columns: list[str], rule: str, excuses: Excuses
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the extracts that are judged, and how many are not: running, and excused ones."""
    import polars as pl

    require_columns(evidence.frame, [CONFIG, HOUR, *columns], rule)
    due = evidence.frame.filter(~is_excused(excuses()))
    ended = due.filter(pl.col("status") != RUNNING).sort(HOUR, CONFIG, maintain_order=True)
    return ended, {"running": due.height - ended.height, "excused": evidence.frame.height - due.height}


def _nothing(left_out: dict[str, int], otherwise: str = "No extract is known.") -> str:
    if left_out["running"]:
        return (
            f"{counted(left_out['running'], 'extract')} not ended yet: `metaplat vip pull` goes on with it."
        )
    if left_out["excused"]:
        return "The hour is excused."
    return otherwise


def _end_sentence(extracts: int, wrong: pl.DataFrame) -> str:
    if wrong.is_empty():
        return f"{counted(extracts, 'extract')}, ended well."
    first = wrong.row(0, named=True)
    reason = shown_value(first["reason"]) or f"it is {first['status']}"
    sentence = (
        f"{wrong.height:,} of {counted(extracts, 'extract')} {agreeing(wrong.height, 'has', 'have')} not "
        f"ended well: {str(reason).rstrip('.')} ({shown_value(first[CONFIG])})."
    )
    if first["status"] == MISSING:
        return (
            f"{sentence} The hour can no longer be pulled, since the vendor exports the present only: excuse "
            "it, with the reason, in [[vip.excused]], or copy its files from where they lie."
        )
    return f"{sentence} Look at `metaplat vip status`; within the hour, `metaplat vip pull` asks again."


def _problems(known: pl.DataFrame, evidence: PartitionEvidence) -> list[dict[str, object]]:
    """Return the files that are not there as promised, with what is wrong."""
    problems = known.select(CONFIG, HOUR, "problems").explode("problems").drop_nulls("problems")
    rows = problems.unnest("problems").head(MAX_SAMPLES).to_dicts()
    return shown_rows(rows, evidence.domain.columns)
