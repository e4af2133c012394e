"""Few enough files of which something was odd when they were read, by the codes in ``flags``.

Here: ``truncated_files``, ``doubtful_times`` and ``quality_in_range``.
Not here: setting flags (``collectors.headers``), values that no row may have (``frame_schema``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from metaplat.model.observation import ExtractionStatus
from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.catalog.file_rows import file_samples, has_flag, present_files
from metaplat.rules.wording import counted, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

GUESSED_OR_UNREAD = (
    "date_ambiguous",
    "date_mdy",
    "timesys_unknown",
    "time_unreadable",
    "time_out_of_range",
    "time_units",
    "time_calendar",
    "end_unreadable",
    "end_before_begin",
)
"""Flags of times that were guessed, or stated and not readable."""


@dataclass(frozen=True)
class _Oddity:
    """What is judged of each file.

    Parameters
    ----------
    rule, words, advice : str
        Name of the rule, what the files are said to do, what to do about them.
    kinds : callable
        Makes the expressions that are true where a file is odd, never null, by the name of their number.
    columns : sequence of str
        What these look at, and samples show.
    """

    rule: str
    words: str
    advice: str
    kinds: Callable[[], Mapping[str, pl.Expr]]
    columns: Sequence[str]


def truncated_files(max_share: float = 0.0) -> Rule:
    """Return the rule that files are as long as their header says; a warning, since headers are whole.

    Parameters
    ----------
    max_share : float
        Largest lawful share of truncated files, 0 to 1.
    """
    oddity = _Oddity(
        "truncated_files",
        "are shorter than their header says",
        "Deliver them again; where one was still being written, the next look takes it as it is then.",
        _truncated,
        ("file_size", "extraction_reason"),
    )
    return _rule(oddity, max_share)


def doubtful_times(max_share: float = 0.05) -> Rule:
    """Return the rule that times of observations are rarely guessed or unreadable; a warning.

    Parameters
    ----------
    max_share : float
        Largest lawful share of files with such a time, 0 to 1.
    """
    oddity = _Oddity(
        "doubtful_times",
        "have a time that is guessed or cannot be read",
        "Say in the file of catalog.mappings how their mission writes times (date_order, time_scale, "
        "observation_timestamp), then run `metaplat catalog ingest PLACE`.",
        lambda: {code: has_flag(code) for code in GUESSED_OR_UNREAD},
        ("observation_time_raw", "time_rule", "flags"),
    )
    return _rule(oddity, max_share)


def quality_in_range(max_share: float = 0.0) -> Rule:
    """Return the rule that a quality is a number from 0 to 1 where it is stated; a warning.

    Parameters
    ----------
    max_share : float
        Largest lawful share of files that state another one, 0 to 1.
    """
    oddity = _Oddity(
        "quality_in_range",
        "state a quality that is unreadable, or not within 0 and 1",
        "Where it is a percentage, say so in the file of catalog.mappings (data_quality_score, percent), "
        "then run `metaplat catalog ingest PLACE`.",
        _unlawful_quality,
        ("data_quality_score", "header_completeness", "flags"),
    )
    return _rule(oddity, max_share)


def _rule(oddity: _Oddity, max_share: float) -> Rule:
    if not 0 <= max_share <= 1:
        raise ValueError(f"{oddity.rule}: max_share is a share from 0 to 1, not {max_share}")
    most = f"At most {percent(max_share)} of the" if max_share else "None of the"
    judge = partial(_judge, oddity=oddity, max_share=max_share)
    return Rule(oddity.rule, f"{most} files {oddity.words}.", judge, severity=Severity.WARN)


def _judge(evidence: PartitionEvidence, *, oddity: _Oddity, max_share: float) -> Verdict:
    import polars as pl

    files = present_files(evidence, [*oddity.columns, "flags", "extraction_status"], oddity.rule)
    kinds = files.select(**oddity.kinds())
    odd = files.filter(kinds.select(odd=pl.any_horizontal(pl.all()))["odd"])
    numbers: dict[str, int | float] = {"files": files.height, "odd_files": odd.height}
    numbers |= {name: int(kinds[name].sum()) for name in kinds.columns}
    if files.is_empty():
        return Verdict.not_evaluated("No files that are there.", numbers)
    share = odd.height / files.height
    sentence = (
        f"{odd.height:,} of {counted(files.height, 'file')} ({percent(share)}) {oddity.words}; "
        f"{f'at most {percent(max_share)}' if max_share else 'none'} expected."
    )
    passed = share <= max_share
    return Verdict.judged(
        passed=passed,
        sentence=sentence if passed else f"{sentence} {oddity.advice}",
        numbers=numbers | {"odd_pct": 100 * share},
        samples=file_samples(odd, oddity.columns, evidence),
    )


def _truncated() -> Mapping[str, pl.Expr]:
    import polars as pl

    incomplete = pl.col("extraction_status") == ExtractionStatus.INCOMPLETE.value
    return {"truncated": incomplete | has_flag("truncated")}


def _unlawful_quality() -> Mapping[str, pl.Expr]:
    import polars as pl

    columns = ("data_quality_score", "header_completeness")
    lawful = (pl.col(name).is_between(0, 1).fill_null(value=True) for name in columns)  # NaN is not between
    return {
        "out_of_range": has_flag("quality_out_of_range") | ~pl.all_horizontal(lawful),
        "unreadable": has_flag("quality_unreadable"),
    }
