"""Extracts hold all that is expected of them (Completeness, of the files and tables of a job).

Here: extracts that failed, or of which something is missing. Not here: hours without any (``missing_hours``),
which tables (``missing_tables``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.extract import ExtractStatus
from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Verdict
from metaplat.rules.samples import shown_rows
from metaplat.rules.vip.closed_hours import CONFIG, HOUR, closed_hours, shown_hours
from metaplat.rules.vip.recent import recent
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    import polars as pl

NAME = "incomplete_jobs"
_SHOWN = (
    "status",
    "n_files_promised",
    "n_files_delivered",
    "n_files_size_mismatch",
    "n_tables_expected",
    "n_tables_delivered",
    "missing_tables",
)


def incomplete_jobs() -> Rule:
    """Return the rule that every extract that there is, is complete; excused hours apart."""
    doc = "No extract of a closed hour that is not excused has failed or lacks files or tables."
    return Rule(NAME, doc, _judge, recent(NAME))


def _judge(evidence: PartitionEvidence) -> Verdict:
    import polars as pl

    hours = closed_hours(evidence, _SHOWN, NAME)
    status = pl.col("status")
    jobs = hours.rows.filter(status != ExtractStatus.MISSING.value)
    wrong = jobs.filter(status.is_in([ExtractStatus.INCOMPLETE.value, ExtractStatus.FAILED.value]))
    failed = wrong.filter(status == ExtractStatus.FAILED.value).height
    numbers: dict[str, int | float] = {
        "jobs": jobs.height,
        "complete": jobs.height - wrong.height,
        "incomplete": wrong.height - failed,
        "failed": failed,
        "excused": hours.excused,
    }
    if jobs.is_empty():
        return hours.nothing(numbers, "No closed hour has an extract.")
    numbers["ratio"] = numbers["complete"] / jobs.height
    return Verdict.judged(
        passed=wrong.is_empty(),
        sentence=_sentence(jobs.height, wrong, failed),
        numbers=numbers,
        samples=shown_rows(
            wrong.select(CONFIG, HOUR, *_SHOWN).head(MAX_SAMPLES).to_dicts(), evidence.domain.columns
        ),
    )


def _sentence(jobs: int, wrong: pl.DataFrame, failed: int) -> str:
    if wrong.is_empty():
        return f"{counted(jobs, 'extract')}, all complete."
    return (
        f"{wrong.height:,} of {counted(jobs, 'extract')} {agreeing(wrong.height, 'is', 'are')} not complete, "
        f"{failed:,} of them failed: {shown_hours(wrong[HOUR].to_list())}; none expected. Run "
        "`metaplat vip repair` for those hours soon: it fetches what is missing as long as the vendor keeps "
        "the files of the job."
    )
