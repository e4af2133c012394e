"""What is wrong with a frame that the schema refuses: columns first, then values, for a person to read.

Here: exact counts, and a fair sample: some rows of every broken limit.
Not here: the schema (``frame_schema``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.domain import SOURCE_OBJECT
from metaplat.model.verdict import MAX_SAMPLES, Verdict
from metaplat.rules.samples import shown_rows
from metaplat.rules.value_limits import ValueLimit, value_limits
from metaplat.rules.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from metaplat.model.field import Field

ADVICE = (
    "Materialize the partition again with the current declaration; if it still fails, "
    "compare the rows shown with the declared columns."
)


def judge_failures(frame: pl.DataFrame, fields: Sequence[Field], types: Mapping[str, pl.DataType]) -> Verdict:
    """Return the verdict on a frame that its schema refused; arguments and numbers as ``judge_schema``."""
    wrong = _wrong_columns(frame.schema, types)
    judged = [
        limit for limit in value_limits(fields) if frame.schema.get(limit.column) == types[limit.column]
    ]
    counts, invalid_rows = _count(frame, judged)
    broken = {limit: count for limit, count in zip(judged, counts, strict=True) if count}
    numbers = {
        "rows": frame.height,
        "invalid_rows": invalid_rows,
        "failure_cases": sum(counts),
        "wrong_columns": len(wrong),
    }
    return Verdict.judged(
        passed=False,
        sentence=f"{_columns_said(wrong)}{_values_said(numbers, broken)}{ADVICE}",
        numbers=numbers,
        samples=[*wrong, *_samples(frame, list(broken), fields)],
    )


def _wrong_columns(
    actual: Mapping[str, pl.DataType], declared: Mapping[str, pl.DataType]
) -> list[dict[str, object]]:
    """Columns that are missing, of another type, or not declared."""
    found: list[dict[str, object]] = []
    for name, kind in declared.items():
        if name not in actual:
            found.append({"failing_column": name, "expected": str(kind), "found": "no such column"})
        elif actual[name] != kind:
            found.append({"failing_column": name, "expected": str(kind), "found": str(actual[name])})
    undeclared = [name for name in actual if name not in declared]
    return found + [
        {"failing_column": name, "expected": "no such column", "found": str(actual[name])}
        for name in undeclared
    ]


def _count(frame: pl.DataFrame, limits: Sequence[ValueLimit]) -> tuple[list[int], int]:
    """Values beyond each limit, and rows with any such value."""
    import polars as pl

    if not limits:
        return [], 0
    sums = [limit.broken.sum().alias(str(place)) for place, limit in enumerate(limits)]
    anywhere = pl.any_horizontal(limit.broken for limit in limits).sum().alias("anywhere")
    *counts, rows = frame.select(*sums, anywhere).row(0)
    return counts, rows


def _samples(
    frame: pl.DataFrame, broken: Sequence[ValueLimit], fields: Sequence[Field]
) -> list[dict[str, object]]:
    """Pick some rows of every broken limit: keys, landing object, column, limit and value."""
    share = max(1, MAX_SAMPLES // max(1, len(broken)))
    shown = [field.name for field in fields if field.key or field.name == SOURCE_OBJECT.name]
    rows: list[dict[str, object]] = []
    for limit in broken[:MAX_SAMPLES]:
        present = [name for name in dict.fromkeys([*shown, limit.column]) if name in frame.columns]
        for row in shown_rows(frame.filter(limit.broken).head(share).select(present).to_dicts(), fields):
            found = {"failing_column": limit.column, "expected": limit.words, "found": row[limit.column]}
            rows.append({name: row[name] for name in shown if name in row} | found)
    return rows


def _columns_said(wrong: Sequence[Mapping[str, object]]) -> str:
    if not wrong:
        return ""
    listed = "; ".join(f"{column['failing_column']}: {column['found']}" for column in wrong[:3])
    more = ", …" if len(wrong) > 3 else ""
    return f"{counted(len(wrong), 'column')} not as declared ({listed}{more}). "


def _values_said(numbers: Mapping[str, int], broken: Mapping[ValueLimit, int]) -> str:
    if not broken:
        return ""
    ranked = sorted(broken.items(), key=lambda item: -item[1])[:3]
    listed = "; ".join(f"{limit.column} must be {limit.words}: {count}" for limit, count in ranked)
    more = ", …" if len(broken) > len(ranked) else ""
    rows = f"{numbers['invalid_rows']} of {counted(numbers['rows'], 'row')}"
    return f"{rows} hold values that are not as declared ({listed}{more}). "
