"""The declared columns as a Pandera schema (SchemaMatch, ColumnValues in AWS Glue DQDL).

Here: types, nullability, limits and choices of ``Field``, compiled once, and the rule that frames keep them.
Not here: what is wrong with a record beyond its single values (``MetadataDomain.problems``), keys occurring
twice (``primary_key``), what the failing values are (``schema_failures``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from metaplat.model.polars_schema import polars_schema
from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Verdict
from metaplat.rules.schema_failures import judge_failures
from metaplat.rules.value_limits import ValueLimit, value_limits
from metaplat.rules.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from pandera.api.polars.types import PolarsData
    from pandera.polars import DataFrameSchema

    from metaplat.model.field import Field


def schema() -> Rule:
    """Return the rule that a partition has the declared columns and only lawful values."""

    def judge(evidence: PartitionEvidence) -> Verdict:
        return judge_schema(evidence.frame, evidence.domain.columns)

    return Rule("schema", "Columns, types, nulls, limits and choices are as declared.", judge)


def judge_schema(frame: pl.DataFrame, fields: Sequence[Field]) -> Verdict:
    """Judge that ``frame`` has exactly the declared columns, and only lawful values in them.

    Parameters
    ----------
    frame : polars.DataFrame, shape (rows, columns)
        One collected partition.
    fields : sequence of Field
        The declared columns, in any order.

    Returns
    -------
    Verdict
        Numbers ``rows``, ``invalid_rows`` (rows with an unlawful value), ``failure_cases`` (such values) and
        ``wrong_columns`` (missing, undeclared or of another type; their values are not judged).

    Raises
    ------
    TypeError
        A LazyFrame: Pandera would pass all of its values unseen.
    """
    import polars as pl

    if not isinstance(frame, pl.DataFrame):
        raise TypeError(f"a schema is judged on a collected DataFrame, not on a {type(frame).__name__}")
    if not _fits(frame, fields):
        return judge_failures(frame, fields, polars_schema(fields))
    numbers = {"rows": frame.height, "invalid_rows": 0, "failure_cases": 0, "wrong_columns": 0}
    sentence = f"{counted(frame.height, 'row')} of {counted(len(fields), 'column')}, all as declared."
    return Verdict.judged(passed=True, sentence=sentence, numbers=numbers)


def _fits(frame: pl.DataFrame, fields: Sequence[Field]) -> bool:
    """Whether Pandera accepts the frame; what it says of a refusal repeats values, so that stays here."""
    from pandera.config import ValidationDepth, config_context
    from pandera.errors import SchemaError

    # A context of its own, since PANDERA_VALIDATION_* in the environment could pass everything unseen. Not
    # lazy, since that report holds every failing row and cannot be built for columns of some types.
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            frame_schema(fields).validate(frame)
        except SchemaError:
            return False
    return True


def frame_schema(fields: Sequence[Field]) -> DataFrameSchema:
    """Compile the Pandera schema of ``fields``, once; pandera loads on the first call."""
    return _compiled(tuple(fields))


@lru_cache(maxsize=64)
def _compiled(fields: tuple[Field, ...]) -> DataFrameSchema:
    import pandera.polars as pa

    types, limits = polars_schema(fields), value_limits(fields)

    def lawful(given: PolarsData) -> pl.LazyFrame:
        return _lawful_rows(given.lazyframe, types, limits)

    columns = {
        field.name: pa.Column(types[field.name], nullable=field.nullable, description=field.doc)
        for field in fields
    }
    # One check for all limits: Pandera pays about 1 ms for each check of a column, however few the rows.
    words = "values within their declared limits"
    checks = [pa.Check(lawful, name="value_limits", error=words, n_failure_cases=MAX_SAMPLES)]
    return pa.DataFrameSchema(columns, checks=checks, strict=True)


def _lawful_rows(
    frame: pl.LazyFrame, types: Mapping[str, pl.DataType], limits: Sequence[ValueLimit]
) -> pl.LazyFrame:
    """Say of each row whether its values keep their limits; columns of a wrong type are not looked at."""
    import polars as pl

    actual = frame.collect_schema()
    broken = [limit.broken for limit in limits if actual.get(limit.column) == types[limit.column]]
    return frame.select(lawful=~pl.any_horizontal(pl.lit(value=False), *broken))
