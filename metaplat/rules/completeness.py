"""Few enough nulls in one column (Completeness in AWS Glue DQDL).

Here: the share of nulls among the rows that should have a value.
Not here: columns that may never be null (``frame_schema``), missing partitions (``partition``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Severity, Verdict
from metaplat.rules.samples import require_columns, shown_rows
from metaplat.rules.wording import counted, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from metaplat.model.domain import MetadataDomain


def completeness(
    column: str,
    max_missing: float = 0.05,
    where: Mapping[str, Sequence[str]] | None = None,
    *,
    severity: Severity = Severity.ERROR,
    shown: Sequence[str] = (),
) -> Rule:
    """Return the rule that a column is rarely null.

    Parameters
    ----------
    column : str
        The column judged.
    max_missing : float
        Largest lawful share of nulls, 0 to 1; exactly this share passes.
    where : mapping of str to sequence of str, or None
        Judge only rows whose columns hold one of these values; None judges all.
    severity : Severity
        Of a failure.
    shown : sequence of str
        Columns that samples show beside the keys.

    Returns
    -------
    Rule
        Named ``completeness_<column>``. Of the table, the roll-up of its partitions.
    """
    if not 0 <= max_missing <= 1:
        raise ValueError(f"completeness of {column}: max_missing is a share from 0 to 1, not {max_missing}")
    chosen = {name: tuple(values) for name, values in (where or {}).items()}
    rows = "rows" + "".join(f" with {name} {' or '.join(values)}" for name, values in chosen.items())
    return Rule(
        f"completeness_{column}",
        f"At most {percent(max_missing)} of the {rows} lack {column}.",
        partial(_judge, column=column, max_missing=max_missing, where=chosen, shown=shown),
        severity=severity,
    )


def _judge(
    evidence: PartitionEvidence,
    *,
    column: str,
    max_missing: float,
    where: Mapping[str, Sequence[str]],
    shown: Sequence[str],
) -> Verdict:
    """Judge one partition; no matching row, no verdict."""
    import polars as pl

    frame, domain = evidence.frame, evidence.domain
    require_columns(frame, [column, *where, *domain.keys, *shown], f"completeness_{column}")
    matching = frame.filter(*(pl.col(name).is_in(values) for name, values in where.items()))
    rows, missing = matching.height, matching[column].null_count()
    if not rows:
        return Verdict.not_evaluated(f"No row that should have {column}.", {"rows": 0, "missing": 0})
    numbers = {"rows": rows, "missing": missing, "missing_pct": 100 * missing / rows}
    # A quotient, since 0.05 * 20 is not exact while 1 / 20 is the very float that 0.05 is.
    passed = missing / rows <= max_missing
    sentence = (
        f"{column} is missing in {missing} of {counted(rows, 'row')} ({percent(missing / rows)}); "
        f"at most {percent(max_missing)} expected."
    )
    if not passed:
        sentence += " " + _advice(domain)
    samples = shown_rows(_lacking(matching, column, [*domain.keys, *where, *shown]), domain.columns)
    return Verdict.judged(passed=passed, sentence=sentence, numbers=numbers, samples=samples)


def _lacking(frame: pl.DataFrame, column: str, shown: Sequence[str]) -> list[dict[str, object]]:
    """Rows with a null in ``column``, by their keys and what they were chosen by."""
    import polars as pl

    lacking = frame.filter(pl.col(column).is_null()).head(MAX_SAMPLES)
    return lacking.select(list(dict.fromkeys(shown))).to_dicts()


def _advice(domain: MetadataDomain) -> str:
    if domain.cataloged:
        return (
            "Look at the headers of the files shown (`metaplat catalog show PATH`): where another keyword "
            "says it, name that in the file of catalog.mappings and run `metaplat catalog ingest PLACE`."
        )
    return "Look at the source of that column for the rows shown, then land and materialize them again."
