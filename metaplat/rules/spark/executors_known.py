"""What executors had is known, where there were executors and the source can tell (Completeness in DQDL).

Here: ``executor_cores`` and ``num_executors``, which are lawfully unknown of a local application, and of one
whose source names them in ``source_coverage``.
Not here: columns that every row should have (``rules.completeness``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Verdict
from metaplat.rules.samples import require_columns, shown_rows
from metaplat.rules.spark.expected_executors import COLUMNS, expects_executors
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    import polars as pl


def executors_known(column: str) -> Rule:
    """Return the rule that ``column`` is not null where executors are expected and the source can give it.

    Returns
    -------
    Rule
        Named ``completeness_<column>``. Of the table, the roll-up of its partitions.
    """
    doc = f"No application that ran tasks on a cluster lacks {column}, but where its source cannot give it."
    return Rule(f"completeness_{column}", doc, partial(_judge, column=column))


def _judge(evidence: PartitionEvidence, *, column: str) -> Verdict:
    frame, domain = evidence.frame, evidence.domain
    needed = [*domain.keys, "app_name", "master", column]
    require_columns(frame, [*needed, *COLUMNS, "source_coverage"], f"completeness_{column}")
    expected = frame.filter(expects_executors(), _given(column))
    lacking = expected.filter(expected[column].is_null())
    rows, missing = expected.height, lacking.height
    if not rows:
        return Verdict.not_evaluated(
            f"No application that ran tasks on a cluster, of a source that gives {column}.",
            {"rows": 0, "missing": 0},
        )
    verb = agreeing(missing, "lacks", "lack")
    sentence = f"{missing:,} of {counted(rows, 'application')} on a cluster {verb} {column}."
    if missing:
        sentence += (
            " Look at the properties and executors of those shown at their source, and collect them again."
        )
    return Verdict.judged(
        passed=not missing,
        sentence=sentence,
        numbers={"rows": rows, "missing": missing, "missing_pct": 100 * missing / rows},
        samples=shown_rows(lacking.head(MAX_SAMPLES).select(needed).to_dicts(), domain.columns),
    )


def _given(column: str) -> pl.Expr:
    """Return true where the source can give ``column``."""
    import polars as pl

    return ~pl.col("source_coverage").list.contains(column).fill_null(value=False)
