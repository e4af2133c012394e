"""No file is there twice (Uniqueness of content, not of keys).

Here: files of one partition whose ``content_digest`` is the same. Files that are the same have the same time,
and so lie in one partition.
Not here: keys that occur twice (``primary_key``), the digest (``collectors.headers``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Severity, Verdict
from metaplat.rules.catalog.file_rows import present_files
from metaplat.rules.samples import shown_rows
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    import polars as pl

NAME = "duplicates_by_content"


def duplicates_by_content() -> Rule:
    """Return the rule that no two files of a partition are likely the same; a warning."""
    doc = "No two files of a partition have the same size and header, and begin with the same bytes."
    return Rule(NAME, doc, _judge, severity=Severity.WARN)


def _judge(evidence: PartitionEvidence) -> Verdict:
    import polars as pl

    columns = ["content_digest", "file_size"]
    files = present_files(evidence, columns, NAME).filter(pl.col("content_digest").is_not_null())
    groups = _groups(files)
    more = groups.select(files=pl.col("files") - 1, size=(pl.col("files") - 1) * pl.col("file_size"))
    numbers = {
        "files": files.height,
        "duplicated": groups.height,
        "duplicates": int(more["files"].sum()),
        "duplicate_bytes": int(more["size"].sum()),
    }
    if files.is_empty():
        return Verdict.not_evaluated("No files that are there.", numbers)
    duplicates = numbers["duplicates"]
    sentence = (
        f"{duplicates:,} of {counted(files.height, 'file')} {agreeing(duplicates, 'repeats', 'repeat')} "
        "another one, by size and header; none expected."
    )
    if duplicates:
        sentence += (
            f" They take {numbers['duplicate_bytes']:,} bytes. Compare those shown byte by byte, remove the "
            "spare ones and run `metaplat catalog reconcile PLACE`; of wanted copies, catalog one place."
        )
    return Verdict.judged(
        passed=not duplicates,
        sentence=sentence,
        numbers=numbers,
        samples=shown_rows(groups.head(MAX_SAMPLES).to_dicts(), evidence.domain.columns),
    )


def _groups(files: pl.DataFrame) -> pl.DataFrame:
    """Return contents that occur more than once, the largest waste first, each with two of its paths."""
    import polars as pl

    paths = pl.col("file_path").sort()
    groups = (
        files.filter(pl.col("content_digest").is_duplicated())
        .group_by("content_digest")
        .agg(
            files=pl.len(),
            file_size=pl.col("file_size").first(),
            first=paths.first(),
            second=paths.slice(1).first(),
        )
    )
    waste = (pl.col("files") - 1) * pl.col("file_size")
    return groups.sort(waste, "first", descending=[True, False])
