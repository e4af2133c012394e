"""Observations as rules look at them: files that are there, and how a sample shows one.

Here: what the rules about files share. Not here: their judgements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.observation import FileState
from metaplat.model.verdict import MAX_SAMPLES
from metaplat.rules.samples import require_columns, shown_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from metaplat.model.rule import PartitionEvidence

NAMES = ("dataset_id", "file_path")
"""What tells a person which file is meant."""


def present_files(evidence: PartitionEvidence, columns: Sequence[str], rule: str) -> pl.DataFrame:
    """Return the files of a partition that are there and readable.

    Parameters
    ----------
    evidence : PartitionEvidence
        About a partition of observations.
    columns : sequence of str
        What ``rule`` looks at beside the state of files and ``NAMES``.
    rule : str
        Its name.

    Raises
    ------
    InvalidInputError
        A column is missing; the caller records "not evaluated".
    """
    import polars as pl

    require_columns(evidence.frame, ["file_state", *NAMES, *columns], rule)
    return evidence.frame.filter(pl.col("file_state") == FileState.PRESENT.value)


def file_samples(
    files: pl.DataFrame, columns: Sequence[str], evidence: PartitionEvidence
) -> list[dict[str, object]]:
    """Return the first of some files as samples: by ``NAMES``, with ``columns``."""
    shown = files.head(MAX_SAMPLES).select(*NAMES, *columns).to_dicts()
    return shown_rows(shown, evidence.domain.columns)


def has_flag(*codes: str) -> pl.Expr:
    """Return true where the flags of a file hold one of ``codes``; never null."""
    import polars as pl

    return pl.col("flags").str.contains(f"(?:^|,)(?:{'|'.join(codes)})(?:,|$)").fill_null(value=False)
