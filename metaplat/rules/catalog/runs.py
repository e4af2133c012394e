"""Pipeline runs that failed, or that nobody heard of again.

Here: ``failed_runs`` and ``unfinished_runs``, from the events of the audit trail.
Not here: recording events (``catalog.pipelines``), runs that a pre-flight refused, which never start.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from metaplat.model.rule import History, PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Severity, Verdict
from metaplat.rules.as_of import by_last_partitions, judged_as_of
from metaplat.rules.samples import require_columns, shown_rows
from metaplat.rules.wording import HOUR, age_in_words, agreeing, counted, percent

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

ENDS = ("finish", "fail")
COLUMNS = ("occurred_at", "action", "run_id", "pipeline")


def failed_runs(max_share: float = 0.1) -> Rule:
    """Return the rule that few of the runs that end in a partition have failed; a warning.

    Parameters
    ----------
    max_share : float
        Largest lawful share of failed runs, 0 to 1; exactly this share passes.
    """
    if not 0 <= max_share <= 1:
        raise ValueError(f"failed_runs: max_share is a share from 0 to 1, not {max_share}")
    doc = f"At most {percent(max_share)} of the runs that end have failed."
    judge = partial(_judge_failed, max_share=max_share)
    return Rule("failed_runs", doc, judge, by_last_partitions("failed_runs", 7), severity=Severity.WARN)


def unfinished_runs(after: timedelta = timedelta(hours=24), days: int = 30) -> Rule:
    """Return the rule that runs end, or tell how far they are; a warning.

    Parameters
    ----------
    after : timedelta
        So long a run that has started may say nothing.
    days : int
        How far back runs are looked for; one that is silent for longer is no longer told of.
    """
    if not timedelta(0) < after < timedelta(days=days):
        raise ValueError(f"unfinished_runs: needs 0 < after < days: {after=} {days=}")
    name = "unfinished_runs"
    doc = f"No run that has started, and not ended, is silent for more than {age_in_words(after)}."
    judge = partial(_judge_unfinished, after=after)
    history = History(days, COLUMNS)
    return Rule(name, doc, judge, by_last_partitions(name), severity=Severity.WARN, history=history)


def _judge_failed(evidence: PartitionEvidence, *, max_share: float) -> Verdict:
    import polars as pl

    frame = evidence.frame
    require_columns(frame, [*COLUMNS, "message"], "failed_runs")
    ends = frame.filter(pl.col("action").is_in(ENDS), pl.col("run_id").is_not_null()).sort(
        "occurred_at", maintain_order=True
    )
    ended = ends.unique("run_id", keep="last", maintain_order=True)
    failed = ended.filter(pl.col("action") == "fail")
    numbers: dict[str, int | float] = {"ended": ended.height, "failed": failed.height}
    if ended.is_empty():
        return Verdict.not_evaluated("No run ended.", numbers)
    share = failed.height / ended.height
    passed = share <= max_share
    sentence = (
        f"{failed.height:,} of {counted(ended.height, 'run')} {agreeing(failed.height, 'has', 'have')} "
        f"failed ({percent(share)}); at most {percent(max_share)} expected."
    )
    if not passed:
        sentence += " Look at their messages, mend what they name, and start them again under a new run id."
    shown = failed.head(MAX_SAMPLES).select("run_id", "pipeline", "occurred_at", "message").to_dicts()
    return Verdict.judged(
        passed=passed,
        sentence=sentence,
        numbers=numbers | {"failed_pct": 100 * share},
        samples=shown_rows(shown, evidence.domain.columns),
    )


def _judge_unfinished(evidence: PartitionEvidence, *, after: timedelta) -> Verdict:
    import polars as pl

    require_columns(evidence.frame, COLUMNS, "unfinished_runs")
    moment = judged_as_of(evidence)
    if moment is None or evidence.history is None:
        return Verdict.not_evaluated("The events of the days before are not known.")
    events = pl.concat([evidence.history.select(COLUMNS), evidence.frame.select(COLUMNS)])
    runs = _open_runs(events)
    silent = runs.filter(pl.col("last_word") < moment - after)
    numbers = {
        "started": int(events["action"].eq("start").sum()),
        "open": runs.height,
        "silent": silent.height,
    }
    if not numbers["started"]:
        return Verdict.not_evaluated("No run has started.", numbers)
    return Verdict.judged(
        passed=silent.is_empty(),
        sentence=_sentence(numbers, silent, moment, after),
        numbers=numbers,
        samples=shown_rows(_samples(silent, moment), evidence.domain.columns),
    )


def _open_runs(events: pl.DataFrame) -> pl.DataFrame:
    """Return the runs that have started and not ended, with their last event, the longest silent first."""
    import polars as pl

    action = pl.col("action")
    runs = (
        events.filter(action.is_in(("start", "progress", *ENDS)), pl.col("run_id").is_not_null())
        .group_by("run_id")
        .agg(
            pipeline=pl.col("pipeline").drop_nulls().first(),
            started=pl.col("occurred_at").filter(action == "start").min(),
            last_word=pl.col("occurred_at").max(),
            ended=action.is_in(ENDS).any(),
        )
    )
    return runs.filter(pl.col("started").is_not_null(), ~pl.col("ended")).sort("last_word", "run_id")


def _sentence(numbers: dict[str, int], silent: pl.DataFrame, moment: datetime, after: timedelta) -> str:
    sentence = (
        f"As of {moment:%Y-%m-%d %H:%M} UTC, {counted(numbers['open'], 'run')} had not ended, "
        f"{silent.height:,} of them silent for more than {age_in_words(after)}; none expected."
    )
    if silent.height:
        sentence += (
            " Look whether they still run; of one that is dead, say so: `fail` of the client, or of the "
            "resource `catalog` in Dagster."
        )
    return sentence


def _samples(silent: pl.DataFrame, moment: datetime) -> list[dict[str, object]]:
    return [
        {
            "run_id": run["run_id"],
            "pipeline": run["pipeline"],
            "started": run["started"],
            "last_word": run["last_word"],
            "silent_hours": round((moment - run["last_word"]) / HOUR, 1),
        }
        for run in silent.head(MAX_SAMPLES).iter_rows(named=True)
    ]
